"""When a step's time comes: cool-down, earliest moments and windows, its own and those of its phase. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from switchover.migration.facts.run_state import RunState, Timestamp
from switchover.migration.rules.confirmations import elapsed
from switchover.plan.model import Phase, Plan, Step
from switchover.plan.notations import parse_moment, parse_window
from switchover_checks.language.units import format_duration

__all__ = ["due_at", "opens_at", "turn_since", "why_not_yet"]


@dataclass(frozen=True, slots=True)
class _Wait:
    """What a step waits for, in words, and until when, where that is known."""

    why: str
    until: float | None


def why_not_yet(plan: Plan, state: RunState, step: Step, now: Timestamp) -> str:
    """Return why the step's time has not come, or nothing."""
    return next((wait.why for wait in _waits(plan, state, step, now)), "")


def opens_at(plan: Plan, state: RunState, step: Step, now: Timestamp) -> float | None:
    """Return when (epoch seconds) the step's time comes. None where it has come, or nobody can know yet."""
    untils = [wait.until for wait in _waits(plan, state, step, now)]
    return None if None in untils else max((until for until in untils if until is not None), default=None)


def _waits(plan: Plan, state: RunState, step: Step, now: Timestamp) -> Iterator[_Wait]:
    if step.confirm is not None:
        if step.confirm.cooldown:
            since = turn_since(plan, state, step.id)
            left = step.confirm.cooldown - (elapsed(since, now) if since else 0.0)
            if left > 0:
                yield _Wait(f"cools down for another {format_duration(left)}", now.at + left)
        yield from _not_before(step.confirm.not_before, plan, state, now)
    if not state.unit(step.id).began:
        yield from _not_before(step.not_before, plan, state, now)
        yield from _window(step.window, "its window", now)
    phase = plan.phase_of(step.id)
    if not _has_begun(phase, state):
        yield from _not_before(phase.not_before, plan, state, now)
        yield from _window(phase.window, f"the window of phase {phase.id}", now)


def _has_begun(phase: Phase, state: RunState) -> bool:
    return any(state.unit(step.id).began for step in phase.steps)


def _window(text: str | None, whose: str, now: Timestamp) -> Iterator[_Wait]:
    if text is None:
        return
    window = parse_window(text)
    if not window.is_open(now.at):
        at = window.opens_at(now.at)
        when = f"opens in {format_duration(max(60.0, (at - now.at) // 60 * 60))}" if at is not None else "is over"
        yield _Wait(f"{whose} {text} {when}", at)


def _not_before(text: str | None, plan: Plan, state: RunState, now: Timestamp) -> Iterator[_Wait]:
    if text is None:
        return
    try:
        moment = parse_moment(text)
    except ValueError as error:
        yield _Wait(f"its time cannot be read: {error}", None)
        return
    if isinstance(moment, datetime):
        if now.at < moment.timestamp():
            yield _Wait(f"not before {text.strip()}", moment.timestamp())
        return
    since = _phase_end(plan, state, moment.name) if moment.kind == "phase" else state.unit(moment.name).ended
    if since is None:
        yield _Wait(f"waits for {moment.kind} {moment.name} to end", None)
        return
    left = moment.delay_s - elapsed(since, now)
    if left > 0:
        yield _Wait(f"not before {text}: another {format_duration(left)}", now.at + left)


def turn_since(plan: Plan, state: RunState, step_id: str) -> Timestamp | None:
    """Return when everything before the step was through."""
    latest = state.started
    for phase in plan.phases:
        for step in phase.steps:
            if step.id == step_id:
                return latest
            latest = state.unit(step.id).ended or latest
        latest = state.gate(phase.id).ended or latest
    return latest


def due_at(plan: Plan, state: RunState, part: Phase | Step) -> float | None:
    """Return by when (epoch seconds) a phase or step should be through. None while its turn has not come."""
    if part.due is None or not state.exists:
        return None
    if isinstance(part, Step):
        if not _is_through_before(plan, state, plan.phase_of(part.id), part):
            return None
        since = turn_since(plan, state, part.id)
    else:
        if not _is_through_before(plan, state, part, None):
            return None
        since = _phase_turn(plan, state, part)
    return since.at + part.due if since is not None else None


def _phase_turn(plan: Plan, state: RunState, phase: Phase) -> Timestamp | None:
    latest = state.started
    for other in plan.phases:
        if other.id == phase.id:
            return latest
        latest = _phase_end(plan, state, other.id) or latest
    return latest


def _is_through_before(plan: Plan, state: RunState, phase: Phase, step: Step | None) -> bool:
    """Whether all that comes before a phase, or before a step of it, has ended."""
    for other in plan.phases:
        if other.id == phase.id:
            break
        if _phase_end(plan, state, other.id) is None:
            return False
    for other_step in phase.steps if step is not None else ():
        if step is not None and other_step.id == step.id:
            break
        if state.unit(other_step.id).ended is None:
            return False
    return True


def _phase_end(plan: Plan, state: RunState, phase_id: str) -> Timestamp | None:
    for phase in plan.phases:
        if phase.id != phase_id:
            continue
        if phase.gate is not None:
            return state.gate(phase_id).ended
        ends = [state.unit(step.id).ended for step in phase.steps]
        known = [end for end in ends if end is not None]
        return known[-1] if known and len(known) == len(ends) else None
    return None
