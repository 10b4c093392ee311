"""Running a command under a deadline: stdin closed, output capped, its whole process tree ended with it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import signal
import subprocess
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from switchover_checks.api import CommandOutput
from switchover_checks.runtime.process_tree import Sweeper, new_marker
from switchover_checks.runtime.threads import Threads

__all__ = ["MOST_OUTPUT", "Child", "run_command"]

MOST_OUTPUT = 1 << 20
"""Bytes kept of each of stdout and stderr; the rest is read and dropped."""

_LINGER_S = 0.2


class Child:
    """A process in a session of its own, with its pipes read by the event loop. Always `await close()`.

    `sweeper` ends it with all that it started; many children had better share one.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: bool = False,
        pass_fds: Sequence[int] = (),
        sweeper: Sweeper | None = None,
    ) -> None:
        self._sweeper = sweeper or Sweeper()
        self.marker = new_marker()
        self._loop = asyncio.get_running_loop()
        self._process: subprocess.Popen[bytes] = subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(env or {}), self.marker: "1"},
            cwd=cwd,
            start_new_session=True,
            pass_fds=tuple(pass_fds),
        )
        self.pid = self._process.pid
        self._pidfd = os.pidfd_open(self.pid)
        self._closed = False
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(self._pidfd, self._on_exit)
        self.stdout = _Capture(self._loop, self._process.stdout)
        self.stderr = _Capture(self._loop, self._process.stderr)

    async def exited(self) -> None:
        """Wait for the process itself to end. It is not reaped before `close`, so its number stays its own."""
        await asyncio.shield(self._ended)

    @property
    def has_ended(self) -> bool:
        """Whether the process itself has ended."""
        return self._ended.done()

    @property
    def exit_code(self) -> int:
        """The exit code after `close`, negative for a signal."""
        return self._process.wait()

    async def write(self, data: bytes) -> None:
        """Write to its stdin. What it does not want to read is dropped."""
        pipe = self._process.stdin
        if pipe is None:
            return
        os.set_blocking(pipe.fileno(), False)
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(pipe.fileno(), view) :]
            except BlockingIOError:
                await self._writable(pipe.fileno())
            except BrokenPipeError:
                return

    def close_stdin(self) -> None:
        """Tell it that no more comes."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()

    async def drain(self) -> None:
        """Read what is left of the output after the end. What a left-over child holds open is ended with it."""
        pipes = (self.stdout.ended, self.stderr.ended)
        if not all(p.done() for p in pipes):
            await asyncio.wait(pipes, timeout=_LINGER_S)

    async def close(self, *, sweep: bool = True) -> None:
        """End what is left of it (with `sweep` also what left its group), and give back its pipes."""
        if self._closed:
            return
        self._closed = True
        clean = self._ended.done() and self.stdout.ended.done() and self.stderr.ended.done()
        cancelled: asyncio.CancelledError | None = None
        if sweep or not clean:
            cancelled = await _to_the_end(self._sweeper.end(self.pid, self.marker))
        else:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        if not self._ended.done():
            self._on_exit()
        os.close(self._pidfd)
        self.stdout.close()
        self.stderr.close()
        self.close_stdin()
        if cancelled is not None:
            raise cancelled

    async def leave(self) -> None:
        """Let go of it after its own end. What it started goes on, and somebody reads what that still writes.

        Without a reader the next line of output would end a service that was started.
        """
        held = [capture.hand_over() for capture in (self.stdout, self.stderr) if not capture.ended.done()]
        self._closed = True
        await _to_the_end(Threads(1).run(functools.partial(_read_on, held)))
        self._process.wait()
        os.close(self._pidfd)
        self.stdout.close()
        self.stderr.close()
        self.close_stdin()

    def _on_exit(self) -> None:
        self._loop.remove_reader(self._pidfd)
        if not self._ended.done():
            self._ended.set_result(None)

    async def _writable(self, fd: int) -> None:
        ready: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_writer(fd, _settle, ready)
        try:
            await ready
        finally:
            self._loop.remove_writer(fd)


class _Capture:
    """What came out of a pipe: the first `MOST_OUTPUT` bytes; the rest is counted and dropped."""

    def __init__(self, loop: asyncio.AbstractEventLoop, pipe: IO[bytes] | None) -> None:
        assert pipe is not None
        self._loop, self._pipe = loop, pipe
        self.data = bytearray()
        self.dropped = 0
        self.ended: asyncio.Future[None] = loop.create_future()
        os.set_blocking(pipe.fileno(), False)
        loop.add_reader(pipe.fileno(), self._on_data)

    def _on_data(self) -> None:
        try:
            chunk = os.read(self._pipe.fileno(), 1 << 16)
        except BlockingIOError:
            return
        if not chunk:
            self._stop()
            return
        room = MOST_OUTPUT - len(self.data)
        self.data += chunk[:room]
        self.dropped += max(0, len(chunk) - room)

    def _stop(self) -> None:
        if not self.ended.done():
            self._loop.remove_reader(self._pipe.fileno())
            self.ended.set_result(None)

    def hand_over(self) -> int:
        """Stop reading and return the pipe as somebody else can read it."""
        self._stop()
        os.set_blocking(self._pipe.fileno(), True)
        return self._pipe.fileno()

    def close(self) -> None:
        """Stop reading and give back the pipe."""
        self._stop()
        self._pipe.close()

    @property
    def text(self) -> str:
        """What was read, decoded."""
        return self.data.decode("utf-8", "replace")


def _read_on(pipes: Sequence[int]) -> None:
    """Leave a process behind for each pipe that reads it to its end and throws away what comes."""
    for pipe in pipes:
        reader = ["/bin/sh", "-c", "exec 3<&0; cat <&3 3<&- >/dev/null 2>&1 &"]
        subprocess.run(
            reader,
            stdin=pipe,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            check=False,
        )


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def _to_the_end(work: Coroutine[Any, Any, object]) -> asyncio.CancelledError | None:
    """Wait for `work` even when cancelled meanwhile, and return the cancellation for raising later."""
    task = asyncio.ensure_future(work)
    cancelled = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
    return cancelled


async def run_command(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: bytes = b"",
    sweeper: Sweeper | None = None,
) -> CommandOutput:
    """Run a command to its end; when cancelled, end its whole tree first. Raise `OSError` when it cannot be started."""
    child = Child(argv, env=env, cwd=cwd, stdin=bool(stdin), sweeper=sweeper)
    clean = False
    try:
        if stdin:
            await child.write(stdin)
            child.close_stdin()
        await child.exited()
        await child.drain()
        clean = True
    finally:
        await child.close(sweep=not clean)
    return CommandOutput(
        child.exit_code, child.stdout.text, child.stderr.text, bool(child.stdout.dropped or child.stderr.dropped)
    )
