from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchover.pricing.figures import claim_problem, figure
from switchover.pricing.lines import CostItem, Moment, cost_of
from switchover.pricing.money import display
from switchover.pricing.price_book import PriceBook, read_entries, shipped_book
from switchover.pricing.price_units import Amount, PricingError, parse_amount, parse_price, parse_usage
from switchover.pricing.scenarios import Change, Estimate, OneOff
from switchover.pricing.schedules import parse_schedule
from switchover.pricing.stated import parse_once, parse_stated

BOTH = parse_schedule(["* 22:00-08:00", "sat-sun"], "Europe/Paris")
TODAY = date(2026, 11, 30)


def priced(price: str, usage: str = "1", **more: Any) -> CostItem:
    found = parse_price(price)
    option = more.pop("option", "on_demand")
    return CostItem(
        "x", "after", None, {option: found}, parse_usage(usage), option=option, currency=found.currency, **more
    )


def month(price: str, usage: str = "1", **more: Any) -> Decimal | None:
    cost = cost_of(priced(price, usage, **more), Moment({"both": BOTH}))
    return cost.amount.expected if cost.amount is not None else None


@pytest.mark.parametrize(
    ("price", "usage", "amount"),
    [
        ("0.0084 USD/h", "1 instance", "6.132"),
        ("0.0025 USD/h", "1", "1.825"),
        ("0.08 USD/GB-month", "40 GB", "3.20"),
        ("0.08 USD/GB-month", "1 TB", "80"),
        ("0.049 USD/GB-h", "1 GB", "35.77"),
        ("0.064 USD/GB-h", "1 GB", "46.72"),
        ("0.0105 USD/h", "1", "7.665"),
        ("0.40 USD/million requests", "50000 req/day", "0.6083333333333333333333333333"),
        ("0.045 USD/GB", "5 GB/month", "0.225"),
        ("40 USD/TiB", "1 TiB/month", "40"),
        ("0.0000336 USD/vCPU-s", "1 vCPU", "88.30080"),
        ("120 USD/year", "1", "10"),
        ("100 EUR/month", "0", "0"),
        ("1 USD/day", "1", "30.41666666666666666666666667"),
        ("10 USD/user-month", "12 users", "120"),
    ],
)
def test_a_price_times_a_usage_is_a_month(price: str, usage: str, amount: str) -> None:
    assert month(price, usage) == Decimal(amount)


def test_a_schedule_saves_exactly_what_is_off() -> None:
    assert month("0.0084 USD/h", "1 instance", schedule="both") == Decimal("2.555")


def test_twenty_metrics_every_ten_seconds_have_a_price() -> None:
    assert month("0.01 USD/thousand requests", "172800 req/day") == Decimal("52.56")
    assert month("0.01 USD/thousand requests", "28800 req/day") == Decimal("8.76")


@pytest.mark.parametrize(
    ("price", "usage"),
    [("0.30 USD/h", "40 GB"), ("0.08 USD/GB", "40 GB"), ("0.08 USD/GB-month", "40 GB/month"), ("1 USD/GB-month", "3")],
)
def test_a_product_of_the_wrong_two_is_unpriced_and_never_zero(price: str, usage: str) -> None:
    assert month(price, usage) is None


def test_a_schedule_saves_nothing_of_a_monthly_price_nor_of_a_reservation_and_says_so() -> None:
    for item in (
        priced("10 USD/month", schedule="both"),
        priced("0.0084 USD/h", schedule="both", option="reserved"),
        priced("1 USD/GB", "5 GB/month", schedule="both"),
    ):
        cost = cost_of(item, Moment({"both": BOTH}))
        assert cost.note
        assert cost.amount == cost_of(item, Moment({"both": parse_schedule(["sat"], "UTC")})).amount


def test_about_twenty_is_18_to_22_and_a_sum_keeps_what_is_open() -> None:
    amount, _ = parse_stated("~20 USD/month")
    assert amount == Amount(Decimal(18), Decimal(20), Decimal(22))
    assert parse_stated("18..22 USD/month")[0] == amount
    assert amount.minus(amount) == Amount(Decimal(-4), Decimal(0), Decimal(4))


