"""Holds: only time that was watched and green counts, on record, over restarts and reboots."""

import asyncio
from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, BEN, Bench, Checks, HandClock, open_bench

from switchover.migration.facts import events as ev
from switchover_checks.api import Status

OK, WARN, CRIT = Status.OK, Status.WARN, Status.CRIT
HOUR = 3600.0


def _plan(gate: str) -> str:
    return f"""
    checks:
      up: {{kind: tcp, host: localhost, port: 1, every: 60s, timeout: 10s}}
    phases:
      - id: a
        gate: {gate}
    """


class PausingClock(HandClock):
    """Moves on with each wait; after `left` waits the watcher is held for ever, like one that was killed."""

    left: int = 10**9

    async def wait(self, seconds: float) -> None:
        if self.left <= 0:
            await asyncio.Event().wait()
        self.left -= 1
        await super().wait(seconds)


async def _bench(directory: Path, gate: str, clock: HandClock, *statuses: Status) -> Bench:
    bench = open_bench(directory, _plan(gate), clock=clock, checks=Checks(clock, {"up": list(statuses or (OK,))}))
    await bench.engine.start(ANA)
    return bench


async def _watch_for(bench: Bench, clock: PausingClock, waits: int) -> float:
    """Watch for so many looks, then die; return how long that was."""
    clock.left = waits
    began = clock.mono
    task = await bench.engine.submit(bench.engine.check_gate("a", ANA))
    while clock.left or bench.checks.looks < waits + 1:  # noqa: ASYNC110 - what is awaited is the gate's own work
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await bench.engine.aclose()
    clock.left = 10**9
    return clock.mono - began


def _reopen(directory: Path, clock: HandClock, *statuses: Status) -> Bench:
    return open_bench(directory, clock=clock, checks=Checks(clock, {"up": list(statuses or (OK,))}))


def _events(bench: Bench, kind: type[ev.Event]) -> list[ev.Event]:
    return [r.event for r in bench.engine.records() if isinstance(r.event, kind)]


async def test_a_hold_goes_on_after_a_restart_from_what_was_counted(tmp_path: Path) -> None:
    clock = PausingClock()
    bench = await _bench(tmp_path, "{require: [up], hold: 24h}", clock)
    watched = await _watch_for(bench, clock, 600)
    assert watched > 9 * HOUR
    bench = _reopen(tmp_path, clock)
    assert bench.engine.unwatched_gate == "a"
    counted = bench.engine.state.gate("a").held_s
    assert watched - 300 <= counted <= watched
    began = clock.mono
    assert await bench.engine.watch_on()
    assert 24 * HOUR - watched - 60 <= clock.mono - began <= 24 * HOUR - counted + 60
    assert len(_events(bench, ev.GateOpened)) == 1
    assert len(_events(bench, ev.GateGreen)) == 1
    await bench.engine.aclose()


async def test_time_in_which_nobody_watched_does_not_count_as_green(tmp_path: Path) -> None:
    clock = PausingClock()
    bench = await _bench(tmp_path, "{require: [up], hold: 24h}", clock)
    watched = await _watch_for(bench, clock, 600)
    clock.advance(20 * HOUR)
    bench = _reopen(tmp_path, clock)
    began = clock.mono
    assert await bench.engine.watch_on()
    assert clock.mono - began >= 24 * HOUR - watched
    await bench.engine.aclose()


@pytest.mark.parametrize("wall", [-100 * HOUR, 100 * HOUR, 30.0])
async def test_a_reboot_counts_for_nothing_whatever_the_clock_says_after_it(tmp_path: Path, wall: float) -> None:
    clock = PausingClock()
    bench = await _bench(tmp_path, "{require: [up], hold: 24h}", clock)
    await _watch_for(bench, clock, 100)
    clock.boot, clock.mono, clock.wall = "boot-2", 5.0, clock.wall + wall
    bench = _reopen(tmp_path, clock)
    counted = bench.engine.state.gate("a").held_s
    assert counted > 0
    assert await bench.engine.watch_on()
    assert clock.mono - 5.0 >= 24 * HOUR - counted
    await bench.engine.aclose()


async def test_a_watcher_that_slept_longer_than_its_checks_are_fresh_counts_nothing_of_it(tmp_path: Path) -> None:
    clock = HandClock()
    bench = await _bench(tmp_path, "{require: [up], hold: 1h}", clock)
    waits = 0

    async def wait(seconds: float) -> None:
        nonlocal waits
        waits += 1
        clock.advance(seconds if waits != 3 else 2 * HOUR)
        await asyncio.sleep(0)

    object.__setattr__(bench.engine.run_store.tools, "wait", wait)
    began = clock.mono
    assert await bench.engine.check_gate("a", ANA)
    assert clock.mono - began >= 3 * HOUR
    await bench.engine.aclose()


