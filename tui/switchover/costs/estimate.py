"""What the two sides cost a month, as it is shown: line by line, with the choices that one has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from switchover.costs.cost_source_api import CostLine
from switchover.plan.costs.cost_estimate import claim_complaints, read_costs
from switchover.plan.costs.cost_model import compared_sides
from switchover.plan.model import Plan
from switchover.pricing.lines import ItemCost
from switchover.pricing.money import digits_of, display, display_change, display_percent, plain, round_half_up
from switchover.pricing.price_units import Amount
from switchover.pricing.scenarios import Estimate, Scenario
from switchover.snapshot import ChoiceRow, ChosenSums, CostRow, CostsView
from switchover.snapshot.cost_rows import CostState

__all__ = ["cost_facts", "costs_view", "estimate_of", "sides"]

_MOST_CHOICES = 6  # each combination is computed beforehand: so a screen toggles at once
_HOURS_A_DAY, _HOURS_A_MONTH = Decimal(24), Decimal(730)


@dataclass(frozen=True, slots=True)
class _Sums:
    """The two sums: what the plan says, and what sources add."""

    before: Amount
    after: Amount


def sides(plan: Plan) -> tuple[str, str]:
    """Return the names of the side before and the one after: so called, else the first two of the plan."""
    return compared_sides(plan.sides)


def estimate_of(plan: Plan, month: tuple[int, int] | None = None) -> Estimate:
    """Return the estimate of a plan: of an average month, or of one of the calendar."""
    return read_costs(plan.costs, sides(plan), month=month).estimate


def costs_view(plan: Plan, lines: Sequence[CostLine] = (), unknown: Mapping[str, str] | None = None) -> CostsView:
    """Return the costs as they are shown: what the plan says, and `lines` of its sources.

    `unknown` says of each source that was not read why; then no sum is known to be within the budget.
    """
    unread = dict.fromkeys(plan.costs.sources, "its lines are on the Costs tab") if unknown is None else unknown
    currency, estimate = plan.costs.currency, estimate_of(plan)
    now = estimate.scenario()
    if not estimate.items and not lines and not unread:
        return CostsView(currency=currency)
    sums = _sums(now, lines)
    total_before, total_after = sums.before.expected, sums.after.expected
    difference, budget = total_after - total_before, plan.costs.budget
    unpriced = [*now.unpriced("before"), *now.unpriced("after")]
    known = not unread and not now.unpriced("after")
    return CostsView(
        currency=currency,
        rows=(
            *_rows(now, lines, currency),
            *(CostRow(name, "", "", "", f"not counted: {why}", "unpriced") for name, why in unread.items()),
        ),
        before_total=display(total_before, currency),
        after_total=display(total_after, currency),
        difference=display_change(difference, currency),
        percent=display_percent(difference, total_before),
        budget=display(budget, currency) if budget is not None else "",
        within_budget=_within(sums.after, budget, known=known),
        both_total=display(total_before + total_after, currency),
        waiting_a_day=display(total_before * _HOURS_A_DAY / _HOURS_A_MONTH, currency) if total_before else "",
        after_range=_range(sums.after, currency),
        unpriced=len(unpriced) + len(unread),
        once=display(estimate.once.expected, currency) if estimate.one_offs else "",
        pays_after="" if unread or unpriced else _pays_after(estimate, sums),
        choices=tuple(_choice(estimate, name, currency) for name in estimate.choices),
        combinations=_combinations(estimate, lines, currency, unread=len(unread)),
        warnings=tuple(c.message for c in claim_complaints(plan.costs, estimate)),
        source="priced" if any(item.prices for item in estimate.items) else "planned",
    )


def _sums(scenario: Scenario, lines: Sequence[CostLine]) -> _Sums:
    found = {"before": scenario.total("before"), "after": scenario.total("after")}
    for line in lines:
        found[line.side] = found[line.side].plus(Amount.exactly(line.amount))
    return _Sums(found["before"], found["after"])


def cost_facts(plan: Plan, lines: Sequence[CostLine], unread: Sequence[str]) -> dict[str, Any]:
    """Return the sums of both sides as decimal text, not rounded; `unknown` names what is in none of them."""
    now = estimate_of(plan).scenario()
    sums = _sums(now, lines)
    both = sums.before.plus(sums.after)
    told: dict[str, Any] = {"currency": plan.costs.currency, "digits": digits_of(plan.costs.currency)}
    for name, amount in (("before", sums.before), ("after", sums.after), ("both", both)):
        told |= {f"{name}_{what}": f"{getattr(amount, what):f}" for what in ("low", "expected", "high")}
    unpriced = [cost.item.name for side in ("before", "after") for cost in now.unpriced(side)]
    if not (now.before or now.after or lines or unread):
        unpriced = ["anything"]  # a plan that says nothing of its costs does not cost nothing
    budget = plan.costs.budget
    return told | {"unknown": [*unpriced, *unread], "budget": f"{budget:f}" if budget is not None else ""}


def _within(after: Amount, budget: Decimal | None, *, known: bool) -> bool | None:
    """Tell whether a month stays within the budget; None where that is not known."""
    if budget is None:
        return None
    if after.low > budget:
        return False  # what is not known can only add to it
    return True if known and after.high <= budget else None


def _rows(scenario: Scenario, lines: Sequence[CostLine], currency: str) -> list[CostRow]:
    before = {cost.item.name: cost for cost in scenario.before}
    after = {cost.item.name: cost for cost in scenario.after}
    added: dict[str, dict[str, Decimal]] = {"before": {}, "after": {}}
    for line in lines:
        added[line.side][line.name] = added[line.side].get(line.name, Decimal(0)) + line.amount
    names = dict.fromkeys((*before, *added["before"], *after, *added["after"]))
    notes = {line.name: line.note for line in lines}
    return [_row(n, before.get(n), after.get(n), added, notes.get(n, ""), currency) for n in names]


def _row(
    name: str,
    before: ItemCost | None,
    after: ItemCost | None,
    added: Mapping[str, Mapping[str, Decimal]],
    note: str,
    currency: str,
) -> CostRow:
    costs = [cost for cost in (before, after) if cost is not None]
    amounts = [_amount(cost, added[side].get(name)) for side, cost in (("before", before), ("after", after))]
    unpriced = any(cost.amount is None for cost in costs)
    known = [amount or Decimal(0) for amount in amounts]
    words = [f"{'before' if cost is before else 'after'}: {cost.sentence}" for cost in costs]
    state: CostState = "unpriced" if unpriced else _state(costs)
    return CostRow(
        name,
        _shown(before, amounts[0], currency),
        _shown(after, amounts[1], currency),
        "" if unpriced else display_change(known[1] - known[0], currency),
        "; ".join(filter(None, (note, *dict.fromkeys(cost.note for cost in costs)))),
        state,
        "\n".join(words),
    )


def _state(costs: Sequence[ItemCost]) -> CostState:
    return next((cost.state for cost in reversed(costs) if cost.state != "stated"), "stated")


def _amount(cost: ItemCost | None, added: Decimal | None) -> Decimal | None:
    own = cost.amount.expected if cost is not None and cost.amount is not None else None
    return own if added is None else (own or Decimal(0)) + added


def _shown(cost: ItemCost | None, amount: Decimal | None, currency: str) -> str:
    if cost is not None and cost.amount is None:
        return "?"
    if amount is None:
        return ""
    about = "~" if cost is not None and cost.amount is not None and not cost.amount.is_exact else ""
    return about + display(amount, currency)


def _range(amount: Amount, currency: str) -> str:
    return "" if amount.is_exact else f"{display(amount.low, currency)} to {display(amount.high, currency)}"


def _pays_after(estimate: Estimate, sums: _Sums) -> str:
    """Return after how many months the saving has paid what is paid once; empty where nothing is."""
    if not estimate.one_offs:
        return ""
    saving = sums.before.minus(sums.after).expected
    return f"{plain(round_half_up(estimate.once.expected / saving, 1))} months" if saving > 0 else "never"


def _choice(estimate: Estimate, name: str, currency: str) -> ChoiceRow:
    saved, then = estimate.saving_of(name), estimate.scenario([name])
    warnings = tuple(warning.partition(": ")[2] for warning in then.warnings)
    return ChoiceRow(name, display_change(-saved.expected, currency) if saved is not None else "?", warnings)


def _combinations(
    estimate: Estimate, lines: Sequence[CostLine], currency: str, *, unread: int
) -> tuple[ChosenSums, ...]:
    """Return the sums for each combination of the first choices.

    The number of a combination is binary: bit 0 is the first choice.
    """
    names = list(estimate.choices)[:_MOST_CHOICES]
    found = []
    for number in range(1 << len(names)) if names else ():
        then = estimate.scenario([n for i, n in enumerate(names) if number >> i & 1])
        sums = _sums(then, lines)
        within = _within(sums.after, estimate.budget, known=not unread and not then.unpriced("after"))
        before, after = sums.before.expected, sums.after.expected
        change = display_change(after - before, currency)
        found.append(
            ChosenSums(
                display(before, currency),
                display(after, currency),
                change,
                display_percent(after - before, before),
                within,
                display(before + after, currency),
                _range(sums.after, currency),
                len(then.unpriced("before")) + len(then.unpriced("after")) + unread,
            )
        )
    return tuple(found)
