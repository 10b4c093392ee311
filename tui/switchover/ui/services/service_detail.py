"""What is known about one service: all of it, and what matters most in a few lines."""

from __future__ import annotations

from switchover.snapshot import ServiceRow
from switchover.ui.services.arrangement import id_of
from switchover.ui.services.service_lines import state_word
from switchover.ui.text.chart_scale import scale_of
from switchover.ui.text.labelled import fact, is_late
from switchover.ui.text.numbers import age, clock, format_bytes, percent, took
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.spark import sparkline
from switchover.ui.text.state_words import outcome
from switchover.ui.text.styled_line import Line, StyledSpan, join, linked

__all__ = ["find_service", "service_brief", "service_detail"]


def find_service(moment: RenderContext, name: str) -> ServiceRow | None:
    """Return the row with this id, of the plan or found; None where it is gone."""
    data = moment.data
    if not name:
        return None
    return next((row for rows in (data.services, data.found) for row in rows if id_of(row) == name), None)


def service_detail(row: ServiceRow, moment: RenderContext, width: int) -> list[Line]:
    """All that is known about one service.

    What every service has stands first and always in the same place. So going from row to row changes only values.
    """
    del width
    now = moment.now
    word = outcome(row.health)
    glyph, style = state_word(row)
    up = f"{clock(row.started_at)}, {age(now - row.started_at)}" if row.started_at is not None else "–"
    changed = f"{clock(row.changed_at)}, {age(now - row.changed_at)} ago" if row.changed_at is not None else "–"
    memory = format_bytes(row.memory_bytes) if row.memory_bytes is not None else "–"
    late = is_late(row.observed_at, row.stale_after_s, now)
    cpu: Line = (StyledSpan(f"{percent(row.cpu_percent):<6}"),)
    if row.cpu_history:
        cpu = (*cpu, StyledSpan(sparkline(row.cpu_history, 30, scale_of(row.cpu_history, "%")), "spark-line"))
    lines: list[Line] = [
        fact("state", (StyledSpan(f"{glyph} {row.state}", style),)),
        fact("health", (StyledSpan(f"{word.glyph} {word.word}", word.style),)),
        fact("why", (StyledSpan(row.detail or "–"),)),
        fact("kind", (StyledSpan(" · ".join(part for part in (row.kind, row.group, row.side) if part)),)),
        fact("seen", (StyledSpan(_seen(row, now), "late" if late else "text"),)),
        fact("up since", (StyledSpan(up),)),
        fact("changed", (StyledSpan(changed),)),
        fact("cpu", cpu),
        fact("memory", (StyledSpan(memory),)),
        fact("restarts", (StyledSpan("–" if row.restarts is None else str(row.restarts)),)),
        fact("pid", (StyledSpan("–" if row.pid is None else str(row.pid)),)),
    ]
    more = (
        ("ready", "" if row.wanted is None else f"{row.ready or 0} of {row.wanted}"),
        ("image", row.image),
        ("ports", ", ".join(row.ports)),
        ("user", row.user),
        ("url", row.url),
        ("answers in", "" if row.latency_ms is None else took(row.latency_ms)),
        ("owner", row.owner),
        ("link", row.link),
        ("needs", ", ".join(row.needs)),
    )
    lines.extend(fact(label, (linked(text) if label == "link" else StyledSpan(text),)) for label, text in more if text)
    for check in moment.data.checks:
        if check.service == row.name:
            state = outcome(check.status)
            named: Line = (StyledSpan(f"{state.glyph} {check.name}", state.style),)
            lines.append(fact("check", join([named, (StyledSpan(check.summary),)])))
    return lines


def _seen(row: ServiceRow, now: float) -> str:
    if row.observed_at is None:
        return "never"
    late = is_late(row.observed_at, row.stale_after_s, now)
    return f"{age(now - row.observed_at)} ago" + (": late, so nothing is done to it from here" if late else "")


def service_brief(row: ServiceRow, moment: RenderContext, width: int) -> list[Line]:
    """Return the lines under the table: what it is, why it is so, and the checks that watch it."""
    del width
    now = moment.now
    word = outcome(row.health)
    lines: list[Line] = [
        join(
            [
                (StyledSpan(f" {row.name}", "strong"),),
                (StyledSpan(row.url or row.kind, "muted"),),
                (StyledSpan(row.detail, word.style),),
            ]
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
    lines.append((StyledSpan(f"   {' · '.join(facts)}", "muted"),))
    for check in moment.data.checks:
        if check.service == row.name:
            state = outcome(check.status)
            lines.append(
                (StyledSpan(f"   {state.glyph} {check.name}  ", state.style), StyledSpan(check.summary, "muted"))
            )
    return lines
