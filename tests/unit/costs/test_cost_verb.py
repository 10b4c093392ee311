from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from switchover.cli import main

PLAN = """\
schema: 1
id: p
title: p
sides: {old: {}, new: {}}
costs:
  currency: USD
  budget: 10
  schedules: {nights: {stopped: ["* 22:00-08:00"], tz: Europe/Paris}}
  lines:
    - {name: nat, side: old, stated: 33 USD/month}
    - {name: vm, side: new, price: 0.0084 USD/h, usage: 1 instance}
    - {name: other, side: new, stated: ~2 USD/month}
  one_off: [{name: training, stated: 100 USD}]
  what_if:
    off: [{line: vm, schedule: nights}]
    big: [{line: vm, usage: 3 instances}]
  claims: [{says: 70 %, value: saving.percent, at: "README:7"}]
phases:
  - {id: a, steps: [{id: s, argv: ["true"], effect: read, rollback: not_needed}]}
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "p.yaml"
    path.write_text(PLAN)
    return path


def cost(plan: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    code = main(["cost", str(plan), *more])
    return code, capsys.readouterr().out


def document(plan: Path, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    found = json.loads(cost(plan, capsys, *more, "--format", "json")[1])
    assert isinstance(found, dict)
    return found


def test_the_sum_stands_first_then_each_line_then_what_is_doubtful(
    plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = cost(plan, capsys)
    lines = text.splitlines()
    assert code == 0
    assert lines[0] == "33.00 → 8.13 USD a month, −24.87 (−75.4 %)"
    assert lines[1] == "within the budget of 10.00 USD"
    assert any(line.startswith("vm") and "6.13" in line for line in lines)
    assert "line 17: README:7 says 70 %, and saving.percent is 75.36 %" in lines[-1]


def test_json_has_amounts_as_text_and_once_apart(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(plan, capsys)
    assert found["scenarios"]["after"]["total"] == "8.132"
    assert [item["line"] for item in found["scenarios"]["after"]["items"]] == ["vm", "other"]
    assert found["difference"] == {"amount": "-24.868", "percent": "-75.3575757576"}
    assert found["once"] == {"total": "100", "items": [{"line": "training", "amount": "100"}]}
    assert found["warnings"][0]["line"] == 17


def test_choices_are_applied_in_their_order(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(plan, capsys, "--what-if", "big", "--what-if", "off")
    assert found["scenarios"]["what_if"]["total"] == "12.731"
    assert found["within_budget"] is False
    assert cost(plan, capsys, "--what-if", "big")[0] == 1


def test_a_month_of_the_calendar_has_its_own_hours(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert document(plan, capsys, "--month", "2026-02")["scenarios"]["after"]["total"] == "7.6448"


@pytest.mark.parametrize("more", [("--month", "2026-13"), ("--what-if", "none")])
def test_what_there_is_not_is_refused_in_words(
    plan: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...]
) -> None:
    assert main(["cost", str(plan), *more]) != 0
    assert "Traceback" not in capsys.readouterr().err


def test_csv_and_focus_have_a_row_a_line(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(csv.DictReader(io.StringIO(cost(plan, capsys, "--format", "csv")[1])))
    assert [(r["side"], r["line"], r["amount"]) for r in rows][1] == ("after", "vm", "6.132")
    focus = list(csv.DictReader(io.StringIO(cost(plan, capsys, "--format", "focus")[1])))
    assert {r["ChargeFrequency"] for r in focus} == {"Recurring", "One-Time"}
    assert cost(plan, capsys, "--format", "markdown")[1].startswith("**33.00 → 8.13 USD a month")


def test_a_sum_that_lacks_a_price_is_at_least_that_and_no_difference_is_told(
    plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan.write_text(PLAN.replace("usage: 1 instance", "usage: 1 instance, option: reserved, price: {spot: 1 USD/h}"))
    plan.write_text(plan.read_text().replace("price: 0.0084 USD/h, ", ""))
    found = document(plan, capsys)
    assert (found["within_budget"], found["break_even_months"]) == (None, None)
    assert cost(plan, capsys)[1].splitlines()[0] == "33.00 → at least 2.00 USD a month"