def test_the_sentence_computes_the_line_with_its_numbers() -> None:
    cost = cost_of(priced("0.0084 USD/h", "1 instance", schedule="both"), Moment({"both": BOTH}))
    expected = "1 instance × 0.0084 USD/h × 304.17 h (both: 425.83 of 730 h off) = 2.56 USD"
    assert cost.sentence == expected


@pytest.mark.parametrize(
    ("currency", "shown"), [("JPY", "1235"), ("USD", "1234.57"), ("KWD", "1234.567"), ("", "1234.57")]
)
def test_a_currency_has_its_own_digits(currency: str, shown: str) -> None:
    assert display(Decimal("1234.567"), currency) == shown


@pytest.mark.parametrize(
    "text", ["", "USD", "5", "5 USD", "5 usd/h", "5 USD/", "5 USD/h-h", "1e3 USD/h", "-1 USD/h", "5 USD/x"]
)
def test_what_is_no_price_is_refused(text: str) -> None:
    with pytest.raises(PricingError):
        parse_price(text)


@pytest.mark.parametrize("text", ["-1", "5 GB/fortnight", "many", "22..18 GB", "5 million"])
def test_what_is_no_usage_is_refused(text: str) -> None:
    with pytest.raises(PricingError):
        parse_usage(text)


def estimate(**more: Any) -> Estimate:
    instance = priced("0.0084 USD/h", "1 instance", option="spot")
    rest = CostItem("rest", "after", parse_stated("5.20 USD/month")[0], currency="USD")
    old = CostItem("old", "before", parse_stated("70 USD/month")[0], currency="USD")
    choices = {
        "shutdown": (Change("x", schedule="both"),),
        "reserved": (Change("x", option="reserved"),),
        "on_demand": (Change("x", option="on_demand"),),
        "cheaper_before": (Change("old", stated=parse_stated("60 USD/month")[0]),),
        "none": (Change("x", remove=True),),
    }
    return Estimate((old, instance, rest), Moment({"both": BOTH}), choices=choices, **more)


def test_the_shutdown_of_the_all_in_one_machine_saves_3_577_and_leaves_7_755() -> None:
    found = estimate()
    assert found.scenario(["shutdown"]).total("after").expected == Decimal("7.755")
    saved = found.saving_of("shutdown")
    assert saved is not None
    assert saved.expected == Decimal("3.577")


def test_a_reservation_does_not_go_with_spot_and_a_price_that_is_missing_is_never_a_saving() -> None:
    found = estimate()
    assert "does not apply" in found.scenario(["reserved"]).warnings[0]
    assert found.scenario(["reserved"]).total("after") == found.scenario().total("after")
    assert found.saving_of("on_demand") is None
    assert [c.item.name for c in found.scenario(["on_demand"]).unpriced("after")] == ["x"]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(["shutdown", "reserved", "on_demand"]), max_size=3))
def test_no_combination_of_choices_costs_less_than_its_floor(chosen: list[str]) -> None:
    assert estimate().scenario(chosen).total("after").expected >= Decimal("5.20")


def test_once_and_recurring_stay_apart_and_break_even_is_their_ratio() -> None:
    found = estimate(one_offs=(OneOff("training", parse_once("2000 USD")[0]),))
    assert found.scenario().saving.expected == Decimal("58.668")
    months = found.break_even_months()
    assert months is not None
    assert round(months, 1) == Decimal("34.1")


def test_where_nothing_is_saved_nothing_ever_pays_itself() -> None:
    old = CostItem("old", "after", parse_stated("70 USD/month")[0])
    assert Estimate((old,), Moment(), one_offs=(OneOff("x", parse_once("1 USD")[0]),)).break_even_months() is None


def test_break_even_against_a_price_by_the_hour_is_458_hours() -> None:
    prices = {"on_demand": parse_price("0.0084 USD/h"), "reserved": parse_price("3.85 USD/month")}
    found = Estimate((CostItem("vm", "after", None, prices),), Moment())
    value = figure(found, "vm.break_even", "USD").value
    assert value is not None
    assert round(value.expected, 2) == Decimal("458.33")


def test_what_costs_nothing_by_the_hour_never_breaks_even() -> None:
    prices = {"on_demand": parse_price("0 USD/h"), "reserved": parse_price("3.85 USD/month")}
    found = figure(Estimate((CostItem("vm", "after", None, prices),), Moment()), "vm.break_even", "USD")
    assert (found.value, found.why) == (None, "by the hour it costs nothing")


