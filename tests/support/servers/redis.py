"""A real Redis on a free loopback port, with nothing on disk."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import missing

__all__ = ["RedisServer", "redis_server"]


@dataclass(frozen=True)
class RedisServer:
    """A server that listens."""

    port: int
    socket: Path

    def cli(self, *words: str) -> str:
        """Run a command in it with its own client, and return the answer."""
        command = ["redis-cli", "-s", str(self.socket), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()


@contextlib.contextmanager
def redis_server(folder: Path, *options: str) -> Iterator[RedisServer]:
    """Start a server with `options`, and end it at last. Skip where there is none."""
    program = shutil.which("redis-server")
    if program is None:
        missing("redis-server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder.mkdir(exist_ok=True)
    path = folder / "redis.sock"
    fixed = ["--bind", "127.0.0.1", "--port", str(port), "--unixsocket", str(path), "--save", "", "--dir", str(folder)]
    process = subprocess.Popen([program, *fixed, *options], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if "connections at" in line or "Ready to accept connections unix" in line:
                break
        else:
            raise AssertionError("".join(said))
        yield RedisServer(port, path)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
