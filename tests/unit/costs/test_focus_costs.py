"""A bill in the format FOCUS is added up exactly, or it is said where it cannot be."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from switchover.costs.focus_reading import UnreadableBillError, read_bill
from switchover.costs.sources.focus_costs import FocusCosts, FocusCostsConfig
from switchover.plan.kind_calls import KindCalls, UnavailableError

HEAD = "ServiceName,BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,ChargeFrequency\n"


def bill(tmp_path: Path, rows: str, head: str = HEAD) -> str:
    path = tmp_path / "focus.csv"
    path.write_text(head + rows)
    return str(path)


def sums(path: str, column: str = "BilledCost", month: str = "") -> dict[tuple[str, str], str]:
    return {(row[0], row[1]): row[3] for row in read_bill(path, column, month)["rows"] if not row[2]}


ROWS = (
    "EC2,0.1,0.3,USD,2026-10-01T00:00:00Z,Usage-Based\n"
    'EC2,2E-1,0.3,USD,2026-10-31T23:00:00Z,Usage-Based\n\n"a ""quoted""\nname",1,0,EUR,2026-10-05T00:00:00Z,\n'
    "EC2,-0.05,0,USD,2026-10-06T00:00:00Z,Recurring\n"
    "EC2,120,0,USD,2026-10-06T00:00:00Z,One-Time\n"
    "EC2,9,9,USD,2026-11-02T00:00:00Z,Usage-Based\n"
)


def test_the_last_month_that_is_over_is_added_up_exactly_by_service_and_currency(tmp_path: Path) -> None:
    path = bill(tmp_path, ROWS)
    assert sums(path) == {("EC2", "USD"): "0.25", ('a "quoted"\nname', "EUR"): "1"}
    assert sums(path, "EffectiveCost")["EC2", "USD"] == "0.6"
    assert sums(path, month="2026-11") == {("EC2", "USD"): "9"}


def test_a_byte_order_mark_and_another_order_of_columns_change_nothing(tmp_path: Path) -> None:
    head = "\ufeffBillingCurrency,x_more,ChargePeriodStart,BilledCost,ServiceName\n"
    assert sums(bill(tmp_path, "USD,,2026-10-01,1.5,EC2\n", head)) == {("EC2", "USD"): "1.5"}


@pytest.mark.parametrize(
    ("rows", "head", "why"),
    [
        ("", HEAD, "it has no rows"),
        ("", "", "it has no column ServiceName, BillingCurrency, ChargePeriodStart, BilledCost"),
        ("", "ServiceName,Cost,BillingCurrency,ChargePeriodStart\n", "it has no column BilledCost"),
        ("EC2,,1,USD,2026-10-01,\n", HEAD, "line 2: BilledCost is '', which is no amount"),
        ("EC2,NaN,1,USD,2026-10-01,\n", HEAD, "line 2: BilledCost is 'NaN', which is no amount"),
        ("EC2,1,1,USD,yesterday,\n", HEAD, "line 2: ChargePeriodStart is 'yesterday', which is no day"),
        ("EC2,1,1\n", HEAD, "line 2: 3 fields, the heading has 6"),
    ],
)
def test_what_cannot_be_added_up_is_said_with_its_line(tmp_path: Path, rows: str, head: str, why: str) -> None:
    with pytest.raises(UnreadableBillError) as error:
        read_bill(bill(tmp_path, rows, head), "BilledCost")
    assert str(error.value) == why


async def read(tmp_path: Path, **keys: str) -> list[tuple[str, Decimal, str, str]]:
    source, all_keys = FocusCosts(), {"path": "focus.csv", "side": "after", **keys}
    calls = KindCalls(base_dir=tmp_path)
    try:
        lines = await calls.call(FocusCostsConfig, all_keys, 30, source.lines)
    finally:
        await calls.aclose()
    return [(line.name, line.amount, line.currency, line.note) for line in lines]


async def test_the_source_names_its_basis_and_what_may_still_change(tmp_path: Path) -> None:
    bill(tmp_path, ROWS)
    note = "BilledCost of 2026-10; incomplete: its last 48 h still change; 120 paid once is not in it"
    assert (await read(tmp_path))[0] == ("EC2", Decimal("0.25"), "USD", note)
    bill(tmp_path, ROWS + "EC2,9,9,USD,2026-11-03T00:00:00Z,\n")
    assert (await read(tmp_path))[0][3] == "BilledCost of 2026-10; 120 paid once is not in it"


async def test_a_file_that_is_not_there_or_a_month_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"focus\.csv: No such file or directory"):
        await read(tmp_path)
    with pytest.raises(UnavailableError, match="month is written 2026-10, not '2026-13'"):
        await read(tmp_path, month="2026-13")


def test_a_row_without_a_currency_is_never_counted_as_the_plans(tmp_path: Path) -> None:
    with pytest.raises(UnreadableBillError, match="line 2: it has no BillingCurrency"):
        read_bill(bill(tmp_path, "EC2,1,1,,2026-10-01,\n"), "BilledCost")
