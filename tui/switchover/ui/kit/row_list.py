"""A list with a cursor: items of one or more lines, found again by key when the data changes.

Only visible items are asked for their lines, so thousands cost no more than those on the screen.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from switchover.ui.kit.line_view import LineView
from switchover.ui.kit.theme import Painter
from switchover.ui.text.styled_line import BLANK, Line, ListItem, ListItems, StyledSpan, line_width, pad

__all__ = ["RowList"]

_LOST_S = 15.0  # an agent that was started anew has found everything again by then
_BAND = 16  # cells that the cursor marks at least: each is written again with every move, so not the whole row


class RowList(LineView, can_focus=True):
    """Items under a fixed heading. The cursor, the scroll position and the selection stay with their keys.

    With `worst_first` the cursor stays on the first item, whichever that is, until somebody uses it.
    """

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

    def __init__(self, painter: Painter, *, id: str | None = None, worst_first: bool = False) -> None:  # noqa: A002
        super().__init__(painter, id=id)
        self._at_top = worst_first
        self._heading: tuple[Line, ...] = ()
        self._items = ListItems.of(())
        self._places: dict[str, int] = {}
        self._empty: tuple[Line, ...] = ()
        self._cursor = 0
        self._lost = ("", 0.0)  # the key that went away from under the cursor, and when
        self._top = 0
        self._selected_lines: frozenset[int] = frozenset()

    @property
    def key(self) -> str:
        """The key of the item under the cursor; empty where there is none."""
        return self._items.keys[self._cursor] if self._items.keys else ""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all items, in their order."""
        return self._items.keys

    def set_items(
        self, items: Sequence[ListItem] | ListItems, heading: Sequence[Line] = (), empty: Sequence[Line] = ()
    ) -> None:
        """Show these items; `empty` is said where there are none."""
        before = self.key
        new = items if isinstance(items, ListItems) else ListItems.of(items)
        if new.keys is not self._items.keys:
            self._places = dict(zip(reversed(new.keys), range(len(new.keys) - 1, -1, -1), strict=True))
        self._items, self._heading, self._empty = new, tuple(heading), tuple(empty)
        self._cursor = 0 if self._at_top else self._follow(before)
        self._redraw()
        if self.key != before:
            self.post_message(self.Moved(self, self.key))

    def _follow(self, key: str) -> int:
        """Return where the cursor stands now. What went away from under it has it again when it soon comes back."""
        lost, since = self._lost
        if lost and time.monotonic() - since > _LOST_S:
            lost = ""
        if lost in self._places:
            key, lost = lost, ""
        elif not lost and key and key not in self._places:
            lost, since = key, time.monotonic()
        self._lost = lost, since
        return self._find(key)

    def _find(self, key: str) -> int:
        place = self._places.get(key)
        if place is not None:
            return place
        return max(0, min(self._cursor, len(self._items.keys) - 1))

    def select(self, key: str) -> None:
        """Put the cursor on an item by its key, where it is there."""
        if key in self._places:
            self._go(self._find(key))

    def _go(self, index: int) -> None:
        self.hold()
        index = max(0, min(index, len(self._items.keys) - 1))
        if index != self._cursor and self._items.keys:
            self._cursor = index
            self._redraw()
            self.post_message(self.Moved(self, self.key))

    def hold(self) -> None:
        """Keep the cursor on its item from now on: somebody uses it."""
        self._at_top = False
        self._lost = ("", 0.0)

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        self._go(self._cursor + by)

    def action_jump(self, to: int) -> None:
        """Go to the first or the last item."""
        self._go(len(self._items.keys) - 1 if to < 0 else to)

    def action_page(self, by: int) -> None:
        """Move by half of what is visible."""
        lines = max(self._items.height(self._cursor), 1) if self._items.keys else 1
        self._go(self._cursor + by * max(self.size.height // 2 // lines, 1))

    def on_key(self) -> None:
        """Let nothing move under a person's hands."""
        self.hold()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse points."""
        row = event.y - len(self._heading) + self._top
        if 0 <= row < self._items.lines:
            self._go(self._items.at(row))

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
        items, total = self._items, self._items.lines
        first = last = marked = 0
        if items.keys:
            first = items.begins[self._cursor]
            last = first + items.height(self._cursor)
            marked = first + items.make(self._cursor).above
        self._top = max(0, min(self._top, total - room))
        if last > self._top + room:
            self._top = last - room
        self._top = min(self._top, first)
        shown = items.window(self._top, room)
        below = total - self._top - len(shown)
        if below > 0 and shown and last <= self._top + room - 1:
            shown[-1] = (StyledSpan(f" ↓ {below + 1} more", "muted"),)
        old_selected = self._selected_lines
        offset = len(self._heading) - self._top
        self._selected_lines = frozenset(range(marked + offset, last + offset)) if items.keys else frozenset()
        self.set_lines([*self._heading, *(shown if items.keys else self._empty)])
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
        return (StyledSpan("▌", "cursor-bar"), StyledSpan(line[0].text[1:], line[0].style), *line[1:])
    return line
