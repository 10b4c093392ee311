"""Metrics as rows with a sparkline, and one of them as a chart."""

from __future__ import annotations

from switchover.snapshot import MetricRow
from switchover.ui.metrics.plot import plot_lines, split_curve
from switchover.ui.text.chart_scale import finite, scale_of, ticks_of
from switchover.ui.text.columns import Column, header_line, lay_out, row_line, widen
from switchover.ui.text.labelled import fact, is_late
from switchover.ui.text.numbers import age, clock, value_with_unit
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.spark import area_chart, sparkline
from switchover.ui.text.state_words import outcome, severity
from switchover.ui.text.styled_line import Line, ListItem, StyledSpan, fit

__all__ = ["metric_detail", "metric_table"]

_COLUMNS = (
    Column("", 1),
    Column("metric", 8, most=32),
    Column("last minutes", 18, grow=6),
    Column("now", 9, "right", most=12),
    Column("lowest", 11, "right", drop=5),
    Column("highest", 11, "right", drop=4),
    Column("before", 9, "right", drop=2),
    Column("warns", 5, drop=3, most=24),
    Column("note", 14, drop=6, grow=2),
)


def metric_table(moment: RenderContext, width: int, wanted: str = "") -> tuple[list[Line], list[ListItem]]:
    """Return the heading and an item a series, in groups, the troubled first within each."""
    columns = widen(_COLUMNS, 1, [row.title or row.name for row in moment.data.metrics])
    columns = widen(columns, 3, [value_with_unit(row.latest, row.unit) for row in moment.data.metrics])
    columns = widen(columns, 7, [_limits(row) for row in moment.data.metrics])
    layout = lay_out(columns, width)
    spark = next((wide for index, _, wide in layout.columns if index == 2), 18)
    groups: dict[str, list[MetricRow]] = {}
    for row in moment.data.metrics:
        if wanted and wanted not in f"{row.name} {row.title} {row.group} {row.unit}".lower():
            continue
        groups.setdefault(row.group, []).append(row)
    items = []
    for group, rows in groups.items():
        for index, row in enumerate(sorted(rows, key=lambda entry: severity(entry.status) > 2)):
            line = row_line(layout, _cells(row, moment.now, spark))
            head: tuple[Line, ...] = ((StyledSpan(f" {group}", "heading"),),) if index == 0 and len(groups) > 1 else ()
            items.append(ListItem(f"metric:{row.name}", (*head, line), len(head)))
    return [header_line(layout)], items


def _cells(row: MetricRow, now: float, spark: int) -> list[Line | StyledSpan]:
    late = is_late(row.observed_at, row.stale_after_s, now) or row.latest is None
    word = outcome(row.status)
    troubled = row.status in {"warn", "crit", "unknown"}
    style = word.style if troubled else "spark-line"
    known = finite(row.values)
    note = f"late, {age(now - row.observed_at)} old" if late and row.observed_at is not None else row.note
    if late:
        style = "stale"
    return [
        StyledSpan(word.glyph if troubled else " ", word.style),
        StyledSpan(row.title or row.name, "stale" if late else "strong"),
        StyledSpan(sparkline(row.values, spark, scale_of(row.values[-spark:], row.unit, (row.warn, row.crit))), style),
        StyledSpan(value_with_unit(row.latest, row.unit), style if troubled or late else "text"),
        StyledSpan(value_with_unit(min(known), row.unit) if known else "–", "muted"),
        StyledSpan(value_with_unit(max(known), row.unit) if known else "–", "muted"),
        StyledSpan(value_with_unit(row.baseline, row.unit), "muted"),
        StyledSpan(_limits(row), "muted"),
        StyledSpan(note, "muted"),
    ]


def _limits(row: MetricRow) -> str:
    """Say where a series becomes a warning and where it becomes critical."""
    limits = [f"! {row.warn}" if row.warn else "", f"✗ {row.crit}" if row.crit else ""]
    return "  ".join(text for text in limits if text)


def metric_detail(
    row: MetricRow, moment: RenderContext, width: int, height: int = 10, *, plot: bool = False
) -> list[Line]:
    """One series as a chart with its scale, and its limits."""
    now = moment.now
    known = finite(row.values)
    late = is_late(row.observed_at, row.stale_after_s, now)
    word = outcome(row.status)
    troubled = row.status in {"warn", "crit"}
    style = "stale" if late else word.style if troubled else "spark-line"
    lines: list[Line] = []
    if known and plot:
        scale = scale_of(known, row.unit, (row.warn, row.crit))
        chart = plot_lines(row.values, max(width - 2, 8), height, row.unit, row.step_s, scale)
        lines.extend(
            (StyledSpan(" "), *(StyledSpan(part, style if curve else "muted") for part, curve in split_curve(text)))
            for text in chart
        )
    elif known:
        scale = scale_of(known, row.unit, (row.warn, row.crit))
        chart = area_chart(row.values, max(width - 14, 8), height, scale)
        bottom, *middle, top = (text for _, text in ticks_of(scale, row.unit))
        labels = {0: top, len(chart) - 1: bottom}
        if len(chart) > 4:
            labels |= {len(chart) // 2: text for text in middle}
        for index, text in enumerate(chart):
            lines.append((StyledSpan(f" {fit(labels.get(index, ''), 10, 'right')} ", "muted"), StyledSpan(text, style)))
        span = age(len(row.values) * row.step_s)
        lines.append(
            (
                StyledSpan(" " * 12),
                StyledSpan(fit(f"{span} ago", max(width - 17, 1)), "muted"),
                StyledSpan("now", "muted"),
            )
        )
    lines.append(())
    limits = [("warns", row.warn), ("critical", row.crit)]
    lines.append(
        fact(
            "now",
            (
                StyledSpan(value_with_unit(row.latest, row.unit), style if troubled else "strong"),
                StyledSpan("  late" if late else "", "late"),
            ),
        )
    )
    if row.baseline is not None:
        lines.append(fact("before", (StyledSpan(value_with_unit(row.baseline, row.unit)),)))
    lines.extend(fact(label, (StyledSpan(text),)) for label, text in limits if text)
    seen = "never" if row.observed_at is None else f"{clock(row.observed_at)}, {age(now - row.observed_at)} ago"
    lines.append(fact("measured", (StyledSpan(seen),)))
    if row.note:
        lines.append(fact("note", (StyledSpan(row.note),)))
    return lines
