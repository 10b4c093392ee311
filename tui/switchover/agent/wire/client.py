"""A client's end of the line to the agent. Needs nothing but the standard library and msgspec."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec

from switchover import __version__
from switchover.agent.wire.protocol import CLIENT_LINE_LIMIT, AgentInfo, Incoming, error_from_wire
from switchover.agent.wire.sections import apply_sections
from switchover.commands.command import Command
from switchover.errors import AgentError, LineLostError, SwitchoverError
from switchover.snapshot import Snapshot

__all__ = ["AgentClient"]

Answer = TypeVar("Answer")
_LOST = "the line to the agent is lost"
_HELLO_WITHIN_S = 10.0


class AgentClient:
    """Asks and listens. `on_action_failed` hears of actions that were accepted and failed later."""

    def __init__(
        self, on_action_failed: Callable[[SwitchoverError], None] | None = None, *, version: str = __version__
    ) -> None:
        self._on_action_failed = on_action_failed
        self._version = version
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._last_id = 0
        self._snapshot = Snapshot()
        self._received = 0
        self._fresh = asyncio.Event()
        self._lost: SwitchoverError | None = None

    async def connect(self, socket: Path) -> None:
        """Open the line. Raise `AgentError` where nobody answers."""
        try:
            reader, self._writer = await asyncio.open_unix_connection(str(socket), limit=CLIENT_LINE_LIMIT)
        except OSError as error:
            raise AgentError(f"no agent answers at {socket}", "start one: `switchover agent start PLAN`") from error
        self._listening = asyncio.create_task(self._listen(reader))

    async def hello(self, operator: Any, *, read_only: bool = False) -> AgentInfo:
        """Say who asks (something with who, host, tty) and learn who answers. A read-only client only watches.

        Raise `AgentError` where nobody answers in time.
        """
        words = asdict(operator) if is_dataclass(operator) and not isinstance(operator, type) else dict(operator)
        try:
            async with asyncio.timeout(_HELLO_WITHIN_S):
                reply = await self.request("hello", version=self._version, operator=words, read_only=read_only)
        except TimeoutError:
            raise AgentError(
                "the agent does not answer", "it may be stopped or overloaded: `switchover agent status`"
            ) from None
        return msgspec.convert(reply, type=AgentInfo)

    async def send(self, command: Command[Answer]) -> Answer:
        """Have a command carried out and return its answer. Raise the agent's error, or `AgentError`."""
        reply = await self.request(command.name, **msgspec.to_builtins(command))
        try:
            answer: Answer = msgspec.convert(reply, type=command.answer_type())
        except msgspec.ValidationError as error:
            raise AgentError(f"the agent's answer does not fit: {error}", "it may be of another version") from error
        return answer

    async def request(self, method: str, **params: Any) -> Any:
        """Ask and return the answer. Raise the agent's error, or `AgentError` where the line is lost."""
        if self._writer is None or self._lost is not None:
            raise self._lost or AgentError(_LOST)
        self._last_id += 1
        number = self._last_id
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            line = {"id": number, "method": method, "params": params, "asked": time.monotonic()}
            self._writer.write(msgspec.json.encode(line) + b"\n")
            with suppress(ConnectionError):  # the listener tells why
                await self._writer.drain()
            return await answer
        finally:
            self._waiting.pop(number, None)

    async def snapshots(self) -> AsyncIterator[Snapshot]:
        """Yield whole Snapshots, always the newest; what nobody took is skipped. Raise `AgentError` at the end."""
        await self.request("subscribe", rows=True)
        seen = 0
        while True:
            await self._fresh.wait()
            self._fresh.clear()
            if self._received != seen:
                seen = self._received
                yield self._snapshot
            if self._lost is not None:
                raise self._lost

    async def aclose(self) -> None:
        """Hang up."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        if self._writer is not None:
            self._writer.close()
            with suppress(OSError):
                await self._writer.wait_closed()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        hint = "the agent may have been stopped; `switchover` starts it again"
        lost: SwitchoverError = AgentError(_LOST, hint)
        unanswered: SwitchoverError = LineLostError(_LOST, hint)
        try:
            while line := await reader.readline():
                self._take(msgspec.json.decode(line, type=Incoming))
        except (OSError, ValueError, msgspec.MsgspecError, asyncio.CancelledError):
            pass
        except SwitchoverError as error:
            lost = unanswered = error
        finally:
            self._lost = lost
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(unanswered)
            self._fresh.set()

    def _take(self, incoming: Incoming) -> None:
        if incoming.event == "snapshot":
            self._snapshot = apply_sections(self._snapshot, incoming)
            self._received += 1
            self._fresh.set()
        elif incoming.event == "stopped" and incoming.error is not None:
            raise error_from_wire(incoming.error)
        elif incoming.event == "action_failed" and incoming.error is not None:
            if self._on_action_failed is not None:
                self._on_action_failed(error_from_wire(incoming.error))
        elif incoming.id is not None:
            answer = self._waiting.get(incoming.id)
            if answer is not None and not answer.done():
                if incoming.error is not None:
                    answer.set_exception(error_from_wire(incoming.error))
                else:
                    answer.set_result(incoming.result)
        elif incoming.error is not None:
            raise error_from_wire(incoming.error)
