"""What a run would do, in words: exact commands, names of environment variables, gates, confirmations, ways back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from switchover.errors import SwitchoverError
from switchover_checks.units import format_duration

if TYPE_CHECKING:
    from switchover.migration.engine import Engine
    from switchover.plan.model import Gate, Step

__all__ = ["describe_run"]


def describe_run(engine: Engine, variables: Mapping[str, str], *, until: str | None) -> str:
    """Return the whole of it; steps that are done already are left out."""
    return "\n".join(_lines(engine, variables, until))


def _lines(engine: Engine, variables: Mapping[str, str], until: str | None) -> Iterator[str]:
    from switchover.migration.state import Stage

    plan, state = engine.loaded.plan, engine.state
    yield f"{plan.id}: {plan.title}"
    yield f"target: {plan.target or 'not named'}"
    for name, variable in plan.vars.items():
        value = state.variables.get(name) or variables.get(name) or engine.scope().values.get(name)
        source = f"from the output {variable.from_output}" if variable.from_output else "asked for at the start"
        yield f"variable {name}: {value or source}"
    for phase in plan.phases:
        yield ""
        yield f"phase {phase.id}" + (f": {phase.title}" if phase.title else "")
        for step in phase.steps:
            if state.unit(step.id).stage is Stage.DONE:
                yield f"  step {step.id}: done already"
            else:
                yield from _step(engine, step)
        if phase.gate is not None:
            yield from _gate(phase.gate)
        if phase.id == until:
            break
    if plan.rollback_plans:
        yield ""
    for name, way in plan.rollback_plans.items():
        closed = f", until {way.valid_until} begins" if way.valid_until else ""
        budget = f", within {format_duration(way.budget)}" if way.budget else ""
        yield f"way back {name}: {way.title}{budget}{closed}"
    yield ""
    yield "nothing was executed, and nothing was written"


def _step(engine: Engine, step: Step) -> Iterator[str]:
    from switchover.migration.execution import SHELL

    yield f"  step {step.id}" + (f": {step.title}" if step.title else "")
    for item in step.manual:
        yield f"    a person: {item}"
    if step.run is not None:
        yield from _command(step.run, SHELL, step.env)
        effect = f"    effect {step.effect or 'not declared'}" + (", irreversible" if step.irreversible else "")
        yield f"{effect}; ends after {format_duration(step.timeout)} at the latest"
    if step.confirm is not None:
        extra = f", once {', '.join(step.confirm.require)} pass" if step.confirm.require else ""
        yield f'    confirmation: type "{_filled(engine, step.confirm.type)}"{extra}'
        if step.confirm.cooldown:
            yield f"    cools down for {format_duration(step.confirm.cooldown)} first"
        if step.confirm.not_before:
            yield f"    not before {step.confirm.not_before}"
        if step.confirm.persons > 1:
            yield f"    needs {step.confirm.persons} people"
    if step.rollback is not None:
        yield "    undone by"
        yield from _command(step.rollback.run, SHELL, step.rollback.env)


def _command(text: str, shell: tuple[str, ...], env: Mapping[str, str]) -> Iterator[str]:
    yield f"    argv {json.dumps([*shell, text], ensure_ascii=False)}"
    if env:
        yield f"    environment {', '.join(sorted(env))}"


def _gate(gate: Gate) -> Iterator[str]:
    needs = [*gate.require, *(f"objective {name}" for name in gate.prove)]
    held = f", held for {format_duration(gate.hold)}" if gate.hold else ""
    retry = f", within {format_duration(gate.retry.for_)}" if gate.retry else ""
    yield f"  gate: {', '.join(needs) or 'no checks'}{held}{retry}"
    if gate.human:
        yield f"    a person says go: {gate.human}"


def _filled(engine: Engine, text: str) -> str:
    from switchover.plan.templates import TemplateError
    from switchover.plan.variables import render

    try:
        return render(text, engine.scope())
    except (SwitchoverError, TemplateError):
        return text
