"""Problems in words: those of neither a check nor a service, and the next safe thing to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from switchover.hub.problems.problem_found import BAD
from switchover.snapshot import CheckRow, MetricRow, MigrationView, Problem, RollbackView, ServiceRow
from switchover.snapshot.states import StageWord
from switchover_checks.language.units import format_duration

__all__ = [
    "OPEN_RUN",
    "missing_variables",
    "of_gates",
    "of_metric",
    "of_step",
    "of_variable",
    "rollback_hint",
    "stuck_steps",
    "title_of",
    "words_of",
]

_GROUPED = frozenset({"docker", "kubernetes"})  # where a name alone says little: there is a `db-1` in many projects
OPEN_RUN = ("running", "waiting", "failed", "unknown")
_VARIABLE = "variable "


def missing_variables(checks: Iterable[CheckRow]) -> dict[str, list[str]]:
    """Return the variables that checks wait for, each with those checks."""
    variables: dict[str, list[str]] = {}
    for row in checks:
        for need in row.waits_for:
            if row.status in BAD and need.startswith(_VARIABLE):
                variables.setdefault(need, []).append(row.name)
    return variables


def of_variable(name: str, waiting: list[str], view: MigrationView) -> Problem:
    """Return the problem that a variable without a value is."""
    asked = {f"{_VARIABLE}{needed}" for needed, *_ in view.variables_needed}
    following = "6 migration: it is asked for at the start" if name in asked else "a step of the migration gives it"
    return Problem("unknown", name, "has no value yet", None, next=following, waiting=tuple(waiting))


def of_metric(row: MetricRow, view: MigrationView, waiting: tuple[str, ...] = ()) -> Problem:
    """Return the problem that a number out of its bounds is."""
    bound = row.crit if row.status == "crit" else row.warn
    value = f"{row.latest:.4g} {row.unit}".rstrip() if row.latest is not None else "no value"
    what = row.note or (f"{value}, should be within {bound}" if bound else value)
    return Problem(
        row.status,
        row.title or row.name,
        what,
        None,
        next=rollback_hint(view) or "enter: expected against observed",
        waiting=waiting,
    )


@dataclass(frozen=True, slots=True)
class Stuck:
    """A step that failed, or of which nobody knows how it ended."""

    step: str
    state: StageWord
    reason: str
    since: float | None
    exit_code: int | None


def stuck_steps(view: MigrationView) -> list[Stuck]:
    """Return the steps that keep a run from going on."""
    return [
        Stuck(step.id, step.state, step.reason, step.ended_at or step.started_at, step.exit_code)
        for phase in view.phases
        for step in phase.steps
        if step.state in ("failed", "unknown")
    ]


def of_step(stuck: Stuck, view: MigrationView) -> Problem:
    """Return the problem that such a step is."""
    if stuck.state == "unknown":
        what = stuck.reason or "nobody knows how it ended"
        return Problem("unknown", f"step {stuck.step}", what, stuck.since, next="6 migration: say how it ended")
    what = stuck.reason or (f"failed, exit {stuck.exit_code}" if stuck.exit_code is not None else "failed")
    back = rollback_hint(view)
    following = "6 migration: read its output, then run it again" + (f" · {back}" if back else "")
    return Problem("crit", f"step {stuck.step}", what, stuck.since, next=following)


def of_gates(view: MigrationView) -> list[Problem]:
    """Return the problems that gates are which stay shut."""
    back = rollback_hint(view)
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


def rollback_hint(view: MigrationView) -> str:
    """Name the quickest rollback path that is open, while a run is."""
    if view.state not in OPEN_RUN:
        return ""
    ways = [way for way in view.rollbacks if way.available]
    if not ways:
        return ""
    quickest = min(ways, key=_expected)
    return "R: roll back" + (f", ~{format_duration(quickest.expect_s)}" if quickest.expect_s is not None else "")


def _expected(way: RollbackView) -> float:
    return way.expect_s if way.expect_s is not None else float("inf")


def words_of(service: ServiceRow) -> str:
    """Write how a service is: `pg stopped: exit 137`, `api answers 503`."""
    if service.state == "running" and service.detail:
        return f"{service.name} {service.detail}"
    return f"{service.name} {service.state}" + (f": {service.detail}" if service.detail else "")


def title_of(row: ServiceRow) -> str:
    """Name a service for people: what was found by itself with the project that it belongs to."""
    if row.kind in _GROUPED and row.group and row.id not in ("", row.name) and row.group not in row.name:
        return f"{row.group}/{row.name}"
    return row.name