def test_a_huge_amount_is_shown() -> None:
    assert display(Decimal("1e30")) == "1" + "0" * 30 + ".00"


@pytest.mark.parametrize(
    "name", ["total.after", "total.both", "saving", "saving.percent", "budget.percent", "big.total"]
)
def test_a_figure_of_a_sum_that_lacks_a_price_is_not_known(name: str) -> None:
    unknown = CostItem("x", "after", refused="no price")
    known = CostItem("y", "after", parse_stated("5 USD/month")[0], currency="USD")
    old = CostItem("old", "before", parse_stated("70 USD/month")[0], currency="USD")
    choices = {"big": (Change("y", stated=parse_stated("9 USD/month")[0]),)}
    found = figure(Estimate((old, known, unknown), Moment(), choices=choices, budget=Decimal(10)), name, "USD")
    assert (found.value, found.why) == (None, "no price of x")


@pytest.mark.parametrize(
    ("says", "value", "wrong"),
    [
        ("83 %", "saving.percent", "83.81 %"),
        ("84 %", "saving.percent", ""),
        ("11.33", "total.after", ""),
        ("11.332", "total.after", ""),
        ("11.3", "total.after", ""),
        ("11.34", "total.after", "11.33"),
        ("~11", "total.after", ""),
        ("~4", "shutdown.total", "7.76"),
        ("7.36", "shutdown.saving", "3.58"),
        ("48 h/week", "both.stopped", "98 h/week"),
        ("98 h/week", "both.stopped", ""),
        ("98 h/month", "both.stopped", "98 h/week"),
        ("2.28", "reserved.saving", "0 USD/month (a reservation does not apply"),
        ("5", "on_demand.saving", "is not known"),
        ("58.67 USD/year", "saving", "58.67 USD/month"),
        ("84 USD", "saving.percent", "83.81 %"),
        ("11.33 EUR", "total.after", "11.33 USD/month"),
        ("11.33 USD", "total.after", ""),
        ("704.02 USD/year", "saving.year", ""),
        ("10 USD/month", "cheaper_before.saving", "48.67"),
    ],
)
def test_a_claim_is_right_where_the_exact_figure_rounds_to_it(says: str, value: str, wrong: str) -> None:
    problem = claim_problem(estimate(), says, value, "USD")
    assert wrong in problem if wrong else problem == ""


def test_every_price_that_ships_says_where_it_is_from_and_old_ones_say_how_old_they_are() -> None:
    book = shipped_book()
    assert len(book) >= 25
    assert book["aws:vpc/nat-gateway@us-east-1"].price.amount.expected == Decimal("0.045")
    _, _, stale = PriceBook(book).find("aws:vpc/nat-gateway@us-east-1", TODAY)
    assert "days old" in stale


@pytest.mark.parametrize("key", ["sku", "region", "price", "source", "as_of", "confidence"])
def test_a_price_without_its_origin_does_not_load(key: str) -> None:
    row = {
        "sku": "aws:x",
        "region": "r",
        "price": "1 USD/h",
        "source": "s",
        "as_of": "2026-01-01",
        "confidence": "official",
    }
    assert len(list(read_entries([row], "b.json"))) == 1
    for bad in ({k: v for k, v in row.items() if k != key}, row | {key: ""}):
        with pytest.raises(PricingError, match=rf"b.json, entry 1 lacks {key}"):
            list(read_entries([bad], "b.json"))


def test_ones_own_price_counts_before_the_books_and_a_discount_is_taken_off() -> None:
    own = {"aws:ebs/gp3@us-east-1": parse_price("0.05 USD/GB-month")}
    prices, _, stale = PriceBook(shipped_book(), own, {"aws:ebs/*": Decimal(10)}).find("aws:ebs/gp3@us-east-1", TODAY)
    assert (prices["on_demand"].amount.expected, stale) == (Decimal("0.045"), "")


@settings(max_examples=50)
@given(st.decimals(0, 1000, places=4), st.integers(0, 5))
def test_an_amount_is_read_as_it_is_written(number: Decimal, zeros: int) -> None:
    amount, rest = parse_amount(f"{number}{'0' * zeros} USD")
    assert (amount.expected, rest) == (number, "USD")
