"""Events of the kernel about files: written to, replaced, removed, there again.

A path is watched, whatever comes to stand there. Its folder and the file itself have a watch each. An event only says
where to look; what happened is judged by what `stat` says. A slow sweep sees what inotify cannot: network file systems,
and what is beyond the kernel's limit of watches.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from switchover_checks.runtime.threads import Threads

if TYPE_CHECKING:
    from inotify_simple import INotify

__all__ = ["FileChange", "FileEvent", "FileWatch"]

_ARM_S = 5.0
_MOST_LOOKS = 3

_MODIFY, _ATTRIB, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x2, 0x4, 0x40, 0x80, 0x100, 0x200
_DELETE_SELF, _MOVE_SELF, _OVERFLOW, _IGNORED = 0x400, 0x800, 0x4000, 0x8000
_FOLDER = _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _DELETE_SELF | _MOVE_SELF  # not each write to each file in it
_FILE = _MODIFY | _ATTRIB | _DELETE_SELF | _MOVE_SELF

_Signature = tuple[int, int, int, int]  # device, inode, size, modified (ns)


class FileChange(StrEnum):
    """What happened at a path. REPLACED: another file stands there now (renamed over, or removed and made anew)."""

    MODIFIED = "modified"
    REPLACED = "replaced"
    REMOVED = "removed"
    CREATED = "created"


@dataclass(frozen=True, slots=True)
class FileEvent:
    """Something happened at `path`."""

    path: Path
    change: FileChange


@dataclass(slots=True)
class _Watched:
    """A path with those who want to know. `wds` are the kernel's watches that serve it."""

    path: Path
    tells: list[Callable[[FileEvent], None]] = field(default_factory=list)
    signature: _Signature | None = None
    wds: set[int] = field(default_factory=set)


