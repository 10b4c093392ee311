"""One driver for a target on a host, whatever the account, the home directory or the plan's path.

Each account locks a file of its own, then looks whether another account's is locked. Whoever comes second sees the
first. Only a file's owner can hold a write lock on it. So nobody can hold a lock in the name of another account.
"""

from __future__ import annotations

import fcntl
import os
import random
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from switchover.errors import LockedError, StateError
from switchover.locations import Workspace, host_registry, workspace_for
from switchover.migration.facts.operator import Operator
from switchover.migration.journal.host_registry import (
    READABLE,
    HostRegistry,
    Notes,
    RunNote,
    account_name,
    believable,
    open_readable,
)
from switchover.plan.model import Plan
from switchover.private_files import open_private
from switchover.snapshot import Holder

__all__ = ["HostLock", "describe_holder", "host_of"]

_FLOCK = struct.Struct("hhqqi4x")  # struct flock: type, whence, start, length, pid
_TRIES = 4
_HINT = "wait until it is free"


class HostLock:
    """Held by whoever drives. `not_believed` are the files that are not plainly their owner's, each with why."""

    def __init__(self, registry: HostRegistry, directory: Path) -> None:
        self.registry = registry
        self.not_believed: dict[Path, str] = {}
        self._directory = directory
        self._descriptor = -1
        self._path = Path()
        self._notes = Notes()

    @property
    def held(self) -> bool:
        """Whether this process holds it."""
        return self._descriptor >= 0

    def hold(self, operator: Operator) -> None:
        """Take it. Raise `LockedError` that names who has it."""
        self.registry.judge_folder()
        for left in reversed(range(_TRIES)):
            self._take_own()
            try:
                self._refuse_others()
            except LockedError:
                self._close()
                if not left:
                    raise
                time.sleep(random.uniform(0.001, 0.02))  # noqa: S311 - two that came at once both saw the other
            except BaseException:
                self._close()
                raise
            else:
                break
        holder = Holder(operator.who, operator.host, operator.tty, os.getpid(), time.time())
        self._write(replace(self.registry.own_notes(), holder=holder, holds=str(self._directory)))

    def leave(self) -> None:
        """Leave it. Never raises."""
        if self._descriptor >= 0:
            self._write(replace(self._notes, holder=None, holds=""))
            self._close()

    def note(self, run: RunNote) -> None:
        """Write down how far the run is. Where that cannot be, the run does not suffer for it."""
        if self._descriptor < 0:
            return
        if _inode(self._path) != _inode(self._descriptor):  # a cleaner took it away
            before = self._descriptor
            with suppress(LockedError, StateError):
                self._take_own()
                os.close(before)
        self._write(self._notes.with_run(run))

    def change(self, notes: Callable[[Notes], Notes]) -> None:
        """Change what is noted, while it is held."""
        self._write(notes(self._notes))

    def holder(self, directory: str = "") -> Holder | None:
        """Return who drives this workspace's run now, or that of another folder; None where nobody does."""
        wanted = directory or str(self._directory)
        return next((holder for holder, holds in self.drivers() if holds == wanted), None)

    def drivers(self) -> Iterator[tuple[Holder, str]]:
        """Yield who drives the target now, each with the folder of the state."""
        for path in self.registry.paths("lock"):
            uid = _locked_by(path)
            if uid is None:
                continue
            notes = next((notes for owner, notes in self.registry.notes() if owner == uid), Notes())
            if notes.holder is not None:
                yield notes.holder, notes.holds

    def find_not_believed(self) -> tuple[str, ...]:
        """Return the files that are not plainly their owner's, each with why."""
        for path in (*self.registry.paths("lock"), *self.registry.paths("json")):
            if (why := _why_not_believed(path)) is not None:
                self._not_believed(path, why)
        return tuple(self.not_believed.values())

    # Inside

    def _write(self, notes: Notes) -> None:
        self._notes = notes
        with suppress(OSError):
            self.registry.write(notes)

    def _take_own(self) -> None:
        """Lock our own file. Raise `LockedError` where another process of this account has."""
        for path in self.registry.own_paths("lock"):
            for _ in range(_TRIES):
                try:
                    descriptor = _open_own(path)
                except FileExistsError:
                    continue
                except PermissionError:
                    self._not_believed(path, "belongs to another account")
                    break
                except OSError as error:
                    self._not_believed(path, error.strerror or "cannot be used")
                    break
                try:
                    fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _ask(fcntl.F_WRLCK))
                except OSError:
                    held = _held(descriptor, fcntl.F_RDLCK)
                    os.close(descriptor)
                    if held:
                        raise self._locked(os.geteuid()) from None
                    self._not_believed(path, "is locked by another account, which may only read it")
                    with suppress(OSError):
                        path.unlink()
                    continue
                if _inode(path) == _inode(descriptor):
                    self._path, self._descriptor = path, descriptor
                    return
                os.close(descriptor)
        raise StateError(
            f"the lock of {self.registry.what} on this host cannot be made in {self.registry.folder}",
            "free space there, or remove what other accounts have put in its place",
        )

    def _refuse_others(self) -> None:
        for path in self.registry.paths("lock"):
            if _inode(path) != _inode(self._descriptor) and (uid := _locked_by(path)) is not None:
                raise self._locked(uid)

    def _locked(self, uid: int) -> LockedError:
        notes = next((notes for owner, notes in self.registry.notes() if owner == uid and notes.holder), Notes())
        account = account_name(uid)
        if notes.holder is None:
            return LockedError(f"{self.registry.what} is driven by {account}", _HINT)
        holder = describe_holder(notes.holder)
        where = f"{account}; its state lies in {notes.holds}"
        plan = next((run.plan_path for run in notes.runs if run.directory == notes.holds), "")
        there = workspace_for(Path(notes.holds).parent.parent, Path(plan))
        watch = f"watch it with `{there.command('status')}`, or " if plan else ""
        return LockedError(f"{self.registry.what} is driven by {holder}, {where}", f"{watch}{_HINT}")

    def _not_believed(self, path: Path, why: str) -> None:
        try:
            owner = f" ({account_name(path.lstat().st_uid)})"
        except OSError:
            owner = ""
        self.not_believed[path] = f"{path}{owner} {why}: it is not believed"

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1


