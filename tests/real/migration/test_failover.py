"""A journal with a standby that is promoted while the old primary lives on: nothing is believed that only one has."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from tests.real.migration.line import Line, line_to
from tests.real.migration.standby import Pair, run_pair
from tests.unit.migration.harness import ANA, BEN, OPENED, Bench, first_damage, open_bench

from switchover.errors import JournalAwayError, JournalDiffersError
from switchover.migration.facts.run_state import Stage
from switchover.migration.journal import journal_line
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
def pair() -> Iterator[Pair]:
    with run_pair() as pair:
        yield pair


@pytest.fixture
def line(pair: Pair) -> Iterator[Line]:
    """The way to whichever server is the one in force; it begins with the primary."""
    with line_to(pair.primary.port) as line:
        yield line


@pytest.fixture
async def open_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenBench]:
    """Open an engine with a folder, a plan file, a state directory and a registry of its own, as another host has."""

    def open_it(host: str, address: JournalAddress) -> Bench:
        folder = tmp_path / host
        if not folder.exists():
            folder.mkdir()
            os.mkfifo(folder / "gate")
            (folder / "registry").mkdir(0o700)
            (folder / "switchover").mkdir()
            (folder / "switchover" / "settings.toml").write_text(f'registry = "{folder}/registry"\n')
        monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
        bench = open_bench(folder, PLAN, shared=address)
        bench.engine.run_store.workspace.directory.mkdir(mode=0o700, parents=True, exist_ok=True)  # as its agent does
        return bench

    yield open_it
    while OPENED:
        OPENED.pop().engine.run_store.close()


async def _so(what: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not what():  # noqa: ASYNC110 - threads and processes make it so
            await asyncio.sleep(0.005)


async def _began(bench: Bench) -> asyncio.Task[object]:
    driving: asyncio.Task[object] = asyncio.ensure_future(bench.engine.drive(ANA))
    await _so(lambda: bench.log == ["one"])
    return driving


async def _say(bench: Bench, word: str = "heard") -> None:
    await asyncio.to_thread((bench.directory / "gate").write_text, f"{word}\n")
    await _so(lambda: bench.log[-1:] == [word])


async def _cancel_waits(pair: Pair, times: int) -> None:
    """End what waits for the standby, again and again."""
    async with asyncio.timeout(60):
        while times > 0:
            times -= await asyncio.to_thread(pair.cancel_waits)


async def test_with_both_servers_alive_the_driver_at_the_old_one_runs_nothing_that_was_carried_on_at_the_new_one(
    pair: Pair, line: Line, open_host: OpenBench
) -> None:
    pair.wait_for_standby()
    first = open_host("bastion", JournalAddress(line.url(pair.primary.url)))
    driving = await _began(first)
    pair.promote()
    second = open_host("other", JournalAddress(pair.standby.url))
    await second.engine.refresh()
    assert (second.stage("one"), second.log) == ("running", [])
    await second.engine.resolve("one", "done", "checked by hand", BEN)
    assert (await second.engine.drive(BEN)).kind == "done"
    await _say(first)
    await _cancel_waits(pair, 6)  # the old one has it, and vouches for nothing
    assert not driving.done()
    assert (first.log, second.log) == (["one", "heard"], ["two"])
    line.server = pair.standby.port  # now the name leads to the new one
    line.cut()
    assert getattr(await driving, "kind", "") == "done"
    assert (first.log, second.log) == (["one", "heard"], ["two"])
    await second.engine.refresh()
    assert first.engine.state == second.engine.state
    _is_whole(second)


@pytest.mark.parametrize("ends", ["an operator ends the wait", "the old one is started again", "nobody answers"])
async def test_a_commit_that_only_the_old_primary_has_begins_no_step(
    pair: Pair, line: Line, open_host: OpenBench, ends: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_line, "_SLOW_S", 0.2)
    monkeypatch.setattr(journal_line, "_ANSWER_WITHIN_S", 1.5)
    pair.wait_for_standby()
    first = open_host("bastion", JournalAddress(line.url(pair.primary.url)))
    await first.engine.start(ANA)
    pair.promote()
    if ends == "the old one is started again":
        with pytest.raises(JournalAwayError):
            await first.engine.drive(ANA)
        await asyncio.to_thread(pair.primary.stop)
        await asyncio.to_thread(pair.primary.start)
    ending = asyncio.ensure_future(_cancel_waits(pair, 1000)) if ends == "an operator ends the wait" else None
    for _ in range(2):  # what the first left there vouches for nothing either
        with pytest.raises(JournalAwayError, match="does not vouch for the lock" if ending else "does not answer"):
            await first.engine.drive(ANA)
    if ending is not None:
        ending.cancel()
        await asyncio.wait({ending})
    assert first.log == []
    assert first.engine.view().state == "waiting"
    line.server = pair.standby.port
    line.cut()
    driving = await _began(first)  # at the new one it begins, once
    await _say(first)
    assert getattr(await driving, "kind", "") == "done"
    assert first.log == ["one", "heard", "two"]
    _is_whole(first)


async def test_a_failover_that_lost_records_is_refused_by_its_driver_and_by_all_who_had_seen_them(
    pair: Pair, line: Line, open_host: OpenBench
) -> None:
    address = JournalAddress(line.url(pair.primary.url))
    first, second = open_host("bastion", address), open_host("other", address)
    await first.engine.start(ANA)
    pair.catch_up()
    pair.following.freeze()
    driving = await _began(first)
    await second.engine.refresh()
    assert second.stage("one") == "running"
    pair.promote()
    line.server = pair.standby.port
    line.cut()
    await _say(first)
    with pytest.raises(JournalDiffersError, match=r"has lost records: it ends at 1.*record 2 .StepStarted"):
        await driving
    assert "the journal is refused since" in first.engine.view().action.text
    for refused in (second.engine.refresh, lambda: second.engine.drive(BEN), lambda: first.engine.drive(ANA)):
        with pytest.raises(JournalDiffersError, match="has lost records"):
            await refused()
    for host in ("bastion", "other"):  # what a new process knows, it was told by the note
        with pytest.raises(JournalDiffersError, match=r"has lost records.*StepStarted.*was noted as its newest"):
            open_host(host, address)
    assert (first.log, second.log) == (["one", "heard"], [])
    line.server = pair.primary.port  # the one that has them is believed again
    line.cut()
    again = open_host("bastion", address)
    assert (await again.engine.drive(ANA)).kind == "done"
    assert again.log == ["one", "heard", "two"]
    _is_whole(again)


@pytest.mark.parametrize("meets", ["the old one", "the new one"])
async def test_two_servers_that_both_took_writes_are_told_apart_by_whoever_knows_one_and_meets_the_other(
    pair: Pair, line: Line, open_host: OpenBench, meets: str
) -> None:
    address = JournalAddress(line.url(pair.primary.url))
    first, second = open_host("bastion", address), open_host("other", address)
    driving = await _began(first)
    await second.engine.refresh()
    pair.catch_up()
    pair.promote()  # a standby that nobody waited for: the old one goes on taking writes
    await _say(first)
    assert getattr(await driving, "kind", "") == "done"
    line.server = pair.standby.port
    line.cut()
    await second.engine.resolve("one", "failed", "the bastion is gone", BEN)
    knows, by = (first, ANA) if meets == "the new one" else (second, BEN)
    if meets == "the old one":
        line.server = pair.primary.port
        line.cut()
    with pytest.raises(JournalDiffersError, match=r"was written anew|has lost records"):
        await knows.engine.refresh()
    with pytest.raises(JournalDiffersError, match=r"was written anew|has lost records"):
        await knows.engine.drive(by)
    assert knows.engine.run_store.outage.error is not None
    assert second.log == []


def _is_whole(bench: Bench) -> None:
    journal = bench.engine.run_store.journal
    assert journal is not None
    assert first_damage(journal) is None
    assert bench.engine.state.stage is Stage.DONE
