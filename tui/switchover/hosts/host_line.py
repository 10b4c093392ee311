"""One line to another machine: an ssh that stays open, and questions over it that are answered by number."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import secrets
import signal
import struct
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from switchover.hosts.far_program import FarProgram
from switchover.hosts.ssh_command import HARMLESS, ssh_argv
from switchover.hosts.ssh_reasons import reason_of

__all__ = ["FarMessage", "HostLine", "LineError", "RefusedByHostError"]

_LENGTH = struct.Struct("!I")
_MOST_NOISE = 1 << 20
_CONNECT_S = 30.0
_LIMIT = 1 << 20


class LineError(Exception):
    """There is no line, or it broke; what was asked for may have been done or not."""


class RefusedByHostError(Exception):
    """The machine was reached and cannot do what is asked: nothing was done."""


class FarMessage(NamedTuple):
    """What came over the line."""

    head: dict[str, Any]
    body: bytes


class HostLine:
    """The line to one destination. It is made at the first question, and made again after it broke."""

    def __init__(self, destination: str, program: FarProgram, options: tuple[str, ...] = ()) -> None:
        self.destination = destination
        self.hello: Mapping[str, Any] = {}
        self._program = program
        self._options = options
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Queue[FarMessage | LineError]] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._said = bytearray()
        self._connecting = asyncio.Lock()
        self._sending = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The pid of its ssh, while there is one."""
        return self._process.pid if self._process is not None else None

    @property
    def is_there(self) -> bool:
        """Whether it stands."""
        process, reading = self._process, self._reading
        return process is not None and process.returncode is None and reading is not None and not reading.done()

    async def ask(self, what: str, wait_s: float = 30.0, **question: Any) -> FarMessage:
        """Ask for one answer. Raise `LineError`, or `RefusedByHostError`."""
        async with asyncio.timeout(wait_s) as limit:
            try:
                async for message in self.stream(what, **question):
                    if "error" in message.head:
                        raise RefusedByHostError(str(message.head["error"]))
                    return message
            except TimeoutError:
                if limit.expired():
                    self.drop()
                    raise LineError(f"no answer within {wait_s:.0f} s") from None
                raise
        raise LineError("the connection broke")

    async def stream(self, what: str, quiet_s: float | None = None, **question: Any) -> AsyncIterator[FarMessage]:
        """Ask for many answers. Raise `LineError` when it breaks. Whoever leaves it is told nothing more.

        With `quiet_s`, it is told once that nothing has come for so long.
        """
        await self.connect()
        number = next(self._numbers)
        queue = self._waiting[number] = asyncio.Queue()
        try:
            await self._send({"number": number, "ask": what, **question})
            quiet = quiet_s
            while True:
                try:
                    async with asyncio.timeout(quiet):
                        message = await queue.get()
                except TimeoutError:
                    quiet = None
                    yield FarMessage({"quiet": True}, b"")
                    continue
                quiet = quiet_s
                if isinstance(message, LineError):
                    raise message
                yield message
        finally:
            self._waiting.pop(number, None)

    async def connect(self) -> None:
        """Make the line where there is none. Raise `LineError` with ssh's own reason, or `RefusedByHostError`."""
        async with self._connecting:
            if self.is_there:
                return
            await self._close()
            if not HARMLESS.fullmatch(self.destination):
                raise RefusedByHostError(f"{self.destination!r} is no name for ssh")
            nonce = secrets.token_hex(16)
            self._said.clear()
            try:
                process = self._process = await asyncio.create_subprocess_exec(
                    *ssh_argv(self.destination, nonce, len(self._program), self._options),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                    limit=_LIMIT,
                )
            except OSError as error:
                raise LineError(f"ssh cannot be started: {error.strerror}") from error
            saying = asyncio.ensure_future(self._hear(process))
            try:
                async with asyncio.timeout(_CONNECT_S):
                    self.hello = await self._greet(process, nonce)
            except TimeoutError:
                await self._close()
                raise LineError(f"no answer within {_CONNECT_S:.0f} s") from None
            except (OSError, asyncio.IncompleteReadError, LineError) as error:
                if isinstance(error, LineError):
                    await self._close()
                    raise
                with suppress(TimeoutError):
                    async with asyncio.timeout(2):  # `wait_for` of Python 3.11 may lose a cancellation
                        await asyncio.shield(saying)
                code = await self._ended(process)
                raise LineError(reason_of(self.destination, bytes(self._said), code)) from error
            except BaseException:
                await self._close()
                raise
            self._reading = asyncio.ensure_future(self._read(process))

    async def _greet(self, process: asyncio.subprocess.Process, nonce: str) -> Mapping[str, Any]:
        """Send the program, and wait for its word behind whatever a login shell prints."""
        stdin, stdout = process.stdin, process.stdout
        if stdin is None or stdout is None:  # pragma: no cover - they are pipes
            raise LineError("no pipes")
        stdin.write(self._program)
        heard = 0
        while True:
            try:
                line = await stdout.readuntil(b"\n")
            except asyncio.LimitOverrunError as error:
                line = await stdout.readexactly(error.consumed)
            heard += len(line)
            if heard > _MOST_NOISE:
                raise LineError("its login shell prints without end")
            first, _, rest = line.strip().partition(b" ")
            if first == nonce.encode():
                return self._understood(rest.decode("utf-8", "replace"))

    def _understood(self, said: str) -> Mapping[str, Any]:
        word, _, what = said.partition(" ")
        need = "steps there need Python 3.6 or newer"
        if word == "no-python":
            raise RefusedByHostError(f"it has no python3, and {need}")
        if word == "old":
            raise RefusedByHostError(f"its python3 is {what}, and {need}")
        if word == "lacks":
            raise RefusedByHostError(f"its python3 lacks a part of the standard library ({what})")
        hello: dict[str, Any] = json.loads(base64.b64decode(word))
        return hello

    async def _hear(self, process: asyncio.subprocess.Process) -> None:
        while process.stderr is not None and (data := await process.stderr.read(4096)):
            self._said += data
            del self._said[:-8192]

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        stdout = process.stdout
        why = "the connection broke"
        try:
            while stdout is not None:
                size = _LENGTH.unpack(await stdout.readexactly(4))[0]
                line, _, body = (await stdout.readexactly(size)).partition(b"\n")
                head = json.loads(line)
                queue = self._waiting.get(head["number"])
                if queue is not None:
                    queue.put_nowait(FarMessage(head, body))
        except (OSError, asyncio.IncompleteReadError):
            code = await self._ended(process)
            why = reason_of(self.destination, bytes(self._said), code if code != -signal.SIGKILL else None)
        except ValueError:
            why = "what came over the connection makes no sense"
        finally:
            self._kill(process)
            for queue in self._waiting.values():
                queue.put_nowait(LineError(why))

    async def _send(self, question: Mapping[str, Any]) -> None:
        data = json.dumps(question).encode("utf-8", "surrogateescape")
        async with self._sending:
            stdin = self._process.stdin if self._process is not None else None
            if stdin is None:
                raise LineError("the connection broke")
            try:
                stdin.write(_LENGTH.pack(len(data)) + data)
                await stdin.drain()
            except OSError as error:
                raise LineError("the connection broke") from error

    async def _ended(self, process: asyncio.subprocess.Process) -> int | None:
        with suppress(TimeoutError):
            async with asyncio.timeout(2):
                return await process.wait()
        self._kill(process)
        return None

    def drop(self) -> None:
        """End it as it is; the next question makes another."""
        if self._process is not None:
            self._kill(self._process)

    def _kill(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    async def _close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            self._kill(process)
            await process.wait()
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading

    async def aclose(self) -> None:
        """Let go of it. Steps over there go on."""
        async with self._connecting:
            process = self._process
            if process is not None and process.stdin is not None and process.returncode is None:
                process.stdin.close()  # its end there ends with it
                with suppress(TimeoutError):
                    async with asyncio.timeout(1):
                        await process.wait()
            await self._close()