def describe_holder(holder: Holder) -> str:
    """Return who, where and since when, in words."""
    if not holder.since:
        return f"{holder.who} on {holder.host}"
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(holder.since))
    terminal = f", {holder.tty}" if holder.tty else ""
    return f"{holder.who}@{holder.host}{terminal}, pid {holder.pid}, since {since}"


def host_of(workspace: Workspace, plan: Plan) -> HostLock | None:
    """Return what holds a plan's target on this host; None on a host without a folder for it."""
    folder = workspace.registry or host_registry(os.environ)
    if folder is None:
        return None
    return HostLock(HostRegistry.of(folder, plan.id, plan.target or ""), workspace.directory)


def _open_own(path: Path) -> int:
    """Open our own lock file, made where there is none. A file of another account is a `PermissionError`."""
    try:
        descriptor = open_private(path, os.O_RDWR)
    except FileNotFoundError:
        descriptor = open_readable(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    if believable(descriptor) is None:
        os.close(descriptor)
        raise OSError(0, "has a second name, or others may write it")
    os.fchmod(descriptor, READABLE)
    return descriptor


def _locked_by(path: Path) -> int | None:
    """Return the account that holds the lock in this file; None where nobody does that could be believed."""
    try:
        descriptor = open_private(path, os.O_RDONLY, only_ours=False)
    except OSError:
        return None
    try:
        uid = believable(descriptor)
        return uid if uid is not None and _held(descriptor, fcntl.F_RDLCK) else None
    finally:
        os.close(descriptor)


def _why_not_believed(path: Path) -> str | None:
    try:
        descriptor = open_private(path, os.O_RDONLY, only_ours=False)
    except FileNotFoundError:
        return None
    except OSError as error:
        return error.strerror or "cannot be read"
    try:
        return None if believable(descriptor) is not None else "has a second name, or others may write it"
    finally:
        os.close(descriptor)


def _ask(kind: int) -> bytes:
    return _FLOCK.pack(kind, os.SEEK_SET, 0, 0, 0)


def _held(descriptor: int, against: int) -> bool:
    """Whether a lock is held that would not let one of this kind be taken."""
    answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _ask(against))
    return bool(_FLOCK.unpack(answer)[0] != fcntl.F_UNLCK)


def _inode(file: Path | int) -> tuple[int, int] | None:
    try:
        found = os.fstat(file) if isinstance(file, int) else file.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
