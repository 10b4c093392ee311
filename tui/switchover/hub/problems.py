"""What is wrong now, worst first, grouped by cause: a pure function over what the hub knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from switchover.snapshot import (
    CheckRow,
    MetricRow,
    MigrationView,
    Problem,
    RollbackView,
    ServiceRow,
    TimelineRow,
    TroubleView,
)
from switchover_checks.units import format_duration

__all__ = ["Facts", "find_problems"]

_RANK = {"crit": 0, "unknown": 1, "warn": 2}
_VARIABLE = "variable "
_BEFORE_S = 60.0
_AFTER_S = 5.0
_SEEN_WITHIN_S = 20.0  # a stopped process may be looked at that much later than what it answered
_OPEN_RUN = ("running", "waiting", "failed", "unknown")


@dataclass(frozen=True, slots=True)
class Facts:
    """All that problems are told from. `trouble_subjects` names the check that each entry of `troubles` is about.

    `live_side` is where users are served; empty where nobody knows.
    """

    checks: tuple[CheckRow, ...] = ()
    services: tuple[ServiceRow, ...] = ()
    metrics: tuple[MetricRow, ...] = ()
    migration: MigrationView = field(default_factory=MigrationView)
    timeline: tuple[TimelineRow, ...] = ()
    troubles: tuple[TroubleView, ...] = ()
    trouble_subjects: tuple[str, ...] = ()
    live_side: str = ""


def find_problems(facts: Facts) -> tuple[Problem, ...]:
    """Return what is wrong, worst first and of the same rank the oldest first.

    A service is told through its check where that fails too. What fails or waits only because something it needs is
    wrong stands in that problem's `waiting`, not beside it; so does what answers badly since the one service that can
    serve it stopped.
    """
    checks = {row.name: row for row in facts.checks}
    services = {row.name: row for row in facts.services}
    variables = _missing_variables(facts.checks)
    unset = {name for names in variables.values() for name in names}
    bad_checks = {name for name, row in checks.items() if row.status in _RANK and name not in unset}
    bad_services = {name for name, row in services.items() if row.health in _RANK}
    told_by_check = {checks[name].service for name in bad_checks} & bad_services
    roots = bad_checks | bad_services
    waiting: dict[str, list[str]] = {}
    hidden: set[str] = set()
    for name, needs in _dependants(checks, services):
        root = _root(name, needs, checks, services, roots)
        if root and root != name and root not in hidden:
            waiting.setdefault(root, []).append(name)
            hidden.add(name)
    problems: list[Problem] = []
    if facts.migration.state in _OPEN_RUN:
        problems += [_of_step(row, facts) for row in _stuck_steps(facts.migration)]
        problems += _of_gates(facts.migration)
    problems += [_of_variable(name, waiting_for, facts.migration) for name, waiting_for in variables.items()]
    behind: dict[str, list[Problem]] = {}
    for name in bad_checks - hidden:
        row = checks[name]
        row_waiting = [*waiting.get(name, ())]
        if row.service in told_by_check:
            row_waiting += [w for w in waiting.get(row.service, ()) if w != name and w not in row_waiting]
        problem = _of_check(row, services.get(row.service), tuple(row_waiting), hidden, facts)
        stopped = _stopped_behind(row, [services[one] for one in bad_services - hidden], facts)
        if stopped:
            behind.setdefault(stopped, []).append(problem)
        else:
            problems.append(problem)
    told = {checks[name].service for name in bad_checks - hidden}
    for name in bad_services - hidden - told:
        problem = _of_service(services[name], tuple(waiting.get(name, ())), facts)
        problems.append(_with_what_fails_behind(problem, sorted(behind.get(name, ()), key=_order)))
    problems += [_of_metric(row, facts) for row in facts.metrics if row.status in _RANK and (row.warn or row.crit)]
    return tuple(sorted(problems, key=_order))


def _missing_variables(checks: Iterable[CheckRow]) -> dict[str, list[str]]:
    """Return the variables that checks wait for, each with those checks."""
    variables: dict[str, list[str]] = {}
    for row in checks:
        for need in row.waits_for:
            if row.status in _RANK and need.startswith(_VARIABLE):
                variables.setdefault(need, []).append(row.name)
    return variables


def _of_variable(name: str, waiting: list[str], view: MigrationView) -> Problem:
    asked = {f"{_VARIABLE}{needed}" for needed, *_ in view.variables_needed}
    following = "6 migration: it is asked for at the start" if name in asked else "a step of the migration gives it"
    return Problem("unknown", name, "has no value yet", None, next=following, waiting=tuple(waiting))


def _order(problem: Problem) -> tuple[int, float, str]:
    return _RANK.get(problem.status, 9), problem.since if problem.since is not None else float("inf"), problem.subject


def _dependants(
    checks: Mapping[str, CheckRow], services: Mapping[str, ServiceRow]
) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Return everything that is not fine and needs something, with what it needs."""
    for name, check in checks.items():
        if check.status == "skipped" and check.waits_for:
            yield name, check.waits_for
        elif check.status in _RANK and check.needs:
            yield name, check.needs
    for name, service in services.items():
        if service.health in _RANK and service.needs:
            yield name, service.needs


