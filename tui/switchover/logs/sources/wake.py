"""Woken by the kernel when a file is written to or replaced; where the kernel cannot tell, by the clock.

Unlike `services.inotify` this does not act on every event. A log may be written to 50,000 times a second; it is read at
most a hundred times a second.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inotify_simple import INotify

__all__ = ["Wake"]

_MODIFY, _ATTRIB, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x2, 0x4, 0x40, 0x80, 0x100, 0x200
_DELETE_SELF, _MOVE_SELF = 0x400, 0x800
_FOLDER = _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE
_FILE = _MODIFY | _ATTRIB | _DELETE_SELF | _MOVE_SELF
_POLL_S = 0.25
_SURE_S = 1.0  # and looked at even so: network file systems tell nothing


class Wake:
    """Waits for something to happen to `path`. Use it in one task; `close` it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._kernel: INotify | None = None
        self._works = False

    def arm(self) -> None:
        """Watch what stands at the path now, its folder too. To be called again when another file stands there."""
        self.close()
        try:
            from inotify_simple import INotify

            self._kernel = INotify(nonblocking=True)
            self._kernel.add_watch(os.path.dirname(self._path) or "/", _FOLDER)  # noqa: PTH120 - starts fast
            with suppress(FileNotFoundError):
                self._kernel.add_watch(self._path, _FILE)
            self._works = True
        except (ImportError, OSError):  # no such thing in this kernel, too many watches, the folder is not there
            self._works = False

    async def wait(self, most_s: float = _SURE_S) -> None:
        """Return when something happened, at the latest after a while."""
        if self._kernel is None or not self._works:
            await asyncio.sleep(min(_POLL_S, most_s))
            return
        loop = asyncio.get_running_loop()
        told = asyncio.Event()
        loop.add_reader(self._kernel.fileno(), told.set)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(most_s):
                    await told.wait()
        finally:
            loop.remove_reader(self._kernel.fileno())
        with suppress(OSError):
            os.read(self._kernel.fileno(), 1 << 16)

    def close(self) -> None:
        """Watch no more."""
        if self._kernel is not None:
            self._kernel.close()
            self._kernel = None
