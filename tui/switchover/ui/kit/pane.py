"""What all panes have in common: they draw a RenderContext, know what is under the cursor, and can be filtered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.containers import Vertical
from textual.timer import Timer
from textual.widget import Widget

from switchover.ui.kit.line_view import LineView
from switchover.ui.kit.row_list import RowList
from switchover.ui.kit.theme import Painter
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, ListItem, ListItems, StyledSpan, clean

__all__ = ["Pane", "TablePane", "set_height"]

_REST_S = 0.12  # a held key comes more often than this


def set_height(view: Widget, height: int) -> None:
    """Give a part a fixed number of lines; a part without lines goes away."""
    view.display = height > 0
    if height > 0 and str(view.styles.height) != str(height):
        view.styles.height = height


class Pane(Vertical):
    """The part of the screen under the tabs."""

    DEFAULT_CSS = "Pane { height: 1fr; width: 1fr; }"

    def __init__(self, painter: Painter, moment: RenderContext, name: str) -> None:
        super().__init__(id=f"pane-{name}", classes="pane")
        self.painter = painter
        self.moment = moment
        self.wanted = ""
        self.can_filter = True
        self.sent = False
        self.busy: Mapping[str, str] = {}
        self._resting: Timer | None = None
        self._moved_on = False

    @property
    def rows(self) -> RowList:
        """The list that has the cursor."""
        return self.query_one(RowList)

    def told(self, *, sent: bool, busy: Mapping[str, str]) -> None:
        """Hear whether an intent is under way, and which action is being done to which service (by id)."""
        self.sent, self.busy = sent, busy

    def show(self, moment: RenderContext) -> None:
        """Draw a new RenderContext."""
        self.moment = moment
        if self.is_mounted and self.size.width:
            self.draw()

    def draw(self) -> None:
        """Draw from `self.moment`."""

    def filter(self, wanted: str) -> None:
        """Show only what contains `wanted`."""
        self.wanted = wanted.lower()
        self.draw()

    def back(self) -> bool:
        """Give up what only this pane knows of, such as a selection; say whether there was anything."""
        return False

    def filter_lines(self) -> Sequence[Line]:
        """Say that not everything is shown, and how to see it; nothing where no filter is set."""
        if not self.wanted:
            return ()
        found = (StyledSpan(" only what contains ", "late"), StyledSpan(f"“{clean(self.wanted)}”", "strong"))
        return ((*found, StyledSpan("  esc", "key"), StyledSpan(" shows all", "muted")),)

    def on_resize(self) -> None:
        """Draw for the new size."""
        self.call_after_refresh(self.draw)

    def on_row_list_moved(self) -> None:
        """Draw what depends on the cursor: at once, but while a key is held down only when it rests."""
        if self._resting is None:
            self.draw()
            self._resting = self.set_timer(_REST_S, self._rest)
        else:
            self._moved_on = True
            self._resting.reset()

    def _rest(self) -> None:
        self._resting = None
        if self._moved_on:
            self._moved_on = False
            self.draw()


class TablePane(Pane):
    """A table, and under it (beside it where there is room) what is known about the chosen row."""

    def nothing(self, what: str) -> Sequence[Line]:
        """Say why there is nothing to show."""
        if self.moment.snapshot is None:
            return [(), (StyledSpan(f"   {self.moment.link.why or 'waiting for the agent …'}", "muted"),)]
        if self.wanted:
            return [
                (),
                (
                    StyledSpan(f"   no {what} match “{clean(self.wanted)}”", "muted"),
                    StyledSpan("  esc", "key"),
                    StyledSpan(" shows all", "muted"),
                ),
            ]
        plan = self.moment.snapshot.header.plan_id
        why = f"this plan has no {what}" if plan else f"no {what}: no plan is open; `switchover PLAN` opens one"
        return [(), (StyledSpan(f"   {why}", "muted"),)]

    def fill(self, heading: Sequence[Line], items: Sequence[ListItem] | ListItems, what: str) -> None:
        """Put the rows into the list."""
        self.rows.set_items(items, [*self.filter_lines(), *heading], self.nothing(what))

    @staticmethod
    def brief(view: LineView, lines: Sequence[Line]) -> None:
        """Show the lines under the table."""
        set_height(view, len(lines))
        view.set_lines(lines)
