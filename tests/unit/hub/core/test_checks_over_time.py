"""What is known of checks over time: unsteady ones, the last failures, uptime; kept over a restart of the agent."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.health.health_fakes import FakeRunner, StillClock, plan
from tests.unit.hub.hub_fakes import Stage, stage

from switchover.health.catalog import Catalog
from switchover.health.check_state import CheckState
from switchover.health.uptime import Uptime
from switchover.hub.history.kept_checks import KeptChecks
from switchover.locations import Workspace
from switchover.snapshot import CheckRow, Snapshot
from switchover_checks.api import Finding, Result, Status

PLAN = """
checks:
  room: {kind: tcp, port: 1, every: 1h, since: run}
  after: {kind: tcp, port: 2, every: 1h, needs: [room], since: run}
"""
FULL = Result.of([Finding("disk", "room", "full", Status.CRIT)], evidence={"stderr": "no space left on device"})


def kept_file(directory: Path) -> Path:
    return Workspace(directory / "state", directory / "plan.yaml").directory / "checks.json"


def row(snapshot: Snapshot, name: str = "room") -> CheckRow:
    return next(one for one in snapshot.checks if one.name == name)


async def go_to_and_fro(live: Stage, times: int) -> Snapshot:
    for number in range(times):
        live.runner.answers["room"] = FULL if number % 2 else Status.OK
        await live.hub.recheck(["room"])
    return await live.until(lambda s: len(row(s).history) >= times)


async def test_an_unsteady_check_is_held_and_told_once(tmp_path: Path) -> None:
    async with stage(PLAN, tmp_path, runner=FakeRunner({})) as live:
        await live.until(lambda s: row(s).status == "ok")
        seen = await go_to_and_fro(live, 15)
        seen = await live.until(lambda s: row(s).changes > 5 and "now ok" in row(s).summary)
        assert row(seen).status == "crit"
        assert any(problem.check == "room" for problem in seen.problems)
        told = [event.text for event in seen.timeline if event.kind == "check" and event.text.startswith("room ")]
        assert len([text for text in told if "unsteady" in text]) == 1
        assert len(told) <= 7


async def test_what_needs_an_unsteady_check_is_looked_at_while_that_is_fine(tmp_path: Path) -> None:
    async with stage(PLAN, tmp_path, runner=FakeRunner({})) as live:
        await live.until(lambda s: row(s).status == "ok")
        await go_to_and_fro(live, 15)
        await live.hub.recheck(["after"])
        seen = await live.until(lambda s: row(s, "after").status == "ok")
        assert row(seen).status == "crit"


async def test_the_last_failures_outlive_the_agent(tmp_path: Path) -> None:
    async with stage(PLAN, tmp_path, runner=FakeRunner({"room": FULL})) as live:
        await live.until(lambda s: row(s).status == "crit")
        live.runner.answers["room"] = Status.OK
        await live.hub.recheck(["room"])
        before = await live.until(lambda s: row(s).status == "ok")
    async with stage(PLAN, tmp_path, runner=FakeRunner({})) as anew:
        seen = await anew.until(lambda s: row(s).status == "ok")
    (failure,) = row(seen).failed
    assert failure.evidence == (("stderr", "no space left on device"),)
    assert failure.findings[0].observed == "full"
    assert failure.over
    assert row(before).failed == row(seen).failed


async def test_uptime_and_unsteadiness_are_the_same_after_a_restart(tmp_path: Path) -> None:
    clock = StillClock()
    items = Catalog(plan(PLAN, tmp_path).plan).items
    state = CheckState(changes=(990.0,), last_bad=Status.CRIT, observed_at=clock.now())
    uptime = Uptime()
    uptime.add(clock.now(), 60.0, fine=True)
    path = tmp_path / "checks.json"
    await KeptChecks(path, clock).keep(items, {"room": state, "after": CheckState()}, {"room": uptime})
    clock.at, clock.mono = clock.at + 30, 5.0
    states = {name: CheckState() for name in items}
    found = KeptChecks(path, clock).restore(items, states)
    assert found["room"].shares(clock.now()) == (1.0, 1.0, 1.0)
    assert (states["room"].changes, states["room"].last_bad) == ((-35.0,), Status.CRIT)
    assert states["after"] == CheckState()
    other = Catalog(plan(PLAN.replace("kind: tcp, port: 1", "kind: disk, path: /"), tmp_path).plan).items
    assert KeptChecks(path, clock).restore(other, dict(states)) == {}


async def test_what_was_removed_from_the_plan_is_forgotten_after_a_week(tmp_path: Path) -> None:
    clock, path = StillClock(), tmp_path / "checks.json"
    items = Catalog(plan(PLAN, tmp_path).plan).items
    states = {name: CheckState(observed_at=clock.now()) for name in items}
    await KeptChecks(path, clock).keep(items, states, {name: Uptime() for name in items})
    less = {"room": items["room"]}
    await KeptChecks(path, clock).keep(less, states, {"room": Uptime()})
    assert set(KeptChecks(path, clock).restore(items, dict(states))) == {"room", "after"}
    clock.advance(8 * 86_400)
    await KeptChecks(path, clock).keep(less, states, {"room": Uptime()})
    assert set(KeptChecks(path, clock).restore(items, dict(states))) == {"room"}


@pytest.mark.parametrize("damaged", [b"{", b'{"form": 9, "checks": {}}', b'{"form": 1, "checks": []}'])
async def test_a_file_that_cannot_be_read_is_told_and_left_alone(tmp_path: Path, damaged: bytes) -> None:
    kept = kept_file(tmp_path)
    kept.parent.mkdir(parents=True)
    kept.write_bytes(damaged)
    async with stage(PLAN, tmp_path, runner=FakeRunner({})) as live:
        seen = await live.until(lambda s: row(s).status == "ok")
        assert any(note.name == "kept checks" and "cannot be read" in note.why for note in seen.sources)
    assert kept.read_bytes() == damaged


async def test_who_only_watches_writes_nothing(tmp_path: Path) -> None:
    async with stage(PLAN, tmp_path, runner=FakeRunner({}), read_only=True) as live:
        await live.until(lambda s: row(s).status == "ok")
        await live.hub.recheck(["room"])
        await live.until(lambda s: len(row(s).history) == 2)
    assert not kept_file(tmp_path).exists()
