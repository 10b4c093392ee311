"""Carries a unit out on another machine, and finds out about it after any break. It runs there once, or nobody knows.

The folder there is set aside before the unit is announced. Its shim there takes the claim, as a shim does here. After a
break only the records there are asked: ended, still running, never begun, or unknown. A machine that does not answer
is asked again. Once the unit must be over by its own timeout, its outcome is unknown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from switchover.errors import StateError
from switchover.hosts.host_line import LineError, RefusedByHostError
from switchover.migration.facts import events as ev
from switchover.migration.run.store.far_left import LeftThere
from switchover.migration.steps.attempt import AttemptEnded, AttemptFolder, Lost, NeverStarted, Truth
from switchover.migration.steps.captured_secrets import sealed_about
from switchover.migration.steps.far_copy import FarCopy
from switchover.migration.steps.far_parts import far_key
from switchover.migration.steps.sealing import unseal

if TYPE_CHECKING:
    from switchover.migration.run.run_store import RunStore
    from switchover.migration.steps.spawn import ShimRequest

__all__ = ["FarAttempt", "FarWork", "far_questions"]

_AFTER_THE_END_S = 60.0  # so long past its timeout and grace it is asked for, where nobody answers
_AFTER_A_STOP_S = 30.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 10.0
_QUIET_S = 0.25
_ONLY_HERE = frozenset(("directory", "secrets", "boot_id", "seal_key", "umask"))


@dataclass(frozen=True, slots=True)
class FarAttempt:
    """One attempt there, and what is needed to follow it."""

    run_id: str
    unit: str
    far: ev.FarPlace
    folder: AttemptFolder
    timeout_s: float
    captures: Mapping[str, str]
    kept: int


class FarWork:
    """The one unit that goes on on another machine."""

    def __init__(self, run_store: RunStore) -> None:
        self._store = run_store
        self._stop = asyncio.Event()
        self.broken = ""  # why there is no line just now

    async def prepare(self, host: str, ssh: str, unit: str, folder: AttemptFolder) -> ev.FarPlace:
        """Set the folders of an attempt aside: here for its output, there for its records.

        Raise `StateError` where that cannot be: nothing was started.
        """
        store = self._store
        folder.make()
        run = _plain(f"{store.plan.id}-{store.journal_id[:12]}-{store.state.run_id}")
        left = LeftThere(host, ssh, run, _plain(folder.directory.name))
        try:
            store.far_left.note(folder.directory.parent, left)
            head = (await store.tools.hosts.to(ssh).ask("prepare", run=run, name=left.name)).head
        except OSError as error:
            raise StateError(f"{unit} was not started: {error}", "free space, then go on") from error
        except (LineError, RefusedByHostError) as error:
            verb = "cannot be reached" if isinstance(error, LineError) else "cannot run it"
            raise StateError(f"{unit} was not started: {host} {verb}: {error}", "see to it, then go on") from error
        return ev.FarPlace(host, ssh, head["directory"], head["prepared"], head["boot_id"])

    async def carry_out(self, attempt: FarAttempt, request: ShimRequest) -> Truth:
        """Let it begin, and follow it to its end."""
        key = far_key(self._store.values.seal_key.need(), attempt.folder.started)
        there = {one.name: getattr(request, one.name) for one in fields(request) if one.name not in _ONLY_HERE}
        return await self._follow(attempt, ("go", {"request": {**there, "seal_key": key.hex()}}))

    async def follow(self, attempt: FarAttempt) -> Truth:
        """Find out about one that was begun before, and follow it to its end where it goes on."""
        return await self._follow(attempt, ("follow", {}))

    def stop(self) -> None:
        """Have it ended there, now or as soon as there is a line."""
        self._stop.set()

    async def _follow(self, attempt: FarAttempt, asked: tuple[str, Mapping[str, Any]]) -> Truth:
        store, far = self._store, attempt.far
        loop = asyncio.get_running_loop()
        key = far_key(store.values.seal_key.need(), attempt.folder.started)
        secrets = store.values.secrets()
        copy = FarCopy(attempt.folder.directory, key, secrets, attempt.captures, attempt.kept)
        overdue = loop.time() + attempt.timeout_s + store.tools.grace_s + _AFTER_THE_END_S
        pause = _FIRST_PAUSE_S
        while True:
            try:
                head = await self._listen(attempt, copy, *asked)
                self._tell("")
                return self._truth(attempt, key, copy, head)
            except LineError as error:
                self._tell(str(error))
            except RefusedByHostError as error:
                self._tell(str(error))
            asked = ("follow", {"offset": copy.offset})
            limit = min(overdue, loop.time() + _AFTER_A_STOP_S) if self._stop.is_set() else overdue
            overdue = limit
            if loop.time() > limit:
                return Lost(f"{far.host} cannot be asked ({self.broken}), so nobody can say whether it still runs")
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def _listen(
        self, attempt: FarAttempt, copy: FarCopy, what: str, more: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Take what comes until its end is told. Raise `LineError`, or `RefusedByHostError` where it cannot tell."""
        line = self._store.tools.hosts.to(attempt.far.ssh)
        stopping = asyncio.ensure_future(self._stop_there(attempt))
        question = {**far_questions(attempt.far, attempt.folder), **more}
        try:
            async for message in line.stream(what, quiet_s=_QUIET_S, **question):
                head = message.head
                if self.broken:
                    self._tell("")
                if "offset" in head:
                    await asyncio.to_thread(copy.take, int(head["offset"]), message.body)
                elif "hidden" in head:
                    copy.hide(head["hidden"])
                elif "quiet" in head:
                    copy.rest()
                elif "error" in head:
                    raise RefusedByHostError(str(head["error"]))
                elif head.get("truth") != "running":
                    return head
        finally:
            stopping.cancel()
            with suppress(asyncio.CancelledError):
                await stopping
        raise LineError("the connection broke")

    async def _stop_there(self, attempt: FarAttempt) -> None:
        await self._stop.wait()
        line = self._store.tools.hosts.to(attempt.far.ssh)
        while True:
            with suppress(LineError, RefusedByHostError):
                sent = (await line.ask("abort", **far_questions(attempt.far, attempt.folder))).head
                if sent.get("sent"):
                    return
            await asyncio.sleep(_FIRST_PAUSE_S)  # its shim has not claimed it yet, or is through

    def _truth(self, attempt: FarAttempt, key: bytes, copy: FarCopy, head: Mapping[str, Any]) -> Truth:
        copy.finish()
        host = attempt.far.host
        match head["truth"]:
            case "ended":
                return AttemptEnded(self._as_here(attempt, key, copy, head["record"]))
            case "never":
                return NeverStarted(f"{host}: {head['reason']}")
            case _:
                return Lost(f"{host}: {head['reason']}", over=bool(head.get("over")))

    def _as_here(self, attempt: FarAttempt, key: bytes, copy: FarCopy, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return its exit record with what was captured sealed by the key of here."""
        store = self._store
        values = {
            name: unseal(key, value, f"{sealed_about(attempt.run_id, attempt.unit)}{name}")
            for name, value in record.get("outputs", {}).items()
        }
        known = {name: value for name, value in values.items() if value is not None}
        veiled = {n: v for n, v in copy.veiled.values.items() if n in known and v != known[n]}

        def sealed(found: Mapping[str, str]) -> dict[str, str]:
            return {
                name: store.values.seal_key.close(value, attempt.run_id, attempt.unit, name)
                for name, value in found.items()
            }

        return {
            **record,
            "outputs": sealed(known),
            "veiled": sealed(veiled),
            "output_bytes": copy.total,
            "output_lost": bool(record.get("output_lost")) or copy.lost,
        }

    def _tell(self, why: str) -> None:
        if why != self.broken:
            self.broken = why
            self._store.tools.on_change()


def far_questions(far: ev.FarPlace, folder: AttemptFolder) -> dict[str, Any]:
    """Return what names an attempt over the line: its folder, and what its records have to name."""
    return {
        "directory": far.directory,
        "prepared": far.prepared,
        "boot_id": far.boot_id,
        "journal": folder.journal,
        "started": folder.started,
    }


def _plain(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_.@" else "_" for c in name)[:120] or "_"
