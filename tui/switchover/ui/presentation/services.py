"""Services as rows: side, state, health, what they use, how long they are up."""

from __future__ import annotations

from switchover.snapshot import ServiceRow
from switchover.ui.presentation.facts import fact, is_late
from switchover.ui.presentation.line import Item, Line, Span, join
from switchover.ui.presentation.moment import Moment
from switchover.ui.presentation.numbers import age, clock, format_bytes, percent, took
from switchover.ui.presentation.spark import sparkline
from switchover.ui.presentation.table import Column, header_line, lay_out, row_line, widen
from switchover.ui.presentation.words import outcome, severity

__all__ = ["service_brief", "service_detail", "service_table"]

_COLUMNS = (
    Column("side", 4, drop=2, most=10),
    Column("service", 7, most=28),
    Column("kind", 4, drop=6, most=8),
    Column("state", 9),
    Column("health", 6),
    Column("cpu", 11, "right", grow=1, most=30),
    Column("memory", 8, "right", drop=3),
    Column("up", 5, "right"),
    Column("restarts", 8, "right", drop=7),
    Column("answers", 8, "right", drop=8),
    Column("detail", 10, grow=4, drop=9),
)
_STATES = {
    "running": ("▶", "outcome-ok"),
    "stopped": ("■", "outcome-crit"),
    "unknown": ("?", "outcome-unknown"),
}


def _urgency(row: ServiceRow) -> int:
    """Rank what is not well before what is well, and what need not run yet last."""
    return 0 if severity(row.health) < 3 else 2 if row.health in {"pending", "skipped"} else 1


def state_word(row: ServiceRow) -> tuple[str, str]:
    """Return the glyph and the style of a service's state; one that need not run yet is no trouble."""
    if row.health in {"pending", "skipped"} and row.state != "running":
        return "○", "outcome-pending"
    return _STATES.get(row.state, ("?", "outcome-unknown"))


def service_table(moment: Moment, width: int, wanted: str = "") -> tuple[list[Line], list[Item]]:
    """Return the heading and an item a service: what is not well first, then by side and name."""
    rows = moment.data.services
    columns = widen(widen(_COLUMNS, 1, [row.name for row in rows]), 2, [row.kind for row in rows])
    layout = lay_out(widen(columns, 0, [row.side for row in rows]), width)
    spark = max(next((wide for _, column, wide in layout.columns if column.title == "cpu"), 12) - 6, 0)
    rows = tuple(
        sorted(
            rows,
            key=lambda row: (_urgency(row), row.side, row.name),
        )
    )
    items = []
    for row in rows:
        if wanted and wanted not in f"{row.name} {row.side} {row.kind} {row.state} {row.health}".lower():
            continue
        items.append(Item(f"service:{row.name}", (row_line(layout, _cells(row, moment.now, spark)),)))
    return [header_line(layout)], items


def _cells(row: ServiceRow, now: float, spark: int) -> list[Line | Span]:
    late = is_late(row.observed_at, row.stale_after_s, now)
    glyph, style = state_word(row)
    word = outcome(row.health)
    cpu: Line = (
        Span(sparkline(row.cpu_history, spark, top=_top(row.cpu_history)), "spark-line"),
        Span(f"{percent(row.cpu_percent):>6}"),
    )
    detail = f"late, last seen {age(now - (row.observed_at or now))} ago" if late else row.detail
    cells: list[Line | Span] = [
        Span(row.side or "–", "muted"),
        Span(row.name, "strong"),
        Span(row.kind, "muted"),
        Span(f"{glyph} {row.state}", style),
        Span(f"{word.glyph} {word.word}", word.style),
        cpu,
        Span(format_bytes(row.memory_bytes) if row.memory_bytes is not None else "–"),
        Span(age(now - row.started_at) if row.started_at is not None and row.state == "running" else "–"),
        Span("–" if row.restarts is None else str(row.restarts), "outcome-warn" if row.restarts else "text"),
        Span(took(row.latency_ms)),
        Span(detail, "muted"),
    ]
    if late:
        return [Span(cell.text, "stale") if isinstance(cell, Span) else _grey(cell) for cell in cells]
    return cells


def _top(history: tuple[float, ...]) -> float:
    """Leave headroom in a small chart, so that a steady load is not drawn as a full one."""
    return max(max(history, default=0.0) * 1.5, 10.0)


def _grey(line: Line) -> Line:
    return tuple(Span(span.text, "stale") for span in line)


def service_detail(row: ServiceRow, moment: Moment, width: int) -> list[Line]:
    """All that is known about one service."""
    del width
    now = moment.now
    word = outcome(row.health)
    glyph, style = state_word(row)
    facts = [
        ("state", f"{glyph} {row.state}", style),
        ("health", f"{word.glyph} {word.word}", word.style),
        ("why", row.detail, "text"),
        ("side", row.side, "text"),
        ("kind", row.kind, "text"),
        ("url", row.url, "text"),
        ("pid", "" if row.pid is None else str(row.pid), "text"),
        ("answers in", "" if row.latency_ms is None else took(row.latency_ms), "text"),
        ("memory", "" if row.memory_bytes is None else format_bytes(row.memory_bytes), "text"),
        ("restarts", "" if row.restarts is None else str(row.restarts), "text"),
        ("up since", "" if row.started_at is None else f"{clock(row.started_at)}, {age(now - row.started_at)}", "text"),
        (
            "changed",
            "" if row.changed_at is None else f"{clock(row.changed_at)}, {age(now - row.changed_at)} ago",
            "text",
        ),
        ("seen", "never" if row.observed_at is None else f"{age(now - row.observed_at)} ago", "muted"),
        ("needs", ", ".join(row.needs), "text"),
    ]
    lines: list[Line] = [fact(label, (Span(text, kind),)) for label, text, kind in facts if text]
    if row.cpu_history:
        spark = (
            Span(sparkline(row.cpu_history, 40, top=_top(row.cpu_history)), "spark-line"),
            Span(f" {percent(row.cpu_percent)}"),
        )
        lines.append(fact("cpu", spark))
    checks = [check for check in moment.data.checks if check.service == row.name]
    for check in checks:
        state = outcome(check.status)
        lines.append(fact("check", join([(Span(f"{state.glyph} {check.name}", state.style),), (Span(check.summary),)])))
    return lines


def service_brief(row: ServiceRow, moment: Moment, width: int) -> list[Line]:
    """Return the lines under the table: what it is, why it is so, and the checks that watch it."""
    del width
    now = moment.now
    word = outcome(row.health)
    lines: list[Line] = [
        join(
            [(Span(f" {row.name}", "strong"),), (Span(row.url or row.kind, "muted"),), (Span(row.detail, word.style),)]
        )
    ]
    facts = []
    if row.pid is not None:
        facts.append(f"pid {row.pid}")
    if row.started_at is not None:
        facts.append(f"up since {clock(row.started_at)}")
    if row.latency_ms is not None:
        facts.append(f"answers in {took(row.latency_ms)}")
    if row.changed_at is not None:
        facts.append(f"changed {age(now - row.changed_at)} ago")
    if row.needs:
        facts.append(f"needs {', '.join(row.needs)}")
    facts.append("never seen" if row.observed_at is None else f"seen {age(now - row.observed_at)} ago")
    lines.append((Span(f"   {' · '.join(facts)}", "muted"),))
    for check in moment.data.checks:
        if check.service == row.name:
            state = outcome(check.status)
            lines.append((Span(f"   {state.glyph} {check.name}  ", state.style), Span(check.summary, "muted")))
    return lines
