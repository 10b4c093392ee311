"""The one detailed chart, drawn by plotext: a braille line with axes. It is imported when the first chart is opened."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from switchover.ui.text.chart_scale import Scale, finite, scale_of, ticks_of
from switchover.ui.text.numbers import age
from switchover.ui.text.spark import area_chart, resample

__all__ = ["plot_lines", "split_curve"]

_CURVE = re.compile("([\u2800-\u28ff█▁▂▃▄▅▆▇]+)")
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
_POINTS_A_COLUMN = 2


def plot_lines(
    values: Sequence[float | None], width: int, height: int, unit: str, step_s: float, scale: Scale | None = None
) -> list[str]:
    """Draw a series with its scale, newest at the right. A gap in the data is a gap in the line."""
    scale = scale or scale_of(values, unit)
    if not finite(values) or width < 20 or height < 5:
        return area_chart(values, width, height, scale)
    points = resample(values, width * _POINTS_A_COLUMN)
    try:
        text = _plot(points, width, height, scale, unit, len(values) * step_s)
    except (ImportError, AttributeError, TypeError, ValueError, IndexError):  # a plotext with another interface
        return area_chart(values, width, height, scale)
    return _ESCAPES.sub("", text).splitlines()


def split_curve(line: str) -> list[tuple[str, bool]]:
    """Split a line of a chart into its curve (True) and the frame around it."""
    return [(part, index % 2 == 1) for index, part in enumerate(_CURVE.split(line)) if part]


def _plot(points: Sequence[float | None], width: int, height: int, scale: Scale, unit: str, span_s: float) -> str:
    import plotext

    plotext.terminal.limit(False, False)  # the size is ours to choose, whatever terminal plotext finds
    figure = plotext.figure
    figure.clear()
    figure.theme("clear")
    figure.plot_size(width, height)
    for there, stretch in groupby(enumerate(points), key=lambda point: point[1] is not None):
        if there:
            places = list(stretch)
            signal = figure.signal([at for at, _ in places], [value for _, value in places], marker="braille")
            signal.lines(True)
            figure.draw(signal)
    across, up = figure.ruler("x", "lower"), figure.ruler("y", "left")
    across.lim(0, max(len(points) - 1, 1))
    across.ticks([0, max(len(points) - 1, 1)], [f"{age(span_s)} ago", "now"])
    up.lim(*scale)
    ticks = ticks_of(scale, unit)
    up.ticks([value for value, _ in ticks], [text for _, text in ticks])
    return str(figure.build())
