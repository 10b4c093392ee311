"""Compares where a case came to with what it expects. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from switchover.cli.plan_test.plan_cases import Expected
from switchover.cli.plan_test.walk import Walked
from switchover.costs.estimate import costs_view
from switchover.plan.members.member_names import members_of

__all__ = ["differences"]


def differences(expected: Expected, walked: Walked) -> tuple[str, ...]:
    """Return what came out otherwise, a line each; nothing where all is as expected."""
    found = [*_whole(expected, walked), *_steps(expected, walked)]
    if found and walked.why:
        found.append(f"the run is {_place(walked)}: {walked.why}")
    return tuple(found)


def _place(walked: Walked) -> str:
    return f"{walked.run} at {walked.at}" if walked.at else walked.run


def _whole(expected: Expected, walked: Walked) -> Iterator[str]:
    if expected.run is not None and expected.run != walked.run:
        yield f"run: expected {expected.run}, was {_place(walked)}"
    if expected.at is not None and expected.at not in _names_of(walked):
        yield f"at: expected {expected.at}, was {walked.at or walked.run}"
    if expected.because is not None and set(expected.because) != set(walked.because):
        yield f"because: expected {_list(expected.because)}, was {_list(walked.because)}"
    for offer in expected.offers or ():
        if offer not in walked.offers:
            yield f"offers: {offer} is not offered; offered: {_list(walked.offers)}"
    if expected.rollbacks is not None and set(expected.rollbacks) != set(walked.open_rollbacks):
        yield f"rollbacks: expected {_list(expected.rollbacks)}, open: {_list(walked.open_rollbacks)}"
    if expected.loses is not None and expected.loses != walked.loses:
        yield f"loses: expected {str(expected.loses).lower()}, was {str(walked.loses).lower()}"
    if expected.proved is not None and set(expected.proved) != set(walked.proved):
        yield f"proved: expected {_list(expected.proved)}, was {_list(walked.proved)}"
    if expected.cost_after is not None:
        costs = costs_view(walked.plan)
        least = "at least " if costs.unpriced else ""
        if costs.after_total != expected.cost_after or least:
            yield f"cost_after: expected {expected.cost_after}, was {least}{costs.after_total or 'nothing'}"


def _steps(expected: Expected, walked: Walked) -> Iterator[str]:
    steps = [step.id for step in walked.plan.all_steps]
    for name in expected.not_started:
        for step in members_of(steps, name) or (name,):
            if walked.state.unit(step).began:
                yield f"not_started: {step} has started"
    for name in expected.started:
        for step in members_of(steps, name) or (name,):
            if not walked.state.unit(step).began:
                yield f"started: {step} has not started"
    for part in expected.ran:
        if not any(part in command for command in walked.commands):
            yield f"ran: no command with {part!r} was run"
    for part in expected.asked:
        if not any(part in text for text in walked.asked):
            yield f"asked: nobody was asked {part!r}"


def _names_of(walked: Walked) -> tuple[str, ...]:
    """Return what the place may be called: a step alone, or with its phase in front."""
    for phase in walked.plan.phases:
        if any(step.id == walked.at for step in phase.steps):
            return (walked.at, f"{phase.id}.{walked.at}")
    return (walked.at,)


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "none"
