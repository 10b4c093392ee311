"""Costs: a table, with the totals below it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from switchover.ui.costs.cost_lines import choosable, cost_table, cost_totals
from switchover.ui.kit.line_view import LineView
from switchover.ui.kit.pane import TablePane, set_height
from switchover.ui.kit.row_list import RowList
from switchover.ui.kit.theme import Painter
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import rule

__all__ = ["CostsPane"]


class CostsPane(TablePane):
    """Money a month, before and after."""

    kind: ClassVar[str] = "costs"
    rank: ClassVar[int] = 50
    short_title: ClassVar[str] = "Costs"
    search: ClassVar[str] = "money bill"
    BINDING_GROUP_TITLE = "Costs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "toggle_choice", "choose", tooltip="turn a choice on or off: the sums follow"),
    ]

    def __init__(self, painter: Painter, moment: RenderContext) -> None:
        super().__init__(painter, moment, "costs")
        self._list = RowList(painter)
        self._totals = LineView(painter)
        self._chosen: set[str] = set()

    def compose(self) -> ComposeResult:
        """Place the lines, then their sum."""
        yield self._list
        yield self._totals

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to choose only on a choice."""
        if action == "toggle_choice":
            return self._offered(self.rows.key)
        return super().check_action(action, parameters)

    def action_toggle_choice(self) -> None:
        """Turn the choice under the cursor on or off."""
        name = self.rows.key.removeprefix("choice:")
        if self._offered(self.rows.key):
            self._chosen ^= {name}
            self.draw()

    def _offered(self, key: str) -> bool:
        kind, _, name = key.partition(":")
        return kind == "choice" and name in choosable(self.moment.data.costs)

    def draw(self) -> None:
        """Draw the lines, and the sum right under them."""
        width, height = self.size
        self._chosen &= choosable(self.moment.data.costs)
        heading, items = cost_table(self.moment, width, self.wanted, self._chosen)
        self.fill(heading, items, "costs")
        most = max(height - min(len(items) + 1, 8) - 1, 6)
        sums = cost_totals(self.moment, width, self._chosen, self.rows.key, most)
        totals = [rule(width), *sums] if items else []
        room = height - len(totals)
        wanted = len(items) + 1 + len(self.filter_lines())
        set_height(self._list, max(min(wanted, room), 6) if items else max(height, 1))
        set_height(self._totals, min(len(totals), max(height - 6, 0)))
        self._totals.set_lines(totals)
