"""What the program gives to probes: what its providers know, its cloud logins, what jobs reported, what is remembered.

Without a program there is none of it, and a probe that asks for it is UNKNOWN with the reason.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from switchover_checks.api import CommandOutput, ProbeError, Status

__all__ = ["CloudCall", "ElsewhereCall", "ProbeMemory", "ProbePorts", "ProbeProgress", "ProgressNote"]

ElsewhereCall = Callable[[str, Sequence[str], Mapping[str, str], str, float], Awaitable[CommandOutput]]
CloudCall = Callable[[str, str, str, Mapping[str, Any], str], Awaitable[Mapping[str, Any]]]
_SAVED_EVERY_S = 5.0
_MOST_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class ProgressNote:
    """How far a probe is. `began` is the first note's `done`, at the monotonic time `since`."""

    done: float
    total: float
    text: str
    began: float
    since: float
    at: float

    @property
    def left_s(self) -> float | None:
        """How long it takes to the end at the speed so far; None where that cannot be told yet."""
        moved, took = self.done - self.began, self.at - self.since
        return took * max(self.total - self.done, 0.0) / moved if moved > 0 and took > 0 else None


class ProbeProgress:
    """How far the probes under way are, by check."""

    def __init__(self) -> None:
        self._notes: dict[str, ProgressNote] = {}

    def put(self, check: str, done: float, total: float, text: str, now: float) -> None:
        """Take note of what is so at the monotonic time `now`."""
        before = self._notes.get(check)
        began, since = (before.began, before.since) if before and before.began <= done else (done, now)
        self._notes[check] = ProgressNote(done, total, text, began, since, now)

    def of(self, check: str) -> ProgressNote | None:
        """Return the newest note of a probe that is under way."""
        return self._notes.get(check)

    def ended(self, check: str) -> None:
        """Forget a probe that is over."""
        self._notes.pop(check, None)


class ProbeMemory:
    """What checks remember from one look to the next, by check and name. `save` gets all of it as JSON, in a thread."""

    def __init__(self, saved: bytes = b"", save: Callable[[bytes], None] | None = None) -> None:
        self._save = save
        self._all = _read(saved)
        self._written = json.dumps(self._all).encode()
        self._saved_at = time.monotonic()
        self._saving: asyncio.Future[None] | None = None

    def of(self, check: str) -> dict[str, Any]:
        """Return what a check remembers, by name. It is saved a little later as it is then."""
        self._save_soon()
        return self._all.setdefault(check, {})

    def put(self, check: str, remembered: object) -> None:
        """Take what a process of its own has made of it. Too much, or nonsense, is not taken."""
        if isinstance(remembered, dict) and len(json.dumps(remembered)) <= _MOST_BYTES:
            self._all[check] = remembered

    def _save_soon(self) -> None:
        busy = self._saving is not None and not self._saving.done()
        if self._save is None or busy or time.monotonic() - self._saved_at < _SAVED_EVERY_S:
            return
        self._saved_at = time.monotonic()
        data = self._changed()
        if data:
            self._saving = asyncio.get_running_loop().run_in_executor(None, self._save, data)

    def _changed(self) -> bytes:
        kept = {check: names for check, names in self._all.items() if any(names.values())}
        try:
            data = json.dumps(kept).encode()
        except (TypeError, ValueError):  # a module put in what is not plain
            return b""
        if data == self._written:
            return b""
        self._written = data
        return data

    async def aclose(self) -> None:
        """Save what has changed."""
        if self._saving is not None:
            await self._saving
        if self._save is not None and (data := self._changed()):
            await asyncio.get_running_loop().run_in_executor(None, self._save, data)


def _read(saved: bytes) -> dict[str, dict[str, Any]]:
    try:
        found = json.loads(saved or b"{}")
    except ValueError:
        return {}
    return {k: v for k, v in found.items() if isinstance(v, dict)} if isinstance(found, dict) else {}


async def _no_service(name: str) -> Mapping[str, Any]:
    raise KeyError(name)


async def _no_cloud(*_: object) -> Mapping[str, Any]:
    raise ProbeError("no cloud can be asked from here", status=Status.UNKNOWN)


async def _no_costs() -> Mapping[str, Any]:
    raise ProbeError("no costs are known here", status=Status.UNKNOWN)


def _nothing_pushed(_check: str) -> Mapping[str, Any]:
    return {}


async def _no_elsewhere(*_: object) -> CommandOutput:
    raise ProbeError("other machines are not reached here", status=Status.UNKNOWN)


@dataclass(frozen=True, slots=True)
class ProbePorts:
    """What stands behind a `Context`: `service`, `run` elsewhere, `cloud`, `costs`, `pushed`, `since`, `progress`."""

    service: Callable[[str], Awaitable[Mapping[str, Any]]] = _no_service
    cloud: CloudCall = _no_cloud
    pushed: Callable[[str], Mapping[str, Any]] = _nothing_pushed
    memory: ProbeMemory = field(default_factory=ProbeMemory)
    progress: ProbeProgress = field(default_factory=ProbeProgress)
    elsewhere: ElsewhereCall = _no_elsewhere
    costs: Callable[[], Awaitable[Mapping[str, Any]]] = _no_costs
