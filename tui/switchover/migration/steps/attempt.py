"""An attempt's directory: made before the step starts, and read to learn the truth about it afterwards.

What is not there proves nothing. Each record names the journal and the `StepStarted` that it belongs to, and is not
believed otherwise. Only the files that were set aside prove that nothing was executed. They stand as they were made,
the very same files.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from switchover.errors import StateError
from switchover.migration.steps.shim_records import RECORD_BYTES
from switchover.migration.steps.traces import living_shim, marked_processes, open_process, session_members
from switchover.private_files import make_private_dir, open_private, read_private

__all__ = ["AttemptEnded", "AttemptFolder", "AttemptRunning", "Lost", "NeverStarted", "Truth"]

_SET_ASIDE = (".claim", ".started", ".exit")
_PROVING = (".started", ".exit")  # no shim executes anything, or ends, without filling these
_BESIDE = frozenset({*_SET_ASIDE, "claim", ".taken", "shim-error"})
_BLANK = b" " * RECORD_BYTES
_UNSAFE = str.maketrans({"/": "_", ":": "-", "\0": "_"})


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """It ended, and this is how."""

    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AttemptRunning:
    """It runs; `pidfd` becomes readable when its shim is through, `told` when its exit record is there.

    Only who started the shim is notified. The holder closes it.
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
    """Nobody can say how it ended, or whether it began.

    `alive` are processes of it that still run. Only with `over` is it known that nothing of it runs any more.
    """

    reason: str
    alive: tuple[int, ...] = ()
    over: bool = False


Truth = AttemptEnded | AttemptRunning | NeverStarted | Lost


