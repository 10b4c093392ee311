"""Small charts of block characters: a row for a cell, several rows for a detail screen, bars for progress."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from switchover.ui.presentation.line import Line, Span
from switchover.ui.presentation.words import HISTORY_STATUSES, outcome

__all__ = ["area_chart", "floor_of", "history_bar", "progress_bar", "resample", "sparkline", "trend"]

_BLOCKS = "▁▂▃▄▅▆▇█"


def resample(values: Sequence[float | None], width: int) -> list[float | None]:
    """Bring values to at most `width` points: each keeps the peak of those it stands for, so that no spike is lost."""
    if width <= 0:
        return []
    if len(values) <= width:
        return list(values)
    points: list[float | None] = []
    for index in range(width):
        start = index * len(values) // width
        end = max((index + 1) * len(values) // width, start + 1)
        known = [value for value in values[start:end] if value is not None]
        points.append(max(known) if known else None)
    return points


def _bounds(points: Sequence[float | None], floor: float | None) -> tuple[float, float] | None:
    known = [value for value in points if value is not None]
    if not known:
        return None
    low = min(known) if floor is None else min(floor, *known)
    return low, max(known)


def sparkline(
    values: Sequence[float | None], width: int, *, floor: float | None = 0.0, top: float | None = None
) -> str:
    """Draw the newest `width` values, newest at the right; a gap in the data is a gap in the line."""
    points = list(values[-width:]) if width > 0 else []
    bounds = _bounds(points, floor)
    if bounds is None:
        return " " * max(width, 0)
    low, high = bounds
    high = max(high, top) if top is not None else high
    span = high - low
    text = "".join(
        " " if value is None else _BLOCKS[0] if span <= 0 else _BLOCKS[min(int((value - low) / span * 8), 7)]
        for value in points
    )
    return text.rjust(width)


def floor_of(values: Sequence[float | None]) -> float | None:
    """Draw from zero, but from the lowest value where the values lie close together far from zero."""
    known = [value for value in values if value is not None]
    return None if not known or min(known) > 0.6 * max(known) else 0.0


def trend(values: Sequence[float | None], width: int) -> str:
    """Draw all values in a few cells."""
    return _trend(tuple(values), width)


@lru_cache(maxsize=128)  # most series are the same in the next drawing
def _trend(values: tuple[float | None, ...], width: int) -> str:
    points = resample(values, width)
    return sparkline(points, width, floor=floor_of(points))


def area_chart(values: Sequence[float | None], width: int, height: int, *, floor: float | None = 0.0) -> list[str]:
    """Draw values as an area of blocks, `height` rows high; the top row comes first."""
    points = resample(values, width)
    bounds = _bounds(points, floor)
    if bounds is None or height <= 0:
        return [" " * width for _ in range(max(height, 0))]
    low, high = bounds
    span = high - low or 1.0
    levels = [None if value is None else max(1, round((value - low) / span * height * 8)) for value in points]
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
    spans = [Span(" " * (width - len(recent)))]
    for digit in recent:
        word = outcome(HISTORY_STATUSES[digit] if 0 <= digit < len(HISTORY_STATUSES) else "unknown")
        glyph = "▁" if word.word == "ok" else word.glyph
        if spans[-1].style == word.style:
            spans[-1] = Span(spans[-1].text + glyph, word.style)
        else:
            spans.append(Span(glyph, word.style))
    return tuple(spans)


def progress_bar(share: float, width: int, style: str = "bar-done") -> Line:
    """Draw how much of something is done, `share` from 0 to 1."""
    done = min(max(int(share * width + 1e-9), 0), width)
    return (Span("━" * done, style), Span("─" * (width - done), "bar-todo"))
