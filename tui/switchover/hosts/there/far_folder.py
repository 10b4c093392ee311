"""An attempt's folder on this machine: set aside before the step is announced, asked for the truth afterwards.

It keeps the same promises as the folders of steps that run where the journal is. What is not there proves nothing.
Only the files that were set aside, standing as they were made, prove that nothing was executed.
Standard library only, Python 3.6.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import stat
import sys
from contextlib import suppress
from typing import Any

shim_records: Any = sys.modules.get("shim_records")

SET_ASIDE = (".claim", ".started", ".exit")
PROVING = (".started", ".exit")
BESIDE = frozenset((*SET_ASIDE, "claim", ".taken", "shim-error"))


def boot_id() -> str:
    """Return the id of this boot."""
    with open("/proc/sys/kernel/random/boot_id") as file:  # noqa: PTH123 - no pathlib here
        return file.read().strip()


def bases() -> list[str]:
    """Return the folders in which a run's folder may lie, best first."""
    home = os.path.expanduser("~")  # noqa: PTH111
    name = "switchover-far-%d" % os.getuid()  # noqa: UP031 - Python 3.6
    return [os.path.join(home, ".switchover-far"), f"/var/tmp/{name}", f"/tmp/{name}"]  # noqa: PTH118, S108


def prepare(run: str, name: str) -> dict[str, Any]:
    """Make the folder of an attempt and set its records aside, in the first place where that can be done."""
    failures = []
    for base in bases():
        try:
            _make_private(base)
            _make_private(f"{base}/{run}")
            folder = f"{base}/{run}/{name}"
            os.mkdir(folder, 0o700)  # noqa: PTH102
            try:
                for record in SET_ASIDE:
                    _fill_blank(f"{folder}/{record}")
            except OSError:
                shutil.rmtree(folder, ignore_errors=True)  # never half of it
                raise
        except OSError as error:
            failures.append(f"{base}: {os.strerror(error.errno or errno.EIO)}")
            continue
        return {"directory": folder, "prepared": fingerprint(folder), "boot_id": boot_id()}
    return {"error": "no folder there can be written: " + "; ".join(failures)}


def _make_private(folder: str) -> None:
    """Make a folder of our own. Raise `OSError` where it is another's, or others may write there."""
    if not os.path.lexists(folder):
        with suppress(FileExistsError):
            os.mkdir(folder, 0o700)  # noqa: PTH102
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise OSError(errno.EACCES, "another's")


def _fill_blank(path: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        if os.write(descriptor, b" " * shim_records.RECORD_BYTES) != shim_records.RECORD_BYTES:
            raise OSError(errno.ENOSPC, "full")
    finally:
        os.close(descriptor)


def fingerprint(folder: str) -> str:
    """Tell the files that were set aside from copies of them. Empty where one is not there, or has been used."""
    facts = []
    for name in PROVING:
        try:
            found = os.lstat(f"{folder}/{name}")
            blank = not _content(f"{folder}/{name}").strip(b" ")
        except OSError:
            return ""
        if not blank or found.st_size != shim_records.RECORD_BYTES:
            return ""
        facts.append((found.st_ino, found.st_mtime_ns, found.st_ctime_ns))
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]


