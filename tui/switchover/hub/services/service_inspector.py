"""Answers questions about one service: all that is known of it, its command lines, its logs."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from switchover.errors import RefusedError, SwitchoverError
from switchover.hub.history.operations import Operations
from switchover.hub.hub_ports import ActingHub
from switchover.hub.services.command_line import command_line_of, without_secrets
from switchover.hub.services.dead_listeners import LISTENER
from switchover.hub.services.kept_failures import FAILED
from switchover.hub.services.log_names import MOST_OF_A_NAME, meant_by, not_found
from switchover.hub.services.service_watch import ServiceWatch
from switchover.migration.facts.operator import Operator
from switchover.plan.templates import TemplateError
from switchover.plan.variables import MissingValueError
from switchover.services.cloud_logs import cloud_log_source
from switchover.services.provider_api import (
    Acts,
    Capability,
    Logs,
    LogsOfMany,
    LogSource,
    LogSpan,
    Provider,
    ServiceTarget,
    Shells,
)
from switchover.services.service_kind import service_kind
from switchover.snapshot import ServiceRow
from switchover.snapshot.tiers import ACTIONS
from switchover_checks.language.units import format_bytes, format_duration
from switchover_checks.runtime.commands import Child
from switchover_checks.unknown_secrets import redact_unknown

__all__ = ["ServiceInspector"]

_INSPECT_S = 10.0
_MOST_TEXT = 200 * 1024


class ServiceInspector:
    """Answers. `directory` is where paths of the plan begin."""

    def __init__(
        self,
        services: ServiceWatch,
        operations: Operations,
        hub: ActingHub,
        *,
        directory: Path,
        read_only: bool,
    ) -> None:
        self._services = services
        self._operations = operations
        self._hub = hub
        self._directory = directory
        self._read_only = read_only

    async def command(self, name: str, what: str, argument: str, operator: Operator) -> tuple[str, ...]:
        """Return the argv that a person would type for an action, exec, logs or inspect. Raise `RefusedError`."""
        row, provider, target = self._find(name)
        if what == "exec":
            return await self._shell(row, provider, target, operator)
        argv: tuple[str, ...] = ()
        if what in (*ACTIONS, "logs", "inspect"):
            if isinstance(provider, Acts):
                argv = provider.command_line(target, Capability(what), argument)
            if not argv and what in ("logs", "inspect"):
                argv = service_kind(target.kind).usual_command(what, target, row.pid)
        else:
            raise RefusedError(f"there is no command for {what!r}")
        if not argv:
            raise RefusedError(f"there is no command line for {what} of a service of kind {row.kind}")
        return tuple(argv)

    async def _shell(
        self, row: ServiceRow, provider: Provider, target: ServiceTarget, operator: Operator
    ) -> tuple[str, ...]:
        if self._read_only:
            raise RefusedError("this agent only watches, and a shell is more than that")
        if not isinstance(provider, Shells) or Capability.EXEC not in provider.capabilities:
            raise RefusedError(f"there is no shell in a service of kind {row.kind}")
        if "exec" not in row.actions:
            raise RefusedError(f"there is no shell in it while it is {row.state}")
        shell = provider.shell(target)
        if isinstance(shell, str):
            raise RefusedError(shell)
        await self._operations.record(operator, "opened a shell in", row.name, " ".join(shell))
        return tuple(shell)

    async def inspect(self, name: str) -> str:
        """Return all that is known of a service, in lines, without secrets. Raise `RefusedError`."""
        row, provider, target = self._find(name)
        lines = [f"{label:12}{self._hub.redact(text)}" for label, text in _facts(row) if text]
        if (unseen := self._services.unseen) is not None and unseen.row(name) is not None:
            lines += _kept_lines(unseen.lines(name))
            if name.removeprefix(FAILED) not in self._services.discovery.found:
                return "\n".join(lines)
        if row.kind == "process" and row.pid is not None:
            typed = await asyncio.to_thread(command_line_of, row.pid, row.identity)
            lines += [
                "",
                "its command line, without secrets:",
                await asyncio.to_thread(without_secrets, typed, self._hidden),
            ]
        argv: tuple[str, ...] = ()
        if isinstance(provider, Acts):
            argv = provider.command_line(target, Capability.INSPECT)
        argv = argv or service_kind(target.kind).usual_command("inspect", target, row.pid)
        if argv and argv[0] in _LOCAL:
            lines += ["", f"$ {' '.join(argv)}", *(await self._output(argv)).splitlines()]
        return "\n".join(lines)

    async def _output(self, argv: Sequence[str]) -> str:
        environment = {**os.environ, "SYSTEMD_PAGER": "", "PAGER": "cat", "SYSTEMD_COLORS": "0", "COLUMNS": "160"}
        try:
            child = Child(list(argv), env=environment, cwd=self._directory)
        except OSError as error:
            return f"({argv[0]} cannot be run: {error.strerror})"
        late = ""
        try:
            async with asyncio.timeout(_INSPECT_S):
                await child.exited()
                await child.drain()
        except TimeoutError:
            late = f"\n(cut off after {format_duration(_INSPECT_S)})"
        finally:
            await child.close()
        text = bytes(child.stdout.data[:_MOST_TEXT] or child.stderr.data[:_MOST_TEXT]).decode("utf-8", "replace")
        return await self._shown(text) + late

    async def _shown(self, text: str) -> str:
        # a hostile text takes the expressions a second or two, which nobody else waits for
        return await asyncio.to_thread(self._hidden, text)

    def _hidden(self, text: str) -> str:
        return redact_unknown(self._hub.redact(text))

    async def log_sources(self, names: Sequence[str], span: LogSpan) -> list[LogSource | tuple[str, str]]:
        """Return where the logs of services are read, by id or by any name that the list shows.

        (name, reason) for one that has none.
        """
        return [source for word in names for source in await self._log_sources_of(word, span)]

    async def _log_sources_of(self, word: str, span: LogSpan) -> list[LogSource | tuple[str, str]]:
        if self._hub.row(word) is not None or word.startswith((FAILED, LISTENER)):
            return await self._log_sources(word, span)
        ids = meant_by(word, self._services.names())
        if not ids:
            await self._services.list_now()
            ids = meant_by(word, self._services.names())
        kind, colon, _ = word.partition(":")
        if not ids and colon and kind in self._services.inventory.providers:
            return await self._log_sources(word, span)
        if not 0 < len(ids) <= MOST_OF_A_NAME:
            return [(word, not_found(word, self._services.names()))]
        found: list[LogSource | tuple[str, str]] = []
        for id_ in ids:
            sources = await self._log_sources(id_, span)
            found += sources if len(ids) == 1 else [_called(f"{word} {id_.partition(':')[2]}", one) for one in sources]
        self._services.forget_unwanted()
        return found

    async def _log_sources(self, name: str, span: LogSpan) -> list[LogSource | tuple[str, str]]:
        try:
            row, provider, target = self._find(name)
        except SwitchoverError as error:
            return [(name, error.title)]
        sources: list[LogSource | tuple[str, str]] = []
        for text in target.logs:
            title = f"{row.name} {Path(text).name}" if len(target.logs) > 1 else row.name
            sources.append(self._planned_log(title, text, target))
        unseen = self._services.unseen
        if row.id.startswith(LISTENER) and unseen is not None:
            found = unseen.log_source(row, span)
            sources.append((row.name, found) if isinstance(found, str) else found)
        elif isinstance(provider, Logs):
            own: Sequence[LogSource] | str
            try:
                async with asyncio.timeout(_INSPECT_S):
                    if isinstance(provider, LogsOfMany):
                        own = await provider.log_sources(target, span)
                    else:
                        one = await provider.log_source(target, span)
                        own = one if isinstance(one, str) else [one]
            except (TimeoutError, SwitchoverError) as error:
                own = getattr(error, "title", "") or "the source of the log does not answer"
            if not isinstance(own, str):
                files = {one.path for one in sources if isinstance(one, LogSource) and one.kind == "file"}
                new = [one for one in own if one.kind != "file" or one.path not in files]
                sources += [one if one.name not in ("", target.name) else replace(one, name=row.name) for one in new]
            elif not sources:
                sources.append((row.name, own))
        if not sources:
            sources.append((row.name, f"a service of kind {row.kind} has no log; the plan's `logs` names files"))
        return sources

    def _planned_log(self, title: str, text: str, target: ServiceTarget) -> LogSource:
        in_cloud = cloud_log_source(title, text, region=target.region, project=target.project)
        if in_cloud is not None:
            return in_cloud
        return LogSource(title, "file", path=str(self._directory / Path(text).expanduser()))

    def _find(self, name: str) -> tuple[ServiceRow, Provider, ServiceTarget]:
        unseen = self._services.unseen
        row = self._hub.row(name) or (unseen.row(name) if unseen is not None else None)
        if row is None:
            raise RefusedError(f"there is no service {name!r} any more", "look again")
        inventory = self._services.inventory
        provider = inventory.providers.get(row.kind)
        if provider is None:
            raise RefusedError(f"nothing here knows services of kind {row.kind}")
        if name in self._services.discovery.found:
            return row, provider, self._services.discovery.found[name].found.target
        if name not in inventory.services:
            return row, provider, _target_of_kept(row)
        try:
            target = inventory.target(name)
        except (MissingValueError, TemplateError) as error:
            raise RefusedError(str(error)) from error
        if isinstance(target, str):
            raise RefusedError(target)
        return row, provider, target


def _called(name: str, source: LogSource | tuple[str, str]) -> LogSource | tuple[str, str]:
    """Give one of several things of a name a name of its own."""
    return replace(source, name=name) if isinstance(source, LogSource) else (name, source[1])


def _target_of_kept(row: ServiceRow) -> ServiceTarget:
    """Return what a thing was called that is not there any more."""
    ref = row.id.removeprefix(FAILED).partition(":")[2]
    return ServiceTarget(row.name, row.kind, ref, unit=ref, container=ref)


def _kept_lines(lines: Sequence[str]) -> list[str]:
    return ["", "the last lines of its log:", *lines] if lines else ["", "no line of its log is kept"]


_LOCAL = frozenset({"docker", "systemctl", "kubectl"})


def _facts(row: ServiceRow) -> list[tuple[str, str]]:
    started = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row.started_at)) if row.started_at else ""
    return [
        ("name", row.name),
        ("id", row.id if row.id != row.name else ""),
        ("kind", row.kind),
        ("side", row.side),
        ("state", f"{row.state}, {row.health}" + (f": {row.detail}" if row.detail else "")),
        ("started", started),
        ("pid", str(row.pid or "")),
        ("parent", str(row.parent or "")),
        ("user", row.user),
        ("image", row.image),
        ("ports", ", ".join(row.ports)),
        ("replicas", f"{row.ready} of {row.wanted}" if row.wanted is not None else ""),
        ("restarts", str(row.restarts) if row.restarts is not None else ""),
        ("memory", format_bytes(row.memory_bytes) if row.memory_bytes is not None else ""),
        ("group", row.group),
        ("needs", ", ".join(row.needs)),
        ("owner", row.owner),
        ("link", row.link),
        ("identity", row.identity),
        ("url", row.url),
    ]
