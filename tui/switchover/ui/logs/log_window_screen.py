"""What the log screen holds of a log, and how it asks for more: without ever waiting for it.

It holds no more than it shows and a page around it. Keys are answered from what is held. Everything else is asked for
in the background, one request at a time. So a slow or lost agent never holds up a key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from switchover.clock import Clock
from switchover.errors import SwitchoverError
from switchover.snapshot.logview import LogQuery, LogWindow
from switchover.terminal.link import TerminalLink
from switchover.ui.kit.base_screen import OverScreen
from switchover.ui.kit.line_view import LineView
from switchover.ui.kit.pane import set_height
from switchover.ui.kit.theme import Painter
from switchover.ui.logs.log_feed import Lane, LogFeed
from switchover.ui.logs.log_headline import (
    LogScreenState,
    density_line,
    headline,
    info_lines,
    is_within,
    legend_lines,
    what_is_before,
    why_empty,
)
from switchover.ui.logs.log_rows import LogLayout
from switchover.ui.logs.log_view import LogView
from switchover.ui.text.render_context import AgentLinkState, RenderContext
from switchover.ui.text.styled_line import Line

__all__ = ["READING_OLDER", "LogWindowScreen"]

_QUICK_S, _FLOOD_S, _REST_S, _SLOW_S = 0.11, 0.24, 0.5, 1.0
_WAIT_S = 2.0  # for so long the agent may wait for something new before it answers
_ASKING_AFTER_S = 0.3
_SILENT_AFTER_S = 1.0
_RETRY_S = (1.0, 5.0)
READING_OLDER = "reading what is older …"


@dataclass(frozen=True, slots=True)
class _Ask:
    """A window that is asked for: around `goto`, where the cursor shall stand, or around the cursor, or the newest."""

    query: LogQuery
    version: int
    anchor: int | None
    goto: int | None = None
    at_top: bool = False
    again: bool = False
    wait_s: float = 0.0


class LogWindowScreen(OverScreen):
    """The parts of the log screen that are drawn from what the agent answers; the keys are `LogScreen`'s."""

    def __init__(
        self,
        painter: Painter,
        moment: RenderContext,
        title: str,
        feed: LogFeed,
        clock: Clock,
        line: TerminalLink,
    ) -> None:
        super().__init__(painter, moment, title)
        self._title = title
        self._feed = feed
        self._clock = clock
        self._line = line
        self.query_now = LogQuery()
        self._query_before = LogQuery()
        self.window = LogWindow()
        self._version = 0
        self._windows = Lane(lambda run: self.run_worker(run, name="log window", exit_on_error=False), clock)
        self._newest = Lane(lambda run: self.run_worker(run, name="log newest", exit_on_error=False), clock)
        self._seeks = Lane(lambda run: self.run_worker(run, name="log seek", exit_on_error=False), clock)
        self._due = self._retry_at = 0.0
        self._failures = 0
        self._opening = self._once_more = self._was_open = self._answered = False
        self._held_for: tuple[LogQuery, int | None] | None = None  # filter and stream of the lines that are held
        self._trouble = self._note = ""
        self._waiting_shown = (False, "")
        self._place: int | None = None  # the line that was stood on last, and when it was written
        self._stood_at: float | None = None
        self._found_again_at: float | None = None
        self._density = LineView(painter, classes="-one")
        self.view = LogView(painter, self._on_view_moved)
        self._info = LineView(painter, classes="-one")
        self._legend = LineView(painter, classes="-one")

    def on_unmount(self) -> None:
        """Let go of the stream."""
        self.app.run_worker(self._feed.close(), name="log close", exit_on_error=False)

    # ------------------------------------------------------------------ asking

    def tick(self) -> None:
        """Ask for what is due, and open the stream where it is not; called a few times a second."""
        if self.left or not self.is_mounted:
            return
        now = self._clock.monotonic()
        if self.moment.link.state is not AgentLinkState.LIVE:
            pass
        elif not self._feed.is_open:
            if not self._opening and now >= self._retry_at:
                self._reopen()
        elif now >= self._due and self.view.following:
            if not self._newest.busy and not self._windows.busy:
                ask = _Ask(self.query_now, self._version, None, wait_s=_WAIT_S)
                self._newest.want(lambda: self._fetch(ask))
        elif now >= self._due and not self._windows.busy:
            self.ask_window()
        if (self._asking(), self._silence()) != self._waiting_shown and self.view.size.width:
            self._draw_around()

    def _asking(self) -> bool:
        return max(self._seeks.waited, self._overdue) > _ASKING_AFTER_S

    @property
    def _overdue(self) -> float:
        """For how many seconds the lines that are asked for should have been there."""
        return max(self._windows.waited, self._newest.waited - _WAIT_S)

    def _silence(self) -> str:
        """Say that what seems to be followed is not: nobody answers."""
        if not self.view.following or not self._answered or self._overdue < _SILENT_AFTER_S:
            return ""
        return f"no answer for {int(self._overdue)} s: these lines are from before"

    def _reopen(self) -> None:
        if self._opening:
            self._once_more = True  # what is asked for changed while it was opened
            return
        self._opening = True
        self.run_worker(self._open(), name="log open", exit_on_error=False)

    async def _open(self) -> None:
        self._renew()
        try:
            await self._feed.open(self.query_now.since, self.query_now.until)
        except SwitchoverError as error:
            self._fail(error)
        else:
            at = self.view.at_cursor
            standing = self._was_open and not self.view.following and self._found_again_at is None
            if standing and at is not None:
                self._found_again_at = at.at
                self._note = self._note or "the log was opened anew: looking for where you stood"
            self._was_open = True
            self.ask_window()
        finally:
            self._opening = False
            if self._once_more and self.is_mounted:
                self._once_more = False
                self._reopen()

    def _fail(self, error: SwitchoverError) -> None:
        self._feed.drop()
        self._failures += 1
        self._retry_at = self._clock.monotonic() + min(_RETRY_S[0] * 2 ** (self._failures - 1), _RETRY_S[1])
        self._trouble = f"{error.title}; trying again" + (f" · {error.hint}" if error.hint else "")
        self._draw_around()

    def _renew(self) -> None:
        """Let nothing that is still on its way count: it was asked for other lines."""
        self._version += 1
        self._newest = Lane(lambda run: self.run_worker(run, name="log newest", exit_on_error=False), self._clock)

    def ask_window(self, goto: int | None = None, *, at_top: bool = False) -> None:
        """Ask for what shall be seen, without waiting for it."""
        if not self._feed.is_open:
            return
        query, version = self.query_now, self._version
        if goto is not None:
            ask = _Ask(query, version, goto, goto, at_top)
        elif self.view.following:
            ask = _Ask(query, version, None)
        elif self._found_again_at is not None:
            since = max(self._found_again_at, query.since or 0.0)
            ask = _Ask(replace(query, since=since), version, 0, again=True)
        else:
            line = self.view.at_cursor
            place = line.seq if line is not None else self._place
            ask = _Ask(query, version, place)
        self._windows.want(lambda: self._fetch(ask))

    async def _fetch(self, ask: _Ask) -> None:
        room = max(self.view.size.height, 10)
        before, after = (2 * room, 0) if ask.anchor is None else (2 * room, 2 * room)
        try:
            seen = self.window.newest
            window = await self._feed.window(ask.query, ask.anchor, before, after, seen=seen, wait_s=ask.wait_s)
        except SwitchoverError as error:
            if ask.version == self._version and not self._opening:
                self._fail(error)
            return
        (self._newest if ask.wait_s else self._windows).answered()
        self._take(ask, window)

    def _take(self, ask: _Ask, window: LogWindow) -> None:
        if ask.version != self._version or not self.is_mounted:
            return
        self._trouble, self._failures, self._answered = "", 0, True
        if self._note == READING_OLDER and self._found_again_at is None:
            self._note = ""
        if window.problem:
            self._refuse(window.problem)
            return
        if ask.again:
            self._take_again(window)
            return
        self._set_pace(ask, window)
        view = self.view
        here = view.at_cursor
        anew = self.pending  # what is held was asked for by another filter, or is of another stream
        holds = anew or here is None or any(line.seq == here.seq for line in window.lines)
        moved_past = here is not None and here is view.logged[-1] and not view.following
        beyond = moved_past and bool(window.lines) and here is not None and window.lines[0].seq > here.seq
        self.window = window
        if ask.goto is not None:
            view.following = False
            self._hold(window)
            view.stand_on(ask.goto, at_top=ask.at_top)
        elif anew or (view.following == (ask.anchor is None) and (view.following or holds or beyond)):
            self._hold(window)
            if here is None and ask.anchor is not None and not view.following:
                view.stand_on(ask.anchor)  # nothing was held for a while
        else:  # what stands here is no longer kept, or was asked for before the last key: it stays as it is
            view.above, view.below = window.above, window.below
        self._note_place()
        self._draw_around()

    def _hold(self, window: LogWindow) -> None:
        self._held_for = self._wanted
        before = what_is_before(window, can_read=self._feed.can_read_older)
        self.view.hold(window.lines, window.above, window.below, before)

    @property
    def _wanted(self) -> tuple[LogQuery, int | None]:
        return replace(self.query_now, find=""), self._feed.stream

    @property
    def pending(self) -> bool:
        """Whether the lines that are held are those of another filter or stream: the answer is on its way."""
        return self._held_for != self._wanted

    def _take_again(self, window: LogWindow) -> None:
        self._due = self._clock.monotonic() + _REST_S
        if not window.lines and not self.view.logged:
            self.window = window
            self._hold(window)
            self._draw_around()
        if window.lines:
            self._found_again_at, self._note = None, ""
            self.ask_window(window.lines[0].seq, at_top=True)

    def _note_place(self) -> None:
        if (line := self.view.at_cursor) is not None:
            self._place, self._stood_at = line.seq, line.at

    def _set_pace(self, ask: _Ask, window: LogWindow) -> None:
        """Ask again soon where little changes at once, later where all does; once a second on a poor line."""
        pace = _QUICK_S
        if self._line.poor or ask.anchor is not None:
            pace = _SLOW_S
        elif not ask.wait_s:
            pace = 0.0  # the next one waits for what is new
        else:
            held = {line.seq for line in self.view.logged}
            room = max(self.view.size.height, 1)
            if sum(line.seq not in held for line in window.lines[-room:]) > room // 2:
                pace = _FLOOD_S
        self._due = self._clock.monotonic() + pace

    def _on_view_moved(self) -> None:
        self._note = ""
        self._note_place()
        if self.view.following or self.view.near_edge:
            self.ask_window()
        self._draw_around()

    # ------------------------------------------------------------------ drawing

    def draw(self) -> None:
        """Notice that the agent came or went, and draw what time changes."""
        state = self.moment.link.state
        if state in {AgentLinkState.LOST, AgentLinkState.STOPPED} and (self._feed.is_open or not self._trouble):
            self._feed.forget()
            self._renew()
            self._retry_at = 0.0
            sought = "; it is looked for" if state is AgentLinkState.LOST else ""
            self._trouble = f"the agent is {state.value}: these lines are from before{sought}"
        width = self.view.size.width
        if width and width != self.view.layout_of_lines.width:
            self._lay_out()
        if width:
            self._draw_around(header=False)

    def _lay_out(self, **changes: bool) -> None:
        layout = self.view.layout_of_lines
        names = tuple(source.name for source in self.window.sources)
        self.view.lay_out(
            LogLayout(
                self.view.size.width or layout.width,
                names,
                changes.get("times", layout.times),
                changes.get("wrap", layout.wrap),
                0 if changes.get("wrap") else layout.left,
            )
        )

    def _draw_around(self, *, header: bool = True) -> None:
        width = self.view.size.width or self.size.width
        if tuple(source.name for source in self.window.sources) != self.view.layout_of_lines.sources:
            self._lay_out()
        asking, silence = self._waiting_shown = (self._asking(), self._silence())
        standing = LogScreenState(
            self.query_now,
            self.view.following,
            asking,
            self._trouble or silence,
            self._note,
            self.view.layout_of_lines.left,
            self._answered and self.pending and not self._trouble,
        )
        self.view.say_empty(why_empty(standing, self.window, answered=self._answered, is_lost=bool(self._trouble)))
        self._density.set_lines([density_line(self.window, *self.view.span, width)])
        above, below = self.view.unseen
        seen = self.view.logged[above - self.view.above : len(self.view.logged) - below + self.view.below]
        counted = replace(self.window, above=above, below=below, lines=seen)
        self._fill(self._info, info_lines(self.window, standing, self.moment.now, width))
        self._fill(self._legend, legend_lines(self.window.sources, self.query_now, width))
        self.headline = headline(self._title, counted, standing)
        if header:
            self.header.show(self.moment, title=self.headline)

    def _fill(self, part: LineView, lines: Sequence[Line]) -> None:
        """Give a part the rows it wants, but leave more than half of the screen to the log."""
        lines = lines[: max(self.size.height // 6, 1)]
        set_height(part, len(lines))
        part.set_lines(lines)

    # ------------------------------------------------------------------ filters

    def set_query(self, query: LogQuery) -> None:
        """Ask for other lines. Those that are shown stay until the answer comes, but for those of another time."""
        if query == self.query_now:
            return
        again = self._found_again_at
        stood = self._stood_at if again is None else again
        self._query_before, self.query_now = self.query_now, query
        self._renew()
        self._note = ""
        self._found_again_at = None
        beyond = self._is_beyond(query)
        outside = stood is None or not is_within(stood, query)
        if not self.view.following and (beyond or again is not None):
            self._found_again_at = (query.since or 0.0) if outside else stood
        self.view.keep_only(lambda line: is_within(line.at, query))
        if beyond:
            self._note = READING_OLDER
            self._reopen()
        elif not self.view.following and outside and self._found_again_at is None:
            self.ask_window(0, at_top=True)
        else:
            self.ask_window()
        self._draw_around()
        self.show_keys()

    def _is_beyond(self, query: LogQuery) -> bool:
        """Say whether a time is asked for that was not read, or one that is not read any further."""
        if not self._feed.is_open:
            return False  # it will be opened for what is asked for
        begin = self.window.density_from
        older = any(at is not None and (not begin or at < begin) for at in (query.since, query.until))
        changed = (query.since, query.until) != (self._query_before.since, self._query_before.until)
        return (older and changed) or not self._feed.covers(query.since, query.until)

    def _refuse(self, problem: str) -> None:
        """Keep the filter that was, and say what is wrong with the new one."""
        self.say(problem, error=True, hint="what was shown before stays")
        before, self._query_before = self._query_before, LogQuery()  # one that is refused too is not tried again
        self._due = self._clock.monotonic() + _SLOW_S
        if before == self.query_now:
            return
        self.query_now = before
        self._renew()
        self.ask_window()
        self._draw_around()