async def test_a_broken_hold_begins_anew_and_says_when_and_why_it_broke(tmp_path: Path) -> None:
    clock = HandClock()
    bench = await _bench(tmp_path, "{require: [up], hold: 1h}", clock, *[OK] * 30, CRIT, OK)
    began = clock.mono
    assert await bench.engine.check_gate("a", ANA)
    broken = _events(bench, ev.GateBroken)
    assert len(broken) == 1
    assert isinstance(broken[0], ev.GateBroken)
    assert broken[0].reason == "up is crit: up is crit"
    assert broken[0].held_s > 20 * 60
    assert clock.mono - began > HOUR + broken[0].held_s
    gate = bench.engine.view().phases[0].gate
    assert gate is not None
    assert gate.broken_at is not None
    assert gate.broken_why == "up is crit: up is crit"
    await bench.engine.aclose()


async def test_a_hold_that_is_red_after_a_restart_is_broken_on_record(tmp_path: Path) -> None:
    clock = PausingClock()
    bench = await _bench(tmp_path, "{require: [up], hold: 24h}", clock)
    await _watch_for(bench, clock, 100)
    bench = _reopen(tmp_path, clock, CRIT, OK)
    began = clock.mono
    assert await bench.engine.watch_on()
    assert clock.mono - began >= 24 * HOUR
    assert len(_events(bench, ev.GateBroken)) == 1
    await bench.engine.aclose()


async def test_a_wait_without_a_hold_goes_on_after_a_restart_too(tmp_path: Path) -> None:
    clock = PausingClock()
    bench = await _bench(tmp_path, "{require: [up], within: 1h, every: 1m}", clock, CRIT)
    watched = await _watch_for(bench, clock, 40)
    bench = _reopen(tmp_path, clock, CRIT)
    assert bench.engine.unwatched_gate == "a"
    began = clock.mono
    assert not await bench.engine.check_gate("a", BEN)
    assert watched + clock.mono - began == HOUR
    assert len(_events(bench, ev.GateOpened)) == 1
    assert await _asked_again(bench, clock) == HOUR
    await bench.engine.aclose()


async def _asked_again(bench: Bench, clock: HandClock) -> float:
    """Ask a gate that stays shut once more; return how long it waits."""
    began = clock.mono
    assert not await bench.engine.check_gate("a", BEN)
    return clock.mono - began


async def test_another_process_sees_how_a_hold_stands(tmp_path: Path) -> None:
    clock = PausingClock()
    bench = await _bench(tmp_path, "{require: [up], hold: 24h}", clock)
    await _watch_for(bench, clock, 100)
    bench = _reopen(tmp_path, clock)
    gate = bench.engine.view().phases[0].gate
    assert gate is not None
    assert gate.state == "holding"
    assert gate.held_s > HOUR
    assert gate.green_since == 1_800_000_000.0
    await bench.engine.aclose()


async def test_a_day_of_hold_is_a_few_hundred_records(tmp_path: Path) -> None:
    bench = await _bench(tmp_path, "{require: [up], hold: 24h}", HandClock())
    assert await bench.engine.check_gate("a", ANA)
    assert len(bench.engine.records()) < 400
    await bench.engine.aclose()


async def _holding(tmp_path: Path) -> tuple[Bench, asyncio.Task[bool]]:
    clock = PausingClock()
    bench = await _bench(tmp_path, "{require: [up], hold: 24h}", clock)
    clock.left = 10
    watching = await bench.engine.submit(bench.engine.check_gate("a", ANA))
    while clock.left or bench.checks.looks < 11:  # noqa: ASYNC110 - what is awaited is the gate's own work
        await asyncio.sleep(0)
    return bench, watching


async def test_abort_is_possible_while_a_hold_goes_on(tmp_path: Path) -> None:
    bench, watching = await _holding(tmp_path)
    gate = bench.engine.view().phases[0].gate
    assert gate is not None
    assert (gate.state, gate.hold_s) == ("holding", 24 * HOUR)
    await bench.engine.abort(BEN, "enough")
    assert not await watching
    assert bench.engine.state.gate("a").reason == "stopped by ben: enough"
    assert bench.engine.unwatched_gate == ""
    await bench.engine.aclose()


async def test_a_gate_that_is_handed_over_is_watched_on_by_the_next(tmp_path: Path) -> None:
    bench, watching = await _holding(tmp_path)
    bench.engine.hand_over("handed over to ben")
    assert not await watching
    assert bench.engine.handed_over
    assert bench.engine.unwatched_gate == "a"
    await bench.engine.aclose()
