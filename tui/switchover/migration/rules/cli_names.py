"""Names from a command line, checked against the plan before anything happens."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

from switchover.errors import UsageError
from switchover.migration.facts.run_state import RunState
from switchover.plan.model import Plan

__all__ = ["check_names", "check_resolutions", "known_name", "unused"]

_CHOICES = ("done", "failed", "retry", "rollback", "skip")


def check_names(
    plan: Plan, until: str | None, confirmations: Iterable[str], ticks: Iterable[str], retries: Iterable[str]
) -> None:
    """Raise `UsageError` for a name that the plan does not have, or that asks for something it does not need."""
    steps = [step.id for step in plan.all_steps]
    phases = [phase.id for phase in plan.phases]
    if until is not None:
        known_name(until, phases, "phase")
    asking = {step.id for step in plan.all_steps if step.confirm is not None or step.irreversible}
    asking |= {phase.id for phase in plan.phases if phase.gate is not None and phase.gate.human}
    for name in confirmations:
        known_name(name, [*steps, *phases], "step or gate")
        if name not in asking:
            raise UsageError(f"{name} asks for no confirmation", f"these do: {', '.join(sorted(asking)) or 'none'}")
    for name in ticks:
        _check_item(plan, name, steps)
    for name in retries:
        known_name(name, steps, "step")


def _check_item(plan: Plan, name: str, steps: list[str]) -> None:
    step_id, dot, number = name.partition(".")
    known_name(step_id, steps, "step")
    items = len(plan.step(step_id).checklist)
    if not items:
        checklist = [step.id for step in plan.all_steps if step.checklist]
        raise UsageError(f"{step_id} has no items to tick", f"these have: {', '.join(checklist) or 'none'}")
    if dot and number not in {str(item) for item in range(1, items + 1)}:
        raise UsageError(f"{step_id} has no item {number!r}", f"it has 1 to {items}" if items > 1 else "it has only 1")


def check_resolutions(plan: Plan, state: RunState, resolutions: Mapping[str, str]) -> None:
    """Raise `UsageError` for a step, an action of the rollback, or a choice that does not exist."""
    units = [item.unit for item in state.rollback.items] if state.rollback else []
    for name, choice in resolutions.items():
        known_name(name, [*(step.id for step in plan.all_steps), *units], "step")
        known_name(choice, _CHOICES, "choice", of="--resolve")


def known_name(name: str, known: Collection[str], what: str, of: str = "the plan") -> None:
    """Raise `UsageError` that names the nearest one where `name` is none of `known`."""
    if name in known:
        return
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"it has {', '.join(known) or 'none'}"
    raise UsageError(f"{of} has no {what} {name!r}", hint)


def unused(
    plan: Plan, state: RunState, confirmations: Collection[str], ticks: Collection[str], retries: Collection[str]
) -> tuple[str, ...]:
    """Say of each thing that was given, and that nothing asked for, how its step or gate stands."""
    phases = {phase.id for phase in plan.phases}
    said = []
    for option, names in (("--confirm", confirmations), ("--tick", ticks), ("--retry", retries)):
        for name in names:
            unit = name.partition(".")[0]
            of_gate = option == "--confirm" and unit in phases and unit not in state.units
            stands = f"gate {unit} is {state.gate(unit).stage}" if of_gate else f"{unit} is {state.unit(unit).stage}"
            said.append(f"{option} {name} was not used: {stands}")
    return tuple(said)
