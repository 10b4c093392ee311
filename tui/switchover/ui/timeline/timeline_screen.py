"""The timeline: what happened, newest first; kinds by their numbers, a text with `/`."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from switchover.ui.kit.actions import bound
from switchover.ui.kit.base_screen import OverScreen
from switchover.ui.kit.line_view import LineView
from switchover.ui.kit.scroller import Scroller
from switchover.ui.kit.text_entry import TextEntry
from switchover.ui.kit.theme import Painter
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import StyledSpan, clean, rule
from switchover.ui.timeline.timeline_lines import KINDS, filter_line, timeline_rows

__all__ = ["TimelineScreen"]


class TimelineScreen(OverScreen):
    """Follows what happens. A number shows a kind alone, another one more; `0` shows all."""

    DEFAULT_CSS = "TimelineScreen > #kinds { height: 2; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "search", tooltip="show only what contains a text"),
        *[Binding(str(number), f"kind('{kind}')", kind, show=False) for number, kind in enumerate(KINDS, 1)],
        Binding("0", "kind('')", "all kinds", tooltip="1-7 choose kinds, 0 shows all"),
        bound("incident"),
    ]

    def __init__(self, painter: Painter, moment: RenderContext, wanted: str = "") -> None:
        super().__init__(painter, moment, "what happened")
        self._chosen: set[str] = set()
        self._wanted = wanted
        self._kinds = LineView(painter, id="kinds")
        self._body = Scroller(painter)
        self._entry = TextEntry(painter, "/", wanted)

    def compose(self) -> ComposeResult:
        """Kinds, rows, the search line."""
        yield self.header
        yield self._kinds
        yield self._body
        yield self._entry
        yield self.status
        yield self.keys

    def on_mount(self) -> None:
        """Read first."""
        self._entry.display = False
        self._body.focus()

    def draw(self) -> None:
        """Draw the rows that are wanted."""
        width = self.size.width
        rows = self.moment.data.timeline
        found = timeline_rows(rows, self._chosen, self._wanted, self.moment.now, width)
        self._kinds.set_lines([filter_line(self._chosen, rows, width), rule(width)])
        if self._wanted:
            said = (StyledSpan(f" {len(found)} with ", "late"), StyledSpan(f"“{clean(self._wanted)}”", "strong"))
            found.insert(0, (*said, StyledSpan("  esc", "key"), StyledSpan(" shows all", "muted")))
        self._body.set_all(found or [(), (StyledSpan("   nothing of that kind has happened lately", "muted"),)])

    def action_kind(self, kind: str) -> None:
        """Show a kind too, or no longer; without a name all."""
        if not kind:
            self._chosen.clear()
        else:
            self._chosen ^= {kind}
        self.draw()

    def action_search(self) -> None:
        """Open the search line."""
        self._entry.display = True
        self._entry.take_focus()

    def on_text_entry_typed(self, event: TextEntry.Typed) -> None:
        """Search while it is typed."""
        self._wanted = event.text
        self.draw()

    def on_text_entry_entered(self) -> None:
        """Keep the search."""
        self._entry.display = False
        self._body.focus()

    def on_text_entry_left(self) -> None:
        """Give up the search."""
        self._entry.text = ""
        self.on_text_entry_entered()

    def action_back(self) -> None:
        """End the search first, then leave."""
        if self._wanted:
            self._wanted = self._entry.text = ""
            self.draw()
        else:
            super().action_back()
