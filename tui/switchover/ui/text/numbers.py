"""Numbers as they stand in cells: fixed width, always a unit, three significant digits, an honest minus sign."""

from __future__ import annotations

import math
import time

from switchover_checks.language.units import format_bytes

__all__ = [
    "age",
    "clock",
    "clock_minute",
    "format_bytes",
    "number",
    "percent",
    "signed",
    "took",
    "upright",
    "value_with_unit",
]


_WIDEST = 1e16  # what is larger is written with an exponent


def age(seconds: float | None) -> str:
    """Write a length of time in at most five characters: `4 s`, `3 m`, `2 h`; `–` if unknown."""
    if seconds is None:
        return "–"
    seconds = max(seconds, 0.0)
    if seconds < 60:
        return f"{int(seconds)} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} m"
    if seconds < 48 * 3600:
        return f"{int(seconds // 3600)} h"
    days = int(seconds // 86400)
    if days < 1000:
        return f"{days} d"
    return f"{days // 365} y" if days < 365_000 else ">999 y"


def upright(seconds: float | None) -> str:
    """Write a running time as a stopwatch does: `0:42`, `12:40`, `1:02:40`."""
    if seconds is None:
        return "–"
    whole = int(max(seconds, 0.0))
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{secs:02}" if hours else f"{minutes}:{secs:02}"


def took(milliseconds: float | None) -> str:
    """Write a latency: `31 ms`, `1.20 s`, `2 m`."""
    if milliseconds is None:
        return "–"
    if 0 < milliseconds < 1:
        return "<1 ms"
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s" if seconds < 60 else age(seconds)


def number(value: float | None) -> str:
    """Write a number with three significant digits: `0.42`, `3.14`, `31.4`, `314`, `31.4 k`, `3.14 M`."""
    if value is None or math.isnan(value):
        return "–"
    sign = "−" if value < 0 else ""
    size = abs(value)
    if size >= _WIDEST:
        return f"{sign}inf" if math.isinf(size) else f"{sign}{size:.3g}"
    if size == int(size) and size < 10_000:
        return f"{sign}{int(size)}"
    if 0 < size < 0.01:
        return f"{sign}{size:.2g}"
    for suffix in ("", " k", " M", " G", " T"):
        if size < 999.5 or suffix == " T":
            digits = 0 if size >= 99.95 else 1 if size >= 9.995 else 2
            return f"{sign}{size:.{digits}f}{suffix}"
        size /= 1000
    return f"{sign}{size:.0f}"


def value_with_unit(value: float | None, unit: str) -> str:
    """Write a metric's value with its unit; bytes get binary prefixes."""
    if value is None:
        return "–"
    if not math.isfinite(value):
        return number(value)
    if unit in {"B", "bytes"}:
        return format_bytes(value)
    if unit in {"B/s", "bytes/s"}:
        return f"{format_bytes(value)}/s"
    if unit == "ms":
        return took(value) if 1 <= value < _WIDEST or value == 0 else f"{number(value)} ms"
    if unit == "s":
        return took(value * 1000) if 0 <= value < _WIDEST else f"{number(value)} s"
    if unit == "%":
        return percent(value)
    return f"{number(value)} {unit}" if unit else number(value)


def percent(value: float | None) -> str:
    """Write a percentage: `0.4 %`, `71 %`."""
    if value is None or math.isnan(value):
        return "–"
    if abs(value) >= 1e6:
        return f"{number(value)} %"
    return f"{value:.0f} %" if value >= 9.95 or value == 0 else f"{value:.1f} %"


def signed(amount: str) -> str:
    """Write a decimal amount with its sign, with a real minus."""
    text = amount.strip()
    if not text:
        return ""
    if text[0] in "-−":
        return "−" + text[1:].lstrip()
    if text[0] == "+" or not any(digit in "123456789" for digit in text):
        return text
    return "+" + text


def clock(at: float | None) -> str:
    """Write a moment as the local time of day, `14:02:31`; `–` where not known."""
    return "–" if at is None else time.strftime("%H:%M:%S", time.localtime(at))


def clock_minute(at: float | None, now: float | None = None) -> str:
    """Write a moment as `14:02`, or as `28 Jan` where it lies more than 20 hours back."""
    if at is None:
        return "–"
    local = time.localtime(at)
    if now is not None and now - at > 20 * 3600:
        return f"{local.tm_mday:2} {time.strftime('%b', local)}"
    return time.strftime("%H:%M", local)
