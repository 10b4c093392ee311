from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.support import ui_samples as samples
from tests.support.ui_samples import NOW, FakeSource
from tests.support.ui_screen import make_app, screen_text, settle

from switchover.commands.command import Command
from switchover.errors import RefusedError
from switchover.snapshot import AlertRow, IncidentView, KnownIssueView, Problem, ServiceRow, Snapshot, TimelineRow
from switchover.snapshot.states import EventKind
from switchover.ui.app.application import SwitchoverApp
from switchover.ui.kit.guarded_screen import GuardedScreen
from switchover.ui.overview.overview_lines import problem_items
from switchover.ui.text.render_context import AgentLink, AgentLinkState, RenderContext
from switchover.ui.text.styled_line import plain
from switchover.ui.timeline.timeline_lines import KINDS, kind_of, timeline_rows

Story = Callable[[Any, SwitchoverApp, FakeSource], Awaitable[None]]

SERVICE = ServiceRow(
    "worker", "", "docker", "stopped", "crit", "exited, exit 1", id="docker:worker", identity="abc",
    observed_at=NOW - 1, actions=("start", "logs"),
)  # fmt: skip
PROBLEM = Problem(
    "crit", "worker", "exited, exit 1", NOW - 600, next='d: diagnose "Its port is taken"', service="docker:worker",
    known="port-taken", owner="team-w",
    changed=(TimelineRow(NOW - 620, "change", "worker image changed: 1 → 2"),),
)  # fmt: skip
ENTRY = KnownIssueView(
    "Its port is taken", matches=True, id="port-taken", about=("docker:worker",), because=("its log",)
)
LOOK = {
    "symptom": "Its port is taken",
    "matches": True,
    "id": "port-taken",
    "about": ["docker:worker"],
    "because": ["its log says: bind: address already in use"],
    "diagnose": ["ss -ltnp", "docker logs worker"],
    "shows": ["who listens on the port", ""],
    "acts": [
        {"text": "stop the other program"},
        {"text": "look again", "command": "ss -s", "effect": "read"},
        {"text": "start it again", "command": "start worker", "effect": "changes"},
        {
            "text": "throw it away",
            "command": "docker rm worker",
            "effect": "destroys",
            "irreversible": True,
            "confirm_text": "remove worker",
        },
    ],
}


def sample(**changes: Any) -> Snapshot:
    whole = replace(samples.trouble(), problems=(PROBLEM,), known_issues=(ENTRY,), found=(SERVICE,))
    return replace(whole, **changes)


async def play(
    story: Story, snapshot: Snapshot | None = None, size: tuple[int, int] = (80, 24), **options: Any
) -> None:
    app, source, _ = make_app(snapshot or sample(), **options)
    source.answers["issue.look"] = LOOK
    source.answers["issue.diagnose"] = [{"command": "ss", "exit_code": 0, "output": "LISTEN pid=7 nginx"}]
    source.answers["issue.solve"] = {"command": "start worker", "exit_code": 0, "output": "it runs"}
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await story(pilot, app, source)


async def press(pilot: Any, *keys: str) -> None:
    await pilot.press(*keys)
    await settle(pilot)


def asked(source: FakeSource, method: str) -> list[dict[str, Any]]:
    return [params for name, params in source.requests if name == method]


@pytest.fixture(autouse=True)
def no_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GuardedScreen, "GUARD_S", 0.0)


def lines_of(snapshot: Snapshot, width: int = 80) -> list[str]:
    moment = RenderContext(snapshot, NOW, AgentLink(AgentLinkState.LIVE, NOW))
    return [plain(line).rstrip() for item in problem_items(moment, width) for line in item.lines]


def test_a_problem_says_what_since_when_what_changed_before_who_and_what_next() -> None:
    first, before, following = lines_of(sample())
    assert first.split() == ["✗", "crit", "worker", "exited,", "exit", "1", "since", "10", "m"]
    assert before.split()[0] == "before"
    assert "worker image changed: 1 → 2" in before
    assert following.endswith("owner team-w")


