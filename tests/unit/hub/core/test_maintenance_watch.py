"""Maintenance on the screen: what fails meanwhile is shown as such, and told at the end if it still fails."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.unit.health.health_fakes import FakeRunner
from tests.unit.hub.hub_fakes import Stage, stage

from switchover.snapshot import CheckRow, Snapshot
from switchover_checks.api import Status

PLAN = """
checks:
  db: {kind: tcp, port: 1, every: 1h, since: run}
  web: {kind: tcp, port: 2, every: 1h, since: run}
  rows: {kind: tcp, port: 3, every: 1h, needs: [db], since: run}
alerts:
  down: {when: db == CRIT, notify: [bell]}
maintenance:
  dump: {title: The dump, ics: dump.ics, of: [db]}
"""


def calendar(directory: Path, minutes: int) -> None:
    """Let it be open now, for so long. It is over where that is negative."""
    start = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() - 3600))
    lines = ["BEGIN:VCALENDAR", "BEGIN:VEVENT", f"DTSTART:{start}", f"DURATION:PT{60 + minutes}M"]
    (directory / "dump.ics").write_text("\n".join([*lines, "END:VEVENT", "END:VCALENDAR"]))


def row(snapshot: Snapshot, name: str) -> CheckRow:
    return next(one for one in snapshot.checks if one.name == name)


async def ends(live: Stage, directory: Path) -> None:
    """Let the maintenance be over, and be followed."""
    calendar(directory, -30)
    live.hub._watcher.maintenance._read_at = None
    await live.hub._watcher._follow_maintenance()


async def test_what_fails_in_maintenance_is_no_problem_until_it_ends(tmp_path: Path) -> None:
    calendar(tmp_path, 60)
    async with stage(PLAN, tmp_path, runner=FakeRunner({"db": Status.CRIT, "web": Status.CRIT})) as live:
        seen = await live.until(lambda s: row(s, "db").status == "skipped" and row(s, "web").status == "crit")
        assert row(seen, "db").summary.startswith("in maintenance (The dump, until ")
        assert [problem.check for problem in seen.problems if problem.check] == ["web"]
        assert seen.alerts == ()
        assert not any(event.text.startswith("db crit") for event in seen.timeline)
        await ends(live, tmp_path)
        seen = await live.until(lambda s: row(s, "db").status == "crit" and bool(s.alerts))
        assert "db" in {problem.check for problem in seen.problems}
        assert any("still after the maintenance" in event.text for event in seen.timeline)


async def test_what_is_fine_is_shown_as_fine_in_maintenance(tmp_path: Path) -> None:
    calendar(tmp_path, 60)
    async with stage(PLAN, tmp_path, runner=FakeRunner({})) as live:
        seen = await live.until(lambda s: row(s, "db").status == "ok" and any("dump" in e.text for e in s.timeline))
        await ends(live, tmp_path)
        seen = await live.until(lambda s: any("dump is over" in event.text for event in s.timeline))
        assert not any("still after" in event.text for event in seen.timeline)


async def test_what_needs_something_in_maintenance_waits_for_it(tmp_path: Path) -> None:
    calendar(tmp_path, 60)
    async with stage(PLAN, tmp_path, runner=FakeRunner({"db": Status.CRIT})) as live:
        seen = await live.until(lambda s: row(s, "rows").status == "skipped")
        assert row(seen, "rows").waits_for == ("db",)
        assert not seen.problems


async def test_a_calendar_that_cannot_be_read_mutes_nothing_and_is_told(tmp_path: Path) -> None:
    (tmp_path / "dump.ics").write_text("nonsense")
    async with stage(PLAN, tmp_path, runner=FakeRunner({"db": Status.CRIT})) as live:
        seen = await live.until(lambda s: row(s, "db").status == "crit" and bool(s.sources))
        assert any(note.name == "maintenance dump" and "no calendar" in note.why for note in seen.sources)


async def test_a_check_of_a_service_in_maintenance_that_still_fails_at_the_end_is_told(tmp_path: Path) -> None:
    calendar(tmp_path, 60)
    plan = PLAN.replace("of: [db]", "of: [store]").replace(
        "{kind: tcp, port: 1,", "{kind: tcp, port: 1, service: store,"
    )
    plan += "services: {store: {kind: process, side: s, pid_file: none}}\nsides: {s: {}}\n"
    async with stage(plan, tmp_path, runner=FakeRunner({"db": Status.CRIT})) as live:
        await live.until(lambda s: row(s, "db").summary.startswith("in maintenance"))
        await ends(live, tmp_path)
        seen = await live.until(lambda s: row(s, "db").status == "crit")
        assert any("db" in event.text and "still after the maintenance" in event.text for event in seen.timeline)


@pytest.mark.parametrize("when", ["db == CRIT", "db != OK"])
async def test_a_check_in_maintenance_rings_nobody_until_it_ends(tmp_path: Path, when: str) -> None:
    calendar(tmp_path, 60)
    plan = PLAN.replace("db == CRIT", when)
    async with stage(plan, tmp_path, runner=FakeRunner({"db": Status.CRIT})) as live:
        seen = await live.until(lambda s: row(s, "db").summary.startswith("in maintenance"))
        assert seen.alerts == ()
        await ends(live, tmp_path)
        await live.until(lambda s: bool(s.alerts))


@pytest.mark.parametrize("when", ["store == CRIT", "store != OK"])
async def test_a_service_in_maintenance_rings_nobody_until_it_ends(tmp_path: Path, when: str) -> None:
    calendar(tmp_path, 60)
    plan = PLAN.replace("of: [db]", "of: [store]").replace("db == CRIT", when)
    plan += "services: {store: {kind: process, side: s, pid_file: none}}\nsides: {s: {}}\n"
    async with stage(plan, tmp_path, runner=FakeRunner({})) as live:
        seen = await live.until(lambda s: any(one.health == "skipped" for one in s.services))
        assert seen.alerts == ()
        await ends(live, tmp_path)
        seen = await live.until(lambda s: bool(s.alerts))
        assert [alert.name for alert in seen.alerts] == ["down"]
