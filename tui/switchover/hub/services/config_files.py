"""The configuration files of the plan's services. The kernel reports when one changes, never its content."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from switchover.hub.hub_ports import CaseHub
from switchover.plan.loader.load import LoadedPlan
from switchover.plan.templates import TemplateError
from switchover.plan.variables import MissingValueError, render
from switchover.services.file_watch import FileEvent, FileWatch
from switchover_checks.api import ProbeError
from switchover_checks.runtime.threads import Threads

__all__ = ["ConfigFiles", "config_files_of"]

_MOST_BYTES = 4 * 1024 * 1024
_PATIENCE_S = 5.0  # with a file that hangs (a dead NFS mount)
_GONE = "gone"


def config_files_of(loaded: LoadedPlan | None, hub: CaseHub) -> ConfigFiles | None:
    """Return what watches the configuration files that a plan's services name."""
    if loaded is None:
        return None

    def fill(text: str) -> str | None:
        try:
            return render(text, hub.scope())
        except (MissingValueError, TemplateError):
            return None

    files = {name: service.config for name, service in loaded.plan.services.items()}
    return ConfigFiles(files, loaded.directory, fill)


class ConfigFiles:
    """Watches `files`, by service: a path that may have a template, filled in by `fill` (None: not known yet)."""

    def __init__(
        self, files: Mapping[str, Iterable[str]], directory: Path, fill: Callable[[str], str | None] = lambda text: text
    ) -> None:
        self._files = {service: tuple(paths) for service, paths in files.items() if paths}
        self._directory = directory
        self._fill = fill
        self._watch: FileWatch | None = None
        self._pending: list[tuple[str, str]] = []
        self._tell: Callable[[str, str], None] = _say_nothing
        self._digests: dict[tuple[str, Path], str] = {}
        self._threads = Threads()
        self._looking: set[tuple[str, Path]] = set()
        self._again: set[tuple[str, Path]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, tell: Callable[[str, str], None]) -> None:
        """Begin to watch; `tell` gets the service and what happened to which file."""
        if not self._files:
            return
        self._watch, self._tell = FileWatch(), tell
        self._pending = [(service, text) for service, texts in self._files.items() for text in texts]
        await self.add_known()

    async def add_known(self) -> None:
        """Watch the files whose names have come to be known since. One that hangs holds up no other."""
        pending, self._pending = self._pending, []
        await asyncio.gather(*(self._add(service, text) for service, text in pending))

    async def _add(self, service: str, text: str) -> None:
        name, watch = self._fill(text), self._watch
        if name is not None and watch is not None:
            path = _place(self._directory, name)
            with suppress(ProbeError):  # too many that hang: it is tried again later
                self._digests[service, path] = await self._digest(path)
                await watch.add(path, partial(self._happened, service, self._tell))
                return
        self._pending.append((service, text))

    async def aclose(self) -> None:
        """Watch no more."""
        for task in list(self._tasks):
            task.cancel()
        watch, self._watch = self._watch, None
        if watch is not None:
            await watch.aclose()

    def _happened(self, service: str, tell: Callable[[str, str], None], event: FileEvent) -> None:
        key = (service, event.path)
        if key in self._looking:
            self._again.add(key)
            return
        self._looking.add(key)
        task = asyncio.ensure_future(self._compare(service, tell, event.path))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _compare(self, service: str, tell: Callable[[str, str], None], path: Path) -> None:
        key = (service, path)
        try:
            while True:
                self._again.discard(key)
                before, now = self._digests.get(key, ""), await self._digest(path)
                if key not in self._again:
                    break
        finally:
            self._looking.discard(key)
        self._digests[key] = now
        if now == before or not now:
            return
        if now == _GONE:
            tell(service, f"{path} was removed")
        elif before == _GONE:
            tell(service, f"{path} is there again")
        else:
            tell(service, f"{path} ({before[:8]} → {now[:8]})" if before else f"{path} ({now[:8]})")

    async def _digest(self, path: Path) -> str:
        """Return the file's SHA-256; `gone` where there is none, empty where it cannot be read."""
        with suppress(Exception):  # a file that hangs or may not be read is no change
            async with asyncio.timeout(_PATIENCE_S):
                return await self._threads.run(partial(_digest_of, path))
        return ""


def _say_nothing(service: str, text: str) -> None:
    """Tell nobody: nothing is watched yet."""


def _place(directory: Path, name: str) -> Path:
    return directory / Path(name).expanduser()


def _digest_of(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # which waits for no writer of a pipe
    except FileNotFoundError:
        return _GONE
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as file, suppress(OSError):
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return hashlib.sha256(file.read(_MOST_BYTES)).hexdigest()
    return ""
