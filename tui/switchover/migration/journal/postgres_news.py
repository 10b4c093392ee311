"""News of a journal in PostgreSQL, sent by the server as they happen; nobody has to poll."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import psycopg
from psycopg import sql

from switchover.migration.journal.postgres_journal import channel_of
from switchover.migration.journal.postgres_session import CONNECT
from switchover.settings import JournalAddress

__all__ = ["PostgresNews"]

_FIRST_WAIT_S = 0.2
_LONGEST_WAIT_S = 5.0
_QUIET_S = 5.0


class PostgresNews:
    """Listens on a connection of its own, which is made again whenever it is lost."""

    def __init__(self, address: JournalAddress, name: str) -> None:
        self._address = address
        self._channel = channel_of(name)
        self._connection: psycopg.AsyncConnection[tuple[Any, ...]] | None = None
        self._wait_s = 0.0

    async def wait(self) -> bool:
        """Return when a record was added or the holder changed, and when the line is lost or back.

        After a while without any news return False: a server that says nothing may be one that hangs, so look.
        """
        if self._connection is None:
            await self._listen()
            return True  # whatever was told meanwhile was missed
        heard = False
        try:
            async with aclosing(self._connection.notifies(timeout=_QUIET_S, stop_after=1)) as told:
                async for _ in told:  # all that came at once
                    heard = True
        except psycopg.Error:
            await self.aclose()
            return True
        return heard

    async def aclose(self) -> None:
        """Hang up."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _listen(self) -> None:
        while True:
            await asyncio.sleep(self._wait_s)
            self._wait_s = min(2 * self._wait_s or _FIRST_WAIT_S, _LONGEST_WAIT_S)
            try:
                connection = await psycopg.AsyncConnection.connect(self._address.url, **CONNECT)
            except psycopg.Error:
                continue
            try:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
            except BaseException as error:
                await connection.close()
                if not isinstance(error, psycopg.Error):
                    raise
                continue
            self._connection, self._wait_s = connection, 0.0
            return
