"""What the two sides cost a month as the plan says, line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from switchover.costs.cost_source_api import CostLine
from switchover.costs.money import display, display_change, display_percent
from switchover.plan.cost_model import compared_sides
from switchover.plan.model import Plan
from switchover.snapshot import CostRow, CostsView

__all__ = ["LineItem", "compare", "costs_view", "sides"]


@dataclass(frozen=True, slots=True)
class LineItem:
    """One line a month. None where the side has no such line, which is not the same as a line of zero."""

    name: str
    before: Decimal | None
    after: Decimal | None

    @property
    def difference(self) -> Decimal:
        """What the line adds (positive) or saves (negative)."""
        return (self.after or Decimal(0)) - (self.before or Decimal(0))


def sides(plan: Plan) -> tuple[str, str]:
    """Return the names of the side before and the one after: so called, else the first two of the plan."""
    return compared_sides(plan.sides)


def compare(before: Mapping[str, Decimal], after: Mapping[str, Decimal]) -> tuple[LineItem, ...]:
    """Return the lines of both sides by name, in the order of the plan."""
    return tuple(LineItem(name, before.get(name), after.get(name)) for name in dict.fromkeys((*before, *after)))


def costs_view(plan: Plan, lines: Sequence[CostLine] = (), unknown: Mapping[str, str] | None = None) -> CostsView:
    """Return the costs as they are shown: what the plan states, and `lines` of its sources.

    `unknown` says of each source that was not read why; then no sum is known to be within the budget.
    """
    unread = dict.fromkeys(plan.costs.sources, "its lines are on the Costs tab") if unknown is None else unknown
    first, second = sides(plan)
    before = {line.name: line.stated.amount for line in plan.costs.lines if line.side == first}
    after = {line.name: line.stated.amount for line in plan.costs.lines if line.side == second}
    for line in lines:
        side = before if line.side == "before" else after
        side[line.name] = side.get(line.name, Decimal(0)) + line.amount
    items = compare(before, after)
    if not items and not unread:
        return CostsView(currency=plan.costs.currency)
    notes = {line.name: line.note for line in lines}
    total_before = sum(before.values(), Decimal(0))
    total_after = sum(after.values(), Decimal(0))
    difference = total_after - total_before
    budget = plan.costs.budget
    return CostsView(
        currency=plan.costs.currency,
        rows=tuple(
            CostRow(
                item.name,
                display(item.before) if item.before is not None else "",
                display(item.after) if item.after is not None else "",
                display_change(item.difference),
                notes.get(item.name, ""),
            )
            for item in items
        )
        + tuple(CostRow(name, "", "", "", f"not counted: {why}") for name, why in unread.items()),
        before_total=display(total_before),
        after_total=display(total_after),
        difference=display_change(difference),
        percent=display_percent(difference, total_before),
        budget=display(budget) if budget is not None else "",
        within_budget=total_after <= budget if budget is not None and not unread else None,
        both_total=display(total_before + total_after),
    )