def test_what_may_have_begun_before_and_what_only_happened_nearby_is_said_as_such() -> None:
    nearby = replace(PROBLEM, since=NOW - 600, or_before=True, nearby=True)
    first, beside, *_ = lines_of(sample(problems=(nearby,)))
    assert first.endswith("at least 10 m")
    assert beside.split()[0] == "nearby"


def test_what_the_cause_says_already_is_not_said_again() -> None:
    cause = replace(PROBLEM, cause="just before: worker image changed: 1 → 2")
    assert not any("before   " in line for line in lines_of(sample(problems=(cause,))))


def test_forty_that_wait_are_counted() -> None:
    many = replace(PROBLEM, waiting=tuple(f"c{n}" for n in range(40)))
    assert lines_of(sample(problems=(many,)), 120)[-1].endswith(
        "40 fail or wait with it: c0, c1, c2, c3, c4, c5 and 34 more"
    )


@pytest.mark.parametrize("key", ["enter", "d"])
async def test_a_problem_opens_with_its_commands_running_and_each_output_beside_it(key: str) -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource) -> None:
        await press(pilot, key)
        text = screen_text(app)
        assert asked(source, "issue.look") == [{"entry": "port-taken", "about": "docker:worker"}]
        assert [one["command"] for one in asked(source, "issue.diagnose")] == [0, 1]
        assert len({one["token"] for one in asked(source, "issue.diagnose")}) == 1
        for said in (
            "its log says: bind: address already in use",
            "who listens on the port   exit 0",
            "LISTEN pid=7",
            "asks first",
            "is typed",
        ):
            assert said in text
        await press(pilot, "r")
        assert len(asked(source, "issue.diagnose")) == 4

    await play(story, size=(200, 50))


async def test_leaving_ends_what_still_runs() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource) -> None:
        import asyncio

        never: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        at_once = source.answer

        async def hang(command: Command[Any]) -> Any:
            return await (never if command.name == "issue.diagnose" else at_once(command))

        source.answer = hang  # type: ignore[method-assign]
        await pilot.press("d")
        for _ in range(20):
            await pilot.pause()
        assert "runs …" in screen_text(app)
        await pilot.press("escape")
        for _ in range(20):
            await pilot.pause()
        assert len(asked(source, "issue.cancel")) == 1
        never.cancel()

    await play(story)


async def test_a_solution_that_only_reads_runs_at_once_and_a_persons_own_has_no_number() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource) -> None:
        await press(pilot, "d", "1")
        assert asked(source, "issue.solve") == []
        await press(pilot, "2")
        assert asked(source, "issue.solve") == [{"entry": "port-taken", "about": "docker:worker", "solution": 1}]
        assert "it runs" in screen_text(app)

    await play(story)


async def test_a_solution_that_changes_something_asks_first() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource) -> None:
        await press(pilot, "d", "3")
        assert "it changes what is there" in screen_text(app)
        await press(pilot, "enter")
        assert asked(source, "issue.solve") == []
        await press(pilot, "y")
        assert asked(source, "issue.solve")[0]["confirmation"] == "yes"

    await play(story)


async def test_what_was_looked_at_before_a_solution_is_marked_until_it_is_looked_at_again() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource) -> None:
        await press(pilot, "d", "2")
        assert "from before" not in screen_text(app), "what only reads makes nothing old"
        await press(pilot, "3", "y")
        assert "from before what was done" in screen_text(app)
        await press(pilot, "r")
        assert "from before" not in screen_text(app)

    await play(story, size=(200, 50))


async def test_a_solution_that_destroys_is_typed() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource) -> None:
        await press(pilot, "d", "4")
        await press(pilot, *"remove", "enter")
        assert "nothing was done" in screen_text(app)
        await press(pilot, *"remove", "space", *"worker", "enter")
        assert asked(source, "issue.solve")[0]["confirmation"] == "remove worker"

    await play(story)


