"""A comparison whose process is killed goes on where it was, counts no row twice, and says what is older."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from tests.real.conftest import PostgresServer

from switchover_checks.api import Finding, Result, Status
from switchover_checks.runtime.commands import Child
from switchover_checks.runtime.context import LocalContext, Resources
from switchover_checks.runtime.probe_ports import ProbePorts, ProgressNote
from switchover_checks.runtime.registry import Registry
from switchover_checks.runtime.runner import ProbeSpec, Runner

ROWS = 40_000
TABLE = "CREATE TABLE t (id int PRIMARY KEY, v text)"
FILL = f"INSERT INTO t SELECT i, md5(i::text) FROM generate_series(1, {ROWS}) i"
EARLY, LATE = "UPDATE t SET v = 'early' WHERE id = 100", f"UPDATE t SET v = 'late' WHERE id = {ROWS - 5}"


class Bench:
    """A runner whose checks remember, and the process in which they run."""

    def __init__(self, folder: Path) -> None:
        self.ports = ProbePorts()
        resources = Resources()
        self.runner = Runner(
            Registry(), lambda deadline: LocalContext(deadline, folder, resources=resources, ports=self.ports)
        )
        self.runner.on_close(resources.aclose)
        self.pids: list[int] = []

    async def look(self, left: str, right: str, **config: object) -> Result:
        keys = {"left": left, "right": right, "mode": "checksum", **config}
        return (await self.runner.run(ProbeSpec("c", "sql_compare", keys))).result

    async def kill_in_the_middle(self, left: str, right: str) -> ProgressNote:
        """Compare slowly, and kill the process once it has noted how far it is."""
        look = asyncio.ensure_future(self.look(left, right, throttle="1%"))
        while not (note := self.ports.progress.of("c")) or "table" not in self.ports.memory.of("c").get(
            "comparison", {}
        ):
            assert not look.done(), look.result()
            await asyncio.sleep(0.02)
        os.kill(self.pids[-1], 9)
        assert (await look).status is Status.UNKNOWN
        assert self.ports.progress.of("c") is None
        return note


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    made = Bench(tmp_path)
    real = Child.__init__

    def spy(self: Child, *args: object, **kwargs: object) -> None:
        real(self, *args, **kwargs)  # type: ignore[arg-type]
        made.pids.append(self.pid)

    monkeypatch.setattr(Child, "__init__", spy)
    return made


@pytest.fixture
def sides(own_postgres: PostgresServer) -> Callable[..., tuple[str, str]]:
    with psycopg.connect(own_postgres.url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET autovacuum = off")
        connection.execute("SELECT pg_reload_conf()")
    return lambda *changes: (own_postgres.create(TABLE, FILL), own_postgres.create(TABLE, FILL, *changes))


def of(result: Result, what: str) -> Finding:
    return next(f for f in result.findings if f.what == what)


async def test_a_killed_comparison_goes_on_and_counts_every_row_once(
    bench: Bench, sides: Callable[..., tuple[str, str]]
) -> None:
    left, right = await asyncio.to_thread(sides, EARLY, LATE, "ANALYZE")
    note = await bench.kill_in_the_middle(left, right)
    assert (note.total, note.text.startswith("table t, ")) == (ROWS, True)
    kept = bench.ports.memory.of("c")["comparison"]["rows"][0]
    assert 0 < kept < ROWS
    result = await bench.look(left, right)
    assert of(result, "t").observed.startswith(f"2 changed; {ROWS} rows, byte for byte")
    assert of(result, "t").observed.endswith(f"id: 100; {ROWS - 5}")
    assert of(result, "resumed").status is Status.OK
    assert "as of 20" in of(result, "resumed").observed
    again = await bench.look(left, right)
    assert [f.what for f in again.findings] == ["t"]
    await bench.runner.aclose()


async def test_what_was_written_meanwhile_keeps_a_resumed_result_from_being_fine(
    bench: Bench, sides: Callable[..., tuple[str, str]]
) -> None:
    left, right = await asyncio.to_thread(sides)
    await bench.kill_in_the_middle(left, right)
    async with await psycopg.AsyncConnection.connect(left, autocommit=True) as connection:
        await connection.execute(EARLY)
    result = await bench.look(left, right)
    assert (result.status, of(result, "resumed").status) == (Status.UNKNOWN, Status.UNKNOWN)
    assert of(result, "t").status is Status.OK
    again = await bench.look(left, right)
    assert (again.status, of(again, "t").hint) == (Status.CRIT, "look at id: 100")
    await bench.runner.aclose()


async def test_the_same_database_by_two_addresses_is_refused(bench: Bench, own_postgres: PostgresServer) -> None:
    url = await asyncio.to_thread(own_postgres.create, TABLE, FILL)
    result = await bench.look(url, url.replace("127.0.0.1", "localhost"))
    assert (result.status, "same tables of the same database" in result.summary) == (Status.UNKNOWN, True)
    await bench.runner.aclose()
