"""Knows the secrets of a plan before anything is shown that might hold one of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Protocol

from switchover.errors import SwitchoverError

__all__ = ["FetchAhead"]

_AGAIN_AFTER_S = 60.0


class SecretHolder(Protocol):
    """Gives secrets by name, and keeps what it gave."""

    @property
    def fetched(self) -> Mapping[str, str]:
        """The values fetched so far."""

    def get(self, name: str) -> str:
        """Fetch one, unless it was. Raise `SecretError`."""


class FetchAhead:
    """Fetches each secret once; one that cannot be had is tried again after a minute, and nobody waits for that.

    Local are those of the environment and of files. Where one is missing, nothing here can show it.
    """

    def __init__(self, store: SecretHolder, is_local: Mapping[str, bool]) -> None:
        self._store = store
        self._is_local = is_local
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._failed: dict[str, tuple[float, str]] = {}

    async def settle(self, within_s: float) -> str:
        """Wait at most so long for secrets; say which are not known, empty where all are."""
        if self._unknown():
            self._begin()
            if first := [task for name, task in self._tasks.items() if not task.done() and name not in self._failed]:
                await asyncio.wait(first, timeout=within_s)
        return "; ".join(self._why(name) for name in self._unknown() if not self._is_absent(name))

    def _unknown(self) -> list[str]:
        known = self._store.fetched
        return [name for name in self._is_local if name not in known]

    def _begin(self) -> None:
        for name in self._unknown():
            task = self._tasks.get(name)
            if task is not None and not task.done():
                continue
            if name not in self._failed or time.monotonic() - self._failed[name][0] > _AGAIN_AFTER_S:
                self._tasks[name] = asyncio.create_task(self._try(name), name=f"secret {name}")

    async def _try(self, name: str) -> None:
        try:
            await asyncio.to_thread(self._store.get, name)
        except SwitchoverError as error:
            self._failed[name] = (time.monotonic(), error.title)
        else:
            self._failed.pop(name, None)

    def _is_absent(self, name: str) -> bool:
        return self._is_local[name] and name in self._failed

    def _why(self, name: str) -> str:
        return self._failed[name][1] if name in self._failed else f"secret {name!r}: it is still being fetched"
