"""Runs the bounded commands of a troubleshooting entry: time, output and process tree have an end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from switchover.errors import RefusedError
from switchover.hosts.far_look import look_there
from switchover.hosts.host_lines import HostLines
from switchover.hub.hub_ports import Redacting
from switchover.hub.problems.case_commands import CaseCommand, filled_env
from switchover.hub.problems.cases import Case, Cases
from switchover.migration.steps.far_parts import FAR_PARTS
from switchover.plan.secrets.secret_store import SecretSource, why_held_back
from switchover_checks.api import ProbeError
from switchover_checks.language.units import format_duration
from switchover_checks.runtime.commands import Child

__all__ = ["OUTPUT_LIMIT", "TIMEOUT_S", "Diagnosis", "run_bounded"]

TIMEOUT_S = 20.0
OUTPUT_LIMIT = 200 * 1024
_CUT_OFF = 124  # what timeout(1) says
_NOT_RUN = 126
_CANCELLED = 130  # what a shell says of an interrupt


async def run_bounded(
    command: str,
    directory: Path,
    *,
    environment: Mapping[str, str] | None = None,
    timeout_s: float = TIMEOUT_S,
    redact: Callable[[str], str] | None = None,
    secrets: SecretSource | None = None,
    leaves: bool = False,
) -> tuple[str, int, str]:
    """Run `command` with /bin/sh and return (command, exit code, output); 124 stands for a command that was cut off.

    Output beyond the limit is thrown away, and said so. At the deadline, and when the shell has ended, all that it
    started is ended too. Where it `leaves` something behind on purpose, as one that starts a service does, only the
    deadline ends that.
    """
    try:
        child = Child(["/bin/sh", "-c", f"exec 2>&1\n{command}"], env=environment, cwd=directory)
    except OSError as error:
        return command, 127, f"cannot be run: {error.strerror}"
    late = False
    try:
        try:
            async with asyncio.timeout(timeout_s):
                await child.exited()
                await child.drain()
        except TimeoutError:
            late = True
        if leaves and not late:
            await child.leave()
    finally:
        await child.close()
    kept = bytes(child.stdout.data[:OUTPUT_LIMIT])
    dropped = child.stdout.dropped + len(child.stdout.data) - len(kept)
    note = f"\n({dropped} more bytes were thrown away)" if dropped else ""
    if late:
        note += f"\n(cut off after {format_duration(timeout_s)})"
    text = kept.decode("utf-8", errors="replace")
    if why := await why_held_back(secrets):
        text = f"(its output is held back, because it may hold a secret that is not known here: {why})"
    return command, _CUT_OFF if late else child.exit_code, (redact(text) if redact else text) + note


async def look_bounded(
    lines: HostLines,
    machine: str,
    command: str,
    env: Mapping[str, str],
    cwd: str,
    redact: Callable[[str], str],
    secrets: SecretSource | None,
    timeout_s: float | None = None,
) -> tuple[str, int, str]:
    """Run a command on another machine as `run_bounded` does here."""
    argv = ["/bin/sh", "-c", f"exec 2>&1\n{command}"]
    try:
        done = await look_there(lines.to(machine), argv, env, cwd, timeout_s or TIMEOUT_S)
    except ProbeError as error:
        return f"{machine}: {command}", 127, f"{machine} {error}"
    text = done.stdout[:OUTPUT_LIMIT]
    if why := await why_held_back(secrets):
        text = f"(its output is held back, because it may hold a secret that is not known here: {why})"
    return f"{machine}: {command}", done.exit_code, redact(text)


class Diagnosis:
    """Runs the commands of entries, one or all of them, until they end or nobody wants them any more."""

    def __init__(
        self,
        cases: Cases,
        directory: Path,
        hub: Redacting,
        *,
        secrets: SecretSource | None = None,
        read_only: bool,
    ) -> None:
        self._cases = cases
        self._directory = directory
        self._redact = hub.redact
        self._secrets = secrets
        self.read_only = read_only
        self._under_way: dict[str, set[asyncio.Task[tuple[str, int, str]]]] = {}

    async def run(
        self, entry: str, about: str = "", command: int | None = None, token: str = ""
    ) -> list[tuple[str, int, str]]:
        """Run the command of this number, or all one after the other; return (command, exit code, output).

        What `cancel` ends under its `token` has the exit code 130. Raise `RefusedError`.
        """
        if self.read_only:
            raise RefusedError("diagnosis commands are not run here", "this session is read-only")
        case = self._cases.reopen(entry, about)
        commands = list(case.commands)
        if command is not None:
            if not 0 <= command < len(commands):
                raise RefusedError(f"the entry has no command {command + 1}")
            commands = [commands[command]]
        lines, found = HostLines(FAR_PARTS), []
        try:
            for one in commands:
                found += await self._look(one, case, lines, token)
        finally:
            await lines.aclose()
        return found

    async def _look(self, one: CaseCommand, case: Case, lines: HostLines, token: str) -> list[tuple[str, int, str]]:
        """Run a command here, or on each of its machines over lines of their own."""
        if one.why_not:
            return [(one.command, _NOT_RUN, one.why_not)]
        try:
            own = await filled_env(one.env, self._cases.scope(), self._secrets) if one.env else {}  # no plan, no scope
            env = {**case.env, **own}
        except RefusedError as error:
            return [(one.command, _NOT_RUN, error.title)]
        if not one.machines:
            return [await self._one(one.command, env, token, case.cwd)]
        found = []
        for machine in one.machines:
            work = look_bounded(lines, machine, one.command, env, case.cwd, self._redact, self._secrets)
            found.append(await self._ended_by(token, one.command, work))
        return found

    async def bounded(
        self,
        text: str,
        env: Mapping[str, str],
        cwd: str,
        machines: Sequence[str],
        timeout_s: float,
        *,
        leaves: bool,
    ) -> list[tuple[str, int, str]]:
        """Run a command to its end, here or on each of the machines; return (command, exit code, output) for each."""
        if not machines:
            done = await run_bounded(
                text,
                self._directory / cwd,
                environment=env,
                timeout_s=timeout_s,
                redact=self._redact,
                secrets=self._secrets,
                leaves=leaves,
            )
            return [done]
        lines, there = HostLines(FAR_PARTS), (env, cwd, self._redact, self._secrets)
        try:
            return [await look_bounded(lines, one, text, *there, timeout_s=timeout_s) for one in machines]
        finally:
            await lines.aclose()

    def cancel(self, token: str) -> None:
        """End what runs under this token."""
        for task in self._under_way.pop(token, set()):
            task.cancel()

    async def _one(self, command: str, env: Mapping[str, str], token: str, cwd: str) -> tuple[str, int, str]:
        folder = self._directory / cwd
        work = run_bounded(command, folder, environment=env, redact=self._redact, secrets=self._secrets)
        return await self._ended_by(token, command, work)

    async def _ended_by(
        self, token: str, command: str, asked: Coroutine[Any, Any, tuple[str, int, str]]
    ) -> tuple[str, int, str]:
        """Wait for it, or for `cancel` under this token."""
        work = asyncio.ensure_future(asked)
        tasks = self._under_way.setdefault(token, set())
        tasks.add(work)
        try:
            return await work
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():  # whoever asked has gone
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)
                raise
            return command, _CANCELLED, "(ended: nobody looks any more)"
        finally:
            tasks.discard(work)
            if not tasks:
                self._under_way.pop(token, None)