@dataclass(frozen=True, slots=True)
class AttemptFolder:
    """The directory of one attempt.

    `journal` is the id of the journal, and `started` the hash of its record that announced the attempt. `prepared`
    tells the files that were set aside for it from all others.
    """

    directory: Path
    journal: str = ""
    started: str = ""
    prepared: str = ""

    @classmethod
    def of(cls, run_directory: Path, unit: str, number: int) -> AttemptFolder:
        """Return the place of an attempt at a unit."""
        return cls(run_directory / f"{unit.translate(_UNSAFE)}.{number}")

    @property
    def is_free(self) -> bool:
        """Whether nothing lies in its place yet. Raise `StateError` for what tells of an attempt that nobody announced.

        What an engine left that died before it announced anything is no such thing, and is never used again.
        """
        if not os.path.lexists(self.directory):
            return True
        if not all(name in _SET_ASIDE and self._is_blank(name) for name in self._names()):
            raise StateError(
                f"{self.directory} tells of an attempt that the journal does not know: the journal has lost records",
                "bring the newest copy of the journal back; or find out what became of that attempt, and move the "
                "folder away",
            )
        return False

    def make(self) -> None:
        """Make the directory alone, for one whose records are elsewhere. Raise `StateError` where that cannot be."""
        try:
            make_private_dir(self.directory.parent)
            self.directory.mkdir(mode=0o700)
        except OSError as error:
            raise self._cannot_be_written(error) from error

    def _cannot_be_written(self, error: OSError) -> StateError:
        return StateError(
            f"the step was not started: {self.directory} cannot be written ({error.strerror})",
            "free space or make it writable, then go on",
        )

    def prepare(self) -> AttemptFolder:
        """Make the directory and set aside the space of its records. Raise `StateError` where that cannot be."""
        try:
            make_private_dir(self.directory.parent)
            self.directory.mkdir(mode=0o700)
            for name in _SET_ASIDE:
                descriptor = open_private(self.directory / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
                try:
                    os.write(descriptor, _BLANK)
                finally:
                    os.close(descriptor)
        except OSError as error:
            raise self._cannot_be_written(error) from error
        return replace(self, prepared=self._fingerprint())

    def find_out(self, boot_id: str, started_boot_id: str) -> Truth:
        """Learn what became of it. Claims it where nobody has, so that a late shim does nothing."""
        if (record := self._read("exit.json")) is not None:
            return AttemptEnded(record)
        if started_boot_id != boot_id:
            return Lost("the machine was restarted while it ran", over=True)
        if not self.directory.is_dir():
            return self._without_records("its records are gone")
        owner = self._claim()
        if owner is None:
            return self._without_records("its records are damaged, or belong to something else")
        if (pidfd := _shim_of(owner)) is not None:
            return AttemptRunning(pidfd)
        if "engine" not in owner:
            return self.after_shim()
        if (shim := living_shim(self.started)) is not None:
            return AttemptRunning(shim)
        if self._stands():
            return NeverStarted("it had not begun when the engine was killed")
        return self._without_records("its records are gone")

    def after_shim(self) -> Truth:
        """Learn what became of it, now that its shim is gone."""
        if (record := self._read("exit.json")) is not None:
            return AttemptEnded(record)
        started = self._read("started.json")
        if started is None:
            if self._stands():
                return NeverStarted(f"its watcher ended before the command was executed{self._note()}")
            return self._without_records(f"its watcher ended, and its records are gone{self._note()}")
        alive = session_members(started["pid"], started["pid_start"])
        if alive:
            numbers = ", ".join(map(str, alive))
            return Lost(f"its watcher was killed; of the step itself still ran then: pid {numbers}", alive)
        reason = "its watcher was killed, so its exit code is not known; no process of it runs any more"
        return Lost(reason, over=True)

    def watched(self) -> bool:
        """Whether its shim lives. Touches nothing."""
        owner = self._read("claim")
        pidfd = _shim_of(owner) if owner else living_shim(self.started)
        if pidfd is not None:
            os.close(pidfd)
        return pidfd is not None

    def alive(self, boot_id: str) -> tuple[int, ...]:
        """Return the processes of the step itself that run, as far as can be known."""
        started = self._read("started.json")
        if started is None:
            return () if self._stands() else marked_processes(self.started)
        if started.get("boot_id") != boot_id:
            return ()
        return session_members(started["pid"], started["pid_start"])

    def kill_rest(self, boot_id: str) -> tuple[int, ...]:
        """Kill what is left of a step whose shim is gone; return the pids."""
        alive = self.alive(boot_id)
        for pid in alive:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        return alive

    @property
    def remote(self) -> tuple[str, ...] | None:
        """The programs that hand work elsewhere which were seen in it; None where the note of them is gone."""
        note = self._read("remote.json")
        return None if note is None else tuple(str(name) for name in note["remote"])

    @property
    def may_have_ended(self) -> bool:
        """Whether something lies where its exit record would, whatever that is."""
        return os.path.lexists(self.directory / "exit.json")

    @property
    def finished(self) -> bool:
        """Whether there is an exit record of it."""
        return self._read("exit.json") is not None

    def _without_records(self, reason: str) -> Truth:
        """Go by what runs. Where nothing is found, it may run all the same."""
        if (shim := living_shim(self.started)) is not None:
            return AttemptRunning(shim)
        alive = marked_processes(self.started)
        if alive:
            return Lost(f"{reason}; of the step itself still ran then: pid {', '.join(map(str, alive))}", alive)
        return Lost(f"{reason}, so nobody can say whether it ran, or still runs")

    def _claim(self) -> dict[str, Any] | None:
        """Take it where nobody has, and return who owns it; None where what is there is not to be believed."""
        taken, claim = self.directory / ".taken", self.directory / "claim"
        ours = {"engine": os.getpid(), "journal": self.journal, "started": self.started}
        try:
            taken.unlink(missing_ok=True)
            with os.fdopen(open_private(taken, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
                file.write(json.dumps(ours).encode())
            with suppress(FileExistsError):
                os.link(taken, claim)
            taken.unlink()
        except OSError as error:
            raise StateError(f"{claim} cannot be written ({error.strerror})", "free space, then go on") from error
        return self._read("claim")

    def _stands(self) -> bool:
        """Whether it is proved that nothing was executed: the files set aside for that are there, as they were made."""
        return bool(self.prepared) and self._names() <= _BESIDE and self._fingerprint() == self.prepared

    def _fingerprint(self) -> str:
        """Tell the files that were set aside from copies of them, by inode and time of change. All must be blank.

        Empty where one is not there, or has been used.
        """
        facts = []
        for name in _PROVING:
            try:
                found = (self.directory / name).lstat()
            except OSError:
                return ""
            if not self._is_blank(name) or found.st_size != RECORD_BYTES:
                return ""
            facts.append((found.st_ino, found.st_mtime_ns, found.st_ctime_ns))
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]

    def _is_blank(self, name: str) -> bool:
        try:
            return not read_private(self.directory / name, RECORD_BYTES + 1).strip(b" ")
        except OSError:
            return False

    def _names(self) -> frozenset[str]:
        try:
            return frozenset(os.listdir(self.directory))  # noqa: PTH208
        except OSError:
            return frozenset({"?"})

    def _read(self, name: str) -> dict[str, Any] | None:
        """Return a record; None where there is none, where it is damaged, and where it belongs to something else."""
        try:
            record = json.loads(read_private(self.directory / name))
        except (OSError, ValueError):
            return None
        if not isinstance(record, dict) or (record.get("journal"), record.get("started")) != self._belongs:
            return None
        return record if all(isinstance(record.get(key), kinds) for key, kinds in _SHAPES[name].items()) else None

    @property
    def _belongs(self) -> tuple[str, str]:
        return self.journal, self.started

    def _note(self) -> str:
        try:
            note = read_private(self.directory / "shim-error", 4096).decode("utf-8", "replace").strip()
        except OSError:
            return ""
        return f" ({note[:200]})"


_SHAPES: dict[str, dict[str, Any]] = {
    "claim": {},
    "remote.json": {"remote": list},
    "started.json": {"pid": int, "pid_start": int},
    "exit.json": {"ending": str, "duration_s": int | float},
}


def _shim_of(owner: dict[str, Any]) -> int | None:
    """Return a pidfd for the shim that made a claim, None where it is gone or an engine made it."""
    shim, started = owner.get("shim"), owner.get("shim_start")
    return open_process(shim, started) if isinstance(shim, int) and isinstance(started, int) else None
