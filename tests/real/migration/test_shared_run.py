"""A run whose journal is in PostgreSQL: it outlives the server's restarts, and several hosts carry it without harm."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psycopg
import pytest
from tests.real.conftest import Postgres, PostgresServer
from tests.unit.migration.harness import ANA, BEN, Bench, first_damage, open_bench

from switchover.errors import JournalAwayError, JournalError, LockedError, RefusedError
from switchover.migration.facts import events as ev
from switchover.migration.facts.run_state import Stage
from switchover.settings import JournalAddress

PLAN = """
phases:
  - id: a
    steps:
      - {id: one, run: 'echo one >> log; read line < gate; echo "$line" >> log', effect: changes}
      - {id: two, run: 'echo two >> log', effect: changes}
"""

OpenBench = Callable[[str, JournalAddress], Bench]


@pytest.fixture
async def open_host(tmp_path: Path) -> AsyncIterator[OpenBench]:
    """Open an engine with a folder, a plan file and a state directory of its own, as another host would have."""
    benches: list[Bench] = []

    def open_it(host: str, address: JournalAddress) -> Bench:
        folder = tmp_path / host
        if not folder.exists():
            folder.mkdir()
            os.mkfifo(folder / "gate")
            (folder / "registry").mkdir(0o700)
        bench = open_bench(folder, PLAN, shared=address, registry=folder / "registry")
        benches.append(bench)
        return bench

    yield open_it
    for bench in benches:
        await bench.engine.aclose()


async def _until(bench: Bench, what: Callable[[], bool]) -> None:
    """Wait until something is so; the engine tells of every change."""
    changed = asyncio.Event()
    tools = bench.engine.run_store.tools
    told = tools.on_change

    def tell() -> None:
        told()
        changed.set()

    object.__setattr__(tools, "on_change", tell)
    bench.engine.run_store.outage._on_change = tell
    async with asyncio.timeout(60):
        while not what():
            await changed.wait()
            changed.clear()


async def _let_go_on(bench: Bench, word: str = "heard") -> None:
    """Let step `one` hear a word."""

    gate = bench.directory / "gate"
    writing = asyncio.ensure_future(asyncio.to_thread(gate.write_text, f"{word}\n"))
    try:
        async with asyncio.timeout(30):
            await asyncio.shield(writing)
    except TimeoutError:
        reader = os.open(gate, os.O_RDONLY | os.O_NONBLOCK)  # nobody listens: let the writer go
        await writing
        os.close(reader)
        raise


async def _ends(bench: Bench, attempt: int = 1) -> None:
    """Wait until the shim of step `one` has written down how it ended."""
    record = bench.engine._runner.executor.attempt("one", attempt).directory / "exit.json"
    async with asyncio.timeout(30):
        while not record.exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.005)


def _runs(bench: Bench) -> bool:
    return bench.stage("one") == "running"


async def _begin(bench: Bench) -> asyncio.Task[object]:
    driving: asyncio.Task[object] = asyncio.ensure_future(bench.engine.drive(ANA))
    await _until(bench, lambda: _runs(bench))
    return driving


# The server goes and comes back


@pytest.mark.parametrize("ends", ["while the server is away", "after it is back"])
async def test_a_step_goes_on_through_a_restart_of_the_server_and_its_end_is_recorded_after_it(
    own_postgres: PostgresServer, open_host: OpenBench, ends: str
) -> None:
    bench = open_host("bastion", JournalAddress(own_postgres.url))
    driving = await _begin(bench)
    own_postgres.stop()
    if ends.startswith("while"):
        await _let_go_on(bench)
        await _until(bench, lambda: bench.engine.run_store.outage.waiting)
        await _ends(bench)
        view = bench.engine.view()
        assert (view.state, view.action.kind) == ("waiting", "wait")
        assert "the journal is away since" in view.action.text
        assert bench.stage("one") == "running"
        assert not driving.done()
        own_postgres.start()
    else:
        own_postgres.start()
        await _let_go_on(bench)
    outcome = await driving
    assert getattr(outcome, "kind", "") == "done"
    assert bench.log == ["one", "heard", "two"]
    assert bench.engine.view().state == "done"
    _is_whole(bench)


async def test_a_server_that_is_killed_loses_nothing_either(own_postgres: PostgresServer, open_host: OpenBench) -> None:
    import signal

    bench = open_host("bastion", JournalAddress(own_postgres.url))
    driving = await _begin(bench)
    own_postgres.stop(signal.SIGQUIT)
    own_postgres.start()
    await _let_go_on(bench)
    assert getattr(await driving, "kind", "") == "done"
    assert [n for n in bench.log if n == "one"] == ["one"]
    _is_whole(bench)


async def test_the_wait_for_a_server_can_be_given_up_and_the_end_is_recorded_by_the_next_engine(
    own_postgres: PostgresServer, open_host: OpenBench
) -> None:
    address = JournalAddress(own_postgres.url)
    bench = open_host("bastion", address)
    driving = await _begin(bench)
    own_postgres.stop()
    await _let_go_on(bench)
    await _until(bench, lambda: bench.engine.run_store.outage.waiting)
    bench.engine.interrupt(ANA, "interrupted with Ctrl-C")
    with pytest.raises(JournalAwayError):
        await driving
    assert bench.stage("one") == "running"
    await bench.engine.aclose()
    own_postgres.start()
    again = open_host("bastion", address)
    assert (await again.engine.drive(ANA)).kind == "done"
    assert again.log == ["one", "heard", "two"]
    _is_whole(again)


async def test_no_step_begins_while_the_server_is_away(own_postgres: PostgresServer, open_host: OpenBench) -> None:
    bench = open_host("bastion", JournalAddress(own_postgres.url))
    await bench.engine.start(ANA)
    own_postgres.stop()
    with pytest.raises(JournalAwayError, match="is away"):
        await bench.engine.run_step("one", ANA)
    assert bench.log == []
    assert bench.engine.view().state == "waiting"
    own_postgres.start()
    running = asyncio.ensure_future(bench.engine.run_step("one", ANA))  # no new engine is needed
    await _let_go_on(bench)
    await running
    assert bench.stage("one") == "done"


async def test_a_commit_whose_answer_was_lost_is_not_recorded_twice(
    postgres: Postgres, open_host: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = open_host("bastion", JournalAddress(postgres.create()))
    driving = await _begin(bench)
    journal = bench.engine.run_store.journal
    assert journal is not None
    append = journal.append

    def append_and_lose_the_answer(run_id: str, event: ev.Event) -> ev.Record:
        append(run_id, event)
        journal._broken = "the line was lost"  # type: ignore[attr-defined]
        raise JournalAwayError("the line was lost")

    monkeypatch.setattr(journal, "append", append_and_lose_the_answer)
    await _let_go_on(bench)
    assert getattr(await driving, "kind", "") == "done"
    ends = [r for r in bench.engine.records() if isinstance(r.event, ev.StepEnded) and r.event.unit == "one"]
    assert len(ends) == 1
    _is_whole(bench)


async def test_a_database_that_came_back_with_fewer_records_is_refused(
    postgres: Postgres, open_host: OpenBench
) -> None:
    address = JournalAddress(postgres.create())
    bench = open_host("bastion", address)
    await bench.engine.start(ANA)
    running = asyncio.ensure_future(bench.engine.run_step("one", ANA))
    await _let_go_on(bench)
    await running
    with psycopg.connect(address.url, autocommit=True) as connection:  # as a copy that lagged behind would be
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM switchover.events WHERE type = 'StepEnded'")
    with pytest.raises(JournalError, match="has lost records"):
        await bench.engine.run_step("two", ANA)
    assert bench.log == ["one", "heard"]


# Two hosts


async def test_the_second_host_sees_the_run_and_is_told_who_drives_it(postgres: Postgres, open_host: OpenBench) -> None:
    address = JournalAddress(postgres.create())
    first, second = open_host("bastion", address), open_host("other", address)
    driving = await _begin(first)
    assert await second.engine.refresh()
    assert second.engine.state == first.engine.state
    with pytest.raises(LockedError, match="this run is driven by ana@bastion, pts/1"):
        await second.engine.drive(BEN)
    holder = second.engine.holder()
    assert holder is not None
    assert (holder.who, holder.host) == ("ana", "bastion")
    await _let_go_on(first)
    await driving
    await second.engine.refresh()
    assert second.engine.view().state == "done"
    assert second.log == []


async def test_a_step_on_another_host_is_never_judged_from_here(postgres: Postgres, open_host: OpenBench) -> None:
    address = JournalAddress(postgres.create())
    first, second = open_host("bastion", address), open_host("other", address)
    await _begin_and_die(first)
    await second.engine.refresh()
    await second.engine.recover(BEN)
    assert second.stage("one") == "running"
    assert second.engine.lost_sight_of() == ()
    outcome = await second.engine.drive(BEN)
    assert outcome.kind == "waiting"
    assert "one runs on" in outcome.text
    assert str(first.engine.run_store.workspace.directory) in outcome.text
    with pytest.raises(RefusedError, match="only there can be told what became of it"):
        await second.engine.run_step("two", BEN)
    assert "its output is on" in second.engine.read_output("one", 1, 0, 1000)[0]
    assert "runs on" in second.engine.view_step("one").reason
    await _let_go_on(first)
    again = open_host("bastion", address)  # whoever comes back to that host finds the truth
    assert (await again.engine.drive(ANA)).kind == "done"
    assert again.log == ["one", "heard", "two"]
    _is_whole(again)


@pytest.mark.parametrize("copied", [False, True])
async def test_clones_of_a_machine_do_not_judge_each_others_steps(
    postgres: Postgres, open_host: OpenBench, copied: bool
) -> None:
    address = JournalAddress(postgres.create())
    first = open_host("bastion", address)
    await _begin_and_die(first)
    state, own = first.directory / "state", first.directory.parent / "first"
    state.rename(own)  # the same name, machine id and path, and another disk
    if copied:
        await asyncio.to_thread(shutil.copytree, own, state)
    (first.directory / "registry").rename(first.directory / "first_registry")
    (first.directory / "registry").mkdir(0o700)
    clone = open_host("bastion", address)
    await clone.engine.recover(BEN)
    assert clone.stage("one") == "running"
    outcome = await clone.engine.drive(BEN)
    assert outcome.kind == "waiting"
    assert "one runs on" in outcome.text
    await clone.engine.aclose()
    shutil.rmtree(state, ignore_errors=True)
    own.rename(state)
    shutil.rmtree(first.directory / "registry")
    (first.directory / "first_registry").rename(first.directory / "registry")
    await _let_go_on(first)
    again = open_host("bastion", address)
    assert (await again.engine.drive(ANA)).kind == "done"
    assert again.log == ["one", "heard", "two"]


async def test_another_host_carries_on_where_the_first_left_off(postgres: Postgres, open_host: OpenBench) -> None:
    address = JournalAddress(postgres.create())
    first, second = open_host("bastion", address), open_host("other", address)
    await first.engine.start(ANA)
    running = asyncio.ensure_future(first.engine.run_step("one", ANA))
    await _let_go_on(first)
    await running
    assert (await second.engine.drive(BEN)).kind == "done"
    assert (first.log, second.log) == (["one", "heard"], ["two"])
    _is_whole(second)


async def test_where_a_host_is_lost_a_person_says_what_became_of_its_step(
    postgres: Postgres, open_host: OpenBench
) -> None:
    address = JournalAddress(postgres.create())
    first, second = open_host("bastion", address), open_host("other", address)
    await _begin_and_die(first)
    with pytest.raises(RefusedError, match="a reason is needed"):
        await second.engine.resolve("one", "done", " ", BEN)
    await second.engine.resolve("one", "done", "the bastion burnt down; checked by hand", BEN)
    assert (await second.engine.drive(BEN)).kind == "done"
    words = [r.event.reason for r in second.engine.records() if isinstance(r.event, ev.StepUnknown)]
    assert "which ben says is lost" in words[0]
    await _let_go_on(first)  # it was not lost after all: what others decided stays
    await _ends(first)
    again = open_host("bastion", address)
    assert again.engine.state.stage is Stage.DONE
    assert again.engine.state.unit("one").reason == "the bastion burnt down; checked by hand"
    for _ in range(2):
        assert (await again.engine.drive(ANA)).kind == "done"
    late = [r.event for r in again.engine.records() if isinstance(r.event, ev.StepEndedLate)]
    assert [(e.unit, e.attempt, e.outcome) for e in late] == [("one", 1, "done")]
    assert second.log == ["two"]


async def test_an_engine_that_lost_its_connection_records_nothing_once_others_took_over(
    postgres: Postgres, open_host: OpenBench
) -> None:
    address = JournalAddress(postgres.create())
    first, second = open_host("bastion", address), open_host("other", address)
    driving = await _begin(first)
    with psycopg.connect(address.url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    async with second.engine.hold(BEN):  # the lock went with the connection
        await _let_go_on(first)
        await _until(first, lambda: "driven by ben" in first.engine.run_store.outage.reason)
        assert not driving.done()
        await second.engine.refresh()
        assert second.stage("one") == "running"
    assert getattr(await driving, "kind", "") == "done"  # held again, read again, then recorded
    _is_whole(first)


async def test_a_drive_elsewhere_is_news_here(postgres: Postgres, open_host: OpenBench) -> None:
    address = JournalAddress(postgres.create())
    first, second = open_host("bastion", address), open_host("other", address)

    async def follow() -> None:
        while second.engine.state.stage is not Stage.DONE:
            await second.engine.news()
            await second.engine.refresh()

    following: Awaitable[None] = asyncio.ensure_future(follow())
    driving = await _begin(first)
    await _let_go_on(first)
    await driving
    async with asyncio.timeout(30):
        await following


async def _begin_and_die(bench: Bench) -> None:
    """Begin step `one` and let the engine go as a crash would; the step goes on."""
    driving = await _begin(bench)
    async with asyncio.timeout(30):
        while not (bench.directory / "log").exists():  # noqa: ASYNC110 - the step writes it
            await asyncio.sleep(0.005)
    driving.cancel()
    await asyncio.wait({driving})
    await bench.engine.aclose()


def _is_whole(bench: Bench) -> None:
    journal = bench.engine.run_store.journal
    assert journal is not None
    assert first_damage(journal) is None
    assert len(bench.engine.state.units["one"].attempts) == 1
