"""Costs a month, line by line: before, after, the difference, and whether the promise holds."""

from __future__ import annotations

from switchover.snapshot import CostRow, CostsView
from switchover.ui.text.columns import Column, ColumnLayout, header_line, lay_out, row_line, widen
from switchover.ui.text.numbers import signed
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, ListItem, StyledSpan

__all__ = ["cost_table", "cost_totals"]

_COLUMNS = (
    Column("a month", 12, most=48),
    Column("before", 9, "right"),
    Column("after", 9, "right"),
    Column("difference", 10, "right"),
    Column("note", 6, grow=1, drop=1),
)
_SOURCES = {"planned": "as the plan says", "measured": "as billed", "priced": "from the price list"}


def _layout(moment: RenderContext, width: int) -> ColumnLayout:
    return lay_out(widen(_COLUMNS, 0, [row.line for row in moment.data.costs.rows]), width)


def cost_table(moment: RenderContext, width: int, wanted: str = "") -> tuple[list[Line], list[ListItem]]:
    """Return the heading and an item a line of money."""
    layout = _layout(moment, width)
    rows = [row for row in moment.data.costs.rows if wanted in f"{row.line} {row.note}".lower()]
    return [header_line(layout)], [ListItem(f"cost:{row.line}", (_row(layout, row),)) for row in rows]


def _row(layout: ColumnLayout, row: CostRow, style: str = "text") -> Line:
    return row_line(
        layout,
        [
            StyledSpan(row.line, style),
            StyledSpan(row.before or "–", style),
            StyledSpan(row.after or "–", style),
            _difference(row.difference),
            StyledSpan(row.note, "muted"),
        ],
    )


def _difference(amount: str) -> StyledSpan:
    text = signed(amount)
    style = "money-saved" if text.startswith("−") else "money-added" if text.startswith("+") else "muted"
    return StyledSpan(text or "–", style)


def cost_totals(moment: RenderContext, width: int) -> list[Line]:
    """Return the sum under the columns, the budget, what both stacks cost together, and how it is known."""
    costs = moment.data.costs
    if not costs.rows:
        return []
    layout = _layout(moment, width)
    note = f"{costs.percent.replace('-', '−')}" if costs.percent else ""
    total = CostRow("total " + costs.currency, costs.before_total, costs.after_total, costs.difference, note)
    lines = [_row(layout, total, "strong"), ()]
    lines.extend(_remarks(costs))
    return lines


def _remarks(costs: CostsView) -> list[Line]:
    lines: list[Line] = []
    if costs.budget:
        good = costs.within_budget
        mark, style = ("✓ within", "outcome-ok") if good else ("✗ over", "outcome-crit")
        if good is None:
            mark, style = "? not known against", "outcome-unknown"
        lines.append((StyledSpan(f" {mark} the budget of {costs.budget} {costs.currency} a month", style),))
    if costs.both_total:
        lines.append(
            (StyledSpan(f" While both stacks run they cost {costs.both_total} {costs.currency} a month together."),)
        )
    lines.append((StyledSpan(f" Amounts {_SOURCES.get(costs.source, costs.source)}.", "muted"),))
    return lines
