"""A span of a metric as a chart with a cursor and marks. A week as a map of its hours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from switchover.commands.metric_series import SeriesPart
from switchover.snapshot import MetricRow, TimelineRow
from switchover.ui.text.chart_scale import finite, scale_of, ticks_of
from switchover.ui.text.numbers import age, value_with_unit
from switchover.ui.text.spark import area_chart
from switchover.ui.text.styled_line import Line, StyledSpan, cut, fit

__all__ = ["LABEL_WIDTH", "span_lines", "week_lines"]

LABEL_WIDTH = 12
_SHADES = " ░▒▓█"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_NAMED_MARKS = 3


def span_lines(
    row: MetricRow, part: SeriesPart, events: Sequence[TimelineRow], height: int, cursor: int, width: int
) -> list[Line]:
    """Draw a span with the cursor at a column, and under it what happened then."""
    means = [column[1] for column in part.columns]
    if not finite(means):
        return [(), (StyledSpan("   nothing was measured in this span", "muted"),)]
    scale = scale_of(means, row.unit, (row.warn, row.crit))
    chart = area_chart(means, len(means), height, scale)
    ticks = ticks_of(scale, row.unit)
    bottom, top = ticks[0][1], ticks[-1][1]
    labels = {0: top, len(chart) - 1: bottom}
    lines: list[Line] = []
    for index, text in enumerate(chart):
        label = StyledSpan(f" {fit(labels.get(index, ''), LABEL_WIDTH - 2, 'right')} ", "muted")
        here = text[cursor : cursor + 1] or " "
        mark = StyledSpan("│" if here.isspace() else here, "strong")
        lines.append(
            (label, StyledSpan(text[:cursor], "spark-line"), mark, StyledSpan(text[cursor + 1 :], "spark-line"))
        )
    begin, end = _when(part.since, part.until - part.since), _when(part.until, part.until - part.since)
    room = max(len(means) - len(end), 1)
    lines.append((StyledSpan(" " * LABEL_WIDTH), StyledSpan(fit(begin, room) + end, "muted")))
    lines += _marks(part, events, len(means), width)
    return [*lines, (), _reading(row, part, cursor)]


def _reading(row: MetricRow, part: SeriesPart, cursor: int) -> Line:
    """Say what the column under the cursor holds."""
    at, mean, least, most = part.columns[min(cursor, len(part.columns) - 1)]
    when = StyledSpan(f" {_when(at, part.until - part.since)}  ", "strong")
    if mean is None or least is None or most is None:
        return (when, StyledSpan("nothing was measured", "muted"))
    known = StyledSpan(value_with_unit(mean, row.unit), "strong")
    spread = "" if least == most else f"  from {value_with_unit(least, row.unit)} to {value_with_unit(most, row.unit)}"
    return (when, known, StyledSpan(spread, "muted"))


def _marks(part: SeriesPart, events: Sequence[TimelineRow], count: int, width: int) -> list[Line]:
    """Mark what happened in the span, the newest named."""
    inside = [event for event in events if part.since <= event.at < part.until]
    if not inside:
        return []
    cells = [" "] * count
    for event in inside:
        cells[min(int((event.at - part.since) / (part.until - part.since) * count), count - 1)] = "┊"
    lines: list[Line] = [(StyledSpan(" " * LABEL_WIDTH), StyledSpan("".join(cells), "late"))]
    for event in inside[:_NAMED_MARKS]:
        text = f"{_when(event.at, part.until - part.since)}  {event.text}"
        lines.append(
            (StyledSpan(" " * LABEL_WIDTH), StyledSpan("┊ ", "late"), StyledSpan(cut(text, width - 15), "muted"))
        )
    return lines


def week_lines(row: MetricRow, part: SeriesPart) -> list[Line]:
    """Draw the mean of each hour of each weekday as a shade."""
    cells: dict[tuple[int, int], list[float]] = {}
    for at, mean, _, _ in part.columns:
        if mean is not None:
            local = datetime.fromtimestamp(at).astimezone()
            cells.setdefault((local.weekday(), local.hour), []).append(mean)
    means = {place: sum(values) / len(values) for place, values in cells.items()}
    if not means:
        return [(), (StyledSpan("   nothing was measured in these days", "muted"),)]
    low, high = min(means.values()), max(means.values())
    lines: list[Line] = [(StyledSpan("      " + "".join(f"{hour:<6}" for hour in range(0, 24, 2)), "muted"),)]
    for day, name in enumerate(_DAYS):
        shades = "".join(_shade(means.get((day, hour)), low, high) for hour in range(24))
        lines.append((StyledSpan(f" {name}  ", "muted"), StyledSpan(shades, "spark-line")))
    words = (
        f" {_SHADES[1] * 2} {value_with_unit(low, row.unit)}  to  {_SHADES[4] * 2} {value_with_unit(high, row.unit)}"
    )
    days = age(part.until - part.since)
    return [*lines, (), (StyledSpan(f"{words}, mean of each hour in the last {days}; · not measured", "muted"),)]


def _shade(mean: float | None, low: float, high: float) -> str:
    if mean is None:
        return " · "
    share = (mean - low) / (high - low) if high > low else 0.5
    return _SHADES[1 + min(int(share * 4), 3)] * 3


def _when(at: float, span: float) -> str:
    local = datetime.fromtimestamp(at).astimezone()
    return local.strftime("%H:%M:%S" if span < 6 * 3600 else "%a %d %H:%M")
