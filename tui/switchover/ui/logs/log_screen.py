"""The log screen: a window onto the lines of one or several sources, merged by time, followed or searched."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from switchover.clock import Clock
from switchover.commands.logs import SoughtFor
from switchover.errors import SwitchoverError
from switchover.snapshot.logview import LogLine, LogQuery
from switchover.snapshot.states import LevelWord
from switchover.terminal.link import TerminalLink
from switchover.ui.kit.clipboard import MOST_BYTES, copy
from switchover.ui.kit.text_entry import TextEntry
from switchover.ui.kit.theme import Painter
from switchover.ui.logs.log_feed import LogFeed
from switchover.ui.logs.log_headline import bad_pattern, filtered, has_older
from switchover.ui.logs.log_rows import BAD
from switchover.ui.logs.log_time import SpanError, parse_span
from switchover.ui.logs.log_window_screen import READING_OLDER, LogWindowScreen
from switchover.ui.text.render_context import RenderContext

__all__ = ["LogScreen"]

TICK_S = 0.125
_LABELS = {"find": "find", "show": "only lines with", "hide": "hide lines with", "span": "since (.. until)"}
_LEAST: tuple[LevelWord, ...] = ("", "info", "warn", "error")


class LogScreen(LogWindowScreen):
    """Follows what comes; any move stops that. Filters are said in a line of their own, with how much they hide."""

    DEFAULT_CSS = "LogScreen > .-one { height: 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "ask('find')", "find", tooltip="mark a regular expression and go to where it stands"),
        Binding("n", "match(1)", "next", tooltip="next line with what is searched for"),
        Binding("N", "match(-1)", "previous match", show=False),
        Binding("ampersand", "ask('show')", "only", tooltip="show only lines that match a regular expression"),
        Binding("exclamation_mark", "ask('hide')", "hide", tooltip="hide lines that match a regular expression"),
        Binding("e", "error(1)", "error", tooltip="next line that is an error; while following the newest"),
        Binding("E", "error(-1)", "previous error", show=False),
        Binding("f", "follow", "follow", tooltip="show what comes, or stop here"),
        Binding("enter", "open", "whole line", tooltip="the whole line under the cursor; JSON laid out"),
        Binding("w", "wrap", "wrap", tooltip="break long lines, or move sideways with ← and →"),
        Binding("m", "ask('span')", "since", tooltip="only since (and until): 15m, 14:00, 14:00 .. 14:30, 2026-01-28"),
        Binding("L", "least", "level", tooltip="least level: all, info, warn, error"),
        Binding("at", "times", "times", tooltip="show or hide times"),
        Binding("s", "save", "save", tooltip="write what is shown into a file, redacted"),
        Binding("Y", "copy", "copy", tooltip="copy the line under the cursor to your own clipboard"),
        Binding("g,home", "top", "First line", show=False),
        Binding("G,end", "bottom", "Newest line, and follow", show=False),
        *[Binding(str(number), f"source({number - 1})", f"Source {number}", show=False) for number in range(1, 10)],
        Binding("escape", "back", "back", tooltip="end the search, then the filters, then leave"),
        Binding("q", "quit_logs", "leave the log", show=False),
    ]

    def __init__(
        self,
        painter: Painter,
        moment: RenderContext,
        title: str,
        feed: LogFeed,
        clock: Clock,
        line: TerminalLink,
        *,
        ticks: bool = True,
    ) -> None:
        super().__init__(painter, moment, title, feed, clock, line)
        self._ticks = ticks
        self._entry_for = ""
        self._entry = TextEntry(painter, "find")

    def compose(self) -> ComposeResult:
        """Density, lines, what is hidden, sources; the line to type in."""
        yield self.header
        yield self._density
        yield self.view
        yield self._info
        yield self._legend
        yield self._entry
        yield self.status
        yield self.keys

    def on_mount(self) -> None:
        """Begin to read."""
        self._entry.display = self._legend.display = False
        self.view.focus()
        if self._ticks:
            self.set_interval(TICK_S, self.tick)
        self.call_after_refresh(self.tick)

    # ------------------------------------------------------------------ filters

    def action_ask(self, what: str) -> None:
        """Open the line to type in."""
        query = self.query_now
        text = {"find": query.find, "show": query.show, "hide": query.hide}.get(what, "")
        self._entry_for = what
        self._entry.relabel(_LABELS[what])
        self._entry.text = text
        self._entry.line.cursor_position = len(text)
        self._entry.display = True
        self._entry.take_focus()

    def on_text_entry_entered(self, event: TextEntry.Entered) -> None:
        """Take what was typed; what cannot be understood is said below it, and nothing changes."""
        what, text = self._entry_for, event.text
        since, until = self.query_now.since, self.query_now.until
        problem = bad_pattern(text) if what != "span" else ""
        if what == "span":
            try:
                since, until = parse_span(text, self.moment.now)
            except SpanError as error:
                problem = str(error)
        if problem:
            self.say(problem, error=True)
            return
        self._close_entry()
        if what == "span":
            self.set_query(replace(self.query_now, since=since, until=until))
        elif what == "find":
            self.set_query(replace(self.query_now, find=text))
            if text:
                self._seek("find", -1 if self.view.following else 1, first=True)
        else:
            self.set_query(replace(self.query_now, show=text) if what == "show" else replace(self.query_now, hide=text))

    def on_descendant_focus(self) -> None:
        """Show the keys of what has them now."""
        self.show_keys()

    def on_text_entry_left(self) -> None:
        """Change nothing."""
        self._close_entry()

    def _close_entry(self) -> None:
        self.status.clear()
        self._entry.display = False
        self.view.focus()

    def action_least(self) -> None:
        """Choose the least level that is shown."""
        now = self.query_now.least
        index = _LEAST.index(now) if now in _LEAST else 0
        self.set_query(replace(self.query_now, least=_LEAST[(index + 1) % len(_LEAST)]))

    def action_source(self, number: int) -> None:
        """Show or hide a source."""
        names = tuple(source.name for source in self.window.sources)
        if number >= len(names) or len(names) < 2:
            return
        shown = set(self.query_now.sources or names) ^ {names[number]}
        if not shown:
            self.say("one source stays; show another one first")
            return
        chosen = tuple(name for name in names if name in shown)
        self.set_query(replace(self.query_now, sources=() if chosen == names else chosen))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what does something now."""
        if action == "match":
            return bool(self.query_now.find)
        if action == "source":
            return 1 < len(self.window.sources) > int(str(parameters[0]))
        return super().check_action(action, parameters)

    # ------------------------------------------------------------------ going

    def action_follow(self) -> None:
        """Follow, or stop here."""
        self.view.following = not self.view.following
        self.view.redraw()
        self._on_view_moved()

    def action_bottom(self) -> None:
        """Go to the newest line and follow."""
        self.view.following = True
        self.view.redraw()
        self._on_view_moved()

    def action_top(self) -> None:
        """Go to the first line that is kept; from there to what is older, where that was not read."""
        here = self.view.at_cursor
        first = here is not None and not self.view.following and not self.view.above and here is self.view.logged[0]
        if first and self._feed.can_read_older and has_older(self.window) and not self.window.dropped:
            self._feed.read_more()
            self._note = READING_OLDER
            self._reopen()
            self._draw_around()
            return
        self.view.following = False
        if not self.view.above and self.view.logged:
            self.view.stand_on(self.view.logged[0].seq, at_top=True)
            self._on_view_moved()
        else:
            self.ask_window(0, at_top=True)

    def action_match(self, by: int) -> None:
        """Go to the next or previous line with what is searched for."""
        self._seek("find", by)

    def action_error(self, by: int) -> None:
        """Go to the next or previous error."""
        self._seek("error", -1 if self.view.following else by)

    def _seek(self, what: SoughtFor, by: int, *, first: bool = False) -> None:
        view = self.view
        line = view.at_cursor
        if line is None:
            return
        inclusive = first or (view.following and what == "error")  # the newest line itself may be the one
        if not first:
            error = what == "error"
            wanted = _is_error if error else _is_match
            here = view.next_here(wanted, by, whole=error, here_too=inclusive)
            if here is not None:
                view.stand_on(here)
                self._on_view_moved()
                return
            if not (view.below if by > 0 else view.above):
                self.say(self._no_more(what, by, self.query_now.find))
                return
        seq = line.seq - by if inclusive else line.seq
        query, version = self.query_now, self._version
        self._seeks.want(lambda: self._go_to_next(query, version, seq, what, by, first=first))

    async def _go_to_next(
        self, query: LogQuery, version: int, seq: int, what: SoughtFor, by: int, *, first: bool
    ) -> None:
        try:
            found = await self._feed.seek(query, seq, what, by)
            if found is None and first:
                found = await self._feed.seek(query, seq, what, -by)
        except SwitchoverError as error:
            self.say(error.title, error=True, hint=error.hint)
            return
        if version != self._version or not self.is_mounted:
            return
        if found is None:
            self.say(self._no_more(what, by, query.find, anywhere=first))
        elif any(line.seq == found for line in self.view.logged):
            self.view.stand_on(found)
            self._on_view_moved()
            self.ask_window()
        else:
            self.ask_window(found)

    def _no_more(self, what: str, by: int, find: str, *, anywhere: bool = False) -> str:
        """Say that there is none, and how far the search went."""
        subject = "error" if what == "error" else f"line with “{find}”"
        forth, back = ("e", "E") if what == "error" else ("n", "N")
        older = has_older(self.window) and (anywhere or by < 0)
        read = f" in the {self.window.kept:,} lines that were read; g g reads older ones" if older else ""
        if anywhere:
            return f"no {subject}{read}"
        where, other = ("below", back) if by > 0 else ("above", forth)
        return f"no {subject} {where}{read or f'; {other} looks the other way'}"

    # ------------------------------------------------------------------ the rest

    def action_wrap(self) -> None:
        """Break long lines, or not."""
        self._lay_out(wrap=not self.view.layout_of_lines.wrap)
        self._draw_around()

    def action_times(self) -> None:
        """Show or hide times."""
        self._lay_out(times=not self.view.layout_of_lines.times)

    def action_open(self) -> None:
        """Open the whole line under the cursor."""
        from switchover.ui.logs.log_line_screen import LogLineScreen

        line = self.view.at_cursor
        if line is not None and self._is_known(line):
            self.view.following = False
            self._on_view_moved()
            self.app.push_screen(LogLineScreen(self.painter, self.moment, line, self._feed))

    def action_copy(self) -> None:
        """Copy the line under the cursor, all of it."""
        line = self.view.at_cursor
        if line is None:
            return
        if line.more and self._is_known(line):
            self.run_worker(self._copy_whole(line.seq), name="log copy", exit_on_error=False)
        elif not line.more:
            self.say(copy(self.app, line.text))

    def _is_known(self, line: LogLine) -> bool:
        """Tell whether the rest of a line can be asked for. While the log is opened anew the numbers change."""
        if line.more and self.pending:
            self.say("the log is being opened anew; try again in a moment")
            return False
        return True

    async def _copy_whole(self, seq: int) -> None:
        try:
            whole = await self._feed.line(seq, 0, MOST_BYTES)
        except SwitchoverError as error:
            self.say(error.title, error=True, hint=error.hint)
            return
        said = copy(self.app, whole.text)
        self.say(said if len(whole.text) >= whole.total else f"{said} of {whole.total:,}: s saves all")

    def action_save(self) -> None:
        """Write what fits the filters into a file."""
        self._note = "saving …"
        self._draw_around()
        self.run_worker(self._save(), name="log save", exit_on_error=False)

    async def _save(self) -> None:
        try:
            saved = await self._feed.save(self.query_now)
        except SwitchoverError as error:
            self._note = ""
            self.say(error.title, error=True, hint=error.hint)
        else:
            self._note = f"saved {saved.lines:,} lines, redacted: {saved.path}"
        self._draw_around()

    def action_back(self) -> None:
        """Close what lies on top: a message, the search, the filters; then the screen."""
        if self.status.clear():
            return
        if self._note:
            self._note = ""
            self._draw_around()
        elif self.query_now.find:
            self.set_query(replace(self.query_now, find=""))
        elif filtered(self.query_now):
            self.set_query(LogQuery())
        else:
            self.leave()

    def action_quit_logs(self) -> None:
        """Leave at once."""
        self.leave()


def _is_error(line: LogLine) -> bool:
    return line.level in BAD


def _is_match(line: LogLine) -> bool:
    return bool(line.marks)
