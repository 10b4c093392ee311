"""The process table in one lean pass over /proc, and the few facts about a process that do not change.

psutil is not used here. For 1,000 processes this pass takes 8 ms of CPU, psutil's 58 ms
(`tests/bench/process_events.py` measures both). The pass runs every few seconds on hosts that have other work to do.
"""

from __future__ import annotations

import os
import pwd
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from switchover.services.processes.process_names import short_name

__all__ = [
    "TICKS_PER_SECOND",
    "ProcessFacts",
    "ProcessFactsCache",
    "ProcessRow",
    "is_frozen",
    "read_command",
    "read_row",
    "read_rows",
]

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_KERNEL_THREAD = 0x00200000
_MOST_COMMAND = 16_384  # bytes of a command line; what follows names nothing
_YOUNG_S = 10.0  # a process that has just begun may still become another program or another user
_IN_CGROUP = re.compile(r"/(?:docker[-/]|libpod-|cri-containerd-|crio-)([0-9a-f]{12})[0-9a-f]*")
_UNIT = re.compile(r"/([^/]+\.(?:service|scope))(?:/|$)")


class ProcessRow(NamedTuple):
    """A process as /proc/PID/stat shows it. `ticks` is its start since boot, `used` its CPU time, both in ticks.

    `state` is the kernel's letter (R, S, D, T, t, Z, X, I). `exit_status` is as `wait` would give it, for a zombie.
    """

    pid: int
    comm: str
    state: str
    parent: int
    ticks: int
    used: int
    memory_bytes: int
    kernel: bool
    exit_status: int

    @property
    def process(self) -> tuple[int, int]:
        """What distinguishes this process from every other since boot."""
        return self.pid, self.ticks

    @property
    def identity(self) -> str:
        """The same as text."""
        return f"{self.pid}:{self.ticks}"

    @property
    def started_at(self) -> float:
        """When it started, in epoch seconds by the clock of now."""
        return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + self.ticks / TICKS_PER_SECOND


def read_row(pid: int) -> ProcessRow | None:
    """Return one process, None when there is none with this pid."""
    try:
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    except OSError:
        return None
    try:
        data = os.read(descriptor, 2048)
    except OSError:  # it ended between the two
        return None
    finally:
        os.close(descriptor)
    return parse_stat(data)


def parse_stat(data: bytes) -> ProcessRow:
    """Read a line of /proc/PID/stat; the name in brackets may hold anything, brackets and spaces too."""
    begin, end = data.index(b"("), data.rindex(b")")
    field = data[end + 2 :].split(b" ")
    return ProcessRow(
        int(data[: begin - 1]),
        data[begin + 1 : end].decode("utf-8", "replace"),
        field[0].decode("ascii"),
        int(field[1]),
        int(field[19]),
        int(field[11]) + int(field[12]),
        int(field[21]) * _PAGE,
        bool(int(field[6]) & _KERNEL_THREAD),
        int(field[49]),
    )


def read_rows() -> Iterator[ProcessRow]:
    """Return every process but the kernel's own threads."""
    for name in os.listdir("/proc"):  # noqa: PTH208 - the pass must be lean
        if name.isdigit() and (row := read_row(int(name))) is not None and not row.kernel:
            yield row


def read_command(pid: int) -> tuple[str, ...]:
    """Return the words of a command line; empty for a zombie, or where it may not be read."""
    text = _read(f"/proc/{pid}/cmdline")
    return tuple(text.removesuffix("\0").split("\0")) if text else ()


def is_frozen(pid: int, controllers: str = "/sys/fs/cgroup") -> bool:
    """Say whether the control group of a process is frozen, as that of a paused container is.

    Only groups of version 1 need asking: there a frozen process looks like one that hangs in the kernel.
    """
    for line in _read(f"/proc/{pid}/cgroup").splitlines():
        _, names, path = line.split(":", 2)
        if names == "freezer":
            return _read(f"{controllers}/freezer{path}/freezer.state").strip() in ("FROZEN", "FREEZING")
    return False


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """What is asked once about a process. `line` is its whole command line and may hold secrets: it is never shown."""

    title: str
    user: str
    uid: int
    group: str
    line: str
    started_at: float
    comm: str


class ProcessFactsCache:
    """Remembers the facts about each process, and asks again while it is young or has become another program."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], ProcessFacts] = {}
        self._reading: ProcessRow | None = None

    def avoid(self) -> None:
        """Stop asking about the process whose answer is awaited. Its memory is locked, and so are we."""
        if (row := self._reading) is not None:
            self._known[row.process] = ProcessFacts(row.comm, "", -1, "", "", row.started_at - _YOUNG_S, row.comm)

    def of(self, row: ProcessRow) -> ProcessFacts:
        """Return what is known about a process; one that ended meanwhile has its short name only."""
        known = self._known.get(row.process)
        if known is not None and known.comm == row.comm and time.time() - known.started_at > _YOUNG_S:
            return known
        self._reading = row
        words = read_command(row.pid)
        self._reading = None
        uid = _user_of(row.pid)
        facts = ProcessFacts(
            short_name(row.comm, words),
            _user_name(uid),
            uid,
            _group_of(_read(f"/proc/{row.pid}/cgroup")),
            " ".join(words),
            known.started_at if known is not None else row.started_at,
            row.comm,
        )
        self._known[row.process] = facts
        return facts

    def __len__(self) -> int:
        return len(self._known)

    def keep(self, processes: set[tuple[int, int]]) -> None:
        """Forget all but these."""
        for process in self._known.keys() - processes:
            del self._known[process]


def _group_of(cgroups: str) -> str:
    """Return the unit, or the container, that a process belongs to."""
    path = cgroups.strip().rpartition("\n")[2].rpartition(":")[2]
    if container := _IN_CGROUP.search(path):
        return f"container {container[1]}"
    units = _UNIT.findall(path)
    return units[-1] if units else ""


def _user_of(pid: int) -> int:
    """Return the real user; the owner of /proc/PID is root where a process gave up its rights."""
    _, _, rest = _read(f"/proc/{pid}/status").partition("\nUid:\t")
    number = rest.partition("\t")[0]
    return int(number) if number.isdigit() else -1


@lru_cache(maxsize=256)
def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid) if uid >= 0 else ""


def _read(path: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return ""
    try:
        return os.read(descriptor, _MOST_COMMAND).decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        os.close(descriptor)
