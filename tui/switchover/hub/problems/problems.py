"""What is wrong now, worst first, grouped by cause: a pure function over what the hub knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from switchover.hub.problems.problem_causes import disk_roots, implied_needs, of_source, off_sources
from switchover.hub.problems.problem_changes import RecentChanges, around
from switchover.hub.problems.problem_words import (
    OPEN_RUN,
    missing_variables,
    of_gates,
    of_metric,
    of_step,
    of_variable,
    rollback_hint,
    stuck_steps,
    title_of,
    words_of,
)
from switchover.snapshot import (
    CheckRow,
    KnownIssueView,
    MetricRow,
    MigrationView,
    Problem,
    ServiceRow,
    SourceNote,
    TimelineRow,
)
from switchover.triage.entries import Match
from switchover.triage.evidence import ProblemEvidence

__all__ = ["ProblemInputs", "Recognise", "evidence_of", "find_problems"]

_RANK = {"crit": 0, "unknown": 1, "warn": 2}
_BEFORE_S = 60.0
_AFTER_S = 5.0
_SEEN_WITHIN_S = 20.0  # a stopped process may be looked at that much later than what it answered
_MOST_IN_FULL = 100  # problems that are looked into; nobody reads on behind them
_CAUSES = frozenset({"service", "step", "run"})  # what is looked through for each problem
_DISK = "disk-full"

Recognise = Callable[[ProblemEvidence], Sequence[Match]]


def _nothing(_: ProblemEvidence) -> Sequence[Match]:
    return ()


@dataclass(frozen=True, slots=True)
class ProblemInputs:
    """The inputs from which problems are found.

    `entry_subjects` names the checks that each entry of `known_issues` is about.

    `live_side` is where users are served; empty where nobody knows. `found` are the rows outside of the plan that are
    worth showing. `find` finds any discovered row. `lines` are the last of the logs of services, by the id of their
    row. `others` are problems that were found elsewhere.
    """

    checks: tuple[CheckRow, ...] = ()
    services: tuple[ServiceRow, ...] = ()
    metrics: tuple[MetricRow, ...] = ()
    migration: MigrationView = field(default_factory=MigrationView)
    timeline: tuple[TimelineRow, ...] = ()
    known_issues: tuple[KnownIssueView, ...] = ()
    entry_subjects: tuple[tuple[str, ...], ...] = ()
    live_side: str = ""
    found: tuple[ServiceRow, ...] = ()
    sources: tuple[SourceNote, ...] = ()
    lines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    find: Callable[[str], ServiceRow | None] = lambda _: None
    others: tuple[Problem, ...] = ()


def find_problems(facts: ProblemInputs, recognise: Recognise = _nothing) -> tuple[Problem, ...]:
    """Return what is wrong, worst first and of the same rank the oldest first.

    A service's problem is shown by its check where that fails too. What fails or waits only because of something it
    needs stands in that problem's `waiting`, not beside it. The same holds for a bad answer since the one service
    behind it stopped. It holds for what a source that is off cannot see. It holds for what says itself that a disk is
    full.
    """
    changes = RecentChanges(facts.timeline)
    facts = replace(facts, timeline=tuple(row for row in facts.timeline if row.kind in _CAUSES))
    checks = {row.name: row for row in facts.checks}
    services = {row.name: row for row in facts.services}
    services.update((row.id or row.name, row) for row in facts.found)
    variables = missing_variables(facts.checks)
    unset = {name for names in variables.values() for name in names}
    bad_checks = {name for name, row in checks.items() if row.status in _RANK and name not in unset}
    bad_services = {name for name, row in services.items() if row.health in _RANK}
    told_by_check = {checks[name].service for name in bad_checks} & bad_services
    sources, disks = off_sources(facts.sources), disk_roots(facts.checks, facts.metrics)
    implied = implied_needs(services, checks, sources, disks, lambda row, check: _is_full(row, check, facts, recognise))
    roots = bad_checks | bad_services | {key for keys in implied.values() for key in keys}
    waiting: dict[str, list[str]] = {}
    hidden: set[str] = set()
    for name, needs in _dependants(checks, services, implied):
        root = _root(name, needs, checks, services, roots, implied)
        if root and root != name and root not in hidden:
            waiting.setdefault(root, []).append(name)
            hidden.add(name)
    problems: list[Problem] = []
    if facts.migration.state in OPEN_RUN:
        problems += [of_step(row, facts.migration) for row in stuck_steps(facts.migration)]
        problems += of_gates(facts.migration)
    problems += [of_variable(name, waiting_for, facts.migration) for name, waiting_for in variables.items()]
    problems += _of_sources(sources, waiting, services)
    planned = [row for row in facts.services if row.name in bad_services and row.name not in hidden]
    behind: dict[str, list[Problem]] = {}
    for name in bad_checks - hidden:
        row = checks[name]
        row_waiting = [*waiting.get(name, ())]
        if row.service in told_by_check:
            row_waiting += [w for w in waiting.get(row.service, ()) if w != name and w not in row_waiting]
        problem = _of_check(row, services.get(row.service), tuple(row_waiting), hidden, facts)
        stopped = _stopped_behind(row, planned, facts)
        if stopped:
            behind.setdefault(stopped, []).append(problem)
        else:
            problems.append(problem)
    told = {checks[name].service for name in bad_checks - hidden}
    for name in bad_services - hidden - told:
        problem = _of_service(name, services[name], tuple(waiting.get(name, ())), facts)
        problems.append(_with_what_fails_behind(problem, sorted(behind.get(name, ()), key=_order)))
    problems += [
        of_metric(row, facts.migration, tuple(waiting.get(f"metric {row.name}", ())))
        for row in facts.metrics
        if row.status in _RANK and (row.warn or row.crit)
    ]
    problems += facts.others
    problems.sort(key=_order)
    full = [_in_full(problem, checks, services, facts, changes, recognise) for problem in problems[:_MOST_IN_FULL]]
    return (*full, *problems[_MOST_IN_FULL:])


def _is_full(row: ServiceRow | None, check: CheckRow | None, facts: ProblemInputs, recognise: Recognise) -> bool:
    lines = facts.lines.get(row.id or row.name, ()) if row is not None else ()
    return any(found.entry.id == _DISK for found in recognise(ProblemEvidence(row, check, lines=lines)))


def _of_sources(
    sources: Mapping[str, SourceNote], waiting: Mapping[str, Sequence[str]], services: Mapping[str, ServiceRow]
) -> Iterable[Problem]:
    for key, note in sources.items():
        if key in waiting:
            affected = [services[name] for name in waiting[key] if name in services]
            yield of_source(key, note, affected, tuple(_title(name, services) for name in waiting[key]))


def _title(name: str, services: Mapping[str, ServiceRow]) -> str:
    return title_of(services[name]) if name in services else name


def _in_full(
    problem: Problem,
    checks: Mapping[str, CheckRow],
    services: Mapping[str, ServiceRow],
    facts: ProblemInputs,
    changes: RecentChanges,
    recognise: Recognise,
) -> Problem:
    """Add what changed just before, who answers for it, and the entry that fits."""
    evidence = evidence_of(problem, checks, services, facts)
    service = evidence.service
    found = recognise(evidence)
    changed, nearby = changes.before(
        problem.since, *around(problem, checks, lambda name: services.get(name) or facts.find(name))
    )
    following = problem.next
    if found and problem.plan_entry is None:
        following = " · ".join(
            filter(None, (f'd: diagnose "{found[0].entry.symptom}"', rollback_hint(facts.migration)))
        )
    return replace(
        problem,
        next=following,
        known=found[0].entry.id if found else "",
        owner=service.owner if service is not None else "",
        changed=changed,
        nearby=nearby,
        waiting=tuple(_title(name, services) for name in problem.waiting),
    )


def evidence_of(
    problem: Problem, checks: Mapping[str, CheckRow], services: Mapping[str, ServiceRow], facts: ProblemInputs
) -> ProblemEvidence:
    """Return all that is known of what a problem is about."""
    service, check = services.get(problem.service), checks.get(problem.check)
    metric = None
    if service is None and check is None:
        metric = next((row for row in facts.metrics if problem.subject in (row.title, row.name)), None)
    lines = facts.lines.get(problem.service, ()) if problem.service else ()
    return ProblemEvidence(service, check, metric, lines)


def _order(problem: Problem) -> tuple[int, float, str]:
    return _RANK.get(problem.status, 9), problem.since if problem.since is not None else float("inf"), problem.subject


def _dependants(
    checks: Mapping[str, CheckRow], services: Mapping[str, ServiceRow], implied: Mapping[str, tuple[str, ...]]
) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Return everything that is not fine and needs something, with what it needs."""
    for name, check in checks.items():
        if check.status == "skipped" and check.waits_for:
            yield name, check.waits_for
        elif check.status in _RANK and (needs := (*check.needs, *implied.get(name, ()))):
            yield name, needs
    for name, service in services.items():
        if service.health in _RANK and (needs := (*service.needs, *implied.get(name, ()))):
            yield name, needs


