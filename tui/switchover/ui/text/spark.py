"""Small charts of block characters: a row for a cell, several rows for a detail screen, bars for progress."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from switchover.ui.text.chart_scale import Scale, finite, scale_of
from switchover.ui.text.state_words import HISTORY_STATUSES, outcome
from switchover.ui.text.styled_line import Line, StyledSpan

__all__ = ["area_chart", "history_bar", "progress_bar", "resample", "sparkline", "trend"]

_BLOCKS = "▁▂▃▄▅▆▇█"


def resample(values: Sequence[float | None], width: int) -> list[float | None]:
    """Bring values to at most `width` points. Each keeps the peak of its values, so that no spike is lost."""
    if width <= 0:
        return []
    if len(values) <= width:
        return [value if value is not None and math.isfinite(value) else None for value in values]
    points: list[float | None] = []
    for index in range(width):
        start = index * len(values) // width
        end = max((index + 1) * len(values) // width, start + 1)
        points.append(max(finite(values[start:end]), default=None))
    return points


def sparkline(values: Sequence[float | None], width: int, scale: Scale | None = None) -> str:
    """Draw the newest `width` values, newest at the right; a gap in the data is a gap in the line."""
    points = resample(values[-width:], width) if width > 0 else []
    low, high = scale or scale_of(points)
    text = "".join(" " if value is None else _BLOCKS[_step((value - low) / (high - low))] for value in points)
    return text.rjust(max(width, 0))


def _step(share: float) -> int:
    return min(max(int(share * len(_BLOCKS)), 0), len(_BLOCKS) - 1)


def trend(values: Sequence[float | None], width: int, unit: str = "", limits: Sequence[str] = ()) -> str:
    """Draw all values in a few cells."""
    return _trend(tuple(values), width, unit, tuple(limits))


@lru_cache(maxsize=128)  # most series are the same in the next drawing
def _trend(values: tuple[float | None, ...], width: int, unit: str, limits: tuple[str, ...]) -> str:
    points = resample(values, width)
    return sparkline(points, width, scale_of(points, unit, limits))


def area_chart(values: Sequence[float | None], width: int, height: int, scale: Scale | None = None) -> list[str]:
    """Draw values as an area of blocks, `height` rows high; the top row comes first."""
    points = resample(values, width)
    low, high = scale or scale_of(points)
    steps = height * len(_BLOCKS)
    levels = [None if value is None else max(1, round((value - low) / (high - low) * steps)) for value in points]
    rows = []
    for row in range(height - 1, -1, -1):
        text = "".join(
            " "
            if level is None or level <= row * 8
            else "█"
            if level >= (row + 1) * 8
            else _BLOCKS[level - row * 8 - 1]
            for level in levels
        )
        rows.append(text.rjust(width))
    return rows


def history_bar(history: Sequence[int], width: int) -> Line:
    """Draw past statuses, newest at the right: `▁` where all was well, the status' own glyph where not."""
    recent = history[-width:] if width > 0 else ()
    spans = [StyledSpan(" " * (width - len(recent)))]
    for digit in recent:
        word = outcome(HISTORY_STATUSES[digit] if 0 <= digit < len(HISTORY_STATUSES) else "unknown")
        glyph = "▁" if word.word == "ok" else word.glyph
        if spans[-1].style == word.style:
            spans[-1] = StyledSpan(spans[-1].text + glyph, word.style)
        else:
            spans.append(StyledSpan(glyph, word.style))
    return tuple(spans)


def progress_bar(share: float, width: int, style: str = "bar-done") -> Line:
    """Draw how much of something is done, `share` from 0 to 1."""
    done = min(max(int(share * width + 1e-9), 0), width)
    return (StyledSpan("━" * done, style), StyledSpan("─" * (width - done), "bar-todo"))
