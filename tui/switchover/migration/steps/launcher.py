"""The launcher: a small process that forks one shim for each step.

Run as a script with `python -I -S`, standard library only: forking it costs a fraction of starting Python anew.
Requests come over a socket as length-prefixed JSON. Each carries the end of a pipe that the shim closes once its record
is there. The answer carries the shim's pid and a pidfd for it. When the engine goes away the launcher ends; the shims
do not.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import socket
import struct
import sys
from contextlib import suppress
from types import ModuleType
from typing import Any

LENGTH = struct.Struct("!I")


ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH120, PTH100


def load_parts() -> tuple[ModuleType, Any]:
    """Load the shim and what it builds with, under their own names and without what lies around them."""
    for around in ("switchover", "switchover.migration", "switchover.migration.steps"):
        package = sys.modules[around] = ModuleType(around)
        package.__path__ = [os.path.join(ROOT, *around.split(".")[1:])]  # noqa: PTH118
    redaction = importlib.import_module("switchover.redaction")
    shim, output, remote, sealing = (
        importlib.import_module(f"switchover.migration.steps.{name}")
        for name in ("shim", "bounded_output", "remote_clients", "sealing")
    )
    kit = shim.Kit(redaction.Redactor, output.BoundedOutput, output.Captures, remote.RemoteClients, sealing.seal)
    return shim, kit


def receive(connection: socket.socket) -> tuple[dict[str, Any], int] | None:
    """Return the next request and the pipe that came with it, or None when the engine is gone."""
    begin, descriptors, _, _ = socket.recv_fds(connection, LENGTH.size, 1)
    if not begin or not descriptors:
        return None
    os.set_inheritable(descriptors[0], False)
    header = _exactly(connection, LENGTH.size, begin)
    body = None if header is None else _exactly(connection, LENGTH.unpack(header)[0])
    return None if body is None else (json.loads(body), descriptors[0])


def _exactly(connection: socket.socket, count: int, begin: bytes = b"") -> bytes | None:
    data = bytearray(begin)
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            return None
        data += part
    return bytes(data)


def serve(connection: socket.socket, engine: int, shim: ModuleType, kit: Any) -> None:
    """Fork shims until the engine closes its end, or is gone. A process that it forked may hold that end open."""
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    poll.register(wake_read, select.POLLIN)
    poll.register(engine, select.POLLIN)
    while True:
        ready = {number for number, _ in poll.poll()}
        if wake_read in ready:
            with suppress(BlockingIOError):
                os.read(wake_read, 4096)
            _reap()
        if connection.fileno() not in ready:
            if engine in ready:
                return
            continue
        received = receive(connection)
        if received is None:
            return
        request, telling = received
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            for descriptor in (wake_read, wake_write, engine, connection.fileno()):
                os.close(descriptor)
            shim.run(request, kit, telling)  # never returns
        os.close(telling)
        if request.get("die_at") == "launcher-after-fork":
            os.kill(os.getpid(), signal.SIGKILL)
        # Not reaped before this loop comes round again, so the pid is still the shim's.
        pidfd = os.pidfd_open(pid)
        try:
            socket.send_fds(connection, [LENGTH.pack(pid)], [pidfd])
        except OSError:
            return
        finally:
            os.close(pidfd)


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def main() -> None:
    """Serve the socket whose number is the first argument, for the engine whose pid is the second."""
    try:
        engine = os.pidfd_open(int(sys.argv[2]))
    except ProcessLookupError:
        return
    if os.getppid() != int(sys.argv[2]):
        return  # it died already, and another process has its pid
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    shim, kit = load_parts()
    gc.disable()
    gc.freeze()
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.set_inheritable(False)
    serve(connection, engine, shim, kit)


if __name__ == "__main__":
    main()
