"""Amounts of money: decimal, rounded half up, and only when they are shown."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

__all__ = ["MINUS", "display", "display_change", "display_percent", "round_half_up"]

MINUS = "\N{MINUS SIGN}"


def round_half_up(amount: Decimal, places: int = 2) -> Decimal:
    """Round to `places` decimals; a tie goes away from zero, as on an invoice."""
    return amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def display(amount: Decimal) -> str:
    """Write an amount with two decimals: `11.33`."""
    return f"{round_half_up(amount):.2f}".replace("-", MINUS)


def display_change(amount: Decimal) -> str:
    """Write a difference with its sign: `+6.13`, `0.00`; the minus is a real one."""
    rounded = round_half_up(amount)
    return f"{rounded:+.2f}".replace("-", MINUS) if rounded else "0.00"


def display_percent(part: Decimal, whole: Decimal) -> str:
    """Write the share of `part` in `whole` with its sign and one decimal: `+2.5 %`; empty when `whole` is zero."""
    if not whole:
        return ""
    share = round_half_up(part * 100 / whole, 1)
    return (f"{share:+.1f}".replace("-", MINUS) if share else "0.0") + " %"
