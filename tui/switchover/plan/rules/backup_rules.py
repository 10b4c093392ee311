"""Backups: since when they must have been written, and whether they are still young when a confirmation needs them."""

from __future__ import annotations

from collections.abc import Iterator

from switchover.plan.complaints import Complaint
from switchover.plan.members.member_names import part_of
from switchover.plan.model import Phase
from switchover.plan.notations import After, parse_moment
from switchover.plan.rules.draft import Draft, looped
from switchover.plan.step_model import Step
from switchover_checks.language.units import format_duration, parse_duration

__all__ = ["backup_moments", "backups_of_others", "backups_too_old"]


def backup_moments(draft: Draft) -> Iterator[Complaint]:
    """Complain about a backup that is to be newer than a step that the plan does not have."""
    steps = [step for _, step in draft.names.steps]
    for name, check in draft.plan.checks.items():
        since = check.config.get("newer_than") if check.kind == "backup" else None
        if isinstance(since, str) and "{{" not in since:
            yield from draft.unknown(("checks", name, "newer_than"), "step", since, ("run", *steps, *looped(steps)))


def backups_of_others(draft: Draft) -> Iterator[Complaint]:
    """Warn of what cannot be undone and rests on a check that is no backup. Nothing here knows what that proves."""
    for path, step in draft.steps():
        if not step.irreversible or step.confirm is None:
            continue
        kinds = {check.kind for name in step.confirm.require if (check := part_of(draft.plan.checks, name)) is not None}
        if kinds and "backup" not in kinds:
            yield Complaint(
                (*path, "confirm", "require"),
                f"step {step.id!r} rests on no check of kind backup: nothing here proves that it can be restored",
            )


def backups_too_old(draft: Draft) -> Iterator[Complaint]:
    """Warn of a confirmation that rests on a backup which the waits before it make too old."""
    made = _made_in(draft)
    for path, step in draft.steps():
        for n, name in enumerate(step.confirm.require if step.confirm is not None else ()):
            check = draft.plan.checks.get(name)
            most = _seconds(check.config.get("max_age")) if check is not None and check.kind == "backup" else None
            first = made.get(name)
            if most is None or first is None:
                continue
            waits = _waits(draft, first, int(path[1]), step)
            if waits > most:
                yield Complaint(
                    (*path, "confirm", "require", n),
                    f"the waits before this confirmation take {format_duration(waits)}, and {name!r} may be "
                    f"{format_duration(most)} old: say `newer_than: run` there, or make it later",
                )


def _made_in(draft: Draft) -> dict[str, int]:
    """Return the first phase that names each thing in a step's end or in its gate: there it is made."""
    found: dict[str, int] = {}
    for p, phase in enumerate(draft.plan.phases):
        for step in phase.steps:
            for name in (*step.ready, *step.verify):
                found.setdefault(name, p)
        for name in phase.gate.require if phase.gate is not None else ():
            found.setdefault(name, p)
    return found


def _waits(draft: Draft, first: int, last: int, step: Step) -> float:
    """Return the seconds that surely pass between a phase and the confirmation of a step."""
    phases = draft.plan.phases
    held = sum(phase.gate.hold for phase in phases[first:last] if phase.gate is not None)
    cooled = sum(_cooldown(one) for phase in phases[first + 1 : last] for one in phase.steps)
    own = _cooldown(step) if last > first else 0.0
    asked = [_after(text, phases, first) for text in _moments(phases[last], step)] if last > first else []
    return max((held + cooled + own, *asked))


def _moments(phase: Phase, step: Step) -> Iterator[str]:
    texts = (phase.not_before, step.not_before, step.confirm.not_before if step.confirm is not None else None)
    yield from (text for text in texts if text is not None)


def _after(text: str, phases: tuple[Phase, ...], first: int) -> float:
    """Return how long after a phase's end something may begin, where that phase is not before the backup's."""
    try:
        moment = parse_moment(text)
    except ValueError:
        return 0.0
    if not isinstance(moment, After):
        return 0.0
    there = {phase.id for phase in phases[first:]} | {step.id for phase in phases[first:] for step in phase.steps}
    return moment.delay_s if moment.name in there else 0.0


def _cooldown(step: Step) -> float:
    return step.confirm.cooldown if step.confirm is not None else 0.0


def _seconds(value: object) -> float | None:
    try:
        return parse_duration(value) if value is not None else None
    except ValueError:
        return None
