"""The Services tab: what stands where, what is selected, and that thousands of rows cost no more than a screenful."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.support import ui_samples as samples
from tests.support import ui_services as services
from tests.support.ui_samples import FakeSource
from tests.support.ui_screen import make_app, screen_text, settle

from switchover.snapshot import ServiceRow, Snapshot, SourceNote
from switchover.ui.app.application import SwitchoverApp
from switchover.ui.kit.guarded_screen import GuardedScreen
from switchover.ui.services import service_lines as presentation
from switchover.ui.services.arrangement import SortOrder, Weights, arrange
from switchover.ui.services.service_lines import ServiceTable, Wish
from switchover.ui.services.services_pane import ServicesPane
from switchover.ui.text.render_context import AgentLink, AgentLinkState, RenderContext
from switchover.ui.text.styled_line import plain

Story = Callable[[Any, SwitchoverApp, FakeSource], Awaitable[None]]


async def play(story: Story, snapshot: Snapshot, size: tuple[int, int] = (100, 40), **options: Any) -> FakeSource:
    app, source, _ = make_app(snapshot, tab="services", **options)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await story(pilot, app, source)
    return source


async def press(pilot: Any, *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
    await settle(pilot)


def pane_of(app: SwitchoverApp) -> ServicesPane:
    assert isinstance(app.pane, ServicesPane)
    return app.pane


def names(snapshot: Snapshot, **options: Any) -> list[str]:
    return [one.row.name for one in arrange(snapshot.services, snapshot.found, lambda _: True, **options).placed]


def test_the_plan_stands_first_and_what_is_not_well_above_its_groups() -> None:
    placed = arrange(services.PLANNED, services.host().found, lambda _: True).placed
    assert [one.row.name for one in placed[:2]] == ["api", "postgres"]
    headings = [one.heading for one in placed if one.heading]
    assert headings == ["not well here · 4", "Compose project shop · 2", "systemd units · 3", "processes · 7"]
    unwell = [one.row.name for one in placed[len(services.PLANNED) : len(services.PLANNED) + 4]]
    assert unwell == ["api", "db", "nginx.service", "worker"]


def busy(name: str, pid: int, cpu: float, memory: int = 4_194_304) -> ServiceRow:
    return services.process(name, pid, cpu=cpu, memory=memory)


def order_of(weights: Weights, *rows: ServiceRow) -> list[str]:
    return [one.row.name for one in arrange((), rows, lambda _: True, weight=weights).placed]


def test_processes_that_are_well_stand_by_cpu_and_then_by_memory() -> None:
    rows = (
        busy("a-idle", 1, 0.3),
        busy("b-large", 2, 0.0, 900_000_000),
        busy("c-hot", 3, 90.0),
        busy("d-warm", 4, 9.0),
    )
    assert order_of(Weights(), *rows) == ["c-hot", "d-warm", "b-large", "a-idle"]


def test_what_the_plan_names_keeps_its_place_whatever_it_uses() -> None:
    planned = (replace(busy("a", 1, 1.0), side="old"), replace(busy("b", 2, 90.0), side="old"))
    assert [one.row.name for one in arrange(planned, (), lambda _: True).placed] == ["a", "b"]


def test_processes_keep_their_places_while_their_use_wavers() -> None:
    weights = Weights()
    first = order_of(
        weights, busy("a", 1, 20.0), busy("b", 2, 22.0), busy("c", 3, 0.0, 5_000), busy("d", 4, 0.9, 4_900)
    )
    assert first == ["b", "a", "c", "d"]
    again = order_of(
        weights, busy("a", 1, 24.0), busy("b", 2, 18.0), busy("c", 3, 0.9, 4_800), busy("d", 4, 0.0, 5_100)
    )
    assert again == first
    assert order_of(weights, busy("a", 1, 80.0), busy("b", 2, 22.0)) == ["a", "b"], "what is really another is shown"


def test_a_process_that_ended_stays_where_it_was_until_it_is_gone() -> None:
    weights = Weights()
    rows = (busy("a", 1, 50.0), busy("b", 2, 9.0))
    assert order_of(weights, *rows) == ["a", "b"]
    ended = replace(rows[0], state="stopped", health="skipped", cpu_percent=None, memory_bytes=None)
    assert weights(ended) == weights(rows[0])


async def test_the_cursor_is_again_on_what_an_agent_that_came_anew_has_not_found_yet() -> None:
    full = replace(services.host(), found=tuple(services.container(f"c{index}") for index in range(6)))

    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource, *_: Any) -> None:
        await press(pilot, "G")
        key = pane_of(app).rows.key
        source.feed(replace(full, seq=8, found=full.found[:2]))
        await settle(pilot)
        assert pane_of(app).rows.key != key
        source.feed(replace(full, seq=9))
        await settle(pilot)
        assert pane_of(app).rows.key == key
        source.feed(replace(full, seq=10, found=full.found[:2]))
        await settle(pilot)
        await press(pilot, "k")
        chosen = pane_of(app).rows.key
        source.feed(replace(full, seq=11))
        await settle(pilot)
        assert pane_of(app).rows.key == chosen, "whoever moves it has chosen"

    await play(story, full)


def test_what_cannot_be_seen_here_is_said_beside_what_can() -> None:
    notes = (SourceNote("docker", "off", "no Docker daemon here"), SourceNote("live side", "unknown"))
    snapshot = replace(services.host(), sources=notes)
    moment = RenderContext(snapshot, services.NOW, samples.LIVE, 0.4)
    assert "· off: docker" in plain(presentation.summary_line(moment, ServiceTable(), Wish(), 0))


def test_sorted_by_use_the_greediest_stands_first() -> None:
    assert names(services.host(), order=SortOrder.CPU)[:2] == ["java", "postgres"]
    assert names(services.host(), order=SortOrder.MEMORY)[:2] == ["java", "postgres"]
    assert names(services.host(), order=SortOrder.NAME)[-1] == "systemd"


def test_a_tree_stands_below_its_root_and_a_ring_of_parents_loses_nobody() -> None:
    placed = arrange((), services.PROCESSES, lambda _: True, tree=True).placed
    depths = {one.row.name: one.depth for one in placed}
    assert (depths["systemd"], depths["sshd"], depths["sshd: ana"], depths["bash"]) == (0, 1, 2, 3)
    ring = (services.process("a", 10, 11), services.process("b", 11, 10))
    assert {one.row.name for one in arrange((), ring, lambda _: True, tree=True).placed} == {"a", "b"}


def test_a_late_row_says_since_when() -> None:
    late = replace(services.SHOP[0], observed_at=services.NOW - 300)
    moment = samples_moment(replace(services.host(), found=(late,)))
    _, items = ServiceTable().items(moment, 200, Wish())
    line = items.make(0).lines[-1]
    assert "late, last seen 5 m ago" in plain(line)
    assert {span.style for span in line if span.text.strip()} == {"stale"}


def samples_moment(snapshot: Snapshot) -> Any:
    from switchover.ui.text.render_context import RenderContext

    return RenderContext(snapshot, services.NOW, samples.LIVE)


def test_what_a_deployment_lacks_is_counted() -> None:
    row = replace(services.SHOP[0], ready=3, wanted=4)
    _, items = ServiceTable().items(samples_moment(replace(services.host(), found=(row,))), 200, Wish())
    assert "3/4" in plain(items.make(0).lines[-1])


def test_only_rows_in_view_are_made_and_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    cells = presentation._cells

    def counted(row: ServiceRow, *arguments: Any, **options: Any) -> Any:
        made.append(row.name)
        return cells(row, *arguments, **options)

    monkeypatch.setattr(presentation, "_cells", counted)
    table, moment = ServiceTable(), samples_moment(services.many())
    _, items = table.items(moment, 120, Wish())
    assert len(items.keys) == 1505
    assert made == []
    items.window(700, 40)
    assert len(made) == 40
    table.items(moment, 120, Wish())[1].window(700, 40)
    assert len(made) == 40


async def test_a_selection_sticks_to_its_services_and_goes_with_them() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource) -> None:
        await press(pilot, "space", "space", "space")
        chosen = [row.name for row in pane_of(app).chosen]
        assert chosen == ["api", "db", "nginx.service"]
        assert "● 3 selected" in screen_text(app)
        rest = tuple(row for row in services.host().found if row.name != "db")
        source.feed(replace(services.host(), seq=9, found=tuple(reversed(rest))))
        await settle(pilot)
        assert [row.name for row in pane_of(app).chosen] == ["api", "nginx.service"]
        await press(pilot, "escape")
        assert "selected" not in screen_text(app)

    await play(story, services.host())


async def test_all_that_the_filter_shows_is_selected_and_no_more() -> None:
    async def story(pilot: Any, app: SwitchoverApp, _source: FakeSource) -> None:
        await press(pilot, "slash", *"service", "enter", "asterisk", "escape")
        assert {row.kind for row in pane_of(app).chosen} == {"systemd"}
        assert len(pane_of(app).chosen) == len(services.UNITS)
        await press(pilot, "asterisk", "asterisk")
        assert "selected" not in screen_text(app)

    await play(story, services.host())


async def test_what_is_not_in_the_plan_is_asked_for_only_while_it_is_wanted() -> None:
    async def story(pilot: Any, app: SwitchoverApp, _source: FakeSource) -> None:
        assert "nginx" not in screen_text(app)
        await press(pilot, "full_stop")
        assert "nginx" in screen_text(app)
        await press(pilot, "full_stop")
        assert "nginx" not in screen_text(app)

    source = await play(story, services.planned())
    assert [params for method, params in source.requests if method == "service.found"] == [
        {"wanted": True},
        {"wanted": False},
    ]


async def test_an_agent_that_came_anew_is_told_what_is_wanted() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource) -> None:
        await press(pilot, "full_stop")
        source.feed(AgentLink(AgentLinkState.LOST, services.NOW, "the line to the agent is lost"))
        await settle(pilot)
        source.feed(samples.LIVE)
        source.feed(replace(services.planned(), seq=50))
        await settle(pilot)
        assert "nginx" in screen_text(app)

    source = await play(story, services.planned())
    assert [params["wanted"] for method, params in source.requests if method == "service.found"] == [True, True]


async def test_z_sorts_by_the_next_thing_and_says_so() -> None:
    async def story(pilot: Any, app: SwitchoverApp, _source: FakeSource) -> None:
        await press(pilot, "z")
        assert "by cpu" in screen_text(app)
        assert app.pane.rows.keys[0] == "service:process:1500"

    await play(story, services.host())


async def test_without_a_plan_a_host_on_which_nothing_was_found_says_which_sources_are_off() -> None:
    async def story(_pilot: Any, app: SwitchoverApp, _source: FakeSource) -> None:
        assert "docker: the Docker socket may not be opened" in screen_text(app)

    notes = (SourceNote("docker", "off", "the Docker socket may not be opened by this user"),)
    await play(story, replace(services.host(), found=(), sources=notes))


async def test_enter_opens_a_service_that_was_found_and_i_adds_what_its_source_knows() -> None:
    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource) -> None:
        source.answers["service.inspect"] = {"text": '{\n  "RestartCount": 4\n}'}
        await press(pilot, "enter")
        assert "shop/api:1.4.2" in screen_text(app)
        await press(pilot, "I")
        assert "RestartCount" in screen_text(app)
        await press(pilot, "slash", *"restartc", "enter")
        assert "1 lines with" in screen_text(app)

    source = await play(story, services.host())
    assert ("service.inspect", {"id": "docker:shop-api-1"}) in source.requests


@pytest.mark.parametrize(
    ("kept", "read_only", "offered"), [(True, False, True), (False, False, False), (True, True, False)]
)
async def test_all_that_is_kept_until_seen_goes_after_a_yes_and_the_key_is_there_only_for_that(
    kept: bool, read_only: bool, offered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GuardedScreen, "GUARD_S", 0.0)

    async def story(pilot: Any, app: SwitchoverApp, source: FakeSource) -> None:
        await press(pilot, "M")
        assert ("web on 0.0.0.0:80" in screen_text(app) and "seen all" in screen_text(app)) is offered
        await press(pilot, "y")
        assert (("service.seen", {"id": ""}) in source.requests) is offered

    row = ServiceRow("web on 0.0.0.0:80", "", "process", "stopped", "crit", id="listener:7:1")
    host = services.host()
    found = (row, *host.found) if kept else host.found
    await play(story, replace(host, found=found, header=replace(host.header, read_only=read_only)))