async def test_nothing_is_begun_on_old_data_or_where_only_is_watched() -> None:
    async def stale(pilot: Any, app: SwitchoverApp, source: FakeSource) -> None:
        await press(pilot, "d", "3")
        source.feed(AgentLink(AgentLinkState.LOST, NOW, "gone"))
        await settle(pilot)
        await press(pilot, "y")
        assert asked(source, "issue.solve") == []

    await play(stale)

    async def watching(pilot: Any, app: SwitchoverApp, source: FakeSource) -> None:
        await press(pilot, "d", "2")
        assert asked(source, "issue.solve") == asked(source, "issue.diagnose") == []
        assert "watching only" in screen_text(app)

    await play(watching, read_only=True)


async def test_another_entry_that_fits_is_one_key_away() -> None:
    loop = KnownIssueView("It ends again and again", matches=True, id="crash-loop", about=("docker:worker",))
    other = KnownIssueView("The disk is full", matches=True, id="disk-full", about=("docker:other",))

    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource) -> None:
        await press(pilot, "d")
        source.answers["issue.look"] = {**LOOK, "id": "crash-loop", "symptom": "It ends again and again"}
        await press(pilot, "n")
        assert asked(source, "issue.look")[-1] == {"entry": "crash-loop", "about": "docker:worker"}
        assert "diagnosis 2 of 2: It ends again and again" in screen_text(app)
        await press(pilot, "n")
        assert asked(source, "issue.look")[-1] == {"entry": "port-taken", "about": "docker:worker"}

    await play(story, sample(known_issues=(other, ENTRY, loop)))


async def test_what_is_refused_is_said() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource) -> None:
        source.answers["issue.solve"] = RefusedError("worker was last seen 3 m ago", "wait until it is seen again")
        await press(pilot, "d", "2")
        assert "worker was last seen 3 m ago" in screen_text(app)

    await play(story)


async def test_the_log_of_a_problem_is_one_key_away() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource) -> None:
        opened: list[Any] = []
        app.does.opener.logs = lambda items=(), paths=(), title="": opened.append((items, title))  # type: ignore[method-assign]
        await press(pilot, "l")
        assert opened == [(["docker:worker"], "logs of worker")]
        await press(pilot, "d", "l")
        assert len(opened) == 2

    await play(story)


KIND_ROWS: dict[str, tuple[EventKind, str]] = {
    "api image changed: 1 → 2": ("change", "deploys"),
    "api deployed": ("change", "deploys"),
    "api restarted: now pid 7": ("change", "restarts"),
    "pg stopped: exit 137": ("service", "restarts"),
    "api configuration changed": ("change", "config"),
    "data.restore started by ana": ("step", "steps"),
    "ana: restart api: done": ("action", "actions"),
    "ana: incident #3: opened: api down": ("action", "incident"),
    "up crit: refused": ("check", "checks"),
}


@pytest.mark.parametrize("text", KIND_ROWS)
def test_every_row_of_the_timeline_is_of_a_kind(text: str) -> None:
    kind, wanted = KIND_ROWS[text]
    assert kind_of(TimelineRow(NOW, kind, text)) == wanted
    assert wanted in KINDS


def test_the_timeline_is_searched_and_chosen_from() -> None:
    rows = [TimelineRow(NOW - n, kind, text) for n, (text, (kind, _)) in enumerate(KIND_ROWS.items())]
    shown = [plain(line) for line in timeline_rows(rows, {"deploys", "config"}, "", NOW, 80)]
    assert [line.rsplit("  ", 1)[-1].strip() for line in shown] == [
        "api image changed: 1 → 2",
        "api deployed",
        "api configuration changed",
    ]
    assert len(timeline_rows(rows, (), "INCIDENT", NOW, 80)) == 1


async def test_the_timeline_on_the_screen() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource) -> None:
        await press(pilot, "t")
        assert "run 7 started" in screen_text(app)
        await press(pilot, "2")
        assert "run 7 started" not in screen_text(app)
        assert "postgres stopped" in screen_text(app)
        await press(pilot, "0", "slash", *"gate", "enter")
        assert "gate build passed" in screen_text(app)
        assert "postgres stopped" not in screen_text(app)
        await press(pilot, "escape")
        assert "postgres stopped" in screen_text(app)
        await press(pilot, "escape")
        assert app.screen is app.main

    await play(story)


