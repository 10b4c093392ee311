"""`python -m tests.support.warm_interpreter FD`: imports the program once, and forks for each order that comes."""

from __future__ import annotations

import codecs
import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import struct
import sys
import time
from typing import NamedTuple

__all__ = ["NUMBER", "SIZE", "read_exactly"]

SIZE = struct.Struct("!I")
NUMBER = struct.Struct("!i")
_VERBS = "switchover.cli.verbs"
# What the verbs import when they need it.
_MODULES = (
    "switchover.app",
    "switchover.cli.report.report",
    "switchover.agent.process.agent_process",
    "switchover.agent.process.daemon",
    "switchover.agent.wire.client",
    "switchover.plan.loader.load",
    "switchover.migration.run.engine",
    "switchover.migration.journal.sqlite_journal",
)


class Job(NamedTuple):
    """What a fork is to do."""

    argv: list[str]
    cwd: str
    environ: dict[str, str]
    uid: int
    files: list[int]


def read_exactly(line: socket.socket, size: int) -> bytes:
    """Read so many bytes; whoever hangs up before that is an error."""
    data = b""
    while len(data) < size:
        more = line.recv(size - len(data))
        if not more:
            raise EOFError("the other side has ended")
        data += more
    return data


def _warm_up() -> None:
    verbs = importlib.import_module(_VERBS)
    for name in (*(f"{_VERBS}.{found.name}" for found in pkgutil.iter_modules(verbs.__path__)), *_MODULES):
        importlib.import_module(name)
    for name in ("ascii", "latin-1", "idna"):  # another account may not be let read them
        codecs.lookup(name)
    gc.collect()
    gc.freeze()


def _next_job(listener: socket.socket) -> Job | None:
    """Fork for each order; return it in the fork, and None in the parent when nobody can order any more."""
    at_work: dict[int, tuple[int, socket.socket]] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(0, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fd == 0:
                    return None
                if key.fd != listener.fileno():
                    selector.unregister(key.fd)
                    _tell_the_end(*at_work.pop(key.fd))
                    os.close(key.fd)
                    continue
                line = listener.accept()[0]
                job = _read_job(line)
                pid = os.fork()
                if pid == 0:
                    return job
                for number in job.files:
                    os.close(number)
                line.sendall(SIZE.pack(pid))
                handle = os.pidfd_open(pid)
                at_work[handle] = (pid, line)
                selector.register(handle, selectors.EVENT_READ)


def _read_job(line: socket.socket) -> Job:
    size, files, _, _ = socket.recv_fds(line, SIZE.size, 3)
    argv, cwd, environ, uid = json.loads(read_exactly(line, SIZE.unpack(size)[0]))
    return Job(argv, cwd, environ, uid, files)


def _tell_the_end(pid: int, line: socket.socket) -> None:
    with line:
        line.sendall(NUMBER.pack(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))


def _become(job: Job) -> None:
    """Take on what the order says, as a new interpreter would have it."""
    for number, given in enumerate(job.files):
        os.dup2(given, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if job.uid:
        os.setgroups([])
        os.setresgid(job.uid, job.uid, job.uid)
        os.setresuid(job.uid, job.uid, job.uid)
    os.chdir(job.cwd)
    os.environ.clear()
    os.environ.update(job.environ)
    time.tzset()
    sys.argv = ["switchover", *job.argv]
    sys.path.remove(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))  # noqa: PTH100, PTH120
    encoding, errors = sys.stdout.encoding, sys.stdout.errors
    sys.stdin = open(0, encoding=encoding, errors=errors, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding=encoding, errors=errors, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding=encoding, errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115


def _main(number: int) -> int:
    _warm_up()
    listener = socket.socket(fileno=number)
    job = _next_job(listener)
    if job is None:
        return 0
    listener.detach()
    _become(job)
    from switchover.cli.parser import main

    return main()


if __name__ == "__main__":
    sys.exit(_main(int(sys.argv[1])))
