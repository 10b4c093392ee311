from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest

from switchover.costs.estimate import costs_view, sides
from switchover.plan.model import Plan
from switchover.pricing.money import display, display_change, display_percent, round_half_up
from switchover.snapshot import CostRow

M = "\N{MINUS SIGN}"


def plan(before: dict[str, str], after: dict[str, str], budget: str | None = None) -> Plan:
    lines = [
        {"name": name, "side": side, "stated": f"{amount} USD/month"}
        for side, amounts in (("before", before), ("after", after))
        for name, amount in amounts.items()
    ]
    return plan_with(("before", "after"), {"lines": lines, "budget": budget})


def plan_with(sides: Sequence[str], costs: Mapping[str, Any] | None = None) -> Plan:
    document = {"schema": 1, "id": "p", "title": "p", "sides": {side: {} for side in sides}, "costs": costs or {}}
    return Plan.model_validate(document)


ALL_IN_ONE = (
    {"rds": "15", "elasticache": "12", "ec2": "8", "nat": "33", "s3_cf": "2"},
    {"ec2_spot": "6.13", "ebs": "3.20", "s3_cf": "1.07", "logs": "0.50", "egress": "0.43"},
)


def test_the_all_in_one_migration_saves_what_its_lines_add_up_to() -> None:
    view = costs_view(plan(*ALL_IN_ONE, budget="15"))
    assert (view.before_total, view.after_total) == ("70.00", "11.33")
    assert (view.difference, view.percent) == (f"{M}58.67", f"{M}83.8 %")
    assert (view.budget, view.within_budget, view.both_total) == ("15.00", True, "81.33")


def test_a_line_of_one_side_stays_empty_on_the_other() -> None:
    shown = costs_view(plan(*ALL_IN_ONE)).rows
    rows = {row.line: CostRow(row.line, row.before, row.after, row.difference) for row in shown}
    assert rows["nat"] == CostRow("nat", "33.00", "", f"{M}33.00")
    assert rows["ec2_spot"] == CostRow("ec2_spot", "", "6.13", "+6.13")
    assert rows["s3_cf"] == CostRow("s3_cf", "2.00", "1.07", f"{M}0.93")
    assert list(rows) == ["rds", "elasticache", "ec2", "nat", "s3_cf", "ec2_spot", "ebs", "logs", "egress"]


def test_a_rise_has_a_plus_and_over_the_budget_is_said() -> None:
    view = costs_view(plan({"a": "100"}, {"a": "150"}, budget="149.99"))
    assert (view.difference, view.percent, view.within_budget) == ("+50.00", "+50.0 %", False)


def test_exactly_the_budget_is_within_it() -> None:
    assert costs_view(plan({}, {"a": "15"}, budget="15.00")).within_budget is True


def test_without_a_budget_nothing_is_within_or_over_it() -> None:
    view = costs_view(plan({"a": "1"}, {"a": "1"}))
    assert (view.budget, view.within_budget) == ("", None)


def test_without_any_line_there_are_no_costs_and_no_totals_of_zero() -> None:
    view = costs_view(plan({}, {}))
    assert (view.rows, view.before_total, view.both_total, view.currency) == ((), "", "", "USD")


def test_nothing_before_has_no_percentage() -> None:
    assert costs_view(plan({}, {"a": "5"})).percent == ""


TIES = [("1.825", "1.83"), ("2.555", "2.56"), ("-1.825", "-1.83"), ("6.132", "6.13")]


@pytest.mark.parametrize(("exact", "shown"), TIES)
def test_ties_are_rounded_away_from_zero(exact: str, shown: str) -> None:
    assert round_half_up(Decimal(exact)) == Decimal(shown)


def test_sums_are_exact_and_rounded_only_when_shown() -> None:
    view = costs_view(plan({"a": "1.825", "b": "2.555"}, {}))
    assert [row.before for row in view.rows] == ["1.83", "2.56"]
    assert view.before_total == "4.38"


def test_amounts_are_written_with_a_real_minus_and_no_negative_zero() -> None:
    assert display(Decimal("-3.577")) == f"{M}3.58"
    assert display_change(Decimal("-0.004")) == "0.00"
    assert display_change(Decimal(0)) == "0.00"
    assert display_percent(Decimal("-0.0001"), Decimal(100)) == "0.0 %"


def test_a_share_is_multiplied_before_it_is_divided() -> None:
    assert display_percent(Decimal(-250), Decimal(725)) == f"{M}34.5 %"
    assert display_percent(Decimal(1), Decimal(3)) == "+33.3 %"


def test_the_sides_are_before_and_after_or_the_first_two_of_the_plan() -> None:
    assert sides(plan_with(["after", "before"])) == ("before", "after")
    assert sides(plan_with(["old", "new"])) == ("old", "new")
    assert sides(plan_with(["only"])) == ("only", "")
    assert sides(plan_with([])) == ("", "")


def test_a_line_without_an_amount_is_not_one_that_costs_nothing() -> None:
    free, absent = costs_view(plan({"a": "0"}, {"a": "0", "b": "1"})).rows
    assert (free.before, absent.before) == ("0.00", "")
