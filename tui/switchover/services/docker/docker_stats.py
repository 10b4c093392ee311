"""CPU and memory of containers: from the kernel's own files where they are here, else from the daemon in turn."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

__all__ = ["CgroupStats", "ContainerUsage", "usage_from_stats"]

_SHORTEST_S = 0.5
_MOST_BYTES = 16_384
_MOST_KNOWN = 5000
_UNWANTED_S = 300.0  # what nobody has asked about for so long is forgotten


@dataclass(frozen=True, slots=True)
class ContainerUsage:
    """What a container uses. 100 is one core. Memory is without the file cache, as in `docker stats`."""

    cpu_percent: float | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class _Files:
    cpu: str
    memory: str
    memory_stat: str
    new: bool  # version 2 of control groups


@dataclass(frozen=True, slots=True)
class _Sample:
    at: float
    cpu_s: float
    usage: ContainerUsage


class CgroupStats:
    """Reads the control groups of containers that run on this host. Blocking, a few reads of a file each."""

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        proc: Path = Path("/proc"),
        root: Path = Path("/sys/fs/cgroup"),
    ) -> None:
        self._monotonic = monotonic
        self._proc = proc
        self._root = root
        self._lock = threading.Lock()
        self._files: dict[str, tuple[int, _Files | None]] = {}  # by container, of the process that it had last
        self._samples: dict[str, tuple[int, _Sample]] = {}

    def usage(self, container: str, pid: int) -> ContainerUsage | None:
        """Return what a container uses, None where its control group cannot be read here.

        CPU is the difference to the look before, so the first has none; looks in quick succession return the same.
        """
        with self._lock:
            return self._usage(container, pid)

    def _usage(self, container: str, pid: int) -> ContainerUsage | None:
        sampled, before = self._samples.get(container, (0, None))
        if sampled != pid:
            before = None
        now = self._monotonic()
        if before is not None and now - before.at < _SHORTEST_S:
            return before.usage
        if self._files.get(container, (0, None))[0] != pid:
            self._files[container] = pid, self._find(container, pid)
            self._make_room()
        files = self._files[container][1]
        if files is None:
            return None
        try:
            cpu_s = _cpu_seconds(files)
            memory = _memory(files)
        except (OSError, ValueError, KeyError):
            self._files.pop(container, None)
            self._samples.pop(container, None)
            return None
        percent = None
        if before is not None and now > before.at:
            percent = max(0.0, 100 * (cpu_s - before.cpu_s) / (now - before.at))
        usage = ContainerUsage(percent, memory)
        self._samples[container] = pid, _Sample(now, cpu_s, usage)
        return usage

    def last(self, container: str, pid: int) -> ContainerUsage | None:
        """Return what was read last, without reading again."""
        sampled = self._samples.get(container)
        return sampled[1].usage if sampled is not None and sampled[0] == pid else None

    def keep(self, containers: set[str]) -> None:
        """Forget all containers but these."""
        with self._lock:
            self._files = {key: files for key, files in self._files.items() if key in containers}
            self._samples = {key: sample for key, sample in self._samples.items() if key in containers}

    def _make_room(self) -> None:
        """Forget what was read first, where nobody lists containers and so says which of them are gone."""
        while len(self._files) > _MOST_KNOWN:
            oldest = next(iter(self._files))
            del self._files[oldest]
            self._samples.pop(oldest, None)

    def _find(self, container: str, pid: int) -> _Files | None:
        """Find the files by the process; its control group must name the container, else it is another's process."""
        try:
            lines = (self._proc / str(pid) / "cgroup").read_text(encoding="ascii").splitlines()
        except (OSError, ValueError):
            return None
        groups = {name: path for _, names, path in (line.split(":", 2) for line in lines) for name in names.split(",")}
        old = {name: groups.get(name, "") for name in ("cpuacct", "memory")}
        if all(container in path for path in old.values()):
            cpu, memory = (f"{self._root}/{name}/{path.lstrip('/')}" for name, path in old.items())
            files = _Files(
                f"{cpu}/cpuacct.usage", f"{memory}/memory.usage_in_bytes", f"{memory}/memory.stat", new=False
            )
        elif container in groups.get("", ""):
            base = f"{self._root}/{groups[''].lstrip('/')}"
            files = _Files(f"{base}/cpu.stat", f"{base}/memory.current", f"{base}/memory.stat", new=True)
        else:
            return None
        return files if Path(files.cpu).exists() else None


