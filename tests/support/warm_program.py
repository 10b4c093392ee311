"""The command line in forks of a warm interpreter: a real process for each call, without its second of imports.

`run_switchover` stands for `subprocess.run([python, "-m", "switchover", …])`: a process of its own, with its folder,
environment and standard files, in which the program's own `main` runs to its end. What a test does with the process
itself (signals, terminals, other users) wants a new interpreter, and starts one.
"""

from __future__ import annotations

import atexit
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tests.support.warm_interpreter import NUMBER, SIZE, read_exactly

__all__ = ["run_switchover"]

_ROOT = Path(__file__).resolve().parents[2]
# What an interpreter reads when it starts: whoever changes it wants a new one.
_AT_THE_START = ("PYTHON", "LC_", "LANG")


def run_switchover(
    *words: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 120,
    uid: int = 0,
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, with no standard input; return how it ended and what it wrote.

    With `uid` it is that account's, which only root can ask for.
    """
    argv = [str(word) for word in words]
    environ = dict(os.environ if env is None else env)
    if not uid and _at_the_start(environ) != _at_the_start(os.environ):
        whole = [sys.executable, "-P", "-m", "switchover", *argv]
        return subprocess.run(
            whole,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            cwd=cwd,
            env=environ,
            timeout=timeout,
        )
    order = json.dumps([argv, str(cwd or Path.cwd()), environ, uid]).encode()
    code, out, err = _carry_out(order, timeout)
    return subprocess.CompletedProcess(argv, code, _text(out), _text(err))


def _at_the_start(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name.startswith(_AT_THE_START)}


def _text(data: bytes) -> str:
    return data.decode().replace("\r\n", "\n").replace("\r", "\n")


def _carry_out(order: bytes, timeout: float) -> tuple[int, bytes, bytes]:
    (out, outs_end), (err, errs_end) = os.pipe(), os.pipe()
    nothing = os.open(os.devnull, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(_warm_interpreter(os.getpid()))
            socket.send_fds(line, [SIZE.pack(len(order))], [nothing, outs_end, errs_end])
        finally:
            for number in (nothing, outs_end, errs_end):
                os.close(number)
        line.sendall(order)
        (pid,) = SIZE.unpack(read_exactly(line, SIZE.size))
        texts = _until_closed((out, err), timeout)
        if texts is None:
            os.kill(pid, signal.SIGKILL)
        (code,) = NUMBER.unpack(read_exactly(line, NUMBER.size))
    os.close(out)
    os.close(err)
    if texts is None:
        raise subprocess.TimeoutExpired(json.loads(order)[0], timeout)
    return int(code), texts[0], texts[1]


def _until_closed(pipes: tuple[int, int], timeout: float) -> tuple[bytes, bytes] | None:
    """Read pipes until nobody can write to them any more; None where that takes too long."""
    found = {pipe: bytearray() for pipe in pipes}
    give_up = time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        for pipe in pipes:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(give_up - time.monotonic())
            if not ready:
                return None
            for key, _ in ready:
                data = os.read(key.fd, 1 << 16)
                found[key.fd] += data
                if not data:
                    selector.unregister(key.fd)
    return bytes(found[pipes[0]]), bytes(found[pipes[1]])


@cache
def _warm_interpreter(_: int) -> str | bytes:
    """Start it, once for each process that asks; it ends with that process. Return where it listens."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("")  # the kernel finds a name that nobody has
        listener.listen(64)
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.warm_interpreter", str(listener.fileno())],
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            cwd=_ROOT,
        )
        atexit.register(process.communicate)
        name: str | bytes = listener.getsockname()
        return name