def _root(
    name: str,
    needs: tuple[str, ...],
    checks: Mapping[str, CheckRow],
    services: Mapping[str, ServiceRow],
    roots: set[str],
) -> str:
    """Return what is wrong at the bottom of what `name` needs; empty when nothing there is."""
    seen = {name}
    level = list(needs)
    deepest = ""
    while level:
        following: list[str] = []
        for need in level:
            if need in seen:
                continue
            seen.add(need)
            if need in roots:
                deepest = need
            if need in checks:
                following += checks[need].waits_for or checks[need].needs
            elif need in services:
                following += services[need].needs
        level = following
    return deepest


def _of_check(
    row: CheckRow, service: ServiceRow | None, waiting: tuple[str, ...], hidden: set[str], facts: Facts
) -> Problem:
    since = row.changed_at
    cause = ""
    about: tuple[str, ...] = (row.name, row.service, *row.needs)
    if service is not None and service.health in _RANK:
        cause = _words(service)
        if service.state == "running":  # it runs and answers badly: something behind it may have stopped
            cause = _stopped_near(since, facts.timeline, hidden) or cause
        since = min((t for t in (since, service.changed_at) if t is not None), default=None)
    trouble = _matching(row.name, facts)
    hint = next((f.hint for f in row.findings if f.hint and f.status != "ok"), "")
    return Problem(
        row.status,
        row.name,
        row.summary,
        since,
        cause or _cause(since, about, facts.timeline),
        _next(trouble, hint, facts),
        check=row.name,
        service=row.service,
        trouble=trouble,
        waiting=waiting,
    )


def _of_service(row: ServiceRow, waiting: tuple[str, ...], facts: Facts) -> Problem:
    what = _words(row).removeprefix(f"{row.name} ")
    trouble = _matching(row.name, facts)
    cause = _cause(row.changed_at, row.needs, facts.timeline, without=row.name)
    following = _next(trouble, "", facts)
    return Problem(
        row.health, row.name, what, row.changed_at, cause, following, service=row.name, trouble=trouble, waiting=waiting
    )


def _stopped_behind(row: CheckRow, bad: Sequence[ServiceRow], facts: Facts) -> str:
    """Return the service whose stop explains that what `row` asks answers badly; empty unless it can only be one."""
    asked = next((service for service in facts.services if service.name == row.service), None)
    if asked is None or asked.state != "running" or asked.health not in _RANK or row.changed_at is None:
        return ""
    near = [
        service.name
        for service in bad
        if service.state == "stopped"
        and service.side in {"", asked.side or facts.live_side}
        and service.changed_at is not None
        and -_BEFORE_S <= service.changed_at - row.changed_at <= _SEEN_WITHIN_S
        and all(check.service != service.name for check in facts.checks if check.status in _RANK)
    ]
    return near[0] if len(near) == 1 else ""


def _with_what_fails_behind(problem: Problem, behind: Sequence[Problem]) -> Problem:
    """Put what fails because of this problem under it, with the advice that the plan has for that."""
    if not behind:
        return problem
    names = dict.fromkeys(name for other in behind for name in (other.subject, *other.waiting))
    advice = problem if problem.trouble is not None else next((o for o in behind if o.trouble is not None), problem)
    return replace(
        problem, next=advice.next, trouble=advice.trouble, waiting=tuple(dict.fromkeys([*names, *problem.waiting]))
    )


def _of_metric(row: MetricRow, facts: Facts) -> Problem:
    bound = row.crit if row.status == "crit" else row.warn
    value = f"{row.latest:.4g} {row.unit}".rstrip() if row.latest is not None else "no value"
    what = row.note or (f"{value}, should be within {bound}" if bound else value)
    return Problem(row.status, row.title or row.name, what, None, next=_next(None, "", facts))


