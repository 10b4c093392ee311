"""What a run would do, in words: exact commands, names of environment variables, gates, confirmations, ways back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from switchover.errors import SwitchoverError, UsageError
from switchover_checks.language.units import format_duration

if TYPE_CHECKING:
    from switchover.migration.facts.run_state import RunState
    from switchover.migration.run.engine import Engine
    from switchover.plan.model import ChecklistItem, Gate, Phase, Plan, RollbackAction, Step
    from switchover.plan.variables import Scope

__all__ = ["describe_run"]


@dataclass(frozen=True, slots=True)
class _Preview:
    """The plan that a run would go by, and its `state`. A run that would begin anew has none yet."""

    plan: Plan
    state: RunState
    scope: Scope
    command: Callable[[str], str]

    @classmethod
    def of(cls, engine: Engine, variables: Mapping[str, str]) -> _Preview:
        """Look at the open run, else at the file as the next run would begin with it."""
        from switchover.migration.facts.run_state import RunState
        from switchover.plan.variables import Scope, resolve_variables

        file, command = engine.run_store.file, engine.run_store.workspace.command
        if engine.state.exists and not engine.state.finished:
            return cls(engine.loaded.plan, engine.state, engine.scope(), command)
        base = Scope.of(file.plan, file.directory, str(int(engine.state.run_id or 0) + 1))
        values = resolve_variables(file.plan, dict(variables), {}, base).values
        return cls(file.plan, RunState(), replace(base, values=dict(values)), command)


def describe_run(engine: Engine, variables: Mapping[str, str], *, until: str | None, new: bool = False) -> str:
    """Return all of it: what is done already, what would be done, and what a person has to decide first."""
    preview = _Preview.of(engine, variables)
    phases = [phase.id for phase in preview.plan.phases]
    if until is not None and until not in phases:
        raise UsageError(f"the plan has no phase {until!r}", f"it has {', '.join(phases)}")
    return "\n".join([*_before(engine, preview, new=new), *_lines(preview, variables, until)])


def _before(engine: Engine, preview: _Preview, *, new: bool) -> Iterator[str]:
    """Say what stands before anything would be done."""
    state = engine.state
    if state.finished and not new:
        word = state.stage.value.replace("_", " ")
        other = f", and {engine.other_plan}" if engine.other_plan else ""
        yield f"run {state.run_id} is {word}{other}: nothing would be executed; with --new all of this:"
    elif preview.state.exists and engine.other_plan:
        yield f"{engine.other_plan}; the run goes by the plan it was started with:"


def _lines(preview: _Preview, variables: Mapping[str, str], until: str | None) -> Iterator[str]:
    plan, state = preview.plan, preview.state
    yield f"{plan.id}: {plan.title}"
    yield f"target: {plan.target or 'not named'}"
    for name in plan.vars:
        value = state.variables.get(name) or variables.get(name) or preview.scope.values.get(name)
        source = "what steps put out" if name in plan.late_variables else "asked for at the start"
        yield f"variable {name}: {value or source}"
    if state.rollback is not None:
        yield from ("", "a rollback was begun: no step and no gate of this run comes any more")
        yield f"`{preview.command('rollback')} --dry-run` shows what it does"
        return
    for phase in plan.phases:
        yield ""
        group = f"{phase.group} · " if phase.group else ""
        yield f"{group}phase {phase.id}" + (f": {phase.title}" if phase.title else "")
        yield from _times(phase, "  ")
        for step in phase.steps:
            yield from _stands(preview, step)
        if phase.gate is not None:
            passed = state.gate(phase.id).stage.value == "done"
            yield from ["  gate: has passed"] if passed else _gate(phase.gate)
        if phase.id == until:
            break
    if plan.rollbacks:
        yield ""
    for name, way in plan.rollbacks.items():
        closed = f", until {way.valid_until} begins" if way.valid_until else ""
        within = f", within {format_duration(way.within)}" if way.within else ""
        yield f"way back {name}: {way.title}{within}{closed}"
    yield ""
    yield "nothing was executed, and nothing was written"


def _stands(preview: _Preview, step: Step) -> Iterator[str]:
    """Say of a step how it stands, and what would be done where anything would."""
    match preview.state.unit(step.id).stage.value:
        case "done":
            yield f"  step {step.id}: done already"
        case "running":
            yield f"  step {step.id}: has begun, and its end is not known yet"
        case "unknown":
            decides = f"`{preview.command('run')} --resolve {step.id}=CHOICE --reason TEXT` decides"
            yield f"  step {step.id}: nobody knows how it ended; {decides}"
        case "failed":
            yield from _step(preview, step, f"failed; only `{preview.command('run')} --retry {step.id}` runs it again")
        case _:
            yield from _step(preview, step)


def _step(preview: _Preview, step: Step, note: str = "") -> Iterator[str]:
    yield f"  step {step.id}" + (f": {step.title}" if step.title else "")
    if note:
        yield f"    {note}"
    for item in step.checklist:
        yield f"    a person: {_item(item)}"
    if step.run_on:
        yield f"    on {_hosts(preview, step)}"
    if step.command:
        yield from _command(preview, step)
        effect = f"    effect {step.effect or 'not declared'}" + (", irreversible" if step.irreversible else "")
        if step.only_if is not None:
            yield f"    only if {step.only_if}"
        if step.parallel is not None:
            yield f"    side by side with the others of {step.parallel}"
        if step.files:
            yield f"    executes {', '.join(step.files)}, as frozen with the plan"
        if step.keep:
            yield f"    keeps {', '.join(step.keep)}"
        if step.ready:
            within = format_duration(step.ready_within)
            yield f"    done once {', '.join(step.ready)} is fine, within {within} of its end"
        yield f"{effect}; ends after {format_duration(step.timeout)} at the latest"
    yield from _times(step, "    ")
    if step.confirm is not None:
        extra = f", once {', '.join(step.confirm.require)} pass" if step.confirm.require else ""
        yield f'    confirmation: type "{_filled(preview.scope, step.confirm.text)}"{extra}'
        if step.confirm.cooldown:
            yield f"    cools down for {format_duration(step.confirm.cooldown)} first"
        if step.confirm.not_before:
            yield f"    not before {step.confirm.not_before}"
        if step.confirm.persons > 1:
            yield f"    needs {step.confirm.persons} people"
    if step.undo is not None:
        yield "    undone by"
        yield from _command(preview, step.undo)
    elif step.undo_note:
        yield f"    undo: {step.undo_note}"


def _times(part: Phase | Step, indent: str) -> Iterator[str]:
    if part.not_before:
        yield f"{indent}not before {part.not_before}"
    if part.window:
        yield f"{indent}begins only in the window {part.window}"
    if part.due is not None:
        yield f"{indent}due {format_duration(part.due)} after its turn has come"


def _hosts(preview: _Preview, step: Step) -> str:
    """Say on which machines it runs, and on how many at a time."""
    host = preview.plan.hosts[step.run_on or ""]
    names = ", ".join(_filled(preview.scope, text) for text in host.destinations)
    if len(host.destinations) == 1:
        return f"{step.run_on} (ssh {names})"
    most = f", no further one once more than {step.max_fail} failed"
    return f"{step.run_on}: {names}; {step.serial} at a time{most}"


def _item(item: ChecklistItem) -> str:
    notes = [f"while {item.check} is fine"] if item.check else []
    notes += [f"evidence: {item.evidence}"] if item.evidence != "none" else []
    notes += [f"by {item.owner}"] if item.owner else []
    notes += ["optional"] if item.optional else []
    return f"{item.text} ({', '.join(notes)})" if notes else item.text


def _command(preview: _Preview, part: Step | RollbackAction) -> Iterator[str]:
    from switchover.plan.command_model import SHELL

    argv = [_filled(preview.scope, word) for word in part.argv] if part.argv else [*SHELL, part.run]
    yield f"    argv {json.dumps(argv, ensure_ascii=False)}"
    if part.env:
        yield f"    environment {', '.join(sorted(part.env))}"


def _gate(gate: Gate) -> Iterator[str]:
    needs = [*gate.require, *(f"promise {name}" for name in gate.prove)]
    held = f", held for {format_duration(gate.hold)}" if gate.hold else ""
    within = f", waited for no longer than {format_duration(gate.within)}" if gate.within is not None else ""
    yield f"  gate: {', '.join(needs) or 'no checks'}{held}{within}"
    if gate.human:
        whose = "two people say" if gate.persons > 1 else "a person says"
        asked = f" ({', '.join(gate.who)})" if gate.who else ""
        yield f"    {whose} go{asked}: {gate.human}"


def _filled(scope: Scope, text: str) -> str:
    from switchover.plan.templates import TemplateError
    from switchover.plan.variables import render

    try:
        return render(text, scope)
    except (SwitchoverError, TemplateError):
        return text
