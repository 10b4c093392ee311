"""A journal through pgbouncer: one that keeps sessions serves, one that lends them is found out and refused."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from tests.conftest import missing
from tests.real.conftest import PostgresServer, run_postgres
from tests.unit.migration.harness import ANA, BEN, OPENED, HandClock, open_bench

from switchover.errors import JournalError, LockedError
from switchover.migration.journal.postgres_journal import PostgresJournal
from switchover.settings import JournalAddress

PLAN = "phases: [{id: a, steps: [{id: one, run: 'echo one >> log', effect: changes}]}]"
Pool = Callable[..., JournalAddress]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with run_postgres() as server:
        yield server


@pytest.fixture
def pool(server: PostgresServer) -> Iterator[Pool]:
    """Run pgbouncer in a mode, before a new database; return the address of that database behind it."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        missing("pgbouncer")
    running: list[subprocess.Popen[bytes]] = []

    def run(mode: str, **options: object) -> JournalAddress:
        url = server.create()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        settings = {
            "listen_addr": "127.0.0.1",
            "listen_port": port,
            "auth_type": "any",
            "pool_mode": mode,
            "unix_socket_dir": "",
            "logfile": server.folder / f"pgbouncer-{port}.log",
            **options,
        }
        lines = [f"{key}={value}" for key, value in settings.items()]
        where = f"* = host=127.0.0.1 port={server.port} user=postgres"
        path = server.folder / f"pgbouncer-{port}.ini"
        path.write_text("\n".join(["[databases]", where, "[pgbouncer]", *lines, ""]))
        path.chmod(0o644)
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        running.append(subprocess.Popen([*server.as_user, program, path], **quiet))  # type: ignore[call-overload]
        address = url.replace(f":{server.port}/", f":{port}/")
        _wait_for(address, running[-1])
        return JournalAddress(address)

    yield run
    for process in running:
        process.terminate()
        process.wait()


@pytest.fixture(autouse=True)
def engines_are_closed() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().engine.run_store.close()


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    while True:
        try:
            psycopg.connect(address, connect_timeout=5).close()
        except psycopg.OperationalError as error:
            if process.poll() is not None:
                pytest.fail(f"pgbouncer did not start: {error}", pytrace=False)
        else:
            return


async def test_one_that_keeps_sessions_serves(tmp_path: Path, pool: Pool) -> None:
    address = pool("session")
    bench = open_bench(tmp_path, PLAN, shared=address)
    async with bench.engine.hold(ANA):
        with PostgresJournal.open(address, "p", HandClock()) as other:  # type: ignore[union-attr]
            with pytest.raises(LockedError, match="driven by ana"):
                other.hold(BEN, "")
            assert other._session.ask("SELECT current_setting('statement_timeout')")[0][0][0] == "15s"
        assert (await bench.engine.drive(ANA)).kind == "done"


def test_one_session_is_enough_for_one_journal(pool: Pool) -> None:
    address = pool("session", default_pool_size=1)
    with PostgresJournal.open(address, "p", HandClock()) as journal:  # type: ignore[union-attr]
        journal.hold(ANA, "")


@pytest.mark.parametrize("mode", ["transaction", "statement"])
@pytest.mark.parametrize("options", [{}, {"server_round_robin": 1}, {"default_pool_size": 1}], ids=str)
def test_one_that_lends_sessions_is_refused_and_nothing_of_ours_is_left_in_what_it_lends(
    pool: Pool, mode: str, options: dict[str, int]
) -> None:
    address = pool(mode, **options)
    with pytest.raises(JournalError, match="a pooler that lends its sessions") as refused:
        PostgresJournal.open(address, "p", HandClock())
    assert "pool_mode=session" in refused.value.hint
    with psycopg.connect(address.url, autocommit=True) as connection:
        assert connection.execute("SHOW statement_timeout").fetchone() == ("0",)
        assert connection.execute("SELECT to_regnamespace('switchover')").fetchone() == (None,)


def test_in_a_busy_pool_it_is_refused_too(pool: Pool) -> None:
    address = pool("transaction", server_round_robin=1)
    others = [psycopg.connect(address.url) for _ in range(5)]
    for other in others:
        other.execute("SELECT 1")  # each has begun a transaction, so each was lent another session
    for other in others:
        other.rollback()
    with pytest.raises(JournalError, match="a pooler that lends its sessions"):
        PostgresJournal.open(address, "p", HandClock())
    for other in others:
        other.close()
