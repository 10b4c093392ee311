"""One driver for a run, and one for a target. Kernel locks that no dead process can hold name the holder.

They are locks of the open file (OFD). They go when its last descriptor is closed, and can be queried without taking
them.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import msgspec

from switchover.errors import LockedError, StateError
from switchover.locations import Workspace, ensure_private_dir
from switchover.migration.facts.operator import Operator
from switchover.migration.journal.host_lock import HostLock, describe_holder
from switchover.private_files import open_private
from switchover.snapshot import Holder

__all__ = ["RunLock", "SharedLock", "describe_holder", "read_holder"]

_READ = 4096
_FLOCK = struct.Struct("hhqqi4x")  # struct flock: type, whence, start, length, pid


class SharedLock(Protocol):
    """What is taken beside the locks of this machine, where engines on other machines may drive the same run."""

    async def hold(self, operator: Operator) -> None:
        """Take it. Raise `LockedError` that names who has it."""

    async def leave(self) -> None:
        """Leave it. Never raises."""


class RunLock:
    """Held by whoever drives. Taken and left as often as wanted by one engine; children never inherit it."""

    def __init__(
        self, workspace: Workspace, target: str, shared: SharedLock | None = None, host: HostLock | None = None
    ) -> None:
        self._workspace = workspace
        digest = hashlib.sha256(target.encode()).hexdigest()[:24]
        self._target_path = workspace.root / "targets" / f"{digest}.lock"
        self._target = target
        self._shared = shared
        self.host = host
        self._held: list[int] = []
        self._depth = 0
        self.operator: Operator | None = None
        self._turn = asyncio.Lock()  # taking and leaving may wait for a database

    @property
    def held(self) -> bool:
        """Whether this process holds it."""
        return self._depth > 0

    async def acquire(self, operator: Operator) -> None:
        """Take it, or take it once more. Raise `LockedError` that names who has it."""
        async with self._turn:
            if self._depth == 0:
                await self._take(operator)
            self._depth += 1

    async def _take(self, operator: Operator) -> None:
        ensure_private_dir(self._workspace.directory)
        ensure_private_dir(self._target_path.parent)
        try:
            watch = f"watch it with `{self._workspace.command('status')}`, or "
            self._held.append(_take(self._workspace.lock, operator, "this run", watch))
            self._held.append(_take(self._target_path, operator, f"the target {self._target}", ""))
            if self.host is not None:
                self.host.hold(operator)
            self.operator = operator
            if self._shared is not None:
                await self._shared.hold(operator)
        except BaseException:
            self._let_go()
            raise

    async def release(self) -> None:
        """Leave it once; it is free when it was left as often as taken."""
        async with self._turn:
            self._depth -= 1
            if self._depth > 0:
                return
            try:
                if self._shared is not None:
                    await self._shared.leave()
            finally:
                self._let_go()

    def _let_go(self) -> None:
        for descriptor in reversed(self._held):
            with suppress(OSError):
                os.ftruncate(descriptor, 0)
            os.close(descriptor)
        self._held.clear()
        if self.host is not None:
            self.host.leave()
        self.operator = None


def read_holder(path: Path) -> Holder | None:
    """Return who holds the lock now, or None where nobody does. Touches nothing."""
    try:
        descriptor = open_private(path, os.O_RDONLY, only_ours=False)
    except OSError:
        return None
    try:
        return _holder(descriptor) if _locked(descriptor) else None
    finally:
        os.close(descriptor)


def _take(path: Path, operator: Operator, what: str, watch: str) -> int:
    try:
        descriptor = open_private(path, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise StateError(
            f"the lock {path} cannot be made: {error.strerror}", "free space, make it writable, or use --state DIR"
        ) from error
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    except OSError as error:
        holder = _holder(descriptor)
        os.close(descriptor)
        raise LockedError(
            f"{what} is driven by {describe_holder(holder)}",
            f"{watch}wait until it is free",
        ) from error
    record = Holder(operator.who, operator.host, operator.tty, os.getpid(), time.time())
    # A full disk does not keep the lock from holding; it only keeps the name out of it.
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, msgspec.json.encode(record), 0)
    return descriptor


def _locked(descriptor: int) -> bool:
    answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    return bool(_FLOCK.unpack(answer)[0] != fcntl.F_UNLCK)


def _holder(descriptor: int) -> Holder:
    # Whoever has just taken it writes the name in the next instant.
    for _ in range(50):
        with suppress(OSError, msgspec.MsgspecError):
            return msgspec.json.decode(os.pread(descriptor, _READ, 0), type=Holder)
        time.sleep(0.002)
    return Holder("somebody", "this machine", "", 0, 0.0)
