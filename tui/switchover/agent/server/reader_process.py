"""A log reader's process as the agent sees it: started, asked, ended."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from switchover.errors import StateError

__all__ = ["LogReader", "ReaderHungError"]

_LONGEST_REPLY = 64 << 20
_END_WITHIN_S = 1.0
_OPEN_AGAIN = "open the log again"


class ReaderHungError(Exception):
    """The reader did not answer in time."""


class _Reply(msgspec.Struct, frozen=True):
    id: int
    answer: msgspec.Raw = msgspec.Raw(b"null")
    error: str = ""


class LogReader:
    """One reader. `start` it before it is asked, `aclose` it at the end: it leaves nothing behind."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[_Reply]] = {}
        self._last_id = 0
        self._ended = ""

    @property
    def pid(self) -> int:
        """The process's number; 0 before it was started."""
        return self._process.pid if self._process is not None else 0

    @property
    def has_ended(self) -> bool:
        """The process has ended, by itself or by somebody's hand: nothing can be asked of it any more."""
        return bool(self._ended)

    async def start(self, what: Mapping[str, Any]) -> None:
        """Start the process and tell it what to read. Raise `StateError` where it cannot be started."""
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-P", "-m", "switchover.logs.reader"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
                limit=_LONGEST_REPLY,
            )
        except OSError as error:
            raise StateError(f"the log reader cannot be started: {error.strerror}", _OPEN_AGAIN) from error
        self._listening = asyncio.create_task(self._listen(self._process))
        self._send(what)

    async def ask(self, do: str, params: Mapping[str, Any], within_s: float) -> msgspec.Raw:
        """Ask and return the answer as it came.

        Raise `ReaderHungError` where there is none in time, `StateError` where it refuses or has ended.
        """
        if self._ended:
            raise StateError(self._ended, _OPEN_AGAIN)
        self._last_id += 1
        number = self._last_id
        answer: asyncio.Future[_Reply] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            self._send({**params, "id": number, "do": do})
            async with asyncio.timeout(within_s):
                reply = await answer
        except TimeoutError:
            raise ReaderHungError from None
        finally:
            self._waiting.pop(number, None)
        if reply.error:
            raise StateError(reply.error)
        return reply.answer

    async def kill(self) -> None:
        """End the process by force: it hangs."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
        await self.aclose()

    async def aclose(self) -> None:
        """End the process: politely, so that it takes along what it started, then by force."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(_END_WITHIN_S):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if self._listening is not None:
            await asyncio.gather(self._listening, return_exceptions=True)

    def _send(self, message: Mapping[str, Any]) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(msgspec.json.encode(message) + b"\n")

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        with suppress(OSError, ValueError, msgspec.MsgspecError):
            while line := await process.stdout.readline():
                reply = msgspec.json.decode(line, type=_Reply)
                waiting = self._waiting.get(reply.id)
                if waiting is not None and not waiting.done():
                    waiting.set_result(reply)
        code = await process.wait()
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        self._ended = f"the log reader {how}"
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(StateError(self._ended, _OPEN_AGAIN))
