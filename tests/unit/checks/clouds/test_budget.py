"""A month is within its budget only where every price is known, and a range is judged by both its ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from switchover.costs.cost_book import cost_port
from switchover.errors import PlanError
from switchover.plan.kind_calls import KindCalls
from switchover.plan.loader.load import load_plan_text
from switchover_checks.api import ProbeError, Result, Status
from switchover_checks.runtime.config import ConfigError, build_config
from switchover_checks.runtime.probe_ports import ProbePorts
from switchover_checks.runtime.registry import Registry

Probe = Callable[..., Awaitable[Result]]
PLAN = """
schema: 1
id: p
title: A plan
sides: {before: {}, after: {}}
costs:
  currency: CURRENCY
  budget: 100
  lines: [{name: db, side: before, stated: 50 CURRENCY/month}, LINES]
"""


def line(stated: str) -> str:
    return f"{{name: db, side: after, stated: {stated} CURRENCY/month}}"


def port(tmp_path: Path, lines: str, more: str = "", currency: str = "EUR") -> ProbePorts:
    text = (PLAN.replace("LINES", lines) + more).replace("CURRENCY", currency)
    loaded = load_plan_text(text, tmp_path / "plan.yaml")
    return ProbePorts(costs=cost_port(loaded, KindCalls(base_dir=tmp_path)))


@pytest.mark.parametrize(
    ("stated", "keys", "status"),
    [
        ("99.999", {}, Status.OK),
        ("100", {}, Status.OK),
        ("100.001", {}, Status.CRIT),
        ("89.9", {"warn": 90}, Status.OK),
        ("90", {"warn": 90}, Status.WARN),
        ("90..101", {}, Status.WARN),
        ("101..120", {}, Status.CRIT),
        ("60", {"of": "both"}, Status.CRIT),
        ("500", {"of": "before"}, Status.OK),
        ("60", {"limit": 50}, Status.CRIT),
    ],
)
async def test_a_month_is_judged_by_its_exact_sum(
    probe: Probe, tmp_path: Path, stated: str, keys: dict[str, Any], status: Status
) -> None:
    assert (await probe("budget", ports=port(tmp_path, line(stated)), **keys)).status is status


async def test_it_measures_the_sum_and_its_share(probe: Probe, tmp_path: Path) -> None:
    result = await probe("budget", ports=port(tmp_path, line("80.5")))
    assert [(m.name, m.value, m.unit) for m in result.metrics] == [("total", 80.5, ""), ("percent", 80.5, "%")]
    assert result.summary == "80.50 EUR a month, 80 % of the budget of 100.00 EUR"


async def test_a_currency_without_decimals_shows_none(probe: Probe, tmp_path: Path) -> None:
    result = await probe("budget", ports=port(tmp_path, line("80"), currency="JPY"))
    assert result.summary == "80 JPY a month, 80 % of the budget of 100 JPY"


@pytest.mark.parametrize(
    ("more", "name"),
    [("  sources: {sheet: {kind: csv, path: none.csv}}\n", "sheet")],
)
async def test_what_could_not_be_read_leaves_it_open_unless_it_is_over_already(
    probe: Probe, tmp_path: Path, more: str, name: str
) -> None:
    result = await probe("budget", ports=port(tmp_path, line("80"), more))
    assert (result.status, list(result.metrics)) == (Status.UNKNOWN, [])
    assert f"no price of {name}" in result.summary
    assert (await probe("budget", ports=port(tmp_path, line("180"), more))).status is Status.CRIT


async def test_sources_count(probe: Probe, tmp_path: Path) -> None:
    more = "  sources: {support: {kind: stated, side: after, lines: {support: 29}}}\n"
    assert (await probe("budget", ports=port(tmp_path, line("80"), more))).status is Status.CRIT


async def test_without_a_program_it_is_not_known(probe: Probe) -> None:
    with pytest.raises(ProbeError, match="no costs are known here"):
        await probe("budget")


@pytest.mark.parametrize("keys", [{"limit": 0}, {"limit": -5}, {"warn": 0}, {"warn": 120}, {"of": "old"}])
def test_a_limit_of_nothing_is_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        build_config(Registry().load("budget").config, keys)


def test_a_budget_that_nobody_says_is_an_error_of_the_plan(tmp_path: Path) -> None:
    text = PLAN.replace("LINES", line("5")).replace("CURRENCY", "EUR").replace("  budget: 100\n", "")
    text += "checks: {money: {kind: budget, every: 1m}}\n"
    with pytest.raises(PlanError) as error:
        load_plan_text(text, tmp_path / "plan.yaml")
    assert "checks.money: there is no `costs.budget`: say the `limit`" in "\n".join(map(str, error.value.problems))
    assert load_plan_text(text.replace("kind: budget", "kind: budget, limit: 5"), tmp_path / "plan.yaml")
