"""Lines that are more than fit: scrolled with the keys of `less`, followed at the end, searched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from switchover.ui.kit.line_view import LineView
from switchover.ui.kit.theme import Painter
from switchover.ui.text.styled_line import Line, StyledSpan, plain

__all__ = ["Scroller", "highlight"]


def highlight(line: Line, wanted: str) -> Line:
    """Mark every place where `wanted` stands in the line, without regard to case."""
    if not wanted or wanted.lower() not in plain(line).lower():
        return line
    spans: list[StyledSpan] = []
    for text, style in line:
        low, start = text.lower(), 0
        while (found := low.find(wanted.lower(), start)) >= 0:
            spans.extend([StyledSpan(text[start:found], style), StyledSpan(text[found : found + len(wanted)], "match")])
            start = found + len(wanted)
        spans.append(StyledSpan(text[start:], style))
    return tuple(span for span in spans if span.text)


class Scroller(LineView, can_focus=True):
    """Shows a window onto many lines. `follow` keeps the newest in view until the operator scrolls up."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll_lines(1)", "Down", show=False),
        Binding("k,up", "scroll_lines(-1)", "Up", show=False),
        Binding("g,home", "top", "Begin", show=False),
        Binding("G,end", "bottom", "End and follow", show=False),
        Binding("ctrl+d,pagedown,space", "scroll_page(1)", "Half a page down", show=False),
        Binding("ctrl+u,pageup,b", "scroll_page(-1)", "Half a page up", show=False),
    ]

    def __init__(
        self,
        painter: Painter,
        *,
        follow: bool = False,
        says_more: bool = False,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(painter, id=id)
        self._says_more = says_more
        self._all: tuple[Line, ...] = ()
        self._top = 0
        self.follow = follow
        self._follows = follow
        self._wanted = ""

    @property
    def place(self) -> str:
        """Where the window stands: `all`, `end`, or a share."""
        room = max(self.size.height, 1)
        last = max(len(self._all) - room, 0)
        if last == 0:
            return "all"
        return "end" if self._top >= last else f"{self._top * 100 // last} %"

    def set_all(self, lines: Sequence[Line]) -> None:
        """Show a window onto these lines."""
        self._all = tuple(lines)
        self._redraw()

    def search(self, wanted: str) -> int:
        """Mark `wanted`, go to its next place, and say on how many lines it stands."""
        self._wanted = wanted
        found = self._matches()
        if found:
            self._go(next((line for line in found if line >= self._top), found[0]))
        self._redraw()
        return len(found)

    def next_match(self, by: int) -> None:
        """Go to the next (1) or the previous (-1) match."""
        found = self._matches()
        later = [line for line in found if (line > self._top if by > 0 else line < self._top)]
        if later:
            self._go(later[0] if by > 0 else later[-1])

    def _matches(self) -> list[int]:
        wanted = self._wanted.lower()
        return [number for number, line in enumerate(self._all) if wanted in plain(line).lower()] if wanted else []

    def _go(self, top: int) -> None:
        room = max(self.size.height, 1)
        last = max(len(self._all) - room, 0)
        self._top = max(0, min(top, last))
        self._follows = self.follow and self._top >= last
        self._redraw()

    def action_scroll_lines(self, by: int) -> None:
        """Scroll by lines."""
        self._go(self._top + by)

    def action_scroll_page(self, by: int) -> None:
        """Scroll by half a page."""
        self._go(self._top + by * max(self.size.height // 2, 1))

    def action_top(self) -> None:
        """Go to the begin."""
        self._go(0)

    def action_bottom(self) -> None:
        """Go to the end, and follow what comes."""
        self._go(len(self._all))

    def on_mouse_scroll_down(self) -> None:
        """Scroll with the wheel."""
        self._go(self._top + 3)

    def on_mouse_scroll_up(self) -> None:
        """Scroll with the wheel."""
        self._go(self._top - 3)

    def on_resize(self, _event: events.Resize) -> None:
        """Keep the window within the lines."""
        self._redraw()

    def _redraw(self) -> None:
        room = max(self.size.height, 1)
        last = max(len(self._all) - room, 0)
        self._top = last if self._follows else min(self._top, last)
        rest = len(self._all) - self._top - room
        shown = self._all[self._top : self._top + room]
        if self._says_more and rest > 0:
            shown = (*shown[:-1], (StyledSpan(f"   ↓ {rest + 1} more", "accent"),))
        self.set_lines([highlight(line, self._wanted) for line in shown])