def _root(
    name: str,
    needs: tuple[str, ...],
    checks: Mapping[str, CheckRow],
    services: Mapping[str, ServiceRow],
    roots: set[str],
    implied: Mapping[str, tuple[str, ...]],
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
            following += implied.get(need, ())
            if need in checks:
                following += checks[need].waits_for or checks[need].needs
            elif need in services:
                following += services[need].needs
        level = following
    return deepest


def _of_check(
    row: CheckRow, service: ServiceRow | None, waiting: tuple[str, ...], hidden: set[str], facts: ProblemInputs
) -> Problem:
    since, or_before = row.wrong_since, row.or_before
    if since is None:
        since = row.changed_at
    cause = ""
    about: tuple[str, ...] = (row.name, row.service, *row.needs)
    if service is not None and service.health in _RANK:
        cause = words_of(service)
        if service.state == "running":  # it runs and answers badly: something behind it may have stopped
            cause = _stopped_near(since, facts.timeline, hidden) or cause
        its = service.wrong_since if service.wrong_since is not None else service.changed_at
        if its is not None and (since is None or its <= since):
            since, or_before = its, service.or_before
    entry = _matching(row.name, facts)
    hint = next((f.hint for f in row.findings if f.hint and f.status != "ok"), "")
    return Problem(
        row.status,
        row.name,
        row.summary,
        since,
        cause or _cause(since, about, facts.timeline),
        _next(entry, hint, facts),
        check=row.name,
        service=row.service,
        plan_entry=entry,
        waiting=waiting,
        or_before=or_before,
    )


def _of_service(name: str, row: ServiceRow, waiting: tuple[str, ...], facts: ProblemInputs) -> Problem:
    what = words_of(row).removeprefix(f"{row.name} ")
    entry = _matching(row.name, facts)
    since = row.wrong_since if row.wrong_since is not None else row.changed_at
    cause = _cause(since, row.needs, facts.timeline, without=row.name)
    if how := _how_it_ended(name, row, since, facts.timeline):
        what = "; ".join(filter(None, (how, row.detail)))
    log = " · l: its log" if "logs" in row.actions else ""
    following = _next(entry, "", facts, f"enter: all that is known of it{log}")
    return Problem(
        row.health,
        title_of(row),
        what,
        since,
        cause,
        following,
        service=name,
        plan_entry=entry,
        waiting=waiting,
        or_before=row.or_before,
    )


def _stopped_behind(row: CheckRow, bad: Sequence[ServiceRow], facts: ProblemInputs) -> str:
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
    advice = (
        problem if problem.plan_entry is not None else next((o for o in behind if o.plan_entry is not None), problem)
    )
    return replace(
        problem,
        next=advice.next,
        plan_entry=advice.plan_entry,
        waiting=tuple(dict.fromkeys([*names, *problem.waiting])),
    )


def _matching(name: str, facts: ProblemInputs) -> int | None:
    """Return the index of the first troubleshooting entry that holds now and is about `name`."""
    base = name.partition("[")[0]
    for index, (entry, subjects) in enumerate(zip(facts.known_issues, facts.entry_subjects, strict=True)):
        if entry.matches and not {name, base}.isdisjoint(subjects):
            return index
    return None


def _next(
    entry: int | None, hint: str, facts: ProblemInputs, otherwise: str = "enter: expected against observed"
) -> str:
    parts = []
    if entry is not None:
        parts.append(f'd: diagnose "{facts.known_issues[entry].symptom}"')
    elif hint:
        parts.append(hint)
    if back := rollback_hint(facts.migration):
        parts.append(back)
    return " · ".join(parts) or otherwise


def _cause(since: float | None, names: Sequence[str], timeline: Sequence[TimelineRow], without: str = "") -> str:
    """Return what changed just before `since`: a change of one of `names` first, else the newest step or run."""
    near = _near(since, timeline)
    wanted = {name for name in names if name and name != without}
    named = next((row.text for row in near if row.kind == "service" and wanted.intersection(_about(row))), "")
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


def _how_it_ended(name: str, row: ServiceRow, since: float | None, timeline: Sequence[TimelineRow]) -> str:
    """Return how it reportedly ended, where nobody can see that any more because the process has gone."""
    if row.state != "stopped":
        return ""
    own = (one.text for one in _near(since, timeline) if one.kind == "service" and name in _about(one))
    ends = (text[text.index(" stopped: ") + 1 :] for text in own if " stopped: " in text)
    return next((end for end in ends if end.removeprefix("stopped: ") not in row.detail), "")


def _about(row: TimelineRow) -> tuple[str, ...]:
    return row.about or (row.text.split(" ", 1)[0],)


def _near(since: float | None, timeline: Sequence[TimelineRow]) -> list[TimelineRow]:
    """Return what changed just before `since`, newest first."""
    if since is None:
        return []
    near = [row for row in timeline if since - _BEFORE_S <= row.at <= since + _AFTER_S]
    return sorted(near, key=lambda row: row.at, reverse=True)
