"""One line of costs: what it is paid for, and what it comes to a month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from switchover.pricing.money import display, plain
from switchover.pricing.price_units import Amount, PricePer, Usage
from switchover.pricing.schedules import WeeklySchedule, month_hours

__all__ = ["OPTIONS", "CostItem", "ItemCost", "ItemState", "Moment", "cost_of", "join_problem"]

ItemState = Literal["priced", "stated", "unpriced", "stale"]
OPTIONS = ("on_demand", "spot", "reserved", "savings_plan")
_COMMITTED = ("reserved", "savings_plan")
_COMMITTED_WORDS = {"reserved": "a reservation", "savings_plan": "a savings plan"}


@dataclass(frozen=True, slots=True)
class CostItem:
    """A line on one side. `stated` is an amount a month as a document says it; else `prices` has one for each option.

    `refused` says why nothing can be said of it. `stale` says how old its price is, where that is too old.
    """

    name: str
    side: str
    stated: Amount | None = None
    prices: Mapping[str, PricePer] = field(default_factory=dict)
    usage: Usage | None = None
    schedule: str = ""
    option: str = "on_demand"
    question: str = ""
    currency: str = ""
    refused: str = ""
    stale: str = ""
    rate: Decimal = Decimal(1)
    """What one unit of its currency is in that of the plan."""


@dataclass(frozen=True, slots=True)
class ItemCost:
    """What a line comes to a month, and the sentence that computes it. `amount` is None where it is not known."""

    item: CostItem
    state: ItemState
    amount: Amount | None
    sentence: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """What a month is: 730 hours, or one of the calendar; and the schedules by name."""

    schedules: Mapping[str, WeeklySchedule] = field(default_factory=dict)
    month: tuple[int, int] | None = None

    def hours(self, schedule: str) -> tuple[Fraction, Fraction]:
        """Return the hours on and in all."""
        if not schedule:
            whole = month_hours(self.month)
            return whole, whole
        on, off = self.schedules[schedule].hours(self.month)
        return on, on + off


def cost_of(item: CostItem, moment: Moment) -> ItemCost:
    """Compute one line. What cannot be computed is unpriced, with the reason, and never zero."""
    if item.refused:
        return ItemCost(item, "unpriced", None, item.refused, item.refused)
    if item.stated is not None:
        amount = item.stated.scaled(item.rate)
        words = f"stated: {item.stated.text} {item.currency} a month"
        return ItemCost(item, "stated", amount, words + _converted(item, amount), item.question)
    price = item.prices.get(item.option)
    if price is None:
        given = ", ".join(item.prices) or "none"
        why = f"there is no price for {item.option} (there is: {given})"
        return ItemCost(item, "unpriced", None, why, why)
    usage = item.usage or Usage(Amount.exactly(Decimal(1)), text="1")
    if (problem := join_problem(price, usage)) is not None:
        return ItemCost(item, "unpriced", None, problem, problem)
    amount, sentence, note = _product(item, price, usage, moment)
    amount = amount.scaled(item.rate)
    note = "; ".join(filter(None, (item.question, item.stale, note)))
    return ItemCost(item, "stale" if item.stale else "priced", amount, sentence + _converted(item, amount), note)


def join_problem(price: PricePer, usage: Usage) -> str | None:
    """Say why a price cannot be multiplied with a usage; None where it can."""
    if price.thing != usage.thing and usage.thing and (price.thing or usage.thing == "GB"):
        return f"the price {price.text} is not for what is used: {usage.text}"
    if price.thing and not usage.thing and usage.amount.high > 0:
        return f"the usage {usage.text} does not say of what: the price {price.text} is for {price.thing}"
    if price.is_flow and not usage.per and usage.amount.high > 0:
        return f"the price {price.text} is for each {price.thing or 'thing'} that passes: write {usage.text}/month"
    if not price.is_flow and usage.per:
        return f"the price {price.text} is for holding, and {usage.text} passes: leave out /{usage.per}"
    return None


def _product(item: CostItem, price: PricePer, usage: Usage, moment: Moment) -> tuple[Amount, str, str]:
    base = price.amount.times(usage.amount)
    hours_on, hours = moment.hours(item.schedule)
    used = usage.text or "1"
    if price.is_flow:
        times = _times_a_month(usage.per, hours) if usage.per else Fraction(0)
        sentence = f"{used} × {price.text}" + (
            "" if usage.per == "month" else f" × {_number(times)} {usage.per}s a month"
        )
        note = "a schedule saves nothing of what flows" if item.schedule else ""
    elif price.time in {"month", "year"}:
        times = Fraction(1, 12) if price.time == "year" else Fraction(1)
        sentence = f"{used} × {price.text}" + (" / 12" if price.time == "year" else "")
        note = f"a schedule saves nothing of a price a {price.time}" if item.schedule else ""
    else:
        committed = item.option in _COMMITTED and item.schedule
        on = hours if committed else hours_on
        times = (
            on * {"s": Fraction(3600), "h": Fraction(1), "day": Fraction(1, 24), "week": Fraction(1, 168)}[price.time]
        )
        counted = f"{_number(times)} {price.time}"
        sentence = f"{used} × {price.text} × {counted}"
        if item.schedule and not committed:
            sentence += f" ({item.schedule}: {_number(hours - hours_on)} of {_number(hours)} h off)"
        note = f"{_COMMITTED_WORDS[item.option]} is billed while it is stopped" if committed else ""
    amount = base.scaled(Decimal(times.numerator), Decimal(times.denominator))
    return amount, f"{sentence} = {_result(amount, price.currency)}", note


def _times_a_month(per: str, hours: Fraction) -> Fraction:
    """Return how often a time fits into a month of so many hours."""
    lengths = {"s": Fraction(1, 3600), "h": Fraction(1), "day": Fraction(24), "week": Fraction(168)}
    if per in lengths:
        return hours / lengths[per]
    return Fraction(1) if per == "month" else Fraction(1, 12)


def _result(amount: Amount, currency: str) -> str:
    if amount.is_exact:
        return f"{display(amount.expected, currency)} {currency}"
    return f"{display(amount.low, currency)} to {display(amount.high, currency)} {currency}"


def _converted(item: CostItem, amount: Amount) -> str:
    return f", × {plain(item.rate)} = {plain(amount.expected)}" if item.rate != 1 else ""


def _number(value: Fraction) -> str:
    return plain((Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal("0.01")))