@dataclass(frozen=True, slots=True)
class _Stuck:
    step: str
    state: str
    reason: str
    since: float | None
    exit_code: int | None


def _stuck_steps(view: MigrationView) -> list[_Stuck]:
    return [
        _Stuck(step.id, step.state, step.reason, step.ended_at or step.started_at, step.exit_code)
        for phase in view.phases
        for step in phase.steps
        if step.state in ("failed", "unknown")
    ]


def _of_step(stuck: _Stuck, facts: Facts) -> Problem:
    if stuck.state == "unknown":
        what = stuck.reason or "nobody knows how it ended"
        return Problem("unknown", f"step {stuck.step}", what, stuck.since, next="6 migration: say how it ended")
    what = stuck.reason or (f"failed, exit {stuck.exit_code}" if stuck.exit_code is not None else "failed")
    back = _way_back(facts.migration)
    following = "6 migration: read its output, then run it again" + (f" · {back}" if back else "")
    return Problem("crit", f"step {stuck.step}", what, stuck.since, next=following)


def _of_gates(view: MigrationView) -> list[Problem]:
    back = _way_back(view)
    return [
        Problem(
            "crit",
            f"gate {phase.id}",
            phase.gate.reason or "did not become green in time",
            None,
            next="6 migration: check the gate again" + (f" · {back}" if back else ""),
        )
        for phase in view.phases
        if phase.gate is not None and phase.gate.state == "failed"
    ]


def _matching(name: str, facts: Facts) -> int | None:
    """Return the index of the first troubleshooting entry that holds now and is about `name`."""
    base = name.partition("[")[0]
    for index, (trouble, subject) in enumerate(zip(facts.troubles, facts.trouble_subjects, strict=True)):
        if trouble.matches and subject in (name, base):
            return index
    return None


def _next(trouble: int | None, hint: str, facts: Facts) -> str:
    parts = []
    if trouble is not None:
        parts.append(f'd: diagnose "{facts.troubles[trouble].symptom}"')
    elif hint:
        parts.append(hint)
    if back := _way_back(facts.migration):
        parts.append(back)
    return " · ".join(parts) or "enter: expected against observed"


def _way_back(view: MigrationView) -> str:
    """Name the quickest way back that is open, while a run is."""
    if view.state not in _OPEN_RUN:
        return ""
    ways = [way for way in view.rollbacks if way.available]
    if not ways:
        return ""
    quickest = min(ways, key=_expected)
    return "R: roll back" + (f", ~{format_duration(quickest.expect_s)}" if quickest.expect_s is not None else "")


def _expected(way: RollbackView) -> float:
    return way.expect_s if way.expect_s is not None else float("inf")


def _cause(since: float | None, names: Sequence[str], timeline: Sequence[TimelineRow], without: str = "") -> str:
    """Return what changed just before `since`: a change of one of `names` first, else the newest step or run."""
    near = _near(since, timeline)
    wanted = {name for name in names if name and name != without}
    named = next((row.text for row in near if row.kind == "service" and row.text.split(" ", 1)[0] in wanted), "")
    if named:
        return named
    return next((f"just before: {row.text}" for row in near if row.kind in ("step", "run")), "")


def _stopped_near(since: float | None, timeline: Sequence[TimelineRow], hidden: set[str]) -> str:
    """Return the newest stop of a service that fits in time and is no consequence of another; empty without one."""
    for row in _near(since, timeline):
        name, _, what = row.text.partition(" ")
        if row.kind == "service" and what.startswith("stopped") and name not in hidden:
            return row.text
    return ""


def _near(since: float | None, timeline: Sequence[TimelineRow]) -> list[TimelineRow]:
    """Return what changed just before `since`, newest first."""
    if since is None:
        return []
    near = [row for row in timeline if since - _BEFORE_S <= row.at <= since + _AFTER_S]
    return sorted(near, key=lambda row: row.at, reverse=True)


def _words(service: ServiceRow) -> str:
    """Write how a service is: `pg stopped: exit 137`, `api answers 503`."""
    if service.state == "running" and service.detail:
        return f"{service.name} {service.detail}"
    return f"{service.name} {service.state}" + (f": {service.detail}" if service.detail else "")
