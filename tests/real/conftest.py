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
from contextlib import contextmanager
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


@dataclass
class PostgresServer(Postgres):
    """A PostgreSQL that a test may stop and start again, on the same port and with the same data."""

    folder: Path = field(default_factory=Path)
    as_user: list[str] = field(default_factory=list)
    programs: Path = field(default_factory=Path)
    process: subprocess.Popen[bytes] | None = None
    fsync: bool = False

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, "LC_ALL": "C.UTF-8", "HOME": str(self.folder)}

    def make(self) -> None:
        """Lay down the data of a server that has never run."""
        self.call("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync")

    def call(self, program: str, *words: str) -> None:
        """Run one of the server's programs on its data, to its end."""
        subprocess.run(
            [*self.as_user, self.programs / program, "-D", self.folder / "data", *words],
            check=True,
            capture_output=True,
            env=self._environment,
            cwd=self.folder,
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = [
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
            "-k",
            str(self.folder),
            "-c",
            f"fsync={'on' if self.fsync else 'off'}",
        ]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.as_user, self.programs / "postgres", "-D", self.folder / "data", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                cwd=self.folder,
            )
        _wait_until_it_answers(self.process, self, self.folder / "log")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it and wait until it has gone; SIGQUIT is what `pg_ctl stop -m immediate` sends."""
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


@contextmanager
def place_for_postgres(*, fsync: bool = False) -> Iterator[PostgresServer]:
    """Give a server of Debian's package its folder and port, as a user who is not root. It has no data yet."""
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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    server = PostgresServer(port, folder=folder, as_user=as_user, programs=programs[-1].parent, fsync=fsync)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def run_postgres(*, fsync: bool = False) -> Iterator[PostgresServer]:
    """Run a server that begins with no data."""
    with place_for_postgres(fsync=fsync) as server:
        server.make()
        server.start()
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL that all tests share; each makes databases of its own."""
    with run_postgres() as server:
        yield server


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL of the test's own, which it may stop."""
    with run_postgres() as server:
        yield server


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
