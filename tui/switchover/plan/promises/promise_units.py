"""Units in a promise: `after < 1s`, whatever unit the measured value has."""

from __future__ import annotations

import re

from switchover_checks.language.units import parse_duration, parse_size

__all__ = ["PROMISE_UNITS", "without_units"]

_TIME = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = ("B", "kB", "KB", "MB", "GB", "TB", "PB", "KiB", "MiB", "GiB", "TiB", "PiB")
PROMISE_UNITS: dict[str, tuple[str, float]] = {
    **{unit: ("time", factor) for unit, factor in _TIME.items()},
    **{unit: ("size", float(parse_size(f"1{unit}"))) for unit in _SIZE},
    "%": ("share", 0.01),
}
"""What a unit measures, and what one of it is in seconds, bytes or as a share of one."""
_LITERAL = re.compile(
    r"(?<![\w.])(?:(?P<time>(?:\d+(?:\.\d+)?(?:ms|us|s|m|h|d|w))+)|(?P<size>\d+(?:\.\d+)?(?:[kKMGTP]i?)?B)"
    r"|(?P<share>\d+(?:\.\d+)?)%)(?![\w.])"
)


def without_units(text: str, unit: str) -> tuple[str, str]:
    """Return a target with plain numbers, as the values have them in `unit`, and what its units measure.

    Raise `ValueError` where they measure two things, or another than `unit` does.
    """
    of_value, factor = PROMISE_UNITS.get(unit, ("", 1.0))
    found: set[str] = set()

    def plain(match: re.Match[str]) -> str:
        kind = match.lastgroup or ""
        found.add(kind)
        literal = match[0]
        value = (
            {"time": parse_duration, "size": parse_size}[kind](literal)
            if kind != "share"
            else 0.01 * float(match[kind])
        )
        return repr(value / factor if of_value else value)

    told = _LITERAL.sub(plain, text)
    if len(found) > 1:
        raise ValueError(f"{text[:60]!r} is no target: it compares {' with '.join(sorted(found))}")
    measured = next(iter(found), "")
    if measured and of_value and measured != of_value:
        raise ValueError(f"{text[:60]!r} is no target for values in {unit}: it has a {measured}")
    return told, measured
