"""Which side serves now. What decides it is asked, and the answer counts while it is new."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from switchover.clock import Clock
from switchover.costs.estimate import sides
from switchover.metrics.json_documents import JsonDocuments, NoValueError, dotted
from switchover.plan.model import LiveProbe, Plan
from switchover.plan.plan_bytes import read_file
from switchover.plan.templates import TemplateError
from switchover.plan.variables import MissingValueError, Scope, render
from switchover_checks.api import ProbeError
from switchover_checks.runtime.context import LocalContext

__all__ = ["LiveSide"]

_COMMAND_S = 10.0
_MOST_BYTES = 4096


class LiveSide:
    """Remembers the answer. `last` is the newest side that was ever named; `why` says what is wrong with the answer."""

    def __init__(
        self, plan: Plan, probe: LiveProbe, documents: JsonDocuments, clock: Clock, directory: Path = Path()
    ) -> None:
        self._plan = plan
        self._directory = directory
        self._probe = probe
        self._documents = documents
        self._clock = clock
        self._side = ""
        self._answered: float | None = None
        self.last = ""
        self.why = "not asked yet"

    @property
    def side(self) -> str:
        """The side that serves now; empty when the last answer failed or is too old."""
        if self._answered is None or self._clock.monotonic() - self._answered > 3 * self._probe.every + 5.0:
            return ""
        return self._side

    async def ask(self, scope: Scope) -> bool:
        """Ask once; return whether anything changed."""
        before = (self._side, self.why)
        try:
            value = await self._answer(scope)
            self._side, self.why = self._environment(value), ""
            self.last = self._side
        except MissingValueError as missing:
            self._side, self.why = "", f"waits for variable {missing.name}"
        except (NoValueError, TemplateError) as error:
            self._side, self.why = "", str(error)
        self._answered = self._clock.monotonic()
        return before != (self._side, self.why)

    async def _answer(self, scope: Scope) -> object:
        """Return what names the live side. Raise `NoValueError` that says why nothing does."""
        probe = self._probe
        if probe.url is not None:
            return dotted(await self._documents.document(render(probe.url, scope)), probe.path)
        if probe.run is not None:
            context = LocalContext(time.monotonic() + _COMMAND_S, self._directory)
            try:
                async with asyncio.timeout(_COMMAND_S):
                    ended = await context.run(("/bin/sh", "-c", probe.run))
            except (OSError, TimeoutError, ProbeError):
                raise NoValueError(f"the command did not end well within {_COMMAND_S:.0f} s") from None
            if ended.exit_code:
                raise NoValueError(f"the command ends with {ended.exit_code}")
            return ended.stdout.strip()
        if probe.dns is not None:
            return await self._by_dns(render(probe.dns, scope), scope)
        path = self._directory / render(probe.file or probe.symlink or "", scope)
        try:
            return await asyncio.to_thread(_name_in if probe.file is not None else _name_behind, path)
        except (OSError, ValueError) as error:
            raise NoValueError(f"{path.name}: {getattr(error, 'strerror', None) or 'is no text'}") from None

    async def _by_dns(self, name: str, scope: Scope) -> str:
        """Return the side whose records the name has. Raise `NoValueError` where it is none."""
        from switchover_checks.kinds.network.dns import DnsConfig, dns_records, written_record

        probe = self._probe
        try:
            found = await dns_records(DnsConfig(name, probe.record, probe.server))
        except (ProbeError, ValueError) as error:
            raise NoValueError(f"{name}: {error}") from None
        for side, records in probe.answers.items():
            own = (records,) if isinstance(records, str) else records
            if sorted(written_record(render(one, scope), probe.record) for one in own) == found:
                return side
        raise NoValueError(f"{name} is {', '.join(found) or 'nothing'}, which is no side's")

    def _environment(self, value: object) -> str:
        if not isinstance(value, str):
            raise NoValueError(f"names no side but {str(value)[:40]!r}")
        first, second = sides(self._plan)
        aliases = {"old": first, "new": second}
        side = value if value in self._plan.sides else aliases.get(value, "")
        if not side:
            names = ", ".join(self._plan.sides) or "none"
            raise NoValueError(f"names {value[:40]!r}, which is no side of the plan; it has {names}")
        return side


def _name_in(path: Path) -> str:
    """Return what a small file says."""
    return read_file(path, _MOST_BYTES)[1].decode("utf-8").strip()


def _name_behind(path: Path) -> str:
    """Return the last part of where a symbolic link leads."""
    return path.readlink().name
