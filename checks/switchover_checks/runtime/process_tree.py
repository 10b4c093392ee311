"""Ending a process and all that came from it, also what moved into a session of its own.

Descendants are found by their parents and by a marker in their environment. So a child survives neither by `setsid` nor
by losing its parent.
"""

from __future__ import annotations

import _thread
import asyncio
import contextlib
import os
import re
import secrets
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

__all__ = ["MARKER", "Sweeper", "new_marker", "survivors"]

MARKER = "SWITCHOVER_PROBE_"
"""The beginning of the name of an environment variable that every process of a probe inherits; one for each probe."""

_MARKED = re.compile(rb"(" + MARKER.encode() + rb"[0-9a-f]+)=1")
_PASSES = 200


def new_marker() -> str:
    """Make the name of an environment variable that no other process has."""
    return MARKER + secrets.token_hex(12)


def survivors(root: int, marker: str, known: frozenset[int] = frozenset()) -> set[int]:
    """Return the pids that live and carry the marker, or descend from `root` or from one of `known`."""
    return _Processes.now().of(root, marker, known)


@dataclass(frozen=True, slots=True)
class _Processes:
    """All that lives but this process: who came from whom, and who carries which marker."""

    alive: frozenset[int]
    children: Mapping[int, list[int]]
    marked: Mapping[str, list[int]]

    @classmethod
    def now(cls) -> Self:
        """Look through all processes."""
        alive: set[int] = set()
        children: dict[int, list[int]] = {}
        marked: dict[str, list[int]] = {}
        me = os.getpid()
        for entry in os.scandir("/proc"):
            if not entry.name.isdecimal() or int(entry.name) == me:
                continue
            pid = int(entry.name)
            try:
                fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
            except OSError:
                continue
            if fields[0] in (b"Z", b"X"):
                continue
            alive.add(pid)
            children.setdefault(int(fields[1]), []).append(pid)
            with contextlib.suppress(OSError):
                for mark in set(_MARKED.findall(Path(f"/proc/{pid}/environ").read_bytes())):
                    marked.setdefault(mark.decode(), []).append(pid)
        return cls(frozenset(alive), children, marked)

    def of(self, root: int, marker: str, known: frozenset[int]) -> set[int]:
        """Return those of one tree."""
        found = {*self.marked.get(marker, ()), *({root} | known) & self.alive}
        parents = [root, *found]
        while parents:
            more = [pid for pid in self.children.get(parents.pop(), ()) if pid not in found]
            found.update(more)
            parents += more
        return found


@dataclass(eq=False, slots=True)
class _Tree:
    """One that is being ended. `tell` is called once nothing of it is left, or it cannot be ended."""

    root: int
    marker: str
    tell: Callable[[], None]
    known: frozenset[int] = frozenset()
    passes: int = 0


class Sweeper:
    """Ends process trees in a thread. However many there are, each pass looks through all processes once for all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._trees: list[_Tree] = []
        self._running = False

    async def end(self, root: int, marker: str) -> None:
        """Kill `root`, its group, its descendants and all that carry the marker; give up after about two seconds.

        `root` must not have been reaped yet, or must have had a session of its own. Else its number could mean another
        process.
        """
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()

        def settle() -> None:
            if not ended.done():
                ended.set_result(None)

        def tell() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended; nobody waits any more
                loop.call_soon_threadsafe(settle)

        with self._lock:
            self._trees.append(_Tree(root, marker, tell))
            start, self._running = not self._running, True
        if start:
            try:
                _thread.start_new_thread(self._sweep, ())
            except RuntimeError:  # no further thread can be started: nothing may be left running all the same
                self._sweep()
        await ended

    def _sweep(self) -> None:
        while True:
            with self._lock:
                trees = list(self._trees)
                if not trees:
                    self._running = False
                    return
            over = trees
            try:
                processes = _Processes.now()
                over = [tree for tree in trees if not _kill(tree, processes)]
            finally:  # whatever happens, nobody is left waiting
                with self._lock:
                    self._trees = [tree for tree in self._trees if tree not in over]
                for tree in over:
                    tree.tell()
            time.sleep(0.001 if min(tree.passes for tree in trees) < 20 else 0.01)


def _kill(tree: _Tree, processes: _Processes) -> bool:
    """Kill what is left of a tree; say whether it needs another round."""
    left = processes.of(tree.root, tree.marker, tree.known)
    if tree.passes == 0:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(tree.root, signal.SIGKILL)
    tree.passes += 1
    tree.known = frozenset(left)
    for pid in left:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    return bool(left) and tree.passes < _PASSES
