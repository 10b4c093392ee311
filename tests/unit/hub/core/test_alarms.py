"""Who is told of a run and of alerts, once each, over restarts."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from tests.support.stand_ins.json_routes import json_routes
from tests.unit.health.health_fakes import FakeRunner
from tests.unit.hub.hub_fakes import stage

from switchover.hub.core.run_notices import run_notices
from switchover.hub.core.run_telling import RunTelling
from switchover.plan.model import NotifierSpec
from switchover.snapshot import GateView, MigrationView, PhaseView, Snapshot, StepView
from switchover_checks.api import Status

OK, WARN, CRIT, *_ = Status
GATE = GateView("build", "human", human="Is the backup whole?", persons=2)
WAITS = MigrationView(run_id="r1", state="waiting", phases=(PhaseView("build", "Build", "waiting", gate=GATE),))


def plan(address: str, more: str = "") -> str:
    return f"""
notifiers: {{slack: {{kind: slack, url: "{address}/hook"}}}}
checks: {{a: {{kind: memory, warn: "1%:", every: 200ms}}}}
{more}
"""


async def test_a_gate_that_waits_for_a_person_reaches_slack_once_over_a_restart(tmp_path: Path) -> None:
    with json_routes({"*": "ok"}) as slack:
        for _ in range(2):
            async with stage(plan(slack.address), tmp_path, view=WAITS) as live:
                await live.until(lambda s: s.seq > 3)
    (asked,) = slack.asked
    assert ": gate build waits for a person (2 more persons): Is the backup whole?" in asked[2]["text"]


async def test_an_alert_that_goes_on_over_a_restart_is_told_once_and_its_end_once(tmp_path: Path) -> None:
    more = 'alerts: {down: {when: "a == CRIT", notify: [slack], text: it is down}}'
    with json_routes({"*": "ok"}) as slack:
        text = plan(slack.address, more)
        for answer in (CRIT, CRIT, OK, OK):
            async with stage(text, tmp_path, runner=FakeRunner({"a": answer})) as live:
                await live.until(partial(_stands, answer))
    said = [asked[2]["text"].partition(" ")[2] for asked in slack.asked]
    assert said == ["alert fires: it is down", "alert is over: it is down"]


async def test_a_channel_that_fails_is_a_problem_on_the_overview(tmp_path: Path) -> None:
    with json_routes({"*": (503, {})}) as slack:
        async with stage(plan(slack.address), tmp_path, view=WAITS) as live:
            found = await live.until(lambda s: any(p.subject == "notifier slack" for p in s.problems))
    (problem,) = [p for p in found.problems if p.subject == "notifier slack"]
    assert (problem.status, problem.what) == ("crit", "does not take notices: it answered 503")
    assert "switchover notify test" in problem.next


def _stands(status: Status, s: Snapshot) -> bool:
    return s.checks[0].status == status.label and bool(s.alerts) == (status is CRIT)


def texts(view: MigrationView) -> list[tuple[str, str]]:
    return [(one.topic, one.text) for one in run_notices(view, "Move")]


def gate(**changes: object) -> MigrationView:
    return replace(WAITS, phases=(PhaseView("build", "Build", "waiting", gate=replace(GATE, **changes)),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (MigrationView(), []),
        (gate(said_go=("ann",)), [("gate", "Move: gate build waits for a person: Is the backup whole?")]),
        (gate(state="decide", reason="api warns"), [("gate", "Move: gate build waits for a decision: api warns")]),
        (gate(state="failed"), [("failed", "Move: gate build stays shut: did not become green in time")]),
        (gate(state="holding", hold_s=3600.0, held_s=5.0), []),
        (
            gate(state="passed", hold_s=3600.0, held_s=3600.0),
            [("hold", "Move: gate build was fine for 1 h 00 m: its hold is over")],
        ),
        (
            gate(state="waiting", hold_s=60.0, broken_at=5.0, broken_why="api is down"),
            [("hold", "Move: gate build was no longer fine, so its hold begins again: api is down")],
        ),
        (
            MigrationView(run_id="r1", state="failed", phases=(
                PhaseView("build", "Build", "failed", (StepView("up", "Up", "failed", "changes", exit_code=3),)),)),
            [("failed", "Move: step up: failed, exit 3")],
        ),
        (
            MigrationView(run_id="r1", state="unknown", phases=(
                PhaseView("build", "Build", "unknown", (StepView("up", "Up", "unknown", "changes"),)),)),
            [("unknown", "Move: step up: nobody knows how it ended")],
        ),
        (
            MigrationView(run_id="r1", state="done", started_at=0.0, ended_at=7200.0),
            [("end", "Move: run r1 is done after 2 h 00 m")],
        ),
        (MigrationView(run_id="r1", state="aborted"), [("end", "Move: run r1 was aborted")]),
    ],
)  # fmt: skip
def test_what_is_worth_telling_of_a_run(view: MigrationView, said: list[tuple[str, str]]) -> None:
    assert texts(view) == said


def test_each_notifier_hears_of_what_it_wants_and_old_ends_are_no_news() -> None:
    specs = {"all": NotifierSpec(kind="log"), "gates": NotifierSpec(kind="log", tell=("gate",))}
    telling = RunTelling(specs)
    told, records, _ = telling.follow(run_notices(WAITS, "Move"), 1000.0)
    assert [names for names, _ in told] == [["all", "gates"]]
    assert telling.follow(run_notices(WAITS, "Move"), 1001.0) == ([], [], [])
    again = RunTelling(specs)
    again.begin(records)
    assert again.follow(run_notices(WAITS, "Move"), 1002.0) == ([], [], [])
    ended = MigrationView(run_id="r1", state="done", started_at=0.0, ended_at=7200.0)
    told, _, over = again.follow(run_notices(ended, "Move"), 7201.0)
    assert ([names for names, _ in told], len(over)) == ([["all"]], 1)
    late, _, _ = RunTelling(specs).follow(run_notices(ended, "Move"), 7200.0 + 4000)
    assert late == []


def test_a_gate_that_asks_again_is_told_again() -> None:
    telling = RunTelling({"all": NotifierSpec(kind="log")})
    assert len(telling.follow(run_notices(WAITS, "Move"), 1.0)[0]) == 1
    telling.follow(run_notices(gate(state="waiting"), "Move"), 2.0)
    assert len(telling.follow(run_notices(WAITS, "Move"), 3.0)[0]) == 1