def usage_from_stats(stats: Mapping[str, Any], before: Mapping[str, Any] | None) -> ContainerUsage:
    """Read one answer of the daemon's statistics; the CPU needs the answer `before` it."""
    memory = stats.get("memory_stats") or {}
    used = memory.get("usage")
    if isinstance(used, int):
        details = memory.get("stats") or {}
        used = max(0, used - int(details.get("total_inactive_file", details.get("inactive_file", 0))))
    percent = None
    if before is not None:
        cpu = stats["cpu_stats"]["cpu_usage"]["total_usage"] - before["cpu_stats"]["cpu_usage"]["total_usage"]
        passed = _nanoseconds(str(stats.get("read", ""))) - _nanoseconds(str(before.get("read", "")))
        percent = max(0.0, 100 * cpu / passed) if passed > 0 else None
    return ContainerUsage(percent, used)


def _one_shot(api: Any, container: str) -> Mapping[str, Any]:
    answer: Mapping[str, Any] = api.stats(container, stream=False, one_shot=True)
    return answer


def _cpu_seconds(files: _Files) -> float:
    text = _read(files.cpu)
    return int(_value(text, "usage_usec")) / 1e6 if files.new else int(text) / 1e9


def _memory(files: _Files) -> int:
    used = int(_read(files.memory))
    name = "inactive_file" if files.new else "total_inactive_file"
    return max(0, used - int(_value(_read(files.memory_stat), name)))


def _value(text: str, name: str) -> str:
    _, found, rest = f"\n{text}".partition(f"\n{name} ")
    if not found:
        raise KeyError(name)
    return rest.partition("\n")[0]


def _read(path: str) -> str:
    """Read a small file of the kernel's; three a container every few seconds, so without objects around it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, _MOST_BYTES).decode("ascii")
    finally:
        os.close(descriptor)


def _nanoseconds(text: str) -> float:
    head, _, fraction = text.removesuffix("Z").partition(".")
    try:
        whole = datetime.fromisoformat(head + "+00:00").timestamp()
    except ValueError:
        return 0.0
    return whole * 1e9 + float((fraction or "0").ljust(9, "0")[:9])


class InTurn:
    """Asks a daemon about one container after another, since each answer takes it a second: one question at a time."""

    def __init__(
        self,
        call: Callable[[Callable[[Any], Any]], Awaitable[Any]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.task: asyncio.Task[None] | None = None
        self._call = call
        self._wanted: dict[str, None] = {}
        self._before: dict[str, Mapping[str, Any]] = {}
        self._usages: dict[str, ContainerUsage] = {}
        self._asked: dict[str, float] = {}
        self._monotonic = monotonic

    def want(self, containers: Iterable[str]) -> None:
        """Ask about these, until nobody has wanted them during a whole turn."""
        self._wanted |= dict.fromkeys(containers)
        if self.task is None or self.task.done():
            self.task = asyncio.ensure_future(self._run())

    def usage(self, container: str) -> ContainerUsage | None:
        """Return what was last heard of a container."""
        return self._usages.get(container)

    async def _run(self) -> None:
        while self._wanted:
            container = next(iter(self._wanted))
            del self._wanted[container]
            self._asked[container] = self._monotonic()
            try:
                stats = await self._call(partial(_one_shot, container=container))
                self._usages[container] = usage_from_stats(stats, self._before.get(container))
                self._before[container] = stats
            except Exception:  # gone, or its daemon is: what was heard of it is old
                self._usages.pop(container, None)
                self._before.pop(container, None)
                await asyncio.sleep(_SHORTEST_S)
        long_ago = self._monotonic() - _UNWANTED_S
        for gone in [one for one, asked in self._asked.items() if asked < long_ago]:
            for book in (self._asked, self._usages, self._before):
                book.pop(gone, None)
