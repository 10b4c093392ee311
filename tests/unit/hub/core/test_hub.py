from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from tests.unit.health.health_fakes import FakeRunner, StillClock, result
from tests.unit.hub.hub_fakes import PATIENCE_S, stage

from switchover.clock import SystemClock
from switchover.errors import JournalError, RefusedError
from switchover.hub import Hub
from switchover.locations import Workspace
from switchover.services.inventory import Inventory
from switchover.services.processes.process_provider import ProcessProvider
from switchover.services.provider_api import Capability, Observation, ProcessState, ServiceTarget
from switchover.snapshot import (
    ActionView,
    CheckRow,
    Holder,
    MigrationView,
    PhaseView,
    ServiceRow,
    Snapshot,
    StepView,
    TimelineRow,
)
from switchover_checks.api import Metric, Status

OK, WARN, CRIT, UNKNOWN, SKIPPED, PENDING = Status


class ToldProvider:
    """Sees what it is told."""

    kind: ClassVar[str] = "process"
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.INSPECT})

    def __init__(self, **seen: Observation) -> None:
        self.observation = seen
        self.broken = False

    async def inspect(self, targets: Sequence[ServiceTarget]) -> Mapping[str, Observation]:
        if self.broken:
            raise RuntimeError("the provider fell over")
        return {target.name: self.observation[target.name] for target in targets}

    def off(self) -> str:
        return ""

    async def aclose(self) -> None:
        return


RUNNING = Observation(ProcessState.RUNNING, OK, pid=7, identity="7")
STOPPED = Observation(ProcessState.STOPPED, CRIT, "pid 7 is gone")


def row(snapshot: Snapshot, name: str) -> CheckRow:
    return next(r for r in snapshot.checks if r.name == name)


def service(snapshot: Snapshot, name: str) -> ServiceRow:
    return next(r for r in snapshot.services if r.name == name)


QUICK = """
checks:
  a: {kind: tcp, port: 1, every: 200ms}
  b: {kind: tcp, port: 2, every: 200ms, needs: [a]}
"""


async def test_before_anything_was_looked_at_everything_is_pending(tmp_path: Path) -> None:
    snapshot = stage(QUICK, tmp_path).hub.snapshot
    assert snapshot.seq == 1
    assert {r.status for r in snapshot.checks} == {"pending"}
    assert snapshot.problems == ()


async def test_a_failing_check_its_dependants_and_the_recovery_are_published(tmp_path: Path) -> None:
    runner = FakeRunner({"a": result(CRIT, "connection refused")})
    async with stage(QUICK, tmp_path, runner=runner) as live:
        bad = await live.until(lambda s: row(s, "b").status == "skipped")
        assert row(bad, "a").status == "crit"
        assert [f.observed for f in row(bad, "a").findings] == ["broken"]
        assert [(p.subject, p.waiting) for p in bad.problems] == [("a", ("b",))]
        assert "b" not in {spec.name for spec in runner.asked}
        runner.answers["a"] = OK
        good = await live.until(lambda s: row(s, "b").status == "ok")
        assert good.problems == ()
        told = [r.text for r in good.timeline if r.kind == "check"]
        assert told == ["a ok: it is ok", "a crit: connection refused"]  # newest first


async def test_the_number_grows_when_something_changed_and_at_times_though_nothing_did(tmp_path: Path) -> None:
    async with stage("checks: {}\n", tmp_path) as live:
        hub = live.hub
        before = await live.until(lambda s: s.metrics[1].latest is not None)
        for _ in range(3):
            following = await hub.next_snapshot(before.seq)
            assert following.seq == before.seq + 1
            same = replace(following, seq=before.seq, at=before.at) == before
            assert not same or following.at - before.at > 2.0
            before = following
        assert hub.snapshot_age_s < PATIENCE_S
        assert await hub.next_snapshot(0) is hub.snapshot


async def test_a_hub_that_no_longer_runs_is_seen_by_the_age_of_its_snapshot(tmp_path: Path) -> None:
    clock = StillClock()
    hub = stage(QUICK, tmp_path, clock=clock).hub
    clock.advance(60.0)
    clock.at -= 7200.0
    assert hub.snapshot_age_s == 60.0


