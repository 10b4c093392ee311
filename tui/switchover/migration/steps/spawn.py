"""Asking the launcher for a shim; the launcher is started at the first need and again when it was killed."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from switchover.migration.steps.launcher import LENGTH

__all__ = ["Launcher", "LauncherLostError", "ShimRequest", "ShimStarter", "own_umask", "readable"]

_SCRIPT = Path(__file__).with_name("launcher.py")


class LauncherLostError(Exception):
    """The launcher went away before it answered; the shim may have been started or not: its claim tells."""


@dataclass(frozen=True, slots=True)
class ShimRequest:
    """What the shim has to know. Secrets are in `env` and `secrets`: this goes over a socket, never to disk or argv.

    `journal` and `started` say what its records belong to: the journal's id, and the hash of the `StepStarted`.
    """

    directory: str
    journal: str
    started: str
    argv: tuple[str, ...]
    cwd: str
    boot_id: str
    timeout_s: float
    env: Mapping[str, str] = field(repr=False)
    secrets: Mapping[str, str] = field(repr=False)
    captures: Mapping[str, str]
    hidden: tuple[str, ...] = ()  # captures whose values nobody may read in the output either
    seal_key: str = field(default="", repr=False)  # hexadecimal; without it nothing that is captured is kept
    sealed_about: str = ""
    grace_s: float = 10.0
    head_bytes: int = 2 << 20
    segment_bytes: int = 1 << 20
    umask: int = 0o022
    die_at: str = ""  # tests only: where the shim or launcher kills itself


class ShimWatch(NamedTuple):
    """A shim that was started: its pidfd, and what becomes readable as soon as its exit record is there.

    The record is flushed to disk after that. Meanwhile the engine journals the end, with a flush of its own. Whoever
    gets this closes both.
    """

    pidfd: int
    told: int


class ShimStarter(Protocol):
    """Starts shims; tests put a faulty one in its place."""

    async def start(self, request: ShimRequest) -> ShimWatch:
        """Start a shim. Raise `LauncherLostError`."""

    def close(self) -> None:
        """Let go of what is held; shims live on."""


class Launcher:
    """The launcher process, from the engine's side."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._asking = asyncio.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The launcher's pid while one runs."""
        return self._process.pid if self._process else None

    def warm_up(self) -> None:
        """Start the launcher now, so that the first step need not wait for it."""
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_SCRIPT), str(theirs.fileno()), str(os.getpid())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
            )
        ours.setblocking(False)
        self._socket = ours

    async def start(self, request: ShimRequest) -> ShimWatch:
        """Start a shim. Raise `LauncherLostError`."""
        try:
            self.warm_up()
        except OSError as error:
            raise LauncherLostError(f"the launcher cannot be started: {error.strerror}") from error
        connection = self._socket
        if connection is None:  # pragma: no cover - warm_up has set it
            raise LauncherLostError("no launcher")
        told, telling = os.pipe2(os.O_CLOEXEC)
        try:
            async with self._asking:  # one answer belongs to one request
                pidfd = await _ask(connection, request, telling)
        except BaseException as error:
            os.close(told)
            if not isinstance(error, OSError):
                raise
            self.close()
            raise LauncherLostError("the launcher was killed") from error
        finally:
            os.close(telling)
        return ShimWatch(pidfd, told)

    def close(self) -> None:
        """Close the line to the launcher, which ends it; shims live on."""
        if self._socket is not None:
            self._socket.close()
        if self._process is not None:
            self._process.wait()
        self._socket = self._process = None


async def _ask(connection: socket.socket, request: ShimRequest, telling: int) -> int:
    """Send the request with the end of the pipe that the shim closes once its record is there. Return its pidfd."""
    # Not `asdict`: it would copy the whole environment, value by value.
    body = json.dumps({field.name: getattr(request, field.name) for field in fields(request)}).encode()
    message = LENGTH.pack(len(body)) + body
    sent = socket.send_fds(connection, [message], [telling])  # nothing else is on its way, so there is room for some
    await asyncio.get_running_loop().sock_sendall(connection, memoryview(message)[sent:])
    await readable(connection)
    answer, descriptors, _, _ = socket.recv_fds(connection, LENGTH.size, 1)
    if not answer or not descriptors:
        raise ConnectionResetError
    os.set_inheritable(descriptors[0], False)
    return descriptors[0]


async def readable(file: socket.socket | int) -> None:
    """Wait until something can be read, or a process has ended."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(file, _settle, ready)
    try:
        await ready
    finally:
        loop.remove_reader(file)


def own_umask() -> int:
    """Return the umask of this process, without changing it."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("Umask:"):
            return int(line.split()[1], 8)
    return 0o022


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
