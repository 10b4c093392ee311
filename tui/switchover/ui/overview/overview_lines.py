"""The Overview: what is wrong, worst first, since when, why, and the next safe key; then where everything stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len

from switchover.ui.migration.ended_lines import ended_lines
from switchover.ui.text.due_lines import overdue
from switchover.ui.text.labelled import is_late
from switchover.ui.text.numbers import age, clock_minute, signed, upright, value_with_unit
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.spark import progress_bar, trend
from switchover.ui.text.state_words import outcome, run, severity
from switchover.ui.text.styled_line import Line, ListItem, StyledSpan, cut, fit, join, line_width, spread, wrap

if TYPE_CHECKING:
    from switchover.snapshot import AlertRow, MetricRow, Problem, ServiceRow, Snapshot, SourceNote

__all__ = ["calm_lines", "problem_items", "summary_lines"]

_SUBJECT = 9
_FEW = 3  # names in a line that says more besides
_NAMED = 6  # of what waits for a problem; the rest is counted


def problem_items(moment: RenderContext, width: int, wanted: str = "") -> list[ListItem]:
    """One item for each problem: what and since when; the cause; what to do next."""
    problems = sorted(
        enumerate(moment.snapshot.problems if moment.snapshot is not None else ()),
        key=lambda pair: (severity(pair[1].status), pair[1].since or moment.now, pair[0]),
    )
    items = [
        ListItem(f"alert:{alert.key}", (_alert(alert, moment.now, width),))
        for alert in (moment.snapshot.alerts if moment.snapshot is not None else ())
        if wanted in f"{alert.name} {alert.rule} {alert.text}".lower()
    ]
    longest = max((cell_len(problem.subject) for _, problem in problems), default=0)
    subject = max(_SUBJECT, min(longest, 18 if width < 120 else 26, width // 5))
    for index, problem in problems:
        if wanted and wanted not in f"{problem.subject} {problem.what} {problem.cause}".lower():
            continue
        key = problem.check or problem.service or f"{problem.subject}/{index}"
        items.append(ListItem(f"problem:{key}", tuple(_problem(problem, moment.now, width, subject))))
    return items


def _alert(alert: AlertRow, now: float, width: int) -> Line:
    head: Line = (
        StyledSpan(" ⚑ alert ", "muted" if alert.note else "danger"),
        StyledSpan(alert.text or alert.rule, "strong"),
        StyledSpan(f"  {alert.note or alert.rule}", "muted"),
    )
    return spread(head, (StyledSpan(f"  {f'since {age(now - alert.since)}':>11} ", "muted"),), width)


def _problem(problem: Problem, now: float, width: int, subject: int) -> list[Line]:
    word = outcome(problem.status)
    words = "at least" if problem.or_before else "since"
    since = f"{words} {age(now - problem.since)}" if problem.since is not None else ""
    head: Line = (
        StyledSpan(f" {word.glyph} {fit(word.word, 5)}", word.style),
        StyledSpan(fit(problem.subject, subject) + " ", "strong"),
        StyledSpan(problem.what),
    )
    lines = [spread(head, (StyledSpan(f"  {since:>11} ", "muted"),), width)]
    margin = " " * 8
    if problem.cause:
        lines.append((StyledSpan(margin), StyledSpan(fit("cause", subject) + " ", "muted"), StyledSpan(problem.cause)))
    if before := _before(problem, now, width - subject - 10):
        label = "nearby" if problem.nearby else "before"
        lines.append((StyledSpan(margin), StyledSpan(fit(label, subject) + " ", "muted"), *before))
    if problem.next:
        lines.append(
            (StyledSpan(margin), StyledSpan(fit("next", subject) + " ", "muted"), StyledSpan(problem.next, "accent"))
        )
    if problem.owner:
        _add_owner(lines, problem.owner, width, margin + fit("owner", subject))
    if problem.waiting:
        count = len(problem.waiting)
        names = ", ".join(problem.waiting[:_NAMED]) + (f" and {count - _NAMED} more" if count > _NAMED else "")
        waits = "fails or waits" if count == 1 else "fail or wait"
        lines.append(
            (
                StyledSpan(margin),
                StyledSpan(fit("–", subject) + " ", "muted"),
                StyledSpan(f"{count} {waits} with it: {names}", "muted"),
            )
        )
    return lines


def _before(problem: Problem, now: float, width: int) -> Line:
    """Write what changed just before, newest first, as far as it is not the cause already and has room."""
    parts: list[Line] = []
    for row in problem.changed:
        if row.text in problem.cause:
            continue
        part: Line = (StyledSpan(f"{clock_minute(row.at, now)} ", "muted"), StyledSpan(row.text))
        if parts and line_width(join([*parts, part], " · ")) > width:
            break
        parts.append(part)
    return join(parts, " · ")


def _add_owner(lines: list[Line], owner: str, width: int, label: str) -> None:
    """Say who answers for it: in the last line with room, else in a line of its own."""
    said: Line = (StyledSpan("   owner ", "muted"), StyledSpan(cut(owner, 24), "accent"), StyledSpan(" "))
    for place in range(len(lines) - 1, 0, -1):
        if line_width(lines[place]) + line_width(said) <= width:
            lines[place] = spread(lines[place], said, width)
            return
    lines.append((StyledSpan(f"{label} ", "muted"), StyledSpan(owner, "accent")))


def calm_lines(moment: RenderContext, width: int) -> list[Line]:
    """Return what stands where there is no problem: that all is well, and what comes next."""
    if moment.snapshot is None:
        text = moment.link.why or "starting the agent …"
        return [
            (),
            (StyledSpan(f"   {text}", "accent"),),
            (),
            *((StyledSpan("   ", "muted"), *line) for line in wrap(_STARTING, width - 6, "muted")),
        ]
    snapshot = moment.snapshot
    lines: list[Line] = [()]
    if snapshot.checks or snapshot.services:
        lines.append(_watched_line(snapshot))
    elif not snapshot.header.plan_id and not snapshot.found:  # something runs on every host
        lines.append((StyledSpan(" ○ wait ", "outcome-pending"), StyledSpan("looking at what runs here …")))
    elif unwell := [row for row in snapshot.found if row.health in {"crit", "unknown", "warn"}]:
        lines.append(_unwell_line(unwell, len(snapshot.found)))
    elif any(source.state == "trouble" for source in snapshot.sources):
        lines.append((StyledSpan(" ? part ", "outcome-unknown"), StyledSpan("what was seen is well; not all was seen")))
    else:
        lines.append((StyledSpan(" ✓ ok   ", "outcome-ok"), StyledSpan("nothing to report")))
    if snapshot.migration.state in {"done", "rolled_back", "aborted"}:
        lines.extend([(), *ended_lines(moment, width)])
        return lines
    action = snapshot.migration.action
    if snapshot.migration.phases and action.text:
        how = "6, then enter: " if action.kind not in {"wait", "later", "done", "none"} else ""
        if how and (moment.watching or snapshot.header.read_only):
            how = f"{moment.watching} drives: " if moment.watching else "read-only here: "
        lines.append((StyledSpan("   next ", "muted"), StyledSpan(how, "key"), StyledSpan(action.text, "accent")))
    lines.extend(_source_line(source, width) for source in snapshot.sources if source.state != "on")
    return lines


def _watched_line(snapshot: Snapshot) -> Line:
    """Count what is watched. It is well only once all of it has been probed and is fine."""
    checks = [check for check in snapshot.checks if not check.resting]
    services = [service for service in snapshot.services if service.observed_at is None or service.health != "pending"]
    what, states = "checks", [check.status for check in checks]
    if not snapshot.checks:
        what, states = "services", [service.health for service in services]
    fine = states.count("ok")
    said = f"{fine} of {len(states)} {what} fine"
    silent = [check.name for check in checks if check.observed_at is None]
    silent += [service.name for service in services if service.observed_at is None]
    if silent:
        said += f", not looked at yet: {_some(silent)}"
    elif waiting := len(states) - fine:
        said += f", {waiting} cannot be looked at yet"
    if resting := len(snapshot.checks) - len(checks):
        said += f", {resting} not watched now"
    well = states and fine == len(states) and not silent
    return (
        StyledSpan(" ✓ ok   ", "outcome-ok") if well else StyledSpan(" ○ wait ", "outcome-pending"),
        StyledSpan(said),
    )


def _unwell_line(unwell: Sequence[ServiceRow], of: int) -> Line:
    """Count what was found and is not well, though none of it is worth a problem of its own."""
    word = outcome(min((row.health for row in unwell), key=severity))
    mark = StyledSpan(f" {word.glyph} {fit(word.word, 5)}", word.style)
    names = _some([row.name for row in unwell])
    return (mark, StyledSpan(f"{len(unwell)} of {of:,} that run here not well: {names}"), StyledSpan("   2", "key"))


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return ", ".join(names[:_FEW]) + more


def _source_line(source: SourceNote, width: int) -> Line:
    """Say of a source why nothing comes from it. One that is off and that nobody misses is no problem."""
    why = source.why or source.state
    if source.state == "off":
        return (StyledSpan(cut(f" – {source.name} off: {why}", width), "muted"),)
    return (StyledSpan(f" ? {source.name}: ", "outcome-unknown"), StyledSpan(why, "muted"))


_STARTING = "The agent watches and carries the run; it goes on when this terminal closes."


def summary_lines(moment: RenderContext, width: int, *, roomy: bool = False) -> list[Line]:
    """Where everything stands: migration, live side, metrics, costs; a line each, only those that say something."""
    snapshot = moment.snapshot
    if snapshot is None:
        return []
    lines = [
        _labelled("Migration", _migration(snapshot, moment.now, width), width),
        _labelled("Live", _sides(snapshot), width),
        *(
            _labelled("Metrics" if not row else "", line, width)
            for row, line in enumerate(_metrics(snapshot.metrics, moment.now, width - 12, roomy=roomy))
        ),
        _labelled("Costs", _costs(snapshot), width),
    ]
    return [line for line in lines if line]


def _labelled(label: str, line: Line, width: int) -> Line:
    del width
    return (StyledSpan(f" {fit(label, 9)}  ", "muted"), *line) if line else ()


def _migration(snapshot: Snapshot, now: float, width: int) -> Line:
    view = snapshot.migration
    if not view.phases:
        return ()
    steps = [entry for phase in view.phases for entry in phase.steps]
    done = sum(entry.state in {"done", "skipped"} for entry in steps)
    word = run(view.state, view.action.kind)
    bar = progress_bar(
        done / max(len(steps), 1), 19 if width < 120 else 38, word.style if view.state == "failed" else "bar-done"
    )
    where = " · ".join(part for part in (view.current_phase, view.current_step) if part)
    said = where if view.state == "running" and where else f"{word.glyph} {word.word}" + (f" {where}" if where else "")
    parts: list[Line] = [bar, (StyledSpan(said, word.style),)]
    if late := overdue(view, now):
        parts.append((StyledSpan(late, "outcome-warn"),))
    if view.started_at is not None:
        spent = upright((view.ended_at if view.ended_at is not None else now) - view.started_at)
        left = f", ~{age(view.remaining_s)} left" if view.remaining_s is not None and view.ended_at is None else ""
        parts.append((StyledSpan(f"{spent}{left}"),))
    waiting = next(
        (
            phase.gate
            for phase in view.phases
            if phase.gate and phase.gate.state in {"waiting", "holding", "human", "decide", "failed"}
        ),
        None,
    )
    if waiting is not None:
        parts.append(
            (
                StyledSpan(
                    _gate_words(
                        waiting.phase, waiting.state, [r.name for r in waiting.requirements if r.status != "ok"]
                    ),
                    "step-waiting",
                ),
            )
        )
    return join(parts)


def _gate_words(phase: str, state: str, missing: Sequence[str]) -> str:
    if state == "holding":
        return f"gate {phase} holds"
    if state == "decide":
        return f"gate {phase} waits for your decision: {', '.join(missing[:2])}"
    if state == "human":
        return f"gate {phase} asks you"
    return f"gate {phase} waits for {', '.join(missing[:2])}" if missing else f"gate {phase} {state}"


def _sides(snapshot: Snapshot) -> Line:
    sides: dict[str, list[bool | None]] = {}
    for service in snapshot.services:
        side = service.side or "shared"
        fine = sides.setdefault(side, [])
        if service.health == "unknown":
            fine.append(None)
        elif service.health not in {"pending", "skipped"}:
            fine.append(service.state == "running" and service.health == "ok")
    parts: list[Line] = []
    for side in sorted(sides, key=lambda name: name != snapshot.header.live_side):
        fine = sides[side]
        up, unknown = fine.count(True), fine.count(None)
        if not fine:
            parts.append((StyledSpan(f"{side} not watched now", "muted"),))
            continue
        serving = ""
        if side == snapshot.header.live_side:
            serving = " (serving)" if up else " (live)" if unknown else " (live, but nothing of it is up)"
        parts.append(
            (
                StyledSpan(f"{side} ", "text"),
                StyledSpan("●" * min(up, 10), "outcome-ok"),
                StyledSpan("?" * min(unknown, 10), "outcome-unknown"),
                StyledSpan("○" * min(len(fine) - up - unknown, 10), "outcome-crit"),
                StyledSpan(f" {up}/{len(fine)}", "text" if up == len(fine) else "outcome-warn"),
                StyledSpan(serving, "accent"),
            )
        )
    return join(parts, "    ")


def _metrics(metrics: Sequence[MetricRow], now: float, width: int, *, roomy: bool) -> list[Line]:
    """Return the most telling series: in one line, or a line each where there is room. What is late says so."""
    spark = 60 if roomy and width > 150 else 30 if roomy else 7 if width < 100 else 14
    line: Line = ()
    known = [metric for metric in metrics if metric.latest is not None]
    ranked = sorted(known, key=lambda metric: (_late(metric, now), severity(metric.status)))
    if roomy:
        return [_metric(metric, now, spark, 18) for metric in ranked[:8]]
    for metric in ranked:
        piece = _metric(metric, now, spark, 0)
        longer = join([line, piece], "   ")
        if line_width(longer) > width:
            continue
        line = longer
    return [line]


def _late(metric: MetricRow, now: float) -> bool:
    return is_late(metric.observed_at, metric.stale_after_s, now)


def _metric(metric: MetricRow, now: float, spark: int, name: int) -> Line:
    if _late(metric, now):
        title = cut(metric.title or metric.name, 14) if not name else fit(metric.title or metric.name, name)
        was = f"{value_with_unit(metric.latest, metric.unit)} {age(now - (metric.observed_at or now))} ago"
        return (
            StyledSpan(f"{title} ", "stale"),
            StyledSpan(trend(metric.values, spark, metric.unit, (metric.warn, metric.crit)), "stale"),
            StyledSpan(f" was {was}", "stale"),
        )
    style = outcome(metric.status).style if metric.status in {"warn", "crit"} else "spark-line"
    title = cut(metric.title or metric.name, 14) if not name else fit(metric.title or metric.name, name)
    limits = "  ".join(f"{mark} {limit}" for mark, limit in (("!", metric.warn), ("✗", metric.crit)) if limit and name)
    return (
        StyledSpan(f"{title} ", "muted"),
        StyledSpan(trend(metric.values, spark, metric.unit, (metric.warn, metric.crit)), style),
        StyledSpan(f" {value_with_unit(metric.latest, metric.unit)}", style if style != "spark-line" else "text"),
        StyledSpan(f"   {limits}" if limits else "", "muted"),
    )


def _costs(snapshot: Snapshot) -> Line:
    costs = snapshot.costs
    if not costs.rows:
        return ()
    parts: list[Line] = [(StyledSpan(f"{costs.before_total} → {costs.after_total} {costs.currency} a month"),)]
    if costs.difference:
        saved = signed(costs.difference).startswith("−")
        parts.append((StyledSpan(signed(costs.difference), "money-saved" if saved else "money-added"),))
    if costs.both_total:
        parts.append((StyledSpan(f"both together {costs.both_total}", "muted"),))
    if costs.within_budget is False:
        parts.append((StyledSpan(f"! over the budget of {costs.budget}", "outcome-warn"),))
    if costs.unpriced:
        parts.append((StyledSpan(f"? {costs.unpriced} without a price", "outcome-unknown"),))
    return join(parts)