class FarFolder:
    """The folder of one attempt, as the machine that began it names it: journal, record, place, boot."""

    def __init__(self, ask: dict[str, Any]) -> None:
        self.directory: str = ask["directory"]
        self.belongs = (ask["journal"], ask["started"])
        self.prepared: str = ask["prepared"]
        self.boot_id: str = ask["boot_id"]

    def find_out(self) -> dict[str, Any]:
        """Return what became of it. Claims it where nobody has, so that a late shim does nothing."""
        record = self.read("exit.json")
        if record is not None:
            return {"truth": "ended", "record": record}
        if self.boot_id != boot_id():
            return _lost("that machine was restarted while it ran", over=True)
        if not os.path.isdir(self.directory):  # noqa: PTH112
            return self._without_records("its records there are gone")
        owner = self._claim()
        if owner is None:
            return self._without_records("its records there are damaged, or belong to something else")
        if "engine" not in owner:
            return {"truth": "running"} if is_alive(owner["shim"], owner["shim_start"]) else self._after_shim()
        if self._living_shim():
            return {"truth": "running"}
        if self._stands():
            return _never("the connection broke before it began")
        return self._without_records("its records there are gone")

    def abort(self, number: int) -> bool:
        """Signal its shim; return whether there was one."""
        owner = self.read("claim") or {}
        if "shim" in owner and is_alive(owner["shim"], owner["shim_start"]):
            with suppress(ProcessLookupError):
                os.kill(owner["shim"], number)
                return True
        pid = 0 if owner or self._stands() else self._living_shim()  # its records are gone, and it goes on
        if pid:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
                return True
        return False

    def alive(self) -> list[int]:
        """Return the processes of the step itself that run."""
        started = self.read("started.json")
        if started is None:
            return [] if self._stands() else marked(self.belongs[1])
        return session(started["pid"], started["pid_start"]) if started["boot_id"] == boot_id() else []

    def is_watched(self) -> bool:
        """Whether its shim lives."""
        owner = self.read("claim") or {}
        return ("shim" in owner and is_alive(owner["shim"], owner["shim_start"])) or bool(self._living_shim())

    def read(self, name: str) -> dict[str, Any] | None:
        """Return a record; None where there is none, where it is damaged, or belongs to something else."""
        try:
            record = json.loads(_content(f"{self.directory}/{name}").decode())
        except (OSError, ValueError):
            return None
        if not isinstance(record, dict) or (record.get("journal"), record.get("started")) != self.belongs:
            return None
        if any(not isinstance(record.get(key), kinds) for key, kinds in _SHAPES[name].items()):
            return None
        return record

    def _after_shim(self) -> dict[str, Any]:
        record = self.read("exit.json")  # it may have come since
        if record is not None:
            return {"truth": "ended", "record": record}
        started = self.read("started.json")
        if started is None:
            if self._stands():
                return _never(f"its watcher there ended before the command was executed{self._note()}")
            return self._without_records(f"its watcher there ended, and its records are gone{self._note()}")
        alive = session(started["pid"], started["pid_start"])
        if alive:
            numbers = ", ".join(map(str, alive))
            return _lost(f"its watcher there was killed; of the step itself still ran then: pid {numbers}", alive)
        reason = "its watcher there was killed, so its exit code is not known; no process of it runs any more"
        return _lost(reason, over=True)

    def _without_records(self, reason: str) -> dict[str, Any]:
        if self._living_shim():
            return {"truth": "running"}
        alive = marked(self.belongs[1])
        if alive:
            numbers = ", ".join(map(str, alive))
            return _lost(f"{reason}; of the step itself still ran then: pid {numbers}", alive)
        return _lost(f"{reason}, so nobody can say whether it ran, or still runs")

    def _claim(self) -> dict[str, Any] | None:
        taken, claim = f"{self.directory}/.taken", f"{self.directory}/claim"
        ours = {"engine": os.getpid(), "journal": self.belongs[0], "started": self.belongs[1]}
        if not os.path.lexists(claim):
            with suppress(FileNotFoundError):
                os.unlink(taken)  # noqa: PTH108
            descriptor = os.open(taken, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            try:
                data = json.dumps(ours).encode()
                if os.write(descriptor, data) != len(data):
                    raise OSError(errno.ENOSPC, "full")
            finally:
                os.close(descriptor)
            with suppress(FileExistsError):
                os.link(taken, claim)
            os.unlink(taken)  # noqa: PTH108
        return self.read("claim")

    def _living_shim(self) -> int:
        name = shim_records.shim_name(self.belongs[1]).encode()
        for pid in processes():
            with suppress(OSError):
                ours = os.stat(f"/proc/{pid}").st_uid in (os.geteuid(), 0)  # noqa: PTH116
                if ours and _content(f"/proc/{pid}/comm").strip() == name and _stat(pid):
                    return pid
        return 0

    def _stands(self) -> bool:
        try:
            names = frozenset(os.listdir(self.directory))  # noqa: PTH208
        except OSError:
            return False
        return bool(self.prepared) and names <= BESIDE and fingerprint(self.directory) == self.prepared

    def _note(self) -> str:
        try:
            note = _content(f"{self.directory}/shim-error")[:200].decode("utf-8", "replace").strip()
        except OSError:
            return ""
        return f" ({note})" if note else ""


_SHAPES: dict[str, dict[str, Any]] = {
    "claim": {},
    "started.json": {"pid": int, "pid_start": int, "boot_id": str},
    "exit.json": {"ending": str, "duration_s": (int, float)},
}


def remove(run: str, name: str) -> str:
    """Remove an attempt's folder wherever it lies, and what is empty above it. Return what is left, in words."""
    for base in bases():
        folder = f"{base}/{run}/{name}"
        with suppress(FileNotFoundError):
            try:
                shutil.rmtree(folder)
            except FileNotFoundError:
                pass
            except OSError as error:
                return f"{folder}: {os.strerror(error.errno or errno.EIO)}"
        for above in (f"{base}/{run}", base):
            with suppress(OSError):
                os.rmdir(above)  # noqa: PTH106
    return ""


def _never(reason: str) -> dict[str, Any]:
    return {"truth": "never", "reason": reason}


def _lost(reason: str, alive: list[int] | None = None, *, over: bool = False) -> dict[str, Any]:
    return {"truth": "lost", "reason": reason, "alive": alive or [], "over": over}


def _content(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(1 << 20)


def processes() -> list[int]:
    """Return the pids that there are."""
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208


def is_alive(pid: int, started: int) -> bool:
    """Whether exactly this process lives."""
    found = _stat(pid)
    return found is not None and found[1] == started


def session(leader: int, started: int) -> list[int]:
    """Return the living processes of the session that `leader` opened."""
    found = []
    for pid in processes():
        known = _stat(pid)
        if known is not None and known[0] == leader and known[1] >= started:
            found.append(pid)
    return found


def marked(started: str) -> list[int]:
    """Return the living processes of the session that a step began in, by the mark in their environment."""
    mark = f"{shim_records.MARK}={started}:".encode()
    found = []
    for pid in processes():
        known = _stat(pid)
        with suppress(OSError):
            words = _content(f"/proc/{pid}/environ").split(b"\0")
            if known is not None and any(word == mark + str(known[0]).encode() for word in words):
                found.append(pid)
    return found


def _stat(pid: int) -> tuple[int, int] | None:
    """Return the session and start time of a process that lives."""
    try:
        fields = _content(f"/proc/{pid}/stat").rpartition(b")")[2].split()
        return None if fields[0] in (b"Z", b"X") else (int(fields[3]), int(fields[19]))
    except (OSError, IndexError, ValueError):
        return None
