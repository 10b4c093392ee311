"""From where to where a chart is drawn. The same series looks the same in a cell and as a chart."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from switchover.ui.text.numbers import value_with_unit

__all__ = ["Scale", "finite", "scale_of", "ticks_of"]

Scale = tuple[float, float]  # the value of the lowest line and of the highest, which differ

_CLOSE = 0.6  # of the highest value: where all lie above, the chart begins at the lowest of them
_FLAT = 0.01  # a difference of less is none
_LOW_LIMIT = 25.0  # percent
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def finite(values: Iterable[float | None]) -> list[float]:
    """Return what can be drawn: a gap and what is no number are left out."""
    return [value for value in values if value is not None and math.isfinite(value)]


def scale_of(values: Iterable[float | None], unit: str = "", limits: Sequence[str] = ()) -> Scale:
    """Return the scale for values.

    Percent goes from 0 to 100; the rest from zero, or from the lowest where all lie far above.

    What hardly changes is drawn from zero too, so that it is seen whether it is much or nothing. Of percent with a low
    limit (errors above 5 %) the highest line is that limit.
    """
    known = finite(values)
    if not known:
        return 0.0, 1.0
    low, high = min(known), max(known)
    if unit == "%":
        most = max((float(found[0]) for limit in limits if (found := _NUMBER.search(limit))), default=100.0)
        if 0 < most <= _LOW_LIMIT:
            return min(low, 0.0), max(most, high)
        return min(low, 0.0), max(math.ceil(high / 100) * 100.0, 100.0)
    flat = high - low <= _FLAT * max(abs(high), abs(low)) or value_with_unit(low, unit) == value_with_unit(high, unit)
    if low <= _CLOSE * high or flat:
        low, high = min(low, 0.0), max(high, 0.0)
    return (low, high) if value_with_unit(low, unit) != value_with_unit(high, unit) else (0.0, 1.0)


def ticks_of(scale: Scale, unit: str) -> Sequence[tuple[float, str]]:
    """Return the values to write beside a chart, lowest first: no two of them read the same."""
    low, high = scale
    ticks = [(value, value_with_unit(value, unit)) for value in (low, (low + high) / 2, high)]
    return [ticks[0], ticks[2]] if ticks[1][1] in (ticks[0][1], ticks[2][1]) else ticks
