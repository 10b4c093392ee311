"""The values of a unit: what its command is filled with, and what it puts out for later ones."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from switchover.errors import RefusedError
from switchover.migration.facts.run_state import RunState
from switchover.migration.run.execution_unit import ExecutionUnit
from switchover.migration.run.run_store import RunStore
from switchover.migration.steps.captured_secrets import read_captured
from switchover.plan.model import Variable
from switchover.plan.secrets.secret_store import why_held_back
from switchover.plan.templates import TemplateError
from switchover.plan.variables import MissingValueError, check_value, render

__all__ = ["fill_argv", "fill_environment", "fill_text", "read_outputs"]


def fill_text(run_store: RunStore, text: str) -> str:
    """Fill in variables. Raise `RefusedError` that says which value is missing and how to give it."""
    try:
        return render(text, run_store.values.scope())
    except MissingValueError as error:
        raise _missing(run_store, error) from error
    except TemplateError as error:
        raise RefusedError(f"{text!r} cannot be filled in: {error}", "mend the plan") from error


def fill_argv(run_store: RunStore, unit: ExecutionUnit) -> tuple[str, ...]:
    """Fill in the arguments. Raise `RefusedError` for one that would show a secret to all who look at `ps`."""
    if unit.is_shell:
        return unit.argv
    argv = tuple(fill_text(run_store, word) for word in unit.argv)
    revealed = run_store.values.revealed_scope()
    if any(render(word, revealed) != shown for word, shown in zip(unit.argv, argv, strict=True)):
        raise RefusedError(
            f"{unit.name} was not started: an argument holds what a step captured as a secret, and would show in `ps`",
            "hand it over in `env`",
        )
    return argv


async def fill_environment(run_store: RunStore, unit: ExecutionUnit, number: int) -> dict[str, str]:
    """Fill in its environment. Raise `RefusedError` for a value that is missing."""
    await why_held_back(run_store.tools.secrets)  # what it prints is kept: what can be known is to be kept out
    scope = run_store.values.revealed_scope()

    def fill() -> dict[str, str]:
        return {name: render(text, scope, run_store.tools.secrets) for name, text in unit.env.items()}

    try:
        # A secret may have to be fetched by a command or over the network.
        needs_secret = any("secret." in text for text in unit.env.values())
        filled = await asyncio.to_thread(fill) if needs_secret else fill()
    except MissingValueError as error:
        raise _missing(run_store, error) from error
    except TemplateError as error:
        raise RefusedError(f"{unit.name}: its environment cannot be filled in: {error}", "mend the plan") from error
    ours = {
        "SWITCHOVER_RUN_ID": run_store.state.run_id,
        "SWITCHOVER_STEP": unit.label or unit.name,
        "SWITCHOVER_ATTEMPT": str(number),
    }
    if unit.run_on:
        return {**filled, **ours, "SWITCHOVER_HOST": unit.machine or unit.run_on}
    return {**run_store.tools.environ, **filled, **ours}


def read_outputs(
    run_store: RunStore, run: RunState, name: str, record: Mapping[str, Any], *, done: bool
) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Return what all may read, what only later steps get, and what is wrong with either."""
    step = next((step for step in run_store.plan.all_steps if step.id == name), None)
    unit = ExecutionUnit.of_step(step) if step is not None else None
    key, hidden = run_store.values.seal_key, unit.hidden if unit is not None else ()
    outputs, sealed, shut = read_captured(record, key, run.run_id, name, hidden, run_store.clean)
    notes = []
    if shut:
        notes.append(f"what it captured cannot be read without {key.path}: {', '.join(shut)}")
    if step is None:
        return outputs, sealed, notes
    for output, spec in step.captures.items():
        if output not in outputs or output in sealed:
            continue
        try:
            outputs[output] = check_value(output, Variable(type=spec.type), outputs[output])
        except ValueError as error:
            notes.append(f"output {error}")
            del outputs[output]
    lacking = [output for output in step.captures if output not in outputs and output not in shut]
    if done and (absent := [output for output in lacking if output not in record.get("outputs", {})]):
        notes.append(f"nothing in its output gave {', '.join(absent)}")
    return outputs, sealed, notes


def _missing(run_store: RunStore, error: MissingValueError) -> RefusedError:
    refused = run_store.values.resolve().refused.get(error.name) or run_store.values.why_shut(error.name)
    return RefusedError(f"{error.title}: {refused}" if refused else error.title, error.hint)
