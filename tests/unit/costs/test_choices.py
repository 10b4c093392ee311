from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from switchover.cli.cost.cost_document import cost_document
from switchover.cli.report import report_blocks
from switchover.cli.report.report_blocks import Text
from switchover.costs.estimate import cost_facts, costs_view
from switchover.migration.reports import run_report
from switchover.plan.costs.cost_estimate import CostReading, read_costs
from switchover.plan.costs.cost_model import Costs
from switchover.plan.model import Plan
from switchover.snapshot import CostsView
from switchover.ui.costs.cost_lines import choosable, cost_table, cost_totals
from switchover.ui.text.render_context import RenderContext

RATES = {"EUR": {"rate": 2, "as_of": "2026-11-30"}}
DB = {"name": "db", "side": "after", "stated": "10 USD/month"}
VM = {"name": "vm", "side": "after", "price": {"on_demand": "1 USD/h"}, "usage": "1 instance"}


def reading(*lines: Mapping[str, Any], **changes: Mapping[str, Any]) -> CostReading:
    what_if = {name: [change] for name, change in changes.items()}
    costs = Costs.model_validate({"lines": lines, "what_if": what_if, "rates": RATES})
    return read_costs(costs, ("before", "after"))


def after(found: CostReading, choice: str) -> Decimal:
    return found.estimate.scenario([choice]).total("after").expected


def test_an_amount_that_a_choice_states_in_another_currency_is_changed_by_its_rate() -> None:
    found = reading(DB, eur={"line": "db", "stated": "10 EUR/month"})
    assert after(found, "eur") == 20


def test_an_amount_in_the_plans_currency_is_not_changed_by_the_rate_of_the_line_it_replaces() -> None:
    found = reading({**DB, "stated": "10 EUR/month"}, usd={"line": "db", "stated": "10 USD/month"})
    assert after(found, "usd") == 10


def test_a_price_that_a_choice_brings_in_another_currency_is_changed_by_its_rate() -> None:
    found = reading(VM, eur={"line": "vm", "price": "10 EUR/month"})
    assert after(found, "eur") == 20
    assert not found.complaints


def test_a_price_that_a_choice_brings_in_a_currency_without_a_rate_is_a_complaint() -> None:
    found = reading(VM, chf={"line": "vm", "price": "10 CHF/month"})
    assert [c.path for c in found.complaints] == [("costs", "what_if", "chf", 0, "price")]


def test_a_price_of_the_book_is_never_taken_for_that_of_another_option() -> None:
    own = {"aws:ec2/x/spot@here": "0.1 USD/h"}
    change = {"line": "vm", "price": "aws:ec2/x@here", "option": "reserved"}
    costs = Costs.model_validate({"lines": [VM], "prices": own, "what_if": {"r": [change]}})
    assert "has no price for reserved" in read_costs(costs, ("before", "after")).complaints[0].message


def test_a_schedule_of_an_amount_that_is_stated_is_said_to_change_nothing() -> None:
    found = reading(DB, twice={"line": "db", "usage": "2 instances"})
    assert "changes nothing of it" in found.estimate.scenario(["twice"]).warnings[0]


def test_a_choice_without_a_price_is_never_within_the_budget() -> None:
    choice = [{"line": "vm", "option": "reserved"}]
    costs = {"lines": [DB, VM], "budget": 15, "what_if": {"reserved": choice}}
    plan = Plan.model_validate(
        {"schema": 1, "id": "p", "title": "p", "sides": {"before": {}, "after": {}}, "costs": costs}
    )
    view = costs_view(plan)
    assert view.within_budget is False
    assert view.combinations[1].within_budget is None
    assert (view.unpriced, view.combinations[1].unpriced) == (0, 1)


@pytest.mark.parametrize("budget", ["1e30", "0", "-5"])
def test_a_budget_is_money(budget: str) -> None:
    with pytest.raises(ValueError, match="budget"):
        Costs.model_validate({"budget": budget})


def test_a_plan_that_says_nothing_of_its_costs_is_not_within_its_budget() -> None:
    sides: dict[str, Any] = {"before": {}, "after": {}}
    plan = Plan.model_validate({"schema": 1, "id": "p", "title": "p", "sides": sides, "costs": {"budget": 15}})
    assert cost_facts(plan, [], [])["unknown"] == ["anything"]
    assert cost_document(plan, [], None, [])["within_budget"] is None


def test_a_rate_is_of_a_day_that_there_is() -> None:
    with pytest.raises(ValueError, match="2026-13-45 is no day"):
        Costs.model_validate({"rates": {"EUR": {"rate": 1, "as_of": "2026-13-45"}}})


def test_only_choices_whose_sums_are_computed_are_offered() -> None:
    names = [f"c{number}" for number in range(8)]
    costs = {"lines": [DB], "what_if": {name: [{"line": "db", "remove": True}] for name in names}}
    sides: dict[str, Any] = {"before": {}, "after": {}}
    view = costs_view(Plan.model_validate({"schema": 1, "id": "p", "title": "p", "sides": sides, "costs": costs}))
    assert choosable(view) == frozenset(names[:6])
    assert choosable(CostsView()) == frozenset()


def test_no_amount_is_cut_at_80_columns() -> None:
    old = {"name": "b" * 60, "side": "before"}
    costs = {"lines": [{**old, "stated": "1234567890.12 USD/month"}, {**DB, "name": "a" * 60}]}
    sides: dict[str, Any] = {"before": {}, "after": {}}
    view = costs_view(Plan.model_validate({"schema": 1, "id": "p", "title": "p", "sides": sides, "costs": costs}))
    moment = cast("RenderContext", SimpleNamespace(data=SimpleNamespace(costs=view)))
    heading, items = cost_table(moment, 80)
    lines = [*heading, *(line for item in items for line in item.lines), *cost_totals(moment, 80)]
    texts = ["".join(span.text for span in line) for line in lines]
    assert sum("1234567890.12" in text for text in texts) == 2
    assert "\N{MINUS SIGN}1234567880.12" in texts[3]


@pytest.mark.parametrize(
    ("line", "says", "unpriced"),
    [
        (VM, "over it", []),
        ({**VM, "option": "reserved"}, "not known to be kept", ["vm"]),
        (DB, "within it", []),
        ({**DB, "stated": "14..16 USD/month"}, "not known to be kept", []),
    ],
)
def test_a_report_says_of_the_budget_what_is_known(line: dict[str, Any], says: str, unpriced: list[str]) -> None:
    sides: dict[str, Any] = {"before": {}, "after": {}}
    costs = {"lines": [line], "budget": 15}
    plan = Plan.model_validate({"schema": 1, "id": "p", "title": "p", "sides": sides, "costs": costs})
    told = run_report._costs(costs_view(plan))
    assert told is not None
    text = " ".join(block.text for block in report_blocks._costs(told) if isinstance(block, Text))
    assert says in text
    assert told["unpriced"] == unpriced
    assert all(name in text for name in unpriced)
