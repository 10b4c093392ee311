"""The units of prices and usages, and which price may be multiplied with which usage.

A price is for holding a thing for a time (`USD/h`, `USD/GB-month`) or for each thing that flows (`USD/GB`). A usage
is a number of things that are held (`40 GB`) or a flow (`5 GB/month`). A product of the wrong two is an error.
A price a month taken for one an hour is 730 times too much.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from switchover.pricing.money import plain

__all__ = ["TIMES", "Amount", "PricePer", "PricingError", "Usage", "parse_amount", "parse_price", "parse_usage"]

TIMES = ("s", "h", "day", "week", "month", "year")
_TIME_WORDS = {
    **{t: t for t in TIMES},
    "sec": "s", "second": "s", "seconds": "s", "hour": "h", "hours": "h", "hr": "h", "d": "day", "days": "day",
    "weeks": "week", "mo": "month", "months": "month", "yr": "year", "years": "year",
}  # fmt: skip
_MEASURED = {"GB": ("GB", Decimal(1)), "MB": ("GB", Decimal("0.001")), "TB": ("GB", Decimal(1000))}
_MEASURED |= {
    "GiB": ("GB", Decimal("1.073741824")),
    "MiB": ("GB", Decimal("0.001048576")),
    "TiB": ("GB", Decimal("1099.511627776")),
}
_COUNTED = {
    **dict.fromkeys(("instance", "node", "machine", "vm", "server"), "instance"),
    **dict.fromkeys(("address", "addresse", "ip"), "address"),
    **dict.fromkeys(("request", "req", "call"), "request"),
    **dict.fromkeys(("query", "querie"), "query"),
    **dict.fromkeys(("gateway",), "gateway"),
    **dict.fromkeys(("message", "msg"), "message"),
    **dict.fromkeys(("metric",), "metric"),
    **dict.fromkeys(("token",), "token"),
    **dict.fromkeys(("user", "seat"), "user"),
    **dict.fromkeys(("vCPU", "cpu"), "vCPU"),
    **{word: word for word in ("zone", "cluster", "disk", "alarm", "dashboard", "secret", "volume", "snapshot")},
}
_SCALES = {"million": Decimal(1_000_000), "thousand": Decimal(1000), "": Decimal(1)}
_SCALES |= {"1M": Decimal(1_000_000), "1k": Decimal(1000), "1000": Decimal(1000)}
_NUMBER = r"\d{1,15}(?:\.\d{1,12})?"
_RANGE = re.compile(
    rf"(?P<about>~ ?)?(?P<low>-?{_NUMBER})(?: ?\.\. ?(?P<high>{_NUMBER}))?(?: (?P<rest>.*))?", re.DOTALL
)
_MONEY = re.compile(r"(?P<currency>[A-Z]{3})(?: ?/ ?(?P<unit>.+))?", re.DOTALL)
_ABOUT = Decimal("0.1")  # what a `~` leaves open, to either side


class PricingError(ValueError):
    """A text that is no price, or a price that cannot be multiplied so. The message is for the one who wrote it."""


class Amount(NamedTuple):
    """A number that may be a range: what is expected, and from where to where it may lie."""

    low: Decimal
    expected: Decimal
    high: Decimal

    @classmethod
    def exactly(cls, value: Decimal) -> Amount:
        """Return a number that leaves nothing open."""
        return cls(value, value, value)

    @property
    def is_exact(self) -> bool:
        """Whether nothing is left open."""
        return self.low == self.high

    def times(self, other: Amount) -> Amount:
        """Multiply two that are not negative."""
        if self.low is self.high and other.low is other.high:  # exact, as most are: reckoned once
            return Amount.exactly(self.low * other.low)
        return Amount(self.low * other.low, self.expected * other.expected, self.high * other.high)

    def scaled(self, by: Decimal, over: Decimal = Decimal(1)) -> Amount:
        """Multiply first, then divide: so nothing is lost before it must be."""
        if self.low is self.high:
            return Amount.exactly(self.low * by / over)
        return Amount(self.low * by / over, self.expected * by / over, self.high * by / over)

    def plus(self, other: Amount) -> Amount:
        """Add."""
        return Amount(self.low + other.low, self.expected + other.expected, self.high + other.high)

    def minus(self, other: Amount) -> Amount:
        """Subtract; the range is as wide as both allow."""
        return Amount(self.low - other.high, self.expected - other.expected, self.high - other.low)

    @property
    def text(self) -> str:
        """The number as it is written: `0.0084`, `18..22`."""
        return plain(self.expected) if self.is_exact else f"{plain(self.low)}..{plain(self.high)}"


@dataclass(frozen=True, slots=True)
class PricePer:
    """Money for a thing. `time` is how long it is held for that; empty where the thing flows. `text` as written."""

    amount: Amount
    currency: str
    thing: str = ""
    time: str = ""
    text: str = ""

    @property
    def is_flow(self) -> bool:
        """Whether it is paid for each thing that passes."""
        return not self.time


@dataclass(frozen=True, slots=True)
class Usage:
    """How much is used. `per` is the time in which so much flows; empty for what is held. `text` as written."""

    amount: Amount
    thing: str = ""
    per: str = ""
    text: str = ""


def parse_amount(text: str) -> tuple[Amount, str]:
    """Read `15`, `~20` (18 to 22) or `18..22`, and return what stands behind it. Raise `PricingError`."""
    found = _RANGE.fullmatch(text.strip())
    if found is None:
        raise PricingError(f"{_short(text)} does not begin with a number")
    low = Decimal(found["low"])
    if found["high"] is None:
        slack = abs(low) * _ABOUT if found["about"] else Decimal(0)
        amount = Amount(low - slack, low, low + slack) if slack else Amount.exactly(low)
    else:
        high = Decimal(found["high"])
        if high < low:
            raise PricingError(f"{_short(text)} goes from more to less")
        amount = Amount(low, (low + high) / 2, high)
    return amount, (found["rest"] or "").strip()


def parse_price(text: str) -> PricePer:
    """Read `0.0084 USD/h`, `0.08 USD/GB-month`, `0.40 USD/million requests`. Raise `PricingError`."""
    amount, rest = parse_amount(text)
    found = _MONEY.fullmatch(rest)
    if found is None:
        raise PricingError(f"{_short(text)} is no price: write 0.0084 USD/h, 0.08 USD/GB-month or 0.045 USD/GB")
    if amount.low < 0:
        raise PricingError(f"{_short(text)}: a price is not negative; a discount stands under `discounts`")
    thing, time, scale = _unit_of_price(found["unit"] or "", text)
    return PricePer(amount.scaled(Decimal(1), scale), found["currency"], thing, time, text.strip())


def parse_usage(text: str) -> Usage:
    """Read `1 instance`, `40 GB`, `5 GB/month`, `50000 req/day`, `0`. Raise `PricingError`."""
    amount, rest = parse_amount(text)
    if amount.low < 0:
        raise PricingError(f"{_short(text)}: nothing is used less than not at all")
    things, _, per = rest.partition("/")
    time = _TIME_WORDS.get(per.strip(), "") if per.strip() else ""
    if per.strip() and not time:
        raise PricingError(f"{_short(text)}: {per.strip()!r} is no time; possible are {', '.join(TIMES)}")
    thing, scale = _thing(things.strip(), text)
    return Usage(amount.scaled(scale), thing, time, text.strip())


def _unit_of_price(unit: str, text: str) -> tuple[str, str, Decimal]:
    words = unit.strip()
    if not words:
        raise PricingError(f"{_short(text)} says of no time or thing: write USD/h, USD/month or USD/GB")
    if words in _TIME_WORDS:
        return "", _TIME_WORDS[words], Decimal(1)
    thing, dash, time = words.rpartition("-")
    if not dash:
        thing, time = words, ""
    elif time not in _TIME_WORDS:
        raise PricingError(f"{_short(text)}: {time!r} is no time; possible are {', '.join(TIMES)}")
    name, scale = _thing(thing.strip(), text)
    return name, _TIME_WORDS.get(time, ""), scale


def _thing(words: str, text: str) -> tuple[str, Decimal]:
    """Return what a thing is called here, and how many of it one is."""
    if not words:
        return "", Decimal(1)
    scale, _, name = words.rpartition(" ")
    factor = _SCALES.get(scale.strip())
    if factor is None:
        raise PricingError(f"{_short(text)}: {scale!r} is no number of things; possible are thousand, million")
    if name in _MEASURED:
        base, size = _MEASURED[name]
        return base, factor * size
    singular = name.removesuffix("s") if len(name) > 2 else name
    known = _COUNTED.get(name) or _COUNTED.get(singular) or _COUNTED.get(singular.lower())
    if known is None:
        raise PricingError(
            f"{_short(text)}: the unit {name!r} is not known; possible are "
            f"{', '.join([*sorted(_MEASURED), *sorted(set(_COUNTED.values()))])}"
        )
    return known, factor


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "…")
