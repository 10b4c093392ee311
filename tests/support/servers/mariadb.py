"""A real MariaDB on a free loopback port, with a socket and data of its own."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pymysql
from tests.conftest import missing

__all__ = ["MariadbServer", "mariadb_server"]

_START_S = 60.0


@dataclass
class MariadbServer:
    """A server that listens. `create` makes a database."""

    port: int
    socket: Path
    made: int = field(default=0)

    def create(self, *statements: str) -> str:
        """Make a new database, run `statements` in it and return its address."""
        self.made += 1
        name = f"test_{self.made}"
        with pymysql.connect(
            unix_socket=str(self.socket), user="root", charset="utf8mb4", autocommit=True
        ) as connection:
            cursor = connection.cursor()
            for statement in (f"CREATE DATABASE {name} CHARACTER SET utf8mb4", f"USE {name}", *statements):
                cursor.execute(statement)
        return f"mysql://root@127.0.0.1:{self.port}/{name}"


@contextlib.contextmanager
def mariadb_server(shared: Path) -> Iterator[MariadbServer]:
    """Start a server and end it at last; its first data are made once in `shared`. Skip where there is none."""
    install, program = shutil.which("mariadb-install-db"), shutil.which("mariadbd")
    if install is None or program is None:
        missing("MariaDB (Debian package mariadb-server)")
    user = ["--user=mysql"] if os.getuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="switchover-mariadb-"))
    folder.chmod(0o755)
    try:
        _copy_first_data(install, user, shared, folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = MariadbServer(port, folder / "s")
        options = [
            f"--datadir={folder}/data", f"--socket={server.socket}", f"--port={port}", "--bind-address=127.0.0.1",
            f"--pid-file={folder}/data/pid", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=16M",
            "--skip-name-resolve",
        ]  # fmt: skip
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([program, "--no-defaults", *user, *options], stdout=log, stderr=log)
        try:
            _wait_until_it_answers(process, folder / "log")
            yield server
        finally:
            process.kill()
            process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy_first_data(install: str, user: list[str], shared: Path, folder: Path) -> None:
    made = shared / "mariadb-first-data"
    with (shared / "mariadb.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            new = folder / "new"
            new.mkdir()
            if user:
                shutil.chown(folder, "mysql")
                shutil.chown(new, "mysql")
            command = [install, "--no-defaults", f"--datadir={new}", "--auth-root-authentication-method=normal"]
            subprocess.run([*command, "--skip-test-db", *user], check=True, capture_output=True, cwd=folder)
            shutil.move(new, made)
    shutil.copytree(made, folder / "data")
    if user:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, "mysql")


def _wait_until_it_answers(process: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + _START_S
    while "ready for connections" not in (told := log.read_text(errors="replace")):
        if process.poll() is not None or time.monotonic() > limit:
            raise AssertionError(told[-800:])
        time.sleep(0.05)
