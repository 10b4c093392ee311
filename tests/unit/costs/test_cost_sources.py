"""Amounts from several sources add up, and what is not known is said and never counted as nothing."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from switchover.costs.cost_book import CostBook
from switchover.costs.estimate import costs_view
from switchover.errors import PlanError
from switchover.plan.kind_calls import KindCalls
from switchover.plan.loader.load import LoadedPlan, load_plan_text
from switchover.plan.named_kinds import COST_SOURCES
from switchover_checks.language.declared import declared, load_declared
from switchover_checks.runtime.config import documented_fields, validate

PLAN = """
schema: 1
id: p
title: A plan
sides: {before: {}, after: {}}
costs:
  currency: EUR
  budget: 100
  lines: [{name: db, side: before, stated: 50 EUR/month}, {name: db, side: after, stated: 20.10 EUR/month}]
"""
TWO = (
    PLAN
    + """  sources:
    support: {kind: stated, side: after, lines: {support: 29.00, db: 0.90}}
    sheet: {kind: csv, path: costs.csv}
"""
)
HEAD = "side,line,amount,currency,note\n"


def load(tmp_path: Path, text: str = TWO) -> LoadedPlan:
    return load_plan_text(text, tmp_path / "plan.yaml")


async def test_amounts_of_all_sources_add_up_exactly(tmp_path: Path) -> None:
    (tmp_path / "costs.csv").write_text("\ufeff" + HEAD + "before,nat,33.00,EUR,as billed\nafter,logs,0.005,,\n")
    book = CostBook(load(tmp_path), KindCalls(base_dir=tmp_path))
    assert book.every_s == 60.0
    assert [row.note for row in book.view.rows[1:]] == ["not counted: not read yet"] * 2
    await book.refresh()
    rows = {row.line: (row.before, row.after, row.note) for row in book.view.rows}
    assert rows == {
        "db": ("50.00", "21.00", ""),
        "nat": ("33.00", "", "as billed"),
        "support": ("", "29.00", ""),
        "logs": ("", "0.01", ""),
    }
    assert (book.view.before_total, book.view.after_total, book.view.within_budget) == ("83.00", "50.01", True)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "costs.csv: No such file or directory"),
        ("side,line\n", "costs.csv has no column amount"),
        (HEAD + "after,logs,much,,\n", "costs.csv, line 2: 'much' is no amount"),
        (HEAD + "after,logs,NaN,,\n", "costs.csv, line 2: 'NaN' is no amount"),
        (HEAD + "now,logs,1,,\n", "costs.csv, line 2: side is before or after, not 'now'"),
        (HEAD + "after,logs,1,USD,\n", "logs is in USD, the plan counts in EUR"),
        ("\x00" * (2 << 20), "costs.csv is larger than 1 MiB"),
    ],
    ids=["missing", "no amount", "no number", "nan", "no side", "another currency", "too large"],
)
async def test_a_source_that_cannot_be_read_says_why_and_leaves_the_budget_open(
    tmp_path: Path, content: str | None, why: str
) -> None:
    if content is not None:
        (tmp_path / "costs.csv").write_text(content)
    book = CostBook(load(tmp_path), KindCalls(base_dir=tmp_path))
    await book.refresh()
    assert [row.note for row in book.view.rows if row.line == "sheet"] == [f"not counted: {why}"]
    assert (book.view.after_total, book.view.within_budget) == ("50.00", None)


def test_without_sources_nothing_is_read_and_the_plan_alone_counts(tmp_path: Path) -> None:
    loaded = load(tmp_path, PLAN)
    book = CostBook(loaded, KindCalls())
    assert book.every_s == 0.0
    assert book.view == costs_view(loaded.plan)
    assert CostBook(None, KindCalls()).view.rows == ()


def test_where_no_source_is_read_each_is_named(tmp_path: Path) -> None:
    view = costs_view(load(tmp_path).plan)
    assert [row.line for row in view.rows] == ["db", "support", "sheet"]
    assert view.within_budget is None


@pytest.mark.parametrize("kind", sorted(declared(COST_SOURCES)))
def test_every_source_documents_its_keys_and_shows_an_example_that_a_plan_takes(kind: str) -> None:
    source = load_declared(COST_SOURCES, kind)
    example = YAML(typ="safe", pure=True).load(inspect.cleandoc(source.example))
    assert example.pop("kind") == kind
    assert validate(source.config, example) == []
    assert [key.name for key in documented_fields(source.config) if not key.doc] == []


def test_a_mistake_in_a_source_is_named(tmp_path: Path) -> None:
    text = PLAN + "  sources: {a: {kind: cvs, path: x}, b: {kind: csv}, c: {kind: stated, side: later, lines: {}}}\n"
    with pytest.raises(PlanError) as error:
        load(tmp_path, text)
    found = "\n".join(map(str, error.value.problems))
    assert "there is no source of costs of kind 'cvs'; did you mean 'csv'?" in found
    assert "a source of costs of kind csv needs 'path'" in found
    assert "costs.sources.c.side" in found


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{name: x, side: later, stated: 5 EUR/month}", "costs.lines[0].side: there is no side 'later'"),
        ("{name: x, side: third, stated: 5 EUR/month}", "costs compare the sides before and after"),
        (
            "{name: x, side: after, stated: 5 USD/month}",
            "this is in USD, and `costs.currency` says EUR; give `costs.rates` a dated rate",
        ),
        ("{name: x, side: after, stated: 5 EUR}", "an amount is written with its currency and its time: 15 USD/month"),
        ("{name: x, side: after, stated: 5}", "an amount is written with its currency and its time: 15 USD/month"),
        ("{name: x, side: after, stated: NaN EUR/month}", "an amount is written with its currency and its time"),
        ("{name: x, side: after}", "costs.lines[0]: a line has `stated` or `price`, one of them"),
        ("{name: x, side: after, stated: 5 EUR/month, price: 5 EUR/h}", "`stated` or `price`, one of them"),
        ("{name: x, side: after, stated: 5 EUR/month, usage: 2}", "belong to a `price`, not to what is `stated`"),
        ("{name: x, side: after, price: 5 EUR/h, low: 2}", "write the range: 18..22 USD/month"),
        ("{name: x, side: after, price: -5 EUR/h}", "a price is not negative"),
        ("{name: x, side: after, price: 5 EUR/fortnight}", "the unit 'fortnight' is not known"),
        ("{name: x, side: after, price: 5 EUR/h, usage: -1}", "nothing is used less than not at all"),
        ("{name: x, side: after, price: 5 EUR/h, usage: 40 GB}", "the price 5 EUR/h is not for what is used: 40 GB"),
        ("{name: x, side: after, price: 5 EUR/GB, usage: 40 GB}", "write 40 GB/month"),
        ("{name: x, side: after, price: 5 EUR/GB-month, usage: 40 GB/day}", "is for holding, and 40 GB/day passes"),
        ("{name: x, side: after, price: 5 EUR/GB-month, usage: 40}", "does not say of what"),
        ("{name: x, side: after, price: 5 EUR/h, schedule: nigths}", "there is no schedule 'nigths'"),
        (
            "{name: x, side: after, price: 'aws:ebs/gp9@us-east-1'}",
            "no price of aws:ebs/gp9; did you mean 'aws:ebs/gp3'?",
        ),
        (
            "{name: x, side: after, price: 'aws:ebs/gp3@mars-1'}",
            "no price of aws:ebs/gp3 in mars-1; there is one in us-east-1",
        ),
        (
            "{name: x, side: after, price: {spot: 1 EUR/h, on_demand: 2 USD/h}}",
            "the prices of one line are in EUR and USD",
        ),
        (
            "{name: x, side: after, stated: 5 EUR/month}, {name: x, side: after, stated: 6 EUR/month}",
            "a line 'x' already",
        ),
    ],
)
def test_a_line_that_would_be_counted_wrongly_or_not_at_all_is_refused(tmp_path: Path, line: str, problem: str) -> None:
    text = PLAN.replace("after: {}}", "after: {}, third: {}}")
    with pytest.raises(PlanError) as error:
        load(tmp_path, text[: text.index("  lines:")] + f"  lines: [{line}]\n")
    assert problem in "\n".join(map(str, error.value.problems))


@pytest.mark.parametrize(
    ("part", "problem"),
    [
        ("schedules: {n: {stopped: ['* 22:00-25:00']}}", "'25:00' is no time of a day"),
        ("schedules: {n: {stopped: ['fro 22:00-23:00']}}", "'fro' is no day"),
        ("schedules: {n: {stopped: ['sat'], tz: Europe/Pariss}}", "there is no time zone 'Europe/Pariss'"),
        ("schedules: {n: {stopped: ['* 08:00-08:00']}}", "begin and end are the same"),
        ("schedules: {n: {}}", "a schedule says `stopped` or `running`"),
        ("what_if: {w: [{line: nat, usage: 1}]}", "there is no line of costs 'nat'"),
        ("one_off: [{name: training, stated: 5 EUR/month}]", "what is paid once has a currency and no time"),
        ("claims: [{says: much, value: saving}]", "'much' does not begin with a number"),
        ("claims: [{says: 5 apples, value: saving}]", "has no unit that is known"),
        ("claims: [{says: 5, value: savings}]", "there is no figure 'savings'; did you mean 'saving'?"),
        ("rates: {USD: {rate: 1.1}}", "as_of"),
        ("prices: {'aws:ebs/gp3': 1 USD/GB-month}", "a price is named with its region"),
        ("discounts: {'aws:*': 110}", "expected at most 100"),
    ],
)
def test_what_is_wrong_in_the_other_parts_of_costs_is_said_precisely(tmp_path: Path, part: str, problem: str) -> None:
    with pytest.raises(PlanError) as error:
        load(tmp_path, PLAN + f"  {part}\n")
    assert problem in "\n".join(map(str, error.value.problems))


@pytest.mark.parametrize("amount", ["1e30", "-1e400"])
async def test_an_amount_that_is_no_money_makes_its_source_unknown(tmp_path: Path, amount: str) -> None:
    (tmp_path / "costs.csv").write_text(f"{HEAD}after,logs,{amount},,\n")
    book = CostBook(load(tmp_path), KindCalls(base_dir=tmp_path))
    await book.refresh()
    assert "the amount of logs is no money" in book.view.rows[-1].note
    assert book.view.within_budget is None


async def test_what_is_paid_once_is_set_against_what_sources_say_too(tmp_path: Path) -> None:
    text = (
        PLAN
        + "  one_off: [{name: t, stated: 100 EUR}]\n  sources:\n    s: {kind: stated, side: after, lines: {s: 19.90}}\n"
    )
    book = CostBook(load(tmp_path, text), KindCalls(base_dir=tmp_path))
    assert book.view.pays_after == ""
    await book.refresh()
    assert book.view.pays_after == "10 months"
