"""A command of a troubleshooting entry as it is run: where, with which variables, and what is asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from switchover.errors import RefusedError
from switchover.plan.secrets.secret_store import SecretError, SecretSource
from switchover.plan.templates import TemplateError
from switchover.plan.variables import MissingValueError, Scope, render

__all__ = ["CaseCommand", "answers_for", "filled_env"]

_LONGEST_ANSWER = 400


@dataclass(frozen=True, slots=True)
class CaseCommand:
    """A command that looks closer. `env` may hold templates; `machines` are what ssh calls them, empty for here.

    `why_not` says what keeps it from being run.
    """

    command: str
    shows: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    machines: tuple[str, ...] = ()
    why_not: str = ""


async def filled_env(env: Mapping[str, str], scope: Scope, secrets: SecretSource | None) -> Mapping[str, str]:
    """Fill in the variables of a command. Raise `RefusedError` where that cannot be done yet."""

    def fill() -> dict[str, str]:
        return {name: render(text, scope, secrets) for name, text in env.items()}

    if not any("{{" in text for text in env.values()):
        return env
    try:
        return await asyncio.to_thread(fill)  # a secret may have to be fetched
    except (MissingValueError, SecretError) as error:
        raise RefusedError(error.title, error.hint) from error
    except TemplateError as error:
        raise RefusedError(f"its environment cannot be filled in: {error}", "mend the plan") from error


def answers_for(asked: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return what a person has answered. Raise `RefusedError` where something is not answered, or in no one line."""
    if unknown := sorted(given.keys() - asked.keys()):
        raise RefusedError(f"nothing asks for {unknown[0][:60]!r}", f"asked is {', '.join(asked) or 'nothing'}")
    for name, question in asked.items():
        answer = given.get(name, "").strip()
        if not answer:
            raise RefusedError(f"{name} is not answered: {question}", "nothing was done")
        if len(answer) > _LONGEST_ANSWER or not answer.isprintable():
            raise RefusedError(f"{name} is one line of at most {_LONGEST_ANSWER} characters", "nothing was done")
    return {name: given[name].strip() for name in asked}
