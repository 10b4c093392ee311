"""What works for long in Python does so in a process of its own, and the loop of the agent goes on."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from switchover_checks.api import Finding, Result, Status
from switchover_checks.kinds import sql_compare
from switchover_checks.runtime.commands import Child
from switchover_checks.runtime.context import LocalContext, Resources
from switchover_checks.runtime.results import from_json, sound, to_json
from switchover_checks.runtime.runner import ProbeSpec, Runner

MakeRunner = Callable[..., Runner]
SAME = {"left": "sqlite:old.db", "right": "after", "mode": "checksum"}


@pytest.fixture
def stores(tmp_path: Path) -> Path:
    for name in ("old.db", "after.db"):
        with sqlite3.connect(tmp_path / name) as database:
            database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
            database.executemany("INSERT INTO t VALUES (?, ?)", [(i, "x") for i in range(100)])
        database.close()
    return tmp_path


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the pids of all processes that are started by checks."""
    pids: list[int] = []
    real = Child.__init__

    def spy(self: Child, *args: object, **kwargs: object) -> None:
        real(self, *args, **kwargs)  # type: ignore[arg-type]
        pids.append(self.pid)

    monkeypatch.setattr(Child, "__init__", spy)
    return pids


def there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def test_tables_are_compared_in_another_process(
    make_runner: MakeRunner, stores: Path, monkeypatch: pytest.MonkeyPatch, started: list[int]
) -> None:
    def never(*_: object) -> Result:
        raise AssertionError("compared in the process of the runner")

    monkeypatch.setattr(sql_compare, "_compare", never)
    outcome = await make_runner().run(ProbeSpec("c", "sql_compare", SAME, 60))
    assert outcome.result.status is Status.OK, outcome.result
    assert len(started) == 1


async def test_a_process_that_has_answered_is_asked_again_and_ends_with_the_runner(
    make_runner: MakeRunner, stores: Path, started: list[int]
) -> None:
    runner = make_runner()
    for kind, config in (("sql_compare", SAME), ("backup", {"path": "old.db"}), ("sql_compare", SAME)):
        assert (await runner.run(ProbeSpec(kind, kind, config, 60))).result.status is Status.OK
    assert len(started) == 1
    os.kill(started[0], 9)
    assert (await runner.run(ProbeSpec("c", "sql_compare", SAME, 60))).result.status is Status.OK
    assert len(started) == 2
    await runner.aclose()
    assert not there(started[1])


async def test_one_that_is_cut_off_is_ended_and_names_what_it_was_at(
    make_runner: MakeRunner, stores: Path, started: list[int]
) -> None:
    with sqlite3.connect(stores / "old.db") as writer:
        writer.execute("BEGIN EXCLUSIVE")
        result = (await make_runner().run(ProbeSpec("c", "sql_compare", SAME, 3.0))).result
    writer.close()
    assert result.status is Status.UNKNOWN
    assert result.phase in ("connect", "table t"), result
    assert not there(started[0]) or "no answer" not in result.summary


async def test_a_database_that_is_not_there_is_critical_from_there_too(make_runner: MakeRunner, stores: Path) -> None:
    result = (await make_runner().run(ProbeSpec("c", "sql_compare", {**SAME, "left": "sqlite:no.db"}, 60))).result
    assert (result.status, result.phase) == (Status.CRIT, "connect")
    assert result.findings[0].status is Status.CRIT


async def test_processes_of_a_context_without_a_runner_are_closed_with_its_resources(stores: Path) -> None:
    resources = Resources()
    ctx = LocalContext(1e12, stores, resources=resources)
    worker = await ctx.workers.take(stores, ctx.sweeper, again=True)
    await ctx.workers.give_back(worker)
    assert worker.usable
    await resources.aclose()
    assert not worker.usable


def test_of_very_many_findings_the_worst_reach_the_other_side() -> None:
    findings = [Finding(f"t{i}", "1", "1", Status.OK) for i in range(900)]
    findings.append(Finding("last", "1", "2", Status.CRIT))
    found = sound(from_json(to_json(Result.of(findings))))
    assert found.status is Status.CRIT
    assert "last" in {f.what for f in found.findings}
