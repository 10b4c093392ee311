"""The costs of a plan: every line on a side that is compared, in one currency, and nothing left out."""

from __future__ import annotations

from collections.abc import Iterator

from switchover.plan.complaints import Complaint, unknown_name
from switchover.plan.costs.cost_estimate import claim_complaints, read_costs
from switchover.plan.costs.cost_model import compared_sides
from switchover.plan.rules.draft import Draft
from switchover.pricing.figures import claim_problem, figure_names
from switchover.pricing.lines import join_problem
from switchover.pricing.price_units import PricingError, parse_usage
from switchover.pricing.scenarios import Estimate

__all__ = ["cost_lines", "doubtful_costs"]


def cost_lines(draft: Draft) -> Iterator[Complaint]:
    """Complain about lines of no side, in a currency without a rate, of no known price, or given twice."""
    costs, seen = draft.plan.costs, set[tuple[str, str]]()
    compared = compared_sides(draft.data.get("sides") or {})
    for number, line in enumerate(costs.lines):
        path = ("costs", "lines", number)
        yield from draft.unknown((*path, "side"), "side", line.side, draft.names.sides)
        if line.side in draft.names.sides and line.side not in compared:
            message = f"costs compare the sides {' and '.join(compared)}: this line would be left out"
            yield Complaint((*path, "side"), message)
        if (line.name, line.side) in seen:
            yield Complaint((*path, "name"), f"the side {line.side} has a line {line.name!r} already")
        seen.add((line.name, line.side))
    reading = read_costs(costs, compared)
    yield from reading.complaints
    yield from _wrong_products(draft, reading.estimate)
    yield from _unknown_figures(draft, reading.estimate)
    for name, check in draft.plan.checks.items():
        if check.kind == "budget" and costs.budget is None and check.config.get("limit") is None:
            yield Complaint(("checks", name), "there is no `costs.budget`: say the `limit`", at_key=True)


def _wrong_products(draft: Draft, estimate: Estimate) -> Iterator[Complaint]:
    """Complain about a price that is multiplied with a usage of another kind."""
    for number, item in enumerate(estimate.items):
        line = draft.plan.costs.lines[number]
        usage = parse_usage(line.usage or "1")
        for price in item.prices.values():
            if (problem := join_problem(price, usage)) is not None:
                key = "usage" if line.usage is not None else "price"
                yield Complaint(("costs", "lines", number, key), problem)
                break


def _unknown_figures(draft: Draft, estimate: Estimate) -> Iterator[Complaint]:
    """Complain about claims of no figure, and of no number; a figure that is stated wrongly is a warning."""
    for number, claim in enumerate(draft.plan.costs.claims):
        path = ("costs", "claims", number)
        try:
            claim_problem(estimate, claim.says, claim.value, draft.plan.costs.currency)
        except KeyError:
            yield Complaint((*path, "value"), unknown_name("figure", claim.value, figure_names(estimate)))
        except PricingError as error:
            yield Complaint((*path, "says"), str(error))


def doubtful_costs(draft: Draft) -> Iterator[Complaint]:
    """Warn of figures that a document states wrongly, of prices that are too old, of open questions."""
    costs = draft.plan.costs
    reading = read_costs(costs, compared_sides(draft.data.get("sides") or {}))
    yield from claim_complaints(costs, reading.estimate)
    for number, item in enumerate(reading.estimate.items):
        if item.stale:
            yield Complaint(("costs", "lines", number, "price"), f"{item.stale}; give `costs.prices` a newer one")
        if item.question:
            yield Complaint(("costs", "lines", number, "question"), f"an open question: {item.question}")
    for name in reading.estimate.choices:
        for warning in reading.estimate.scenario([name]).warnings:
            yield Complaint(("costs", "what_if", name), warning, at_key=True)
