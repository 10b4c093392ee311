"""An attempt's directory: made before the step starts, and read to learn the truth about it afterwards."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from switchover.errors import StateError
from switchover.migration.shim import RECORD_BYTES, start_time
from switchover.private_files import make_private_dir, open_private, read_private

__all__ = ["Attempt", "Ended", "Lost", "NeverStarted", "Running", "Truth"]

_RECORDS = (".claim", ".started", ".exit")
_UNSAFE = str.maketrans({"/": "_", ":": "-", "\0": "_"})


@dataclass(frozen=True, slots=True)
class Ended:
    """It ended, and this is how."""

    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Running:
    """It runs; `pidfd` becomes readable when its shim is through, `told` when its exit record is there.

    Only who started the shim is told. The holder closes it.
    """

    pidfd: int
    told: int | None = None

    def close(self) -> None:
        """Let go of both."""
        os.close(self.pidfd)
        if self.told is not None:
            os.close(self.told)


@dataclass(frozen=True, slots=True)
class NeverStarted:
    """It is proved that nothing was executed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Lost:
    """It started, and nobody can say how it ended. `alive` are processes of it that still run."""

    reason: str
    alive: tuple[int, ...] = ()


Truth = Ended | Running | NeverStarted | Lost


@dataclass(frozen=True, slots=True)
class Attempt:
    """The directory of one attempt."""

    directory: Path

    @classmethod
    def of(cls, run_directory: Path, unit: str, number: int) -> Attempt:
        """Return the place of an attempt at a unit."""
        return cls(run_directory / f"{unit.translate(_UNSAFE)}.{number}")

    def prepare(self) -> None:
        """Make the directory and set aside the space of its records. Raise `StateError` where that cannot be."""
        try:
            make_private_dir(self.directory)
            for name in _RECORDS:
                descriptor = open_private(self.directory / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
                try:
                    os.write(descriptor, b" " * RECORD_BYTES)
                finally:
                    os.close(descriptor)
        except OSError as error:
            raise StateError(
                f"the step was not started: {self.directory} cannot be written ({error.strerror})",
                "free space or make it writable, then go on",
            ) from error

    def find_out(self, boot_id: str, started_boot_id: str) -> Truth:
        """Learn what became of it. Claims it where nobody has, so that a late shim does nothing."""
        if (record := self._read("exit.json")) is not None:
            return Ended(record)
        if started_boot_id != boot_id:
            return Lost("the machine was restarted while it ran")
        if not self.directory.is_dir():
            return Lost("its records are gone")
        owner = self._claim()
        if owner is None:
            return NeverStarted("it had not begun when the engine was killed")
        pidfd = open_process(int(owner["shim"]), int(owner["shim_start"]))
        if pidfd is not None:
            return Running(pidfd)
        return self.after_shim()

    def after_shim(self) -> Truth:
        """Learn what became of it, now that its shim is gone."""
        if (record := self._read("exit.json")) is not None:
            return Ended(record)
        started = self._read("started.json")
        if started is None:
            return NeverStarted(f"its watcher ended before the command was executed{self._note()}")
        alive = session_members(int(started["pid"]), int(started["pid_start"]))
        if alive:
            numbers = ", ".join(map(str, alive))
            return Lost(f"its watcher was killed; of the step itself still ran then: pid {numbers}", alive)
        return Lost("its watcher was killed, so its exit code is not known; no process of it runs any more")

    def watched(self) -> bool:
        """Whether its shim lives. Touches nothing."""
        owner = self._read("claim")
        pidfd = open_process(int(owner["shim"]), int(owner["shim_start"])) if owner else None
        if pidfd is not None:
            os.close(pidfd)
        return pidfd is not None

    def alive(self, boot_id: str) -> tuple[int, ...]:
        """Return the processes of the step itself that run."""
        started = self._read("started.json")
        if started is None or started.get("boot_id") != boot_id:
            return ()
        return session_members(int(started["pid"]), int(started["pid_start"]))

    def kill_rest(self, boot_id: str) -> tuple[int, ...]:
        """Kill what is left of a step whose shim is gone; return the pids."""
        alive = self.alive(boot_id)
        for pid in alive:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        return alive

    @property
    def remote(self) -> tuple[str, ...]:
        """The programs that hand work elsewhere which were seen in it."""
        found = (self._read("remote.json") or {}).get("remote", ())
        return tuple(str(name) for name in found)

    @property
    def finished(self) -> bool:
        """Whether there is an exit record."""
        return (self.directory / "exit.json").exists()

    def _claim(self) -> dict[str, Any] | None:
        """Return who owns the attempt; None when it was free or already taken back by an engine."""
        claim = self.directory / "claim"
        try:
            os.close(open_private(claim, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            pass
        except OSError as error:
            raise StateError(f"{claim} cannot be written ({error.strerror})", "free space, then go on") from error
        return self._read("claim")

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            value = json.loads(read_private(self.directory / name) or b"null")
        except (OSError, ValueError):
            return None
        return value if isinstance(value, dict) else None

    def _note(self) -> str:
        try:
            note = (self.directory / "shim-error").read_text(encoding="utf-8").strip()
        except OSError:
            return ""
        return f" ({note[:200]})"


def open_process(pid: int, started: int) -> int | None:
    """Return a pidfd for exactly the process that had this pid and start time, or None when it is gone."""
    try:
        pidfd = os.pidfd_open(pid)
    except OSError:
        return None
    if _same(pid, started):
        return pidfd
    os.close(pidfd)
    return None


def session_members(leader: int, leader_started: int) -> tuple[int, ...]:
    """Return the living processes of the session that `leader` opened, the leader included."""
    members = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError, IndexError, ValueError):
            fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
            in_session = int(fields[3]) == leader and int(fields[19]) >= leader_started
            if in_session and fields[0] not in (b"Z", b"X"):
                members.append(int(entry.name))
    return tuple(sorted(members))


def _same(pid: int, started: int) -> bool:
    try:
        return start_time(pid) == started
    except (OSError, ValueError, IndexError):
        return False
