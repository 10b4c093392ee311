"""What is known about one service: all of it, and what matters most in a few lines."""

from __future__ import annotations

from switchover.snapshot import ServiceRow
from switchover.ui.presentation.arrangement import id_of
from switchover.ui.presentation.facts import fact, is_late
from switchover.ui.presentation.line import Line, Span, join
from switchover.ui.presentation.moment import Moment
from switchover.ui.presentation.numbers import age, clock, format_bytes, percent, took
from switchover.ui.presentation.services import cpu_top, state_word
from switchover.ui.presentation.spark import sparkline
from switchover.ui.presentation.words import outcome

__all__ = ["find_service", "service_brief", "service_detail"]


def find_service(moment: Moment, name: str) -> ServiceRow | None:
    """Return the row with this id, of the plan or found; None where it is gone."""
    data = moment.data
    if not name:
        return None
    return next((row for rows in (data.services, data.found) for row in rows if id_of(row) == name), None)


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
        ("part of", row.group, "text"),
        ("ready", "" if row.wanted is None else f"{row.ready or 0} of {row.wanted}", "text"),
        ("image", row.image, "text"),
        ("ports", ", ".join(row.ports), "text"),
        ("user", row.user, "text"),
        ("owner", row.owner, "text"),
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
        ("seen", _seen(row, now), "late" if is_late(row.observed_at, row.stale_after_s, now) else "muted"),
        ("needs", ", ".join(row.needs), "text"),
    ]
    lines: list[Line] = [fact(label, (Span(text, kind),)) for label, text, kind in facts if text]
    if row.cpu_history:
        spark = (
            Span(sparkline(row.cpu_history, 40, top=cpu_top(row.cpu_history)), "spark-line"),
            Span(f" {percent(row.cpu_percent)}"),
        )
        lines.append(fact("cpu", spark))
    checks = [check for check in moment.data.checks if check.service == row.name]
    for check in checks:
        state = outcome(check.status)
        lines.append(fact("check", join([(Span(f"{state.glyph} {check.name}", state.style),), (Span(check.summary),)])))
    return lines


def _seen(row: ServiceRow, now: float) -> str:
    if row.observed_at is None:
        return "never"
    late = is_late(row.observed_at, row.stale_after_s, now)
    return f"{age(now - row.observed_at)} ago" + (": late, so nothing is done to it from here" if late else "")


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
    facts.extend(text for text in (row.image, " ".join(row.ports), row.user and f"user {row.user}", row.owner) if text)
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
