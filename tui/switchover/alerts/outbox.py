"""The outbox. A notice is on the disk before it is sent, until it is known what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from sqlite3 import Error as SqliteError
from typing import TypeVar

from switchover.alerts.alert_store import AlertStore
from switchover.alerts.outbox_records import AlertRecord, Delivery
from switchover.errors import StateError

__all__ = ["Outbox"]

T = TypeVar("T")


class Outbox:
    """The file at `path` in a thread of its own; without a path nothing outlives this process.

    Where it cannot be written, notices are sent all the same: telling counts more. `trouble` says so.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.trouble = ""
        self._path = path
        self._store: AlertStore | None = None
        self._thread: ThreadPoolExecutor | None = None

    async def open(self) -> None:
        """Open the file. Raise `StoreInUseError` where another process has it; other failures are `trouble`."""
        if self._path is None or self._store is not None:
            return
        self._thread = self._thread or ThreadPoolExecutor(1, thread_name_prefix="alerts")
        path = self._path
        try:
            self._store = await asyncio.get_running_loop().run_in_executor(self._thread, AlertStore.open, path)
        except StateError as error:
            self.trouble = error.title
            raise

    async def _do(self, work: Callable[[AlertStore], T], otherwise: T) -> T:
        store = self._store
        if store is None or self._thread is None:
            return otherwise
        try:
            done = await asyncio.get_running_loop().run_in_executor(self._thread, work, store)
        except (SqliteError, ValueError, OverflowError) as error:  # also words that no file takes
            self.trouble = f"notices cannot be written down: {error}"
            return otherwise
        self.trouble = ""
        return done

    async def ask(self, work: Callable[[AlertStore], T], otherwise: T) -> T:
        """Do something else with the file; `otherwise` where there is none, or it cannot be read."""
        return await self._do(work, otherwise)

    async def put(
        self, deliveries: Sequence[Delivery], alerts: Sequence[AlertRecord] = (), over: Sequence[str] = ()
    ) -> None:
        """Write notices down with the state of the alerts that they come from."""
        await self._do(lambda store: store.put(deliveries, alerts, over), None)

    async def update(self, deliveries: Sequence[Delivery]) -> None:
        """Write down how far notices are."""
        await self._do(lambda store: store.update(deliveries), None)

    async def finish(self, deliveries: Sequence[Delivery], outcome: str, at: float) -> None:
        """Write down that notices are through."""
        await self._do(lambda store: store.finish(deliveries, outcome, at), None)

    async def pending(self) -> list[Delivery]:
        """Return what an agent before this one did not get through."""
        return await self._do(lambda store: store.pending(), [])

    async def alerts(self) -> list[AlertRecord]:
        """Return how alerts stood."""
        return await self._do(lambda store: store.alerts(), [])

    async def aclose(self) -> None:
        """Let go of the file."""
        store, self._store = self._store, None
        if self._thread is not None:
            if store is not None:
                with suppress(SqliteError):
                    await asyncio.get_running_loop().run_in_executor(self._thread, store.close)
            self._thread.shutdown(wait=False)
            self._thread = None
