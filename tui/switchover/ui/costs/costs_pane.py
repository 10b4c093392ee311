"""Costs: a table, with the totals below it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from switchover.ui.costs.cost_lines import cost_table, cost_totals
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

    def __init__(self, painter: Painter, moment: RenderContext) -> None:
        super().__init__(painter, moment, "costs")
        self._list = RowList(painter)
        self._totals = LineView(painter)

    def compose(self) -> ComposeResult:
        """Place the lines, then their sum."""
        yield self._list
        yield self._totals

    def draw(self) -> None:
        """Draw the lines, and the sum right under them."""
        width, height = self.size
        heading, items = cost_table(self.moment, width, self.wanted)
        self.fill(heading, items, "costs")
        totals = [rule(width), *cost_totals(self.moment, width)] if items else []
        room = height - len(totals)
        wanted = len(items) + 1 + len(self.filter_lines())
        set_height(self._list, max(min(wanted, room), 2) if items else max(height, 1))
        set_height(self._totals, min(len(totals), max(height - 2, 0)))
        self._totals.set_lines(totals)
