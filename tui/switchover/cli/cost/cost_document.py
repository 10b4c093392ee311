"""The costs of a plan as data: what `switchover cost --format json` writes. Amounts are text, not rounded."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from switchover.costs.estimate import estimate_of
from switchover.errors import PlanProblem
from switchover.plan.model import Plan
from switchover.pricing.lines import ItemCost
from switchover.pricing.money import plain, round_half_up
from switchover.pricing.price_units import Amount
from switchover.pricing.scenarios import Estimate, Scenario

__all__ = ["amount_text", "cost_document"]

_DECIMALS = 10  # far below the smallest coin; what has more comes of a division


def cost_document(
    plan: Plan, chosen: Sequence[str], month: tuple[int, int] | None, warnings: Sequence[PlanProblem]
) -> dict[str, Any]:
    """Return it. With choices there is a third scenario, `what_if`, and the difference is to that one."""
    estimate = estimate_of(plan, month)
    now, then = estimate.scenario(), estimate.scenario(chosen)
    before, after = then.total("before"), then.total("after")
    change = after.expected - before.expected
    scenarios = {"before": _side(then if chosen else now, "before"), "after": _side(now, "after")}
    if chosen:
        scenarios["what_if"] = _side(then, "after")
    return {
        "schema": "switchover/cost/1",
        "currency": plan.costs.currency,
        "month": f"{month[0]}-{month[1]:02}" if month else None,
        "what_if": list(chosen),
        "scenarios": scenarios,
        "difference": {
            "amount": amount_text(change),
            "percent": amount_text(change * 100 / before.expected) if before.expected else None,
        },
        "both": amount_text(before.expected + after.expected),
        "once": {"total": amount_text(estimate.once.expected), "items": _once(estimate)},
        "break_even_months": _months(estimate, elsewhere=bool(plan.costs.sources)),
        "choices": [_choice(estimate, name) for name in estimate.choices],
        "budget": amount_text(estimate.budget) if estimate.budget is not None else None,
        "within_budget": _within(then, estimate.budget, elsewhere=bool(plan.costs.sources) or not estimate.items),
        "warnings": [{"line": w.line, "message": w.message} for w in warnings]
        + [{"line": 0, "message": warning} for warning in then.warnings]
        + [
            {"line": 0, "message": f"the source {name} is read by an agent alone: it is in no sum here"}
            for name in plan.costs.sources
        ],
    }


def amount_text(amount: Decimal) -> str:
    """Write an amount without rounding what counts."""
    return plain(round_half_up(amount, _DECIMALS))


def _side(scenario: Scenario, side: str) -> dict[str, Any]:
    costs = scenario.before if side == "before" else scenario.after
    total = scenario.total(side)
    return {
        "total": amount_text(total.expected),
        **_range(total),
        "unpriced": [cost.item.name for cost in scenario.unpriced(side)],
        "items": [_item(cost) for cost in costs],
    }


def _item(cost: ItemCost) -> dict[str, Any]:
    known = cost.amount
    return {
        "line": cost.item.name,
        "amount": amount_text(known.expected) if known is not None else None,
        **(_range(known) if known is not None else {"low": None, "high": None}),
        "state": cost.state,
        "sentence": cost.sentence,
        "note": cost.note,
    }


def _range(amount: Amount) -> dict[str, str]:
    return {"low": amount_text(amount.low), "high": amount_text(amount.high)}


def _once(estimate: Estimate) -> list[dict[str, str]]:
    return [{"line": one.name, "amount": amount_text(one.amount.expected)} for one in estimate.one_offs]


def _months(estimate: Estimate, *, elsewhere: bool) -> str | None:
    months = estimate.break_even_months() if estimate.one_offs and not elsewhere else None
    return amount_text(months) if months is not None else None


def _choice(estimate: Estimate, name: str) -> dict[str, Any]:
    saved = estimate.saving_of(name)
    warnings = [warning.partition(": ")[2] for warning in estimate.scenario([name]).warnings]
    return {"name": name, "saving": amount_text(saved.expected) if saved is not None else None, "warnings": warnings}


def _within(scenario: Scenario, budget: Decimal | None, *, elsewhere: bool) -> bool | None:
    if budget is None:
        return None
    total = scenario.total("after")
    if total.low > budget:
        return False
    return True if total.high <= budget and not elsewhere and not scenario.unpriced("after") else None
