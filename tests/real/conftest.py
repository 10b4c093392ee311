"""Real servers for tests, each on a loopback port and in a folder of its own, ended by its pid."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from tests.conftest import missing

_START_S = 30.0


@dataclass
class Postgres:
    """A running PostgreSQL. `url` names its first database; `create` makes another."""

    port: int
    made: int = field(default=0)

    @property
    def url(self) -> str:
        """Return the address of the database `postgres`, for its superuser."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """Return the address of a database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def create(self, *statements: str) -> str:
        """Make a new database, run `statements` in it and return its address."""
        self.made += 1
        name = f"test_{self.made}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        with psycopg.connect(self.url_of(name), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())
        return self.url_of(name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of Debian's package, run by a user who is not root."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not programs:
        missing("PostgreSQL (Debian package postgresql)")
    if os.getuid() == 0 and not shutil.which("setpriv"):
        missing("setpriv (util-linux)")
    folder = Path(tempfile.mkdtemp(prefix="switchover-postgres-"))
    as_user: list[str] = []
    if os.getuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--pdeathsig=INT"]
    programs_folder, data = programs[-1].parent, folder / "data"
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "HOME": str(folder)}
    try:
        subprocess.run(
            [
                *as_user,
                programs_folder / "initdb",
                "-D",
                data,
                "-A",
                "trust",
                "-U",
                "postgres",
                "--no-sync",
                "-E",
                "UTF8",
            ],
            check=True,
            capture_output=True,
            env=environment,
            cwd=folder,
        )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        options = ["-h", "127.0.0.1", "-p", str(port), "-k", str(folder), "-c", "fsync=off"]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [*as_user, programs_folder / "postgres", "-D", data, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                cwd=folder,
            )
        try:
            _wait_until_it_answers(server, Postgres(port), folder / "log")
            yield Postgres(port)
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_it_answers(server: subprocess.Popen[bytes], postgres: Postgres, log: Path) -> None:
    limit = time.monotonic() + _START_S
    while True:
        try:
            psycopg.connect(postgres.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > limit:
                pytest.fail(f"PostgreSQL did not start: {log.read_text(errors='replace')[-800:]}", pytrace=False)
            time.sleep(0.05)
        else:
            return
