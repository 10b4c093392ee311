"""Lines of a log with a cursor. It holds only a window, which follows the end or stays where it was left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.strip import Strip

from switchover.snapshot.logview import LogLine
from switchover.ui.kit.line_view import LineView
from switchover.ui.kit.theme import Painter
from switchover.ui.logs.log_rows import LogLayout, day, log_rows
from switchover.ui.text.styled_line import BLANK, Line, StyledSpan

__all__ = ["LogView"]

_SIDEWAYS = 20
_REACH = 200  # lines that a stack trace may be apart


class LogView(LineView, can_focus=True):
    """Shows `lines`; `on_move` is called whenever cursor or window moved, so that more can be asked for.

    A place is a line (by where it stands among those held) and a row of it. While following, no cursor is seen.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", show=False),
        Binding("k,up", "move(-1)", "Up", show=False),
        Binding("space,pagedown", "page(1)", "Page down", show=False),
        Binding("b,pageup", "page(-1)", "Page up", show=False),
        Binding("ctrl+d", "page(0.5)", "Half a page down", show=False),
        Binding("ctrl+u", "page(-0.5)", "Half a page up", show=False),
        Binding("right,greater_than_sign", "sideways(1)", "To the right", show=False),
        Binding("left,less_than_sign", "sideways(-1)", "To the left", show=False),
    ]

    def __init__(self, painter: Painter, on_move: Callable[[], None]) -> None:
        super().__init__(painter)
        self._on_move = on_move
        self.logged: tuple[LogLine, ...] = ()
        self.layout_of_lines = LogLayout(80)
        self.following = True
        self.above = self.below = 0
        self._before = ""
        self._top, self._top_row = 0, 0
        self._cursor = 0
        self._shown: tuple[int, ...] = ()
        self._marked: frozenset[int] = frozenset()
        self._empty: tuple[Line, ...] = ()

    # ------------------------------------------------------------------ what is held

    def hold(self, lines: Sequence[LogLine], above: int, below: int, before: str = "") -> None:
        """Hold another window; cursor and place stay with their lines. `before` is said above the first line of all."""
        if tuple(lines) != self.logged:
            cursor, top = self.at_cursor, self.logged[self._top] if self.logged else None
            self.logged = tuple(lines)
            self._cursor = self._nearest(cursor.seq if cursor else None)
            self._top = self._nearest(top.seq if top else None)
            if top is None or not self.logged or self.logged[self._top].seq != top.seq:
                self._top_row = 0
        self.above, self.below, self._before = above, below, before
        self.redraw()

    def keep_only(self, fits: Callable[[LogLine], bool]) -> None:
        """Let go of lines that do not fit; how many there are beyond is not known until the answer comes."""
        kept = tuple(line for line in self.logged if fits(line))
        if kept != self.logged:
            self.hold(kept, 0, 0)

    def say_empty(self, lines: Sequence[Line]) -> None:
        """Say this where there is no line."""
        self._empty = tuple(lines)
        if not self.logged:
            self.redraw()

    def lay_out(self, layout: LogLayout) -> None:
        """Lay lines out in another way."""
        if layout != self.layout_of_lines:
            self.layout_of_lines = layout
            self._top_row = 0
            self._reveal()
            self.redraw()

    def _nearest(self, seq: int | None) -> int:
        """Return the place of a line by its number, else of the first after it, else of the last."""
        if seq is None or not self.logged:
            return max(len(self.logged) - 1, 0)
        later = (index for index, line in enumerate(self.logged) if line.seq >= seq)
        return next(later, len(self.logged) - 1)

    @property
    def at_cursor(self) -> LogLine | None:
        """The line under the cursor; the newest while following."""
        return self.logged[self._cursor] if self.logged else None

    @property
    def span(self) -> tuple[float | None, float | None]:
        """When the first and the last visible line were written."""
        if not self._shown or not self.logged:
            return None, None
        times = [self.logged[index].at for index in self._shown if index < len(self.logged)]
        return (min(times), max(times)) if times else (None, None)

    @property
    def unseen(self) -> tuple[int, int]:
        """How many lines are before and behind those that are seen."""
        first, last = (self._shown[0], self._shown[-1]) if self._shown else (0, len(self.logged) - 1)
        return self.above + first, self.below + len(self.logged) - 1 - last

    @property
    def near_edge(self) -> bool:
        """Say whether less than a page is held beyond what is shown, though there is more."""
        room = max(self.size.height, 1)
        behind = len(self.logged) - 1 - (self._shown[-1] if self._shown else 0)
        return (self.above > 0 and self._top < room) or (self.below > 0 and behind < room)

    # ------------------------------------------------------------------ moving

    def stand_on(self, seq: int, *, at_top: bool = False) -> None:
        """Put the cursor on a line, in the middle of the window or at its top, and stay there."""
        self.following = False
        self._cursor = self._nearest(seq)
        if at_top:
            self._top, self._top_row = self._cursor, 0
        elif self._cursor not in self._shown[:-1]:
            self._top, self._top_row = self._cursor, 0
            self._scroll(-(max(self.size.height, 1) // 3))
        self._reveal()
        self.redraw()

    def next_here(
        self, wanted: Callable[[LogLine], bool], by: int, *, whole: bool = False, here_too: bool = False
    ) -> int | None:
        """Return the number of the next line that is wanted among those held, from the cursor on; None without one.

        With `whole`, the lines of one event (a traceback) count as one: its first. `here_too` begins with
        the line under the cursor.
        """
        held = self.logged

        def begins(place: int) -> bool:
            event = held[place].event if whole else 0
            return not event or all(line.event != event for line in held[max(place - _REACH, 0) : place])

        start = self._cursor + (0 if here_too else by)
        places = range(start, len(held)) if by > 0 else range(start, -1, -1)
        found = next((place for place in places if wanted(held[place]) and begins(place)), None)
        if found is None or (found == 0 and by < 0 and whole and self.above and held[0].event):
            return None  # it may begin above what is held
        return held[found].seq

    def action_move(self, by: int) -> None:
        """Move the cursor by a line; through a line that is higher than the window, row by row."""
        if not self.logged:
            return
        if self.following:
            if by > 0:
                return
            self.following = False
            self.redraw()
        if self._rest_of_cursor(by):
            self._scroll(by)
        elif 0 <= self._cursor + by < len(self.logged):
            self._cursor += by
            self._reveal()
        elif by > 0 and not self.below:
            self.following = True
        self._moved()

    def action_page(self, by: float) -> None:
        """Move by a page, or a part of one."""
        if not self.logged or (self.following and by > 0):
            return
        self.following = False
        room = max(self.size.height, 1)
        before = self._top, self._top_row
        self._scroll(int(by * max(room - 1, 1)) or (1 if by > 0 else -1))
        self.redraw()
        if before == (self._top, self._top_row):
            self._cursor = len(self.logged) - 1 if by > 0 else 0
            self.following = by > 0 and not self.below
        elif self._shown and self._cursor not in self._shown:
            self._cursor = self._shown[0] if by > 0 else self._shown[-1]
        self._moved()

    def action_sideways(self, by: int) -> None:
        """Move the text to the left or the right."""
        layout = self.layout_of_lines
        if layout.wrap:
            return
        left = max(layout.left + by * _SIDEWAYS, 0)
        longest = max((len(self.logged[index].text) for index in self._shown), default=0)
        if left < longest or left < layout.left:
            self.lay_out(LogLayout(layout.width, layout.sources, layout.times, layout.wrap, left))
        self._on_move()

    def on_mouse_scroll_down(self) -> None:
        """Scroll with the wheel."""
        self.action_page(0.15)

    def on_mouse_scroll_up(self) -> None:
        """Scroll with the wheel."""
        self.action_page(-0.15)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse points."""
        if event.y < len(self._shown):
            self.following = False
            self._cursor = self._shown[event.y]
            self._moved()

    def on_resize(self, _event: events.Resize) -> None:
        """Draw for the new size."""
        layout = self.layout_of_lines
        self.layout_of_lines = LogLayout(self.size.width, layout.sources, layout.times, layout.wrap, layout.left)
        self._reveal()
        self.redraw()

    def _moved(self) -> None:
        self.redraw()
        self._on_move()

    def _rest_of_cursor(self, by: int) -> bool:
        """Say whether the line under the cursor goes on beyond the window in this direction."""
        rows = len(self._rows(self._cursor))
        if rows <= 1 or self._cursor not in self._shown:
            return False
        if by < 0:
            return self._top == self._cursor and self._top_row > 0
        shown = self._shown.count(self._cursor)
        return self._shown[-1] == self._cursor and shown + (self._top_row if self._top == self._cursor else 0) < rows

    def _scroll(self, by: int) -> None:
        """Move the top by rows, within what is held."""
        while by > 0 and self.logged:
            rest = len(self._rows(self._top)) - self._top_row
            if by < rest:
                self._top_row += by
                break
            if self._top + 1 >= len(self.logged):
                break
            by -= rest
            self._top, self._top_row = self._top + 1, 0
        while by < 0 and self.logged:
            if self._top_row + by >= 0:
                self._top_row += by
                break
            if self._top == 0:
                self._top_row = 0
                break
            by += self._top_row + 1
            self._top -= 1
            self._top_row = len(self._rows(self._top)) - 1

    def _reveal(self) -> None:
        """Bring the line under the cursor into the window, whole where it fits."""
        if not self.logged or self.following:
            return
        if self._cursor < self._top or (self._cursor == self._top and self._top_row):
            self._top, self._top_row = self._cursor, 0
            return
        room = max(self.size.height, 1)
        needed = len(self._rows(self._cursor))
        if self._cursor == self._top or needed >= room:
            if self._cursor != self._top:
                self._top, self._top_row = self._cursor, 0
            return
        place = self._cursor
        while place > self._top and needed < room:
            place -= 1
            needed += len(self._rows(place))
        if needed > room or place > self._top:
            self._top, self._top_row = (place, needed - room) if needed >= room else (place, 0)
        elif needed - self._top_row > room:
            self._top_row = needed - room

    # ------------------------------------------------------------------ drawing

    def _rows(self, place: int) -> tuple[Line, ...]:
        line = self.logged[place]
        heading = ""
        if place:
            heading = day(line.at) if day(self.logged[place - 1].at) != day(line.at) else ""
        elif not self.above:
            heading = f"{day(line.at)}{f' · {self._before}' if self._before else ''}"
        return log_rows(line, self.layout_of_lines, heading)

    def redraw(self) -> None:
        """Draw what is seen now; only rows that differ are painted."""
        room = max(self.size.height, 1)
        if not self.logged:
            self._shown, self._marked = (), frozenset()
            self.set_lines(self._empty)
            return
        if self.following:
            self._cursor = len(self.logged) - 1
        last, last_row = self._last_top(room)
        if self.following or (self._top, self._top_row) > (last, last_row):
            self._top, self._top_row = last, last_row
        drawn: list[Line] = []
        shown: list[int] = []
        place, row = self._top, self._top_row
        while place < len(self.logged) and len(drawn) < room:
            rows = self._rows(place)[row : row + room - len(drawn)]
            drawn.extend(rows)
            shown.extend([place] * len(rows))
            place, row = place + 1, 0
        before, self._shown = self._marked, tuple(shown)
        marked = () if self.following else (row for row, place in enumerate(shown) if place == self._cursor)
        self._marked = frozenset(marked)
        self.set_lines(drawn)
        self._refresh_rows(sorted(before ^ self._marked))

    def _last_top(self, room: int) -> tuple[int, int]:
        """Return the lowest place at which the window is still full."""
        place = len(self.logged)
        needed = 0
        while place > 0 and needed < room:
            place -= 1
            needed += len(self._rows(place))
        return place, max(needed - room, 0)

    def render_line(self, y: int) -> Strip:
        """Paint one row; what stands before the text is marked where the cursor is."""
        width = self.size.width
        line = self._lines[y] if y < len(self._lines) else BLANK
        if y not in self._marked or not line:
            return self._painter.paint(line, width, "")
        head: Line = (StyledSpan("▌", "cursor-bar"), StyledSpan(line[0].text[1:], line[0].style))
        used = min(len(line[0].text), width)  # the rest keeps its colours, and costs nothing on the line
        strips = [self._painter.paint(head, used, "cursor")]
        if line[1:] and width > used:
            strips.append(self._painter.paint(line[1:], width - used, ""))
        return Strip.join(strips)
