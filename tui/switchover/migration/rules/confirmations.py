"""Confirmations: the exact text, from the right number of people, not before its time. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from switchover.errors import RefusedError
from switchover.migration.facts.operator import Operator
from switchover.migration.facts.run_state import RunState, Timestamp
from switchover.plan.model import Step
from switchover_checks.language.units import format_duration

__all__ = [
    "VALID_FOR_S",
    "answered_by",
    "check_text",
    "confirmed_by",
    "elapsed",
    "missing_person",
    "missing_word",
    "second_person",
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
