from __future__ import annotations

from dataclasses import replace

import pytest

from switchover.health.catalog import CheckItem
from switchover.health.check_state import CheckState, advance, stand
from switchover.health.watched_phases import PhaseMark, not_needed
from switchover.hub.services.check_rows import check_row, metric_row
from switchover.hub.services.service_rows import ExpectedState, Stance, service_row
from switchover.metrics.sampler import Track
from switchover.metrics.series import Series
from switchover.plan.members.presence import Presence, WatchPoint
from switchover.plan.model import CheckSpec, MetricSpec, Service
from switchover.services.inventory import ServiceState, follow
from switchover.services.provider_api import Observation, ProcessState
from switchover_checks.api import Finding, Result, Status

OK, WARN, CRIT, UNKNOWN, SKIPPED, PENDING = Status
ITEM = CheckItem("api", "api", CheckSpec(kind="http", title="The API", every=15, timeout=10), "web", ("pg",))
RUNNING = Observation(
    ProcessState.RUNNING, OK, pid=7, cpu_percent=3.0, memory_bytes=9, started_at=1.0, latency_ms=4.26, identity="7"
)
STOPPED = Observation(ProcessState.STOPPED, CRIT, "pid 7 is gone")


def seen(*looks: Observation) -> ServiceState:
    state = ServiceState()
    for index, probe in enumerate(looks):
        state = follow(state, probe, "", at=100.0 + index, mono=float(index))
    return state


def test_a_check_shows_expected_against_observed() -> None:
    result = Result(
        CRIT, "503", (Finding("status", "== 200", "503", CRIT, "look at pg"),), phase="assert", evidence={"b": "x"}
    )
    state = advance(CheckState(), result, ITEM.rule, at=100.0, mono=5.0, duration_s=0.031)
    row = check_row(ITEM, state, stand(state, ITEM.rule, mono=5.0), running=True, resting="")
    assert (row.status, row.summary, row.phase, row.took_ms, row.running) == ("crit", "503", "assert", 31.0, True)
    assert (row.findings[0].expected, row.findings[0].observed, row.findings[0].hint) == ("== 200", "503", "look at pg")
    assert (row.title, row.service, row.needs, row.evidence) == ("The API", "web", ("pg",), (("b", "x"),))
    assert (row.every_s, row.stale_after_s) == (15.0, 40.0)


def test_a_check_that_is_not_watched_now_shows_none_of_its_past_as_present() -> None:
    state = advance(CheckState(), Result(OK, "fine", (Finding.compare("a", 1, 1, True),)), ITEM.rule, at=1.0, mono=1.0)
    row = check_row(
        ITEM, state, stand(state, ITEM.rule, mono=1.0), running=False, resting="watched until phase x ended"
    )
    assert (row.status, row.summary, row.findings, row.took_ms) == ("pending", "watched until phase x ended", (), None)


def test_a_running_service_shows_what_was_seen() -> None:
    row = service_row("web", Service(kind="process", side="after"), seen(RUNNING), ExpectedState(), Stance())
    assert (row.state, row.health, row.pid, row.cpu_percent, row.memory_bytes) == ("running", "ok", 7, 3.0, 9)
    assert (row.latency_ms, row.restarts, row.side) == (4.3, 0, "after")


def test_a_service_not_looked_at_in_time_is_unknown_and_shows_no_numbers() -> None:
    row = service_row("web", Service(kind="process"), seen(RUNNING), ExpectedState(), Stance(late=True))
    assert (row.state, row.health) == ("unknown", "unknown")
    assert row.detail.startswith("no answer since ")
    assert (row.cpu_percent, row.memory_bytes, row.pid, row.started_at, row.latency_ms) == (None,) * 5
    assert row.changed_at == 111.0


@pytest.mark.parametrize(
    ("expectation", "looks", "health"),
    [
        (ExpectedState(first="before"), (STOPPED,), "pending"),
        (ExpectedState(first="before"), (RUNNING, STOPPED), "crit"),
        (ExpectedState(first="before", live="after"), (STOPPED,), "crit"),
        (ExpectedState(first="after"), (STOPPED,), "crit"),
        (ExpectedState(first="before", over=True), (RUNNING, STOPPED), "pending"),
        (ExpectedState(first="before", no_return=True), (RUNNING, STOPPED), "pending"),
        (ExpectedState(first="before", live="after", over=True), (RUNNING, STOPPED), "crit"),
    ],
)
def test_a_stopped_service_is_bad_unless_its_side_need_not_run(
    expectation: ExpectedState, looks: tuple[Observation, ...], health: str
) -> None:
    row = service_row("web", Service(kind="process", side="after"), seen(*looks), expectation, Stance())
    assert (row.state, row.health) == ("stopped", health)


def test_a_stopped_service_of_no_side_is_always_bad() -> None:
    row = service_row("web", Service(kind="process"), seen(STOPPED), ExpectedState(first="before", over=True), Stance())
    assert row.health == "crit"


def test_what_cannot_be_counted_has_no_restarts() -> None:
    assert service_row("w", Service(kind="http"), seen(RUNNING), ExpectedState(), Stance()).restarts is None
    assert service_row("w", Service(kind="process"), ServiceState(), ExpectedState(), Stance()).restarts is None


def test_what_runs_well_when_it_is_first_seen_has_not_changed_just_now() -> None:
    assert seen(RUNNING).changed_at == 1.0
    assert seen(replace(RUNNING, health=CRIT)).changed_at == 100.0
    assert seen(STOPPED, RUNNING).changed_at == 101.0


def test_a_metric_that_is_late_says_since_when() -> None:
    track = Track("q", "plan", MetricSpec(kind="http_json", warn="10"), Series(2.0), "queue", "B")
    track.add(5.0, "", at=100.0, mono=7.0)
    fresh = metric_row(track, mono=18.0)
    assert (fresh.latest, fresh.note, fresh.values, fresh.stale_after_s) == (5.0, "", (5.0,), 11.0)
    late = metric_row(track, mono=18.1)
    assert late.note.startswith("no value since ")
    assert late.observed_at == 100.0


def test_a_service_that_the_plan_says_need_not_run_is_no_problem_whatever_its_side() -> None:
    spec = Service(kind="process", pid_file="x")
    watched = Presence(WatchPoint("phase", "data"), WatchPoint("phase", "prove"))
    stopped = seen(Observation(ProcessState.STOPPED, Status.CRIT, "gone"))
    marks = {"data": PhaseMark(), "prove": PhaseMark()}

    def told() -> tuple[str, str]:
        row = service_row("shop", spec, stopped, ExpectedState(), Stance(), resting=not_needed(watched, marks))
        return row.health, row.detail

    assert told() == ("pending", "not started yet: needed from phase data on")
    marks["data"] = PhaseMark(started=True)
    assert told() == ("crit", "gone")
    marks["prove"] = PhaseMark(started=True, ended=True)
    assert told() == ("pending", "not needed any more since phase prove ended")


def test_what_runs_before_it_is_needed_counts_neither_as_good_nor_as_bad() -> None:
    for health in (Status.OK, CRIT):
        early = seen(replace(RUNNING, health=health))
        row = service_row("shop", Service(kind="process"), early, ExpectedState(), Stance(), resting="not yet needed")
        assert (row.state, row.health, row.detail) == ("running", "pending", "not yet needed")
