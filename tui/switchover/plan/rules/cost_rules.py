"""The lines of a plan's costs: one sum a side, in one currency, and nothing left out."""

from __future__ import annotations

from collections.abc import Iterator

from switchover.plan.complaints import Complaint
from switchover.plan.cost_model import compared_sides
from switchover.plan.rules.draft import Draft

__all__ = ["cost_lines"]


def cost_lines(draft: Draft) -> Iterator[Complaint]:
    """Complain about lines of no side, in another currency, or stated twice."""
    costs, seen = draft.plan.costs, set[tuple[str, str]]()
    compared = compared_sides(draft.data.get("sides") or {})
    for number, line in enumerate(costs.lines):
        path = ("costs", "lines", number)
        yield from draft.unknown((*path, "side"), "side", line.side, draft.names.sides)
        if line.side in draft.names.sides and line.side not in compared:
            message = f"costs compare the sides {' and '.join(compared)}: this line would be left out"
            yield Complaint((*path, "side"), message)
        if line.stated.currency not in ("", costs.currency):
            message = f"this line is in {line.stated.currency}, and `costs.currency` says {costs.currency}"
            yield Complaint((*path, "stated"), message)
        if (line.name, line.side) in seen:
            yield Complaint((*path, "name"), f"the side {line.side} has a line {line.name!r} already")
        seen.add((line.name, line.side))
