"""Runs the useful commands of a plan: bounded, on record, never two of one name at once."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from contextlib import suppress

from switchover.errors import RefusedError, SwitchoverError
from switchover.hub.history.operations import Operations
from switchover.hub.problems.case_commands import filled_env
from switchover.hub.problems.cases import Cases
from switchover.hub.problems.diagnosis import Diagnosis
from switchover.hub.problems.solver import YES
from switchover.migration.facts.display import display
from switchover.migration.facts.operator import Operator
from switchover.plan.complaints import did_you_mean
from switchover.plan.model import UsefulCommand
from switchover.plan.secrets.secret_store import SecretSource
from switchover.snapshot import UsefulCommandView

__all__ = ["UsefulCommands", "command_views"]

Result = tuple[str, int, str]


def command_views(commands: Mapping[str, UsefulCommand]) -> tuple[UsefulCommandView, ...]:
    """Return the commands as a screen lists them."""
    return tuple(
        UsefulCommandView(
            name,
            command.title or name,
            command.key or "",
            display(command.command),
            command.effect,
            command.run_on or "",
        )
        for name, command in commands.items()
    )


class UsefulCommands:
    """Runs them for a person, as `diagnosis` runs commands. `cases` fills in what they name."""

    def __init__(
        self, cases: Cases, operations: Operations, diagnosis: Diagnosis, secrets: SecretSource | None = None
    ) -> None:
        self._cases = cases
        self._operations = operations
        self._diagnosis = diagnosis
        self._secrets = secrets
        self._under_way: set[str] = set()

    async def run(self, name: str, confirmation: str, operator: Operator, *, only_reads: bool) -> list[Result]:
        """Run a command; return (command, exit code, output) for each machine.

        `confirmation` is `yes` where it changes something; with `only_reads` such a command is refused. Raise
        `RefusedError`.
        """
        commands = self._cases.commands
        command = commands.get(name)
        if command is None:
            has = f"it has: {', '.join(commands)}" if commands else "it has none: write them in `commands:`"
            raise RefusedError(f"the plan has no command {name[:60]!r}{did_you_mean(name, commands)}", has)
        reads = command.effect == "read"
        if self._diagnosis.read_only:
            raise RefusedError("commands are not run here", "this session is read-only")
        if not reads and only_reads:
            raise RefusedError(f"{name} does more than read", "it is asked for as what changes something")
        if not reads and confirmation != YES:
            raise RefusedError(f"{name} changes something, and was not confirmed", "confirm it with yes")
        if name in self._under_way:
            raise RefusedError(f"{name} runs already", "wait until it has ended")
        self._under_way.add(name)
        try:
            return await self._on_record(name, command, operator)
        finally:
            self._under_way.discard(name)

    async def _on_record(self, name: str, command: UsefulCommand, operator: Operator) -> list[Result]:
        text = command.run if command.run is not None else shlex.join(map(self._cases.filled, command.argv or ()))
        env = await filled_env(command.env, self._cases.scope(), self._secrets)
        machines, cwd = self._cases.machines(command.run_on), self._cases.filled(command.cwd or "")
        ended: list[Result] = []

        async def work() -> str:
            leaves = command.effect != "read"  # what it starts may stay
            ended.extend(await self._diagnosis.bounded(text, env, cwd, machines, command.timeout, leaves=leaves))
            if bad := next((code for _, code, _ in ended if code), 0):
                raise _FailedError(f"exit {bad}")
            return "done"

        with suppress(_FailedError):
            await self._operations.perform(operator, "command", name, work, kind="plan", command=text)
        return ended


class _FailedError(SwitchoverError):
    """A command ended with another exit code than 0."""
