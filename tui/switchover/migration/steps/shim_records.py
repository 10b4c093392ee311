"""The records of an attempt that its shim writes, each complete when it appears.

Standard library only, and as Python 3.6 reads it: it is sent to other hosts with the shim.
"""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from typing import Any

RECORD_BYTES = 4096  # set aside for each record before the step starts, so that a full disk cannot take it away
MARK = "SWITCHOVER_MARK"  # in a step's environment: the hash of its `StepStarted`, and the session it began in


def start_time(pid: int | str) -> int:
    """Return a process's start time in clock ticks since the boot; with the pid it names one process for good."""
    with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - no pathlib here
        return int(file.read().rpartition(b")")[2].split()[19])


def shim_name(started: str) -> str:
    """Return the name that the kernel shows for the shim of an attempt. It finds the shim without any record."""
    return f"sw-{started[:12]}"


class ShimRecords:
    """What one attempt's shim writes about it."""

    def __init__(self, request: dict[str, Any], telling: int, remote: Any) -> None:
        self.request = request
        self.telling = telling
        self.directory: str = request["directory"]
        self.identity: dict[str, Any] = {}
        self.remote = remote

    def _die_at(self, point: str) -> None:
        if self.request.get("die_at") == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def _identity(self) -> dict[str, Any]:
        if not self.identity:
            self.identity = {
                "shim": os.getpid(),
                "shim_start": start_time("self"),
                "boot_id": self.request["boot_id"],
                **self._belongs(),
            }
        return self.identity

    def _belongs(self) -> dict[str, str]:
        return {"journal": self.request["journal"], "started": self.request["started"]}

    def _claim(self) -> bool:
        os.close(self._fill(".claim", self._identity()))
        try:
            os.link(f"{self.directory}/.claim", f"{self.directory}/claim")
        except FileExistsError:
            return False
        return True

    def _fill(self, name: str, record: dict[str, Any], *, make: bool = False) -> int:
        """Write a record into the file set aside for it, made where it is gone if `make`; return the descriptor."""
        flags = os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_CREAT if make else 0)
        descriptor = os.open(f"{self.directory}/{name}", flags, 0o600)
        data = json.dumps(record).encode()
        try:
            _write_all(descriptor, data.ljust(RECORD_BYTES))
        except OSError:
            # Only what was set aside is sure: rather an end without its outputs than no end at all.
            short = json.dumps({**record, "outputs": {}, "veiled": {}, "record_cut": True}).encode()
            os.lseek(descriptor, 0, os.SEEK_SET)
            _write_all(descriptor, short.ljust(RECORD_BYTES))
            os.ftruncate(descriptor, max(len(short), RECORD_BYTES))
        return descriptor

    def _record(self, name: str, record: dict[str, Any], *, last: bool = False) -> None:
        spare = f".{name.partition('.')[0]}"
        if last:
            os.makedirs(self.directory, 0o700, exist_ok=True)  # noqa: PTH103 - no pathlib
        descriptor = self._fill(spare, record, make=last)
        if last:
            self._die_at("before-exit-rename")
        os.rename(f"{self.directory}/{spare}", f"{self.directory}/{name}")  # noqa: PTH104 - no pathlib
        if last:
            os.close(self.telling)
            self._die_at("before-exit-flush")
            # Appeared and flushed in this order, one flush does for both on most file systems. What a loss of power
            # leaves of an unflushed record does not parse, and counts as none.
            os.fsync(descriptor)
            folder = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            os.fsync(folder)
            os.close(folder)
        os.close(descriptor)

    def _note_remote(self) -> None:
        """Note what was seen. Where that cannot be, no note is left: the one before would say that there was none."""
        try:
            descriptor = self._fill("remote.json", {"remote": list(self.remote.seen), **self._belongs()}, make=True)
        except OSError:
            with suppress(OSError):
                os.unlink(f"{self.directory}/remote.json")  # noqa: PTH108 - no pathlib
            return
        try:
            if self.remote.seen:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def leave_a_note(directory: str, error: BaseException) -> None:
    """Say where the shim failed: kind and lines only, never values."""
    places = []
    trace = error.__traceback__
    while trace is not None:
        places.append(f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}")
        trace = trace.tb_next
    text = f"{type(error).__name__} {getattr(error, 'errno', '')} {' '.join(places)}\n"
    with suppress(OSError), open(f"{directory}/shim-error", "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(text)
