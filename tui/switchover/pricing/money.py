"""Amounts of money: decimal, rounded half up, and only when they are shown."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

__all__ = ["MINUS", "digits_of", "display", "display_change", "display_percent", "plain", "round_half_up"]

MINUS = "\N{MINUS SIGN}"
_DIGITS = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
}  # ISO 4217; every other currency has two
_WIDE = Context(prec=400, rounding=ROUND_HALF_UP)  # a huge amount is shown, and not an error


def digits_of(currency: str) -> int:
    """Return how many decimals a currency has."""
    return _DIGITS.get(currency, 2)


def round_half_up(amount: Decimal, places: int = 2) -> Decimal:
    """Round to `places` decimals; a tie goes away from zero, as on an invoice."""
    return amount.quantize(Decimal(1).scaleb(-places), context=_WIDE)


def display(amount: Decimal, currency: str = "") -> str:
    """Write an amount with the decimals of its currency: `11.33`."""
    return f"{round_half_up(amount, digits_of(currency)):f}".replace("-", MINUS)


def display_change(amount: Decimal, currency: str = "") -> str:
    """Write a difference with its sign: `+6.13`, `0.00`; the minus is a real one."""
    rounded = round_half_up(amount, digits_of(currency))
    return f"{rounded:+f}".replace("-", MINUS) if rounded else f"{abs(rounded):f}"


def display_percent(part: Decimal, whole: Decimal) -> str:
    """Write the share of `part` in `whole` with its sign and one decimal: `+2.5 %`; empty when `whole` is zero."""
    if not whole:
        return ""
    share = round_half_up(part * 100 / whole, 1)
    return (f"{share:+.1f}".replace("-", MINUS) if share else "0.0") + " %"


def plain(amount: Decimal) -> str:
    """Write a number without the zeros at its end and without an exponent: `0.0084`, `730`."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
