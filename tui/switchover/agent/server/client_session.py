"""One client at the other end of the line: who it is, what it may do, how far it read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from switchover.agent.server.log_streams import LogStreams
from switchover.agent.server.operator_lease import OperatorSession
from switchover.agent.wire.protocol import ErrorInfo
from switchover.errors import RefusedError
from switchover.migration.facts.operator import Operator

if TYPE_CHECKING:
    from switchover.agent.server.run_requests import RunRequests

__all__ = ["ClientSession"]

_ENCODER = msgspec.json.Encoder(enc_hook=str)


@dataclass(slots=True, eq=False)
class ClientSession:
    """A connection that is being served. `uid` and `pid` are what the kernel says of who is at the other end.

    `clock_ahead` is what the agent's monotonic clock showed more than the client's when it said hello.
    `at_end` is called once when it ends, for what was begun for this client alone (a stream of log lines).
    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    takeovers: RunRequests
    operator: Operator | None = None
    read_only: bool = False
    second_confirmer: bool = False
    uid: int = -1
    pid: int = 0
    clock_ahead: float | None = None
    operator_session: OperatorSession | None = None
    streaming: asyncio.Task[None] | None = None
    requests: set[asyncio.Task[None]] = field(default_factory=set)
    wants_found: bool = False
    knows_rows: bool = False
    logs: LogStreams | None = None
    at_end: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    closing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def streams(self) -> LogStreams:
        """The logs that it reads; they end with it."""
        if self.logs is None:
            self.logs = LogStreams()
            self.at_end.append(self.logs.aclose)
        return self.logs

    @property
    def joined_session(self) -> OperatorSession:
        """The operator at this end. Raise `RefusedError` for one who only watches."""
        if self.operator_session is None:
            raise RefusedError("this screen only watches: it was opened with --read-only", "open it again without")
        return self.operator_session

    def send(self, line: bytes) -> None:
        """Put a whole line on its way; nothing happens where the client has gone."""
        if not self.writer.is_closing():
            self.writer.write(line)

    def reply(self, request: int, result: Any) -> None:
        """Answer a request."""
        self.send(_ENCODER.encode({"id": request, "result": result}) + b"\n")

    def fail(self, request: int | None, error: ErrorInfo) -> None:
        """Answer a request with an error."""
        self.send(_ENCODER.encode({"id": request, "error": error}) + b"\n")

    def action_failed(self, request: int, error: ErrorInfo) -> None:
        """Tell that an action which had been accepted has failed."""
        self.send(_ENCODER.encode({"event": "action_failed", "request": request, "error": error}) + b"\n")

    def stopped(self, error: ErrorInfo) -> None:
        """Tell that somebody has stopped the agent."""
        self.send(_ENCODER.encode({"event": "stopped", "error": error}) + b"\n")

    async def close(self) -> None:
        """End everything that belongs to this client but the actions that it began; whoever asks waits for it."""
        async with self.closing:
            await self._close()

    async def _close(self) -> None:
        tasks = [t for t in (self.streaming, *self.requests) if t is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        at_end, self.at_end = self.at_end, []
        await asyncio.gather(*(let_go() for let_go in at_end), return_exceptions=True)
        self.writer.close()
