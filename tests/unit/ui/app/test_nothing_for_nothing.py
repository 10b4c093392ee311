"""What is not seen costs nothing: hidden tabs neither draw nor paint; a Snapshot that says the same paints nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.support import ui_samples as samples
from tests.support.ui_screen import make_app, settle
from textual.strip import Strip

from switchover.ui.kit.line_view import LineView
from switchover.ui.kit.pane import Pane
from switchover.ui.kit.row_list import RowList


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Collect every drawing of a pane and every painted row, with the pane it belongs to."""
    events: list[tuple[str, str]] = []
    show, lines, rows = Pane.show, LineView.render_line, RowList.render_line

    def pane_of(view: LineView) -> str:
        return next((str(node.id) for node in view.ancestors if isinstance(node, Pane)), "around")

    def on_show(self: Pane, moment: Any) -> None:
        events.append(("draw", str(self.id)))
        show(self, moment)

    def on_line(self: LineView, y: int) -> Strip:
        events.append(("paint", pane_of(self)))
        return lines(self, y)

    def on_row(self: RowList, y: int) -> Strip:
        events.append(("paint", pane_of(self)))
        return rows(self, y)

    monkeypatch.setattr(Pane, "show", on_show)
    monkeypatch.setattr(LineView, "render_line", on_line)
    monkeypatch.setattr(RowList, "render_line", on_row)
    return events


async def test_hidden_tabs_neither_draw_nor_paint(seen: list[tuple[str, str]]) -> None:
    app, source, _ = make_app(samples.trouble())
    async with app.run_test(size=(120, 36)) as pilot:
        await settle(pilot)
        await pilot.press("2", "3", "4", "5", "6", "1")
        await settle(pilot)
        seen.clear()
        for number in range(5):
            source.feed(replace(samples.healthy() if number % 2 else samples.trouble(), seq=number + 2))
            await settle(pilot)
        assert {pane for _, pane in seen} == {"pane-overview", "around"}


async def test_a_snapshot_that_says_the_same_paints_nothing(seen: list[tuple[str, str]]) -> None:
    app, source, _ = make_app(samples.trouble())
    async with app.run_test(size=(120, 36)) as pilot:
        await settle(pilot)
        seen.clear()
        source.feed(replace(samples.trouble(), seq=2))
        await settle(pilot)
        assert [pane for what, pane in seen if what == "paint"] == []


async def test_on_a_poor_line_a_snapshot_waits_for_the_next_second(seen: list[tuple[str, str]]) -> None:
    app, source, _ = make_app(samples.trouble())
    async with app.run_test(size=(120, 36)) as pilot:
        await settle(pilot)
        app.lets_time_pass = True
        app.link.round_trip = 0.9
        seen.clear()
        source.feed(replace(samples.healthy(), seq=2))
        await settle(pilot)
        assert seen == []
        app._let_time_pass()
        app.show()
        await settle(pilot)
        assert ("draw", "pane-overview") in seen
        assert "link 900 ms" in app.moment.terminal


async def test_a_key_is_painted_without_waiting_for_the_next_frame(
    seen: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, _, _ = make_app(samples.trouble(), tab="checks")
    async with app.run_test(size=(120, 36)) as pilot:
        await settle(pilot)
        monkeypatch.setattr(app.screen._update_timer, "resume", lambda: None)
        seen.clear()
        await pilot.press("j")
        await settle(pilot)
        assert ("paint", "pane-checks") in seen