class FileWatch:
    """Tells what happens to the files and folders that were added, within a millisecond or so.

    Use it in one event loop. A folder is MODIFIED when something in it comes, goes or gets another name. `why` says
    what keeps inotify from working here; changes are then seen every `sweep_s` seconds.
    """

    def __init__(self, sweep_s: float = 5.0) -> None:
        self.why = ""
        self._sweep_s = sweep_s
        self._threads = Threads()
        self._kernel: INotify | None = None
        self._paths: dict[Path, _Watched] = {}
        self._by_wd: dict[int, set[tuple[Path, str]]] = {}
        self._sweeper: asyncio.Task[None] | None = None

    async def add(self, path: Path, tell: Callable[[FileEvent], None]) -> Callable[[], None]:
        """Watch `path`, which need not exist yet; return what ends it. Only what happens from now on is reported."""
        self._open()
        path = Path(os.path.abspath(path))  # noqa: ASYNC240, PTH100 - no I/O; resolve() would hang where a mount does
        watched = self._paths.get(path)
        if watched is None:
            watched = self._paths[path] = _Watched(path)
            with suppress(TimeoutError):  # the sweep goes on trying
                async with asyncio.timeout(_ARM_S):
                    watched.signature, wanted = await self._threads.run(partial(self._arm, path))
                    self._serve(watched, wanted)
                    self._judge(watched)
        watched.tells.append(tell)

        def end() -> None:
            with suppress(ValueError):
                watched.tells.remove(tell)
            if not watched.tells and self._paths.get(path) is watched:
                del self._paths[path]
                self._serve(watched, ())

        return end

    async def aclose(self) -> None:
        """Watch nothing any more."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
            self._sweeper = None
        if self._kernel is not None:
            asyncio.get_running_loop().remove_reader(self._kernel.fileno())
            self._kernel.close()
            self._kernel = None
        self._paths.clear()
        self._by_wd.clear()

    def _open(self) -> None:
        if self._sweeper is None:
            self._sweeper = asyncio.create_task(self._sweep(), name="file sweep")
        if self._kernel is not None or self.why:
            return
        from inotify_simple import INotify

        try:
            self._kernel = INotify(nonblocking=True)
        except OSError as error:  # too many instances, or no such thing in this kernel
            self.why = f"inotify: {error.strerror}"
            return
        asyncio.get_running_loop().add_reader(self._kernel.fileno(), self._read)

    # The kernel's watches

    def _arm(self, path: Path) -> tuple[_Signature | None, list[tuple[int, str]]]:
        """Read `path`, and watch it, its folder, and the folder of a link's target."""
        signature = _sign(path)
        wanted: list[tuple[int, str]] = []
        places = {path, Path(os.path.realpath(path))}
        for folder, name in dict.fromkeys(map(_nearest, places)):
            self._put(folder, _FOLDER, name, wanted)
        if signature is not None:
            self._put(path, _FOLDER if path.is_dir() else _FILE, "", wanted)
        return signature, wanted

    def _put(self, place: Path, mask: int, name: str, wanted: list[tuple[int, str]]) -> None:
        if self._kernel is None:
            return
        try:
            wanted.append((self._kernel.add_watch(place, mask), name))
        except FileNotFoundError:
            return  # it went just now: its folder tells
        except (OSError, ValueError) as error:  # the limit of watches, a folder that may not be read, closed meanwhile
            self.why = f"inotify on {place}: {getattr(error, 'strerror', error)}"

    def _serve(self, watched: _Watched, wanted: Iterable[tuple[int, str]]) -> None:
        """Let these watches serve the path, and let go of those that serve nobody any more."""
        pairs = set(wanted)
        for wd in watched.wds | {wd for wd, _ in pairs}:
            served = {entry for entry in self._by_wd.get(wd, set()) if entry[0] != watched.path}
            served |= {(watched.path, name) for number, name in pairs if number == wd}
            if served:
                self._by_wd[wd] = served
                continue
            self._by_wd.pop(wd, None)
            if self._kernel is not None:
                with suppress(OSError):  # the kernel has let go of it by itself
                    self._kernel.rm_watch(wd)
        watched.wds = {wd for wd, _ in pairs}

    # What happened

    def _read(self) -> None:
        assert self._kernel is not None
        moved: dict[Path, bool] = {}
        for wd, mask, _, name in self._kernel.read(timeout=0):
            if mask & _OVERFLOW:
                moved.update(dict.fromkeys(self._paths, False) | moved)
            for path, wanted in self._by_wd.get(wd, ()):
                if not name or not wanted or name == wanted:
                    moved[path] = moved.get(path, False) or bool(mask & _MODIFY)
            if mask & _IGNORED:
                self._by_wd.pop(wd, None)
        for path, written in moved.items():
            if (watched := self._paths.get(path)) is not None:
                self._judge(watched, written=written)

    def _judge(self, watched: _Watched, *, written: bool = False) -> None:
        """Compare what stands there with what stood there, and tell. The file system is alive: it has just spoken."""
        for _ in range(_MOST_LOOKS):
            before, now = watched.signature, _sign(watched.path)
            if (change := _compare(before, now, written=written)) is None:
                return
            written = False
            watched.signature = now
            if change is not FileChange.MODIFIED:
                watched.signature, wanted = self._arm(watched.path)
                if watched.tells or watched.path in self._paths:
                    self._serve(watched, wanted)
            for tell in tuple(watched.tells):
                tell(FileEvent(watched.path, change))

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self._sweep_s)
            for watched in list(self._paths.values()):
                with suppress(Exception):  # one that hangs keeps no other from being looked at
                    async with asyncio.timeout(_ARM_S):
                        now = await self._threads.run(partial(_sign, watched.path))
                        if now != watched.signature:
                            self._judge(watched)


def _sign(path: Path) -> _Signature | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _compare(before: _Signature | None, now: _Signature | None, *, written: bool) -> FileChange | None:
    if now is None:
        return FileChange.REMOVED if before is not None else None
    if before is None:
        return FileChange.CREATED
    if before[:2] != now[:2]:
        return FileChange.REPLACED
    return FileChange.MODIFIED if written or before != now else None


def _nearest(path: Path) -> tuple[Path, str]:
    """Return the nearest folder above `path` that is there, and the name in it that leads to `path`."""
    folder, name = path.parent, path.name
    while folder != folder.parent and not folder.is_dir():
        folder, name = folder.parent, folder.name
    return folder, name