async def test_no_start_is_proposed_before_every_check_that_is_watched_has_answered(tmp_path: Path) -> None:
    plan = """
checks:
  a: {kind: tcp, port: 1, every: 200ms}
  b: {kind: tcp, port: 2, every: 200ms, needs: [a]}
  later: {kind: tcp, port: 3, every: 200ms, since: go}
phases:
  - {id: go, steps: [{id: s, run: "true", effect: read}]}
"""
    runner = FakeRunner()
    runner.held = True
    start = MigrationView(phases=(PhaseView("go", "go", "pending"),), action=ActionView("start", "", "start the run"))
    async with stage(plan, tmp_path, runner=runner, view=start) as live:
        live.hub.engine_changed()
        early = await live.until(lambda s: row(s, "a").running)
        assert early.migration.action == ActionView("wait", "", "waits for the first answer of a, b")
        runner.release.set()
        late = await live.until(lambda s: row(s, "b").status == "ok")
        assert late.migration.action.kind == "start"
        assert row(late, "later").resting


async def test_a_check_is_watched_only_in_its_phases(tmp_path: Path) -> None:
    text = "checks: {a: {kind: tcp, port: 1, every: 200ms, since: data}}\n"
    pending = MigrationView(run_id="1", state="running", phases=(PhaseView("data", "Data", "pending"),))
    runner = FakeRunner()
    async with stage(text, tmp_path, runner=runner, view=pending) as live:
        snapshot = await live.until(lambda s: s.metrics[1].latest is not None)
        assert (row(snapshot, "a").status, row(snapshot, "a").summary) == ("pending", "watched from phase data on")
        assert runner.asked == []
        live.engine.said = replace(pending, phases=(PhaseView("data", "Data", "running", started_at=1.0),))
        live.hub.engine_changed()
        await live.until(lambda s: row(s, "a").status == "ok")
        live.engine.said = replace(live.engine.said, state="rolled_back")
        live.hub.engine_changed()
        await live.until(lambda s: row(s, "a").status == "pending")


async def test_what_the_engine_says_is_published_when_it_moved(tmp_path: Path) -> None:
    holder = Holder("ana", "bastion", "pts/1", 42, 5.0)
    async with stage("checks: {}\n", tmp_path) as live:
        live.engine.said = MigrationView(run_id="7", state="waiting")
        live.engine.rows = (TimelineRow(5.0, "run", "run 7 started by ana"),)
        live.engine.held_by = holder
        live.engine.plan_edited = True
        live.hub.engine_changed()
        snapshot = await live.until(lambda s: s.migration.run_id == "7")
        assert snapshot.header.holder == holder
        assert snapshot.header.plan_edited
        assert snapshot.timeline[-1].text == "run 7 started by ana"


async def test_the_engine_is_asked_again_while_a_step_runs_for_what_it_writes(tmp_path: Path) -> None:
    running = MigrationView(run_id="7", state="running", output=("one",))
    async with stage("checks: {}\n", tmp_path, view=running) as live:
        live.engine.said = replace(running, output=("one", "two"))
        await live.until(lambda s: s.migration.output == ("one", "two"))


