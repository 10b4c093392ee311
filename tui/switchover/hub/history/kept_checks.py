"""What is known of checks over time, in a file beside the journal, so that it outlives the agent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from switchover.clock import Clock
from switchover.health.catalog import CheckItem
from switchover.health.check_failures import CheckFailure
from switchover.health.check_state import CheckState
from switchover.health.uptime import Uptime
from switchover.private_files import read_private, replace_private
from switchover_checks.api import Status

__all__ = ["KeptChecks"]

_FORM = 1
_MOST_BYTES = 64 << 20
_FORGOTTEN_S = 7 * 86_400.0


class _KeptCheck(msgspec.Struct, frozen=True, omit_defaults=True):
    """One check. Times are epoch seconds."""

    kind: str
    at: float
    uptime: bytes = b""
    failures: tuple[CheckFailure, ...] = ()
    changes: tuple[float, ...] = ()
    last_bad: int = int(Status.WARN)


class _KeptFile(msgspec.Struct, frozen=True):
    form: int
    checks: dict[str, _KeptCheck]


class KeptChecks:
    """Reads and writes it whole. A file that cannot be read is told in `trouble`, and left as it is."""

    def __init__(self, path: Path, clock: Clock, *, writes: bool = True) -> None:
        self._path, self._clock, self._writes = path, clock, writes
        self.trouble = ""
        self._checks: dict[str, _KeptCheck] = self._read()
        self._written = b""

    def _read(self) -> dict[str, _KeptCheck]:
        try:
            found = msgspec.json.decode(read_private(self._path, _MOST_BYTES), type=_KeptFile)
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is damaged, or of another version"
            return self._left_alone(str(why))
        return found.checks if found.form == _FORM else self._left_alone(f"it is of another version: {found.form}")

    def _left_alone(self, why: str) -> dict[str, _KeptCheck]:
        self._writes = False
        self.trouble = f"{self._path} cannot be read: {why}; nothing is written there until it is moved away"
        return {}

    def restore(self, items: Mapping[str, CheckItem], states: dict[str, CheckState]) -> dict[str, Uptime]:
        """Put into fresh states what is kept of checks of the same name and kind; return their uptimes."""
        now, mono = self._clock.now(), self._clock.monotonic()
        uptimes = {}
        for name, item in items.items():
            kept = self._checks.get(name)
            if kept is None or kept.kind != item.spec.kind:
                continue
            try:
                uptimes[name] = Uptime.from_bytes(kept.uptime)
                last_bad = Status(kept.last_bad)
            except ValueError:
                continue
            changes = tuple(mono - max(0.0, now - at) for at in kept.changes)
            states[name] = replace(states[name], failures_kept=kept.failures, changes=changes, last_bad=last_bad)
        return uptimes

    async def keep(
        self, items: Mapping[str, CheckItem], states: Mapping[str, CheckState], uptimes: Mapping[str, Uptime]
    ) -> None:
        """Write what is new."""
        if self._writes:
            await asyncio.to_thread(self._save, dict(items), dict(states), dict(uptimes))

    def _save(
        self, items: Mapping[str, CheckItem], states: Mapping[str, CheckState], uptimes: Mapping[str, Uptime]
    ) -> None:
        now, mono = self._clock.now(), self._clock.monotonic()
        kept = {name: one for name, one in self._checks.items() if now - one.at < _FORGOTTEN_S and name not in items}
        for name, uptime in uptimes.items():
            state = states[name]
            changes = tuple(now - (mono - at) for at in state.changes)
            at = state.observed_at or (old.at if (old := self._checks.get(name)) is not None else now)
            kept[name] = _KeptCheck(
                items[name].spec.kind, at, uptime.to_bytes(), state.failures_kept, changes, int(state.last_bad)
            )
        if not kept:
            return
        data = msgspec.json.encode(_KeptFile(_FORM, kept))
        if data == self._written:
            return
        try:
            replace_private(self._path, data)
        except OSError as error:  # a full disk must not end the watch; it is kept in memory
            self.trouble = f"an agent that starts anew will not know of it: {self._path}: {error.strerror}"
        else:
            self._written, self.trouble, self._checks = data, "", kept
