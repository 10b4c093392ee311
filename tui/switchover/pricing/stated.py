"""Amounts that somebody stated: a sum for a time, or once."""

from __future__ import annotations

import re
from decimal import Decimal

from switchover.pricing.price_units import Amount, PricingError, parse_amount, parse_price

__all__ = ["parse_once", "parse_stated"]

_A_YEAR = {"month": Decimal(12), "year": Decimal(1), "week": Decimal(365) / 7, "day": Decimal(365), "h": Decimal(8760)}


def parse_stated(text: str) -> tuple[Amount, str]:
    """Read `15 USD/month` or `~120 USD/year`; return the amount a month and the currency. Raise `PricingError`."""
    try:
        amount, rest = parse_amount(text)
        unit = parse_price(f"1 {rest}")
    except PricingError:
        unit = None
    if unit is None or unit.thing or unit.time not in _A_YEAR:
        raise PricingError(f"an amount is written with its currency and its time: 15 USD/month, not {text[:60]!r}")
    if unit.time == "month":
        return amount, unit.currency
    return amount.scaled(_A_YEAR[unit.time], Decimal(12)), unit.currency


def parse_once(text: str) -> tuple[Amount, str]:
    """Read `2000 EUR`. Raise `PricingError`."""
    amount, rest = parse_amount(text)
    if not re.fullmatch("[A-Z]{3}", rest):
        raise PricingError(f"{text[:60]!r}: what is paid once has a currency and no time: 2000 EUR")
    return amount, rest