async def test_a_run_that_cannot_be_read_is_said_and_ends_no_watch(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(QUICK, tmp_path) as live:
        await live.until(lambda s: row(s, "b").status == "ok")

        def damaged() -> MigrationView:
            raise JournalError("the journal is damaged")

        with monkeypatch.context() as patch:
            patch.setattr(live.engine, "view", damaged)
            live.hub.engine_changed()
            snapshot = await live.until(lambda s: bool(s.sources))
            assert snapshot.sources[0].why == "the journal is damaged"
        again = await live.until(lambda s: s.sources == ())
        assert row(again, "b").status == "ok"
    assert "could not be made" in caplog.text


async def test_a_service_that_stops_is_told_with_its_time_and_on_the_timeline(tmp_path: Path) -> None:
    text = """
sides: {before: {}, after: {}}
services: {api: {kind: process, side: before, pattern: x, every: 200ms}}
"""
    provider = ToldProvider(api=RUNNING)
    async with stage(text, tmp_path, providers=(provider,)) as live:
        await live.until(lambda s: service(s, "api").state == "running")
        provider.observation["api"] = STOPPED
        snapshot = await live.until(lambda s: bool(s.problems))
        assert [(p.subject, p.status, p.what) for p in snapshot.problems] == [("api", "crit", "stopped: pid 7 is gone")]
        assert snapshot.timeline[0].text == "api stopped: pid 7 is gone"
        assert snapshot.problems[0].since == service(snapshot, "api").changed_at
        provider.observation["api"] = replace(RUNNING, pid=9, identity="9")
        back = await live.until(lambda s: service(s, "api").pid == 9)
        assert service(back, "api").restarts == 1
        assert back.problems == ()


async def test_a_check_waits_for_the_first_look_at_what_it_needs(tmp_path: Path) -> None:
    text = """
services: {api: {kind: process, pattern: x, every: 200ms}}
checks: {a: {kind: tcp, port: 1, every: 60s, needs: [api]}}
"""
    async with stage(text, tmp_path, providers=(ToldProvider(api=RUNNING),)) as live:
        await live.until(lambda s: row(s, "a").status == "ok")
        assert row(live.hub.snapshot, "a").history == (0,)


async def test_a_service_that_recovers_has_its_checks_looked_at_soon(tmp_path: Path) -> None:
    text = """
services: {api: {kind: process, pattern: x, every: 200ms}}
checks: {a: {kind: tcp, port: 1, every: 1h, needs: [api]}}
"""
    provider = ToldProvider(api=STOPPED)
    async with stage(text, tmp_path, providers=(provider,)) as live:
        await live.until(lambda s: row(s, "a").status == "skipped")
        provider.observation["api"] = RUNNING
        await live.until(lambda s: row(s, "a").status == "ok")


async def test_what_goes_wrong_while_watching_costs_only_itself_and_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = QUICK + "services: {api: {kind: process, pattern: x, every: 200ms}}\n"
    provider = ToldProvider(api=RUNNING)
    provider.broken = True
    async with stage(text, tmp_path, providers=(provider,)) as live:
        snapshot = await live.until(lambda s: any(n.state == "trouble" for n in s.sources))
        assert "the provider fell over" in snapshot.sources[0].why
        await live.until(lambda s: row(s, "b").status == "ok")
        provider.broken = False
        await live.until(lambda s: s.sources == ())
    assert "the provider fell over" in caplog.text


async def test_a_recheck_looks_now_and_an_unknown_name_is_refused(tmp_path: Path) -> None:
    runner = FakeRunner()
    live = stage("checks: {a: {kind: tcp, port: 1, every: 1h}}\n", tmp_path, runner=runner)
    await live.hub.recheck(["a"])
    await live.hub.recheck()
    assert [spec.name for spec in runner.asked] == ["a", "a"]
    with pytest.raises(RefusedError, match="no check 'b'"):
        await live.hub.recheck(["b"])


async def test_a_result_that_is_late_is_unknown_and_a_problem(tmp_path: Path) -> None:
    clock = StillClock()
    runner = FakeRunner()
    runner.now = clock.now
    live = stage("checks: {a: {kind: tcp, port: 1, every: 15s}}\n", tmp_path, runner=runner, clock=clock)
    await live.hub.recheck(["a"])
    assembler = live.hub._assembler
    assert row(assembler.build(()), "a").status == "ok"
    clock.advance(41.0)
    late = assembler.build(())
    assert row(late, "a").status == "unknown"
    assert row(late, "a").summary.startswith("no result since ")
    assert row(late, "a").changed_at == clock.now() - 1.0
    assert [p.subject for p in late.problems] == ["a"]


async def test_an_alert_fires_and_rings(tmp_path: Path) -> None:
    text = QUICK + 'alerts: {down: {when: "a == CRIT", notify: [bell, log], text: "it is down"}}\n'
    runner = FakeRunner({"a": CRIT})
    async with stage(text, tmp_path, runner=runner) as live:
        snapshot = await live.until(lambda s: bool(s.alerts))
        assert (snapshot.alerts[0].text, snapshot.alerts[0].bell) == ("it is down", True)
        assert "alert fires: it is down" in [r.text for r in snapshot.timeline]
        runner.answers["a"] = OK
        await live.until(lambda s: s.alerts == ())
        assert live.hub.snapshot.timeline[0].text == "alert is over: it is down"


async def test_a_troubleshooting_entry_that_matches_is_proposed(tmp_path: Path) -> None:
    text = (
        QUICK + 'troubleshooting: [{symptom: "It is down", when: "a == CRIT", diagnose: ["echo $0; pwd", "exit 3"]}]\n'
    )
    async with stage(text, tmp_path, runner=FakeRunner({"a": CRIT})) as live:
        snapshot = await live.until(lambda s: bool(s.problems))
        assert snapshot.known_issues[0].matches
        assert snapshot.problems[0].plan_entry == 0
        first, second = await live.hub.triage.diagnose("plan:0", "a", None, "")
    assert first == ("echo $0; pwd", 0, f"/bin/sh\n{tmp_path}\n")
    assert second == ("exit 3", 3, "")


@pytest.mark.parametrize(("hold", "matches"), [("1h", False), ("1ms", True)])
async def test_a_troubleshooting_entry_that_asks_for_a_while_is_proposed_only_then(
    tmp_path: Path, hold: str, matches: bool
) -> None:
    text = QUICK + f'troubleshooting: [{{symptom: "It is down", when: "a == CRIT for {hold}", diagnose: [id]}}]\n'
    async with stage(text, tmp_path, runner=FakeRunner({"a": CRIT})) as live:
        snapshot = await live.until(lambda s: bool(s.problems) and (not matches or s.known_issues[0].matches))
        assert snapshot.known_issues[0].matches is matches


async def test_diagnosis_is_refused_where_the_session_is_read_only_or_there_is_no_entry(tmp_path: Path) -> None:
    text = 'troubleshooting: [{symptom: "x", diagnose: ["true"]}]\n'
    with pytest.raises(RefusedError, match="not run here"):
        await stage(text, tmp_path, read_only=True).hub.triage.diagnose("plan:0", "", None, "")
    for index in (1, -1):
        with pytest.raises(RefusedError, match="no troubleshooting entry"):
            await stage(text, tmp_path).hub.triage.diagnose(f"plan:{index}", "", None, "")


async def test_the_plan_is_told_on_the_header_and_in_costs_and_contacts(tmp_path: Path) -> None:
    text = """
target: prod-eu
sides: {before: {production: true}, after: {}}
costs: {lines: [{name: a, side: before, stated: 70 USD/month}, {name: b, side: after, stated: 11.33 USD/month}]}
contacts: [{name: Ana, role: lead, phone: "+33 1", note: by day}]
runbooks: [{title: How, url: "https://x/"}]
"""
    snapshot = stage(text, tmp_path).hub.snapshot
    assert (snapshot.header.plan_id, snapshot.header.target, snapshot.header.production) == ("shop", "prod-eu", True)
    assert snapshot.costs.both_total == "81.33"
    assert [(c.name, c.how) for c in snapshot.contacts] == [("Ana (lead)", "+33 1 · by day"), ("How", "https://x/")]


async def test_baselines_are_recorded_when_a_run_starts_and_survive_the_agent(tmp_path: Path) -> None:
    text = """
checks: {a: {kind: tcp, port: 1, every: 1h}}
metrics: {rows: {kind: check, check: a, metric: rows, baseline: record}}
"""
    runner = FakeRunner({"a": replace(result(OK), metrics=(Metric("rows", 10_000.0),))})
    async with stage(text, tmp_path, runner=runner) as live:
        await live.hub.recheck(["a"])
        live.engine.said = MigrationView(run_id="7", state="running", started_at=SystemClock().now())
        live.hub.engine_changed()
        snapshot = await live.until(lambda s: s.metrics[-1].baseline is not None)
        assert snapshot.metrics[-1].baseline == 10_000.0
    again = stage(text, tmp_path, view=MigrationView(run_id="7", state="running", started_at=5.0))
    assert again.hub.snapshot.metrics[-1].baseline == 10_000.0
    other = stage(text, tmp_path, view=MigrationView(run_id="8", state="running", started_at=5.0))
    assert other.hub.snapshot.metrics[-1].baseline is None


@pytest.mark.parametrize("content", ["", "[]", '{"run": "7"}', '{"run": "7", "values": {"rows": "many"}}', "\x00"])
async def test_a_damaged_file_of_baselines_is_no_baseline(tmp_path: Path, content: str) -> None:
    text = "metrics: {rows: {kind: check, check: a, metric: rows, baseline: record}}\n"
    path = Workspace(tmp_path / "state", tmp_path / "plan.yaml").directory / "baselines.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    live = stage(text, tmp_path, view=MigrationView(run_id="7", state="running", started_at=5.0))
    assert live.hub.snapshot.metrics[-1].baseline is None


async def test_without_a_plan_the_host_and_its_processes_are_watched_while_somebody_looks(tmp_path: Path) -> None:
    clock = SystemClock()
    inventory = Inventory({}, (ProcessProvider(tmp_path, clock.monotonic),), lambda name: name, clock)
    hub = Hub(None, Workspace(tmp_path, None), None, None, clock, inventory=inventory)
    task = asyncio.create_task(hub.run())
    snapshot: Snapshot = hub.snapshot
    assert not snapshot.found
    hub.note_viewer("a screen")
    async with asyncio.timeout(PATIENCE_S):
        while all(p.pid != os.getpid() for p in snapshot.found) or snapshot.metrics[1].latest is None:
            snapshot = await hub.next_snapshot(snapshot.seq)
        hub.note_viewer("a screen", gone=True)
        while snapshot.found:
            snapshot = await hub.next_snapshot(snapshot.seq)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert {"host.cpu", "host.memory"} <= {m.name for m in snapshot.metrics}


EXPECTATIONS = """
sides: {before: {}, after: {}}
services:
  old: {kind: process, side: before, pattern: x, every: 200ms}
  new: {kind: process, side: after, pattern: x, every: 200ms}
"""


async def test_the_new_side_that_was_never_started_is_no_problem(tmp_path: Path) -> None:
    provider = ToldProvider(old=RUNNING, new=STOPPED)
    async with stage(EXPECTATIONS, tmp_path, providers=(provider,)) as live:
        snapshot = await live.until(lambda s: service(s, "new").state == "stopped")
        assert (service(snapshot, "new").health, service(snapshot, "new").detail) == ("pending", "not started yet")
        assert snapshot.problems == ()
        provider.observation["new"] = RUNNING
        await live.until(lambda s: service(s, "new").health == "ok")
        provider.observation["new"] = STOPPED
        await live.until(lambda s: [p.subject for p in s.problems] == ["new"])


async def test_what_an_irreversible_step_left_behind_is_no_problem(tmp_path: Path) -> None:
    steps = (StepView("destroy", "", "done", "destroys", irreversible=True, started_at=5.0),)
    live_file = tmp_path / "live.json"
    live_file.write_text(json.dumps({"live": "after"}))
    provider = ToldProvider(old=RUNNING, new=RUNNING)
    async with stage(EXPECTATIONS, tmp_path, providers=(provider,)) as live:
        await live.until(lambda s: service(s, "old").health == "ok")
        provider.observation["new"] = STOPPED
        await live.until(lambda s: [p.subject for p in s.problems] == ["new"])
        live.engine.said = MigrationView(run_id="1", state="waiting", phases=(PhaseView("c", "", "running", steps),))
        live.hub.engine_changed()
        snapshot = await live.until(lambda s: s.problems == ())
        assert service(snapshot, "new").detail == "stopped, not the live side"
