"""Durations and sizes as people write them: `500ms`, `1h30m`, `20KiB`, `1MiB`. Cheap to import: the TUI does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

__all__ = ["exact_number", "format_bytes", "format_duration", "parse_duration", "parse_size"]

_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|s|m|h|d|w)")
_DURATION_UNIT = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_MOST_DIGITS = 300
_FLOAT_DIGITS = 15
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(B|[kKMGTP]B|[KMGTP]iB)?")
_SIZE_UNIT = {
    "B": 1,
    **{f"{p}B": 1000 ** (i + 1) for i, p in enumerate("KMGTP")},
    "kB": 1000,
    **{f"{p}iB": 1024 ** (i + 1) for i, p in enumerate("KMGTP")},
}


def parse_duration(value: object) -> float:
    """Turn `90`, `"90s"`, `"1h30m"` or `"500ms"` into seconds. Raise `ValueError` for anything else."""
    if isinstance(value, bool):
        raise ValueError("expected a duration such as 30s, 5m or 1h30m")  # noqa: TRY004 - pydantic wants ValueError
    if isinstance(value, int | float):
        seconds = float(value)
    else:
        text = str(value).strip()
        parts = _DURATION_PART.findall(text)
        if not parts or "".join(n + u for n, u in parts) != text:
            raise ValueError(f"{text!r} is not a duration; write 500ms, 30s, 5m, 1h30m or 2d")
        seconds = sum(float(n) * _DURATION_UNIT[u] for n, u in parts)
    if not 0 <= seconds < float("inf"):
        raise ValueError("a duration is not negative and has an end")
    return seconds


def parse_size(value: object) -> int:
    """Turn `4096`, `"20KB"` or `"1MiB"` into bytes. Raise `ValueError` for anything else."""
    if isinstance(value, bool):
        raise ValueError("expected a size such as 512KiB or 1GiB")  # noqa: TRY004 - pydantic wants ValueError
    if isinstance(value, int):
        if value < 0:
            raise ValueError("a size is not negative")
        return value
    match = _SIZE.fullmatch(str(value).strip())
    if match is None:
        raise ValueError(f"{str(value)!r} is not a size; write 4096, 20KB, 1MiB or 2GiB")
    factor: int = _SIZE_UNIT[match[2] or "B"]
    whole, _, fraction = match[1].partition(".")
    return int(whole) * factor + (round(float(f"0.{fraction}") * factor) if fraction else 0)


def exact_number(text: str) -> int | float | Decimal:
    """Turn a written number into one that is equal to it: a float may be its neighbour. Raise `ValueError`.

    A fraction is the float that a measurement would be, unless it has more digits than a float can hold.
    """
    from decimal import Decimal, InvalidOperation

    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text[:40]!r} is no number, or larger than any number") from None
    if not number.is_finite():
        return float(text)
    if number.adjusted() > _MOST_DIGITS:
        return number
    if number == number.to_integral_value():
        return int(number)
    return float(text) if len(number.as_tuple().digits) <= _FLOAT_DIGITS else number


def format_duration(seconds: float) -> str:
    """Write seconds shortly, for a cell: `31 ms`, `4.2 s`, `12 m`, `3 h 05 m`, `2 d`."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} m"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02} m"
    return f"{hours // 24} d"


def format_bytes(count: float) -> str:
    """Write bytes with three significant digits and a binary unit: `812 B`, `1.20 GiB`."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"):
        if abs(size) < 1000 or unit == "EiB":
            break
        size /= 1024
    if unit == "B":
        return f"{size:.0f} B"
    if abs(size) >= 1e6:
        return f"{size:.3g} {unit}"
    digits = 0 if abs(size) >= 100 else 1 if abs(size) >= 10 else 2
    return f"{size:.{digits}f} {unit}"
