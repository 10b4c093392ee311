"""Confirmations: the exact text, from the right number of people, not before its time. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from switchover.errors import RefusedError
from switchover.migration.facts.operator import Operator
from switchover.migration.facts.run_state import RunState, Timestamp
from switchover.plan.model import Plan, Step
from switchover.plan.notations import parse_moment
from switchover_checks.language.units import format_duration

__all__ = [
    "VALID_FOR_S",
    "answered_by",
    "check_text",
    "confirmed_by",
    "elapsed",
    "missing_person",
    "missing_word",
    "ready_at",
    "second_person",
    "why_not_yet",
]

VALID_FOR_S = 900.0  # how long the first of two persons' word counts


def elapsed(since: Timestamp, now: Timestamp) -> float:
    """Return the seconds between two moments: by the monotonic clock within one boot, else by the wall clock."""
    if since.boot_id == now.boot_id:
        return max(0.0, now.mono - since.mono)
    return max(0.0, now.at - since.at)


def check_text(step: Step, wanted: str, given: str | None) -> None:
    """Raise `RefusedError` unless exactly the wanted text was typed."""
    if step.irreversible and step.confirm is None:
        raise RefusedError(f"{step.id} is irreversible and has no confirmation", "add `confirm:` to the plan")
    if given is None:
        raise RefusedError(f"{step.id} needs a typed confirmation", f"type exactly: {wanted}")
    if given != wanted:
        raise RefusedError(f"the confirmation of {step.id} does not match", f"type exactly: {wanted}")


def missing_person(step: Step, state: RunState, operator: Operator, now: Timestamp) -> str:
    """Return who is still missing after `operator` has confirmed, or nothing. Refuse the same person twice."""
    if step.confirm is None or step.confirm.persons < 2:
        return ""
    return missing_word(step.id, confirmed_by(step, state, now), operator)


def missing_word(name: str, given: Sequence[Operator], operator: Operator) -> str:
    """Return who is still missing at a step or a gate after `operator` has spoken, or nothing. Refuse one twice.

    Two people are two accounts, as the kernel named them to an agent. Whom nobody vouches for may carry out what two
    others have said.
    """
    if any(one.is_another_than(other) for one in given for other in (*given, operator)):
        return ""
    if operator.uid is None:
        raise RefusedError(
            f"{name} needs two people, and nobody vouches for who {operator.who} is",
            f"start an agent (`switchover agent start PLAN`), then `switchover confirm PLAN {name}`, outside of "
            "user namespaces and under an account of one's own: the agent hears from the kernel who it is",
        )
    if any(by.uid is not None for by in given):
        raise RefusedError(
            f"{name} needs two people, and {operator.who} has confirmed it already", second_person(operator, name)
        )
    return f"{name} needs a second person: {operator.who} has confirmed it"


def confirmed_by(step: Step, state: RunState, now: Timestamp) -> tuple[Operator, ...]:
    """Return whose word for the step still counts."""
    return _fresh(state.unit(step.id).confirmations, now)


def answered_by(phase: str, state: RunState, now: Timestamp) -> tuple[Operator, ...]:
    """Return whose go at a gate still counts."""
    return _fresh(state.gate(phase).answers, now)


def _fresh(words: Sequence[tuple[Operator, Timestamp]], now: Timestamp) -> tuple[Operator, ...]:
    return tuple(by for by, at in words if elapsed(at, now) <= VALID_FOR_S)


def second_person(operator: Operator, name: str) -> str:
    """Say what the second person does."""
    return (
        f"within {format_duration(VALID_FOR_S)} a second person, under an account of their own, runs "
        f"`switchover confirm PLAN {name} --with {operator.who}`; the agent has to serve a group of you: "
        "`switchover agent start PLAN --group NAME`"
    )


def ready_at(plan: Plan, state: RunState, step: Step, now: Timestamp) -> float | None:
    """Return when (epoch seconds) the step's time comes, None where it has come or is not known yet."""
    if step.confirm is None:
        return None
    lefts = []
    if step.confirm.cooldown:
        since = _ready_since(plan, state, step.id)
        lefts.append(step.confirm.cooldown - (elapsed(since, now) if since else 0.0))
    if step.confirm.not_before:
        try:
            moment = parse_moment(step.confirm.not_before)
        except ValueError:
            return None
        if isinstance(moment, datetime):
            lefts.append(moment.timestamp() - now.at)
        else:
            ended = _phase_end(plan, state, moment.name) if moment.kind == "phase" else state.unit(moment.name).ended
            if ended is None:
                return None
            lefts.append(moment.delay_s - elapsed(ended, now))
    left = max(lefts, default=0.0)
    return now.at + left if left > 0 else None


def why_not_yet(plan: Plan, state: RunState, step: Step, now: Timestamp) -> str:
    """Return why the step's time has not come (cool-down, not before), or nothing."""
    if step.confirm is None:
        return ""
    if step.confirm.cooldown:
        since = _ready_since(plan, state, step.id)
        left = step.confirm.cooldown - (elapsed(since, now) if since else 0.0)
        if left > 0:
            return f"cools down for another {format_duration(left)}"
    if step.confirm.not_before:
        return _not_before(step.confirm.not_before, plan, state, now)
    return ""


def _ready_since(plan: Plan, state: RunState, step_id: str) -> Timestamp | None:
    """Return when everything before the step was through."""
    latest = state.started
    for phase in plan.phases:
        for step in phase.steps:
            if step.id == step_id:
                return latest
            latest = state.unit(step.id).ended or latest
        latest = state.gate(phase.id).ended or latest
    return latest


def _not_before(text: str, plan: Plan, state: RunState, now: Timestamp) -> str:
    try:
        moment = parse_moment(text)
    except ValueError as error:
        return f"its time cannot be read: {error}"
    if isinstance(moment, datetime):
        return f"not before {text.strip()}" if now.at < moment.timestamp() else ""
    since = _phase_end(plan, state, moment.name) if moment.kind == "phase" else state.unit(moment.name).ended
    if since is None:
        return f"waits for {moment.kind} {moment.name} to end"
    left = moment.delay_s - elapsed(since, now)
    return f"not before {text}: another {format_duration(left)}" if left > 0 else ""


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