async def test_an_incident_is_opened_annotated_and_closed() -> None:
    incident = IncidentView("3", "worker: exited, exit 1", NOW - 720, "ana", ((NOW - 60, "ben", "told the customers"),))

    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource) -> None:
        await press(pilot, "i")
        assert "worker: exited, exit 1" in screen_text(app)  # suggested from the problem
        await press(pilot, "enter")
        assert asked(source, "incident.open") == [{"title": "worker: exited, exit 1"}]
        source.feed(sample(incident=incident))
        await settle(pilot)
        assert "told the customers" in screen_text(app)
        await press(pilot, "plus", *"looking", "enter")
        assert asked(source, "incident.note") == [{"text": "looking"}]
        source.answers["incident.close"] = {"path": "/state/incidents/0003.md"}
        await press(pilot, "C", *"port", "enter")
        assert asked(source, "incident.close") == [{"text": "port"}]
        assert "/state/incidents/0003.md" in screen_text(app)
        await press(pilot, "escape")
        assert "incident #3" in screen_text(app).splitlines()[0]
        assert "⚑ incident #3 worker: exited, exit 1 · open 12 m · ana · 1 note" in screen_text(app)

    await play(story)


async def test_a_bundle_says_where_it_is() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource) -> None:
        source.answers["bundle.make"] = {"path": "/state/bundles/b.tar.gz", "bytes": 48211}
        await press(pilot, "B")
        assert "/state/bundles/b.tar.gz" in screen_text(app)
        assert "47.1 KiB" in screen_text(app)

    await play(story)


async def test_the_cursor_is_on_the_worst_until_somebody_uses_it() -> None:
    worse = replace(PROBLEM, subject="db", service="docker:db", since=NOW - 9000)
    worst = replace(PROBLEM, subject="disk", service="docker:disk", since=NOW - 99000)

    def at(app: SwitchoverApp) -> str:
        return app.main.pane.rows.key

    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource) -> None:
        del source
        assert at(app) == "problem:docker:worker"
        app.main.pane.show(replace(app.moment, snapshot=sample(problems=(worse, PROBLEM))))
        assert at(app) == "problem:docker:db"
        await press(pilot, "down", "up")
        assert at(app) == "problem:docker:db"
        app.main.pane.show(replace(app.moment, snapshot=sample(problems=(worst, worse, PROBLEM))))
        assert at(app) == "problem:docker:db"

    await play(story)


async def test_an_alert_opens_what_it_is_about() -> None:
    failing = replace(PROBLEM, check="up", waiting=("front",))
    about = replace(ENTRY, about=("docker:worker",))
    for rule, opens in (("up == CRIT for 5s", True), ("front == CRIT", True), ("other == CRIT", False)):
        alerts = (AlertRow(rule, "Orders are lost", NOW - 5),)

        async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, opens: bool = opens) -> None:
            assert app.main.pane.rows.key.startswith("alert:")
            await press(pilot, "enter")
            assert bool(asked(source, "issue.look")) is opens

        await play(story, sample(problems=(failing,), alerts=alerts, known_issues=(about,)))


@pytest.mark.parametrize(("key", "method"), [("K", "alert.acknowledge"), ("Z", "alert.silence")])
async def test_an_alert_is_taken_on_or_silenced_after_a_yes(key: str, method: str) -> None:
    alerts = (AlertRow("up == CRIT", "Orders are lost", NOW - 5, name="lost", id="rule:lost:up == CRIT"),)

    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource) -> None:
        source.answers[method] = {"id": "1", "matchers": [], "start": NOW, "until": NOW + 1, "who": "ann", "why": ""}
        await press(pilot, key)
        assert asked(source, method) == []
        await press(pilot, "y")
        assert len(asked(source, method)) == 1

    await play(story, sample(problems=(PROBLEM,), alerts=alerts))
