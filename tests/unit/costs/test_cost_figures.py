"""What rules may ask of the costs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.unit.costs.test_costs import plan

from switchover.costs.cost_book import CostBook
from switchover.plan.kind_calls import KindCalls


def figures(budget: str | None, after: dict[str, str]) -> dict[str, float]:
    loaded = SimpleNamespace(plan=plan({}, after, budget=budget))
    return dict(CostBook(cast("Any", loaded), KindCalls()).figures)


@pytest.mark.parametrize(
    ("budget", "after", "found"),
    [
        ("40", {"a": "10", "b": "20.005"}, {"month": 30.005, "share": 75.0125}),
        (None, {"a": "10"}, {"month": 10.0}),
        ("40", {}, {}),
    ],
)
def test_a_month_and_its_share_of_the_budget_are_exact_and_left_out_where_unknown(
    budget: str | None, after: dict[str, str], found: dict[str, float]
) -> None:
    assert figures(budget, after) == found
