"""A unit's command with its values: arguments, environment, folder."""

from __future__ import annotations

import asyncio

from switchover.errors import RefusedError
from switchover.migration.run.execution_unit import ExecutionUnit
from switchover.migration.run.run_store import RunStore
from switchover.plan.secrets.secret_store import why_held_back
from switchover.plan.templates import TemplateError
from switchover.plan.variables import MissingValueError, render

__all__ = ["fill_argv", "fill_environment", "fill_text"]


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


def _missing(run_store: RunStore, error: MissingValueError) -> RefusedError:
    refused = run_store.values.resolve().refused.get(error.name) or run_store.values.why_shut(error.name)
    return RefusedError(f"{error.title}: {refused}" if refused else error.title, error.hint)
