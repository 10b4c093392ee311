"""One line of costs: what it is paid for, and what it comes to a month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NamedTuple

from switchover.pricing.money import display, plain
from switchover.pricing.price_units import Amount, PricePer, Usage
from switchover.pricing.schedules import WeeklySchedule, month_hours

__all__ = ["OPTIONS", "CostItem", "ItemCost", "ItemState", "Moment", "cost_of", "join_problem"]

ItemState = Literal["priced", "stated", "unpriced", "stale"]
OPTIONS = ("on_demand", "spot", "reserved", "savings_plan")
_COMMITTED = ("reserved", "savings_plan")
_FLAT = {"month": Fraction(1), "year": Fraction(1, 12)}  # no schedule changes them
_IN_AN_HOUR = {"s": Fraction(3600), "h": Fraction(1), "day": Fraction(1, 24), "week": Fraction(1, 168)}
_ONE = Usage(Amount.exactly(Decimal(1)), text="1")
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
class Moment:
    """What a month is: 730 hours, or one of the calendar; and the schedules by name."""

    schedules: Mapping[str, WeeklySchedule] = field(default_factory=dict)
    month: tuple[int, int] | None = None
    _known: dict[str, tuple[Fraction, Fraction]] = field(default_factory=dict, compare=False, repr=False)
    _factors: dict[tuple[str, str, str, bool], tuple[Decimal, Decimal]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def hours(self, schedule: str) -> tuple[Fraction, Fraction]:
        """Return the hours on and in all."""
        found = self._known.get(schedule)
        if found is None:
            if schedule:
                on, off = self.schedules[schedule].hours(self.month)
                found = on, on + off
            else:
                found = (month_hours(self.month),) * 2
            self._known[schedule] = found
        return found

    def factor(self, item: CostItem, price: PricePer, usage: Usage) -> tuple[Decimal, Decimal]:
        """Return by what a price times a usage is multiplied, and then divided, to be a month's."""
        key = (item.schedule, price.time, usage.per, item.option in _COMMITTED)
        found = self._factors.get(key)
        if found is None:
            times = _times(item, price, usage, self)
            found = self._factors[key] = Decimal(times.numerator), Decimal(times.denominator)
        return found


class ItemCost(NamedTuple):
    """What a line comes to a month. `amount` is None where it is not known; `why` says so."""

    item: CostItem
    state: ItemState
    amount: Amount | None
    moment: Moment
    why: str = ""

    @property
    def sentence(self) -> str:
        """How it is computed, with its numbers."""
        item = self.item
        if self.amount is None:
            return self.why
        converted = f", × {plain(item.rate)} = {plain(self.amount.expected)}" if item.rate != 1 else ""
        if item.stated is not None:
            return f"stated: {item.stated.text} {item.currency} a month{converted}"
        return _sentence(item, self.moment) + converted

    @property
    def note(self) -> str:
        """What is to be known of it: why it has no amount, a question, an old price, what saves nothing."""
        if self.amount is None:
            return self.why
        return "; ".join(filter(None, (self.item.question, self.item.stale, _unsaved(self.item))))


def cost_of(item: CostItem, moment: Moment) -> ItemCost:
    """Compute one line. What cannot be computed is unpriced, with the reason, and never zero."""
    if item.refused:
        return ItemCost(item, "unpriced", None, moment, item.refused)
    if item.stated is not None:
        return ItemCost(item, "stated", item.stated.scaled(item.rate) if item.rate != 1 else item.stated, moment)
    price = item.prices.get(item.option)
    if price is None:
        given = ", ".join(item.prices) or "none"
        return ItemCost(item, "unpriced", None, moment, f"there is no price for {item.option} (there is: {given})")
    usage = item.usage or _ONE
    if (problem := join_problem(price, usage)) is not None:
        return ItemCost(item, "unpriced", None, moment, problem)
    by, over = moment.factor(item, price, usage)
    amount = price.amount.times(usage.amount).scaled(by if item.rate == 1 else by * item.rate, over)
    return ItemCost(item, "stale" if item.stale else "priced", amount, moment)


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


def _times(item: CostItem, price: PricePer, usage: Usage, moment: Moment) -> Fraction:
    """Return how often a month has the time of a price, or that of a flow."""
    hours_on, hours = moment.hours(item.schedule)
    if price.is_flow:
        return _times_a_month(usage.per, hours) if usage.per else Fraction(0)
    if price.time in _FLAT:
        return _FLAT[price.time]
    return (hours if item.option in _COMMITTED else hours_on) * _IN_AN_HOUR[price.time]


def _sentence(item: CostItem, moment: Moment) -> str:
    price, usage = item.prices[item.option], item.usage or _ONE
    times, used = _times(item, price, usage, moment), usage.text or "1"
    words = f"{used} × {price.text}"
    if price.is_flow:
        words += "" if usage.per == "month" else f" × {_number(times)} {usage.per}s a month"
    elif price.time in _FLAT:
        words += " / 12" if price.time == "year" else ""
    else:
        words += f" × {_number(times)} {price.time}"
        if item.schedule and item.option not in _COMMITTED:
            on, hours = moment.hours(item.schedule)
            words += f" ({item.schedule}: {_number(hours - on)} of {_number(hours)} h off)"
    amount = price.amount.times(usage.amount).scaled(Decimal(times.numerator), Decimal(times.denominator))
    return f"{words} = {_result(amount, price.currency)}"


def _unsaved(item: CostItem) -> str:
    """Say why a schedule saves nothing of a line; empty where it does, or there is none."""
    price = item.prices.get(item.option)
    if not item.schedule or price is None:
        return ""
    if price.is_flow:
        return "a schedule saves nothing of what flows"
    if price.time in _FLAT:
        return f"a schedule saves nothing of a price a {price.time}"
    return f"{_COMMITTED_WORDS[item.option]} is billed while it is stopped" if item.option in _COMMITTED else ""


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


def _number(value: Fraction) -> str:
    return plain((Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal("0.01")))
