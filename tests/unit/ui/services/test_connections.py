"""Who needs whom: where the trouble begins, what only waits for it, rings, and both directions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.support import ui_services as services
from tests.support.ui_screen import make_app, screen_text, settle

from switchover.snapshot import ServiceRow, Snapshot
from switchover.snapshot.states import ServiceWord, StatusWord
from switchover.ui.kit.row_list import RowList
from switchover.ui.services.connection_tree import branch_line, graph_of, starts_of, tree_of
from switchover.ui.text.styled_line import line_width, plain


def row(name: str, *needs: str, health: StatusWord = "ok") -> ServiceRow:
    state: ServiceWord = "running" if health == "ok" else "stopped"
    return ServiceRow(name, "", "docker", state, health, needs=needs, id=f"docker:{name}")


def drawn(*rows: ServiceRow) -> list[str]:
    graph = graph_of(Snapshot(found=rows))
    return [plain(branch_line(graph, one, 80)) for one in tree_of(graph, starts_of(graph), graph.needs)]


def test_the_cause_is_marked_and_what_needs_it_waits() -> None:
    lines = drawn(row("web", "api", health="crit"), row("api", "db", health="crit"), row("db", health="crit"))
    assert "web" in lines[0]
    assert "waits for db" in lines[0]
    assert "└ api" in lines[1]
    assert "waits for db" in lines[1]
    assert "it begins here" in lines[2]


def test_what_is_well_says_that_what_it_needs_is_broken() -> None:
    assert "needs db: broken" in drawn(row("web", "db"), row("db", health="crit"))[0]


def test_a_ring_ends_and_is_called_one() -> None:
    lines = drawn(row("a", "b", health="crit"), row("b", "a", health="crit"))
    assert len(lines) == 3
    assert "round in a ring" in lines[2]
    assert "it begins here" in lines[0]


def test_what_many_need_is_opened_once() -> None:
    lines = drawn(row("a", "c"), row("b", "c"), row("c", "d"), row("d"))
    assert sum("as above" in line for line in lines) == 1
    assert sum("d  " in line for line in lines) == 1


def test_a_need_that_nobody_knows_is_said() -> None:
    assert "vault  ? not known here" in drawn(row("a", "vault"))[1]


def test_a_need_is_an_id_or_the_name_of_one_in_the_same_group() -> None:
    shop = replace(row("db"), group="shop", id="docker:shop-db")
    blog = replace(row("db"), group="blog", id="docker:blog-db")
    api = replace(row("api", "db"), group="blog")
    graph = graph_of(Snapshot(found=(shop, blog, api)))
    assert graph.needs[api.id] == ("docker:blog-db",)
    assert graph.all_that_need("docker:blog-db") == (api.id,)


def test_ten_thousand_ways_through_the_same_services_are_drawn_in_bounds() -> None:
    layers = [[f"s{depth}-{index}" for index in range(10)] for depth in range(8)]
    rows = [row(name, *below) for layer, below in zip(layers, [*layers[1:], []], strict=True) for name in layer]
    assert len(drawn(*rows)) <= 1000


@pytest.mark.parametrize("width", [40, 80, 160])
async def test_the_screen_shows_both_directions_of_the_chosen_one(width: int) -> None:
    async def press(pilot: Any, *keys: str) -> None:
        for key in keys:
            await pilot.press(key)
            await settle(pilot)

    app, _, _ = make_app(services.host(), tab="services")
    async with app.run_test(size=(width, 30)) as pilot:
        await settle(pilot)
        await press(pilot, "D")
        text = screen_text(app)
        assert "api needs" in text
        assert "what needs api" in text
        assert all(line_width(line) <= width or width < 60 for line in app.screen.query_one(RowList).lines)
        await press(pilot, "D")
        assert "web" in screen_text(app)
        await press(pilot, "D", "j", "enter")
        assert "service db" in screen_text(app)
