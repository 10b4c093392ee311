"""A list with a cursor: items of one or more lines, found again by key when the data changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from switchover.ui.presentation.line import BLANK, Item, Line, Span, line_width, pad
from switchover.ui.theme import Painter
from switchover.ui.widgets.lines import LineView

__all__ = ["RowList"]

_BAND = 16  # cells that the cursor marks at least: each is written again with every move, so not the whole row


class RowList(LineView, can_focus=True):
    """Items under a fixed heading. The cursor, the scroll position and the selection stay with their keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", show=False),
        Binding("k,up", "move(-1)", "Up", show=False),
        Binding("g,home", "jump(0)", "First", show=False),
        Binding("G,end", "jump(-1)", "Last", show=False),
        Binding("ctrl+d,pagedown", "page(1)", "Half a page down", show=False),
        Binding("ctrl+u,pageup", "page(-1)", "Half a page up", show=False),
    ]

    @dataclass
    class Moved(Message):
        """The cursor stands on another item."""

        rows: RowList
        key: str

        @property
        def control(self) -> RowList:
            """The list that it happened in."""
            return self.rows

    def __init__(self, painter: Painter, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(painter, id=id)
        self._heading: tuple[Line, ...] = ()
        self._items: tuple[Item, ...] = ()
        self._empty: tuple[Line, ...] = ()
        self._cursor = 0
        self._top = 0
        self._selected_lines: frozenset[int] = frozenset()

    @property
    def key(self) -> str:
        """The key of the item under the cursor; empty where there is none."""
        return self._items[self._cursor].key if self._items else ""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all items, in their order."""
        return tuple(item.key for item in self._items)

    def set_items(self, items: Sequence[Item], heading: Sequence[Line] = (), empty: Sequence[Line] = ()) -> None:
        """Show these items; `empty` is said where there are none."""
        before = self.key
        self._items, self._heading, self._empty = tuple(items), tuple(heading), tuple(empty)
        self._cursor = self._find(before)
        self._redraw()
        if self.key != before:
            self.post_message(self.Moved(self, self.key))

    def _find(self, key: str) -> int:
        for index, item in enumerate(self._items):
            if item.key == key:
                return index
        return max(0, min(self._cursor, len(self._items) - 1))

    def select(self, key: str) -> None:
        """Put the cursor on an item by its key, where it is there."""
        for index, item in enumerate(self._items):
            if item.key == key:
                self._go(index)

    def _go(self, index: int) -> None:
        index = max(0, min(index, len(self._items) - 1))
        if index != self._cursor and self._items:
            self._cursor = index
            self._redraw()
            self.post_message(self.Moved(self, self.key))

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        self._go(self._cursor + by)

    def action_jump(self, to: int) -> None:
        """Go to the first or the last item."""
        self._go(len(self._items) - 1 if to < 0 else to)

    def action_page(self, by: int) -> None:
        """Move by half of what is visible."""
        lines = max(len(self._items[self._cursor].lines), 1) if self._items else 1
        self._go(self._cursor + by * max(self.size.height // 2 // lines, 1))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse points."""
        row = event.y - len(self._heading) + self._top
        for index, item in enumerate(self._items):
            if row < len(item.lines):
                self._go(index)
                return
            row -= len(item.lines)

    def on_mouse_scroll_down(self) -> None:
        """Move with the wheel."""
        self._go(self._cursor + 1)

    def on_mouse_scroll_up(self) -> None:
        """Move with the wheel."""
        self._go(self._cursor - 1)

    def on_resize(self, _event: events.Resize) -> None:
        """Keep the cursor in view."""
        self._redraw()

    def on_focus(self) -> None:
        """Show the cursor strongly."""
        self.refresh()

    def _redraw(self) -> None:
        room = max(self.size.height - len(self._heading), 1)
        body: list[Line] = []
        first = last = marked = 0
        for index, item in enumerate(self._items):
            if index == self._cursor:
                first, last = len(body), len(body) + len(item.lines)
                marked = first + item.above
            body.extend(item.lines)
        self._top = max(0, min(self._top, len(body) - room))
        if last > self._top + room:
            self._top = last - room
        self._top = min(self._top, first)
        shown = body[self._top : self._top + room]
        below = len(body) - self._top - len(shown)
        if below > 0 and shown and last <= self._top + room - 1:
            shown[-1] = (Span(f" ↓ {below + 1} more", "muted"),)
        old_selected = self._selected_lines
        offset = len(self._heading) - self._top
        self._selected_lines = frozenset(range(marked + offset, last + offset)) if self._items else frozenset()
        self.set_lines([*self._heading, *(shown if self._items else self._empty)])
        self._refresh_rows(sorted(old_selected ^ self._selected_lines))

    def render_line(self, y: int) -> Strip:
        """Paint one row; those under the cursor with a bar at the left."""
        width = self.size.width
        line = self._lines[y] if y < len(self._lines) else BLANK
        if y not in self._selected_lines:
            return self._painter.paint(line, width, "")
        marked, rest = _split_band(_with_bar(line, width))
        band = line_width(marked)
        strip = self._painter.paint(marked, band, "cursor")
        return Strip.join([strip, self._painter.paint(rest, width - band, "")]) if rest else strip


def _split_band(line: Line) -> tuple[Line, Line]:
    """Split a row behind what names it: what the cursor marks, and what it leaves as it is."""
    used = 0
    for index, span in enumerate(line):
        if used >= _BAND:
            return line[:index], line[index:]
        used += cell_len(span.text)
    return line, ()


def _with_bar(line: Line, width: int) -> Line:
    """Put the cursor's bar into the blank that every row begins with."""
    line = pad(line, width)
    if line and line[0].text.startswith(" "):
        return (Span("▌", "cursor-bar"), Span(line[0].text[1:], line[0].style), *line[1:])
    return line
