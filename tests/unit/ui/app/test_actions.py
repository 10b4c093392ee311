"""What a person can do is listed once: with a title, a tooltip, a key, what it changes, and what does it."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace
from typing import Any, cast

import pytest
from tests.support import ui_samples as samples
from tests.support.ui_samples import LIVE, NOW, FakeSource, StillClock
from tests.support.ui_screen import THEMES, settle
from textual.binding import Binding
from textual.dom import DOMNode

from switchover import ui
from switchover.ui.app.action_set import ActionSet
from switchover.ui.app.application import SwitchoverApp
from switchover.ui.kit.actions import ACTIONS, ScreenAction, Touches
from switchover.ui.text.render_context import RenderContext

BY_NAME = pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda action: str(action.name))
CHANGING = [action for action in ACTIONS.values() if action.changes is not Touches.NOTHING]
METHODS = ActionSet(cast("Any", None)).methods()
RUN = {action.name for action in CHANGING if action.changes is Touches.RUN}


def app_bindings() -> list[tuple[str, Binding]]:
    """Every binding of a pane or screen that the App carries out, with the name of what it does."""
    found = []
    for module in pkgutil.walk_packages(ui.__path__, f"{ui.__name__}."):
        for kind in vars(importlib.import_module(module.name)).values():
            if isinstance(kind, type) and issubclass(kind, DOMNode) and kind.__module__ == module.name:
                bindings = vars(kind).get("BINDINGS", ())
                found += [(b.action[4:], b) for b in bindings if isinstance(b, Binding) and b.action.startswith("app.")]
    return found


@BY_NAME
def test_an_action_says_what_it_does_and_is_done_by_the_app(action: ScreenAction) -> None:
    assert action.title
    assert action.tooltip
    assert callable({**vars(SwitchoverApp), **METHODS}[f"action_{action.name}"])


def test_every_key_that_the_app_answers_is_in_the_table_and_every_key_of_the_table_works_somewhere() -> None:
    found = app_bindings()
    assert {name for name, _ in found} == {action.name for action in ACTIONS.values() if action.key}
    other_keys = [(name, b.key) for name, b in found if b.key != ACTIONS[name].key]
    assert other_keys == [("leave", "ctrl+q")]
    assert [name for name, b in found if b.tooltip != ACTIONS[name].tooltip and b.key == ACTIONS[name].key] == []


@pytest.mark.parametrize("action", CHANGING, ids=lambda action: str(action.name))
@pytest.mark.parametrize("read_only", [True, False])
def test_what_changes_something_is_not_offered_to_one_who_only_watches(action: ScreenAction, read_only: bool) -> None:
    data = samples.trouble()
    data = replace(data, header=replace(data.header, read_only=read_only))
    moment = RenderContext(data, NOW, LIVE, watching="" if read_only else "ben")
    at: Any = type("Watcher", (), {"moment": moment})  # nothing else is asked of it
    assert not action.is_offered(at)


def test_what_changes_something_is_listed() -> None:
    run = {"advance", "run_to_gate", "note", "acknowledge", "waive", "rollback", "abort", "new_run", "cancel_put_off"}
    assert run == RUN
    assert {action.name for action in CHANGING} - RUN == {"service_actions", "service_shell", "shell_here"}


@pytest.mark.parametrize("name", sorted(RUN))
def test_a_journal_that_is_refused_leaves_the_run_alone(name: str) -> None:
    data = samples.trouble()
    data = replace(data, migration=replace(data.migration, journal_refused="its records were edited"))
    at: Any = type("Driver", (), {"moment": RenderContext(data, NOW, LIVE)})  # nothing else is asked of it
    assert not ACTIONS[name].is_offered(at)


async def test_each_can_be_asked_for_at_any_moment_and_sends_nothing_where_it_is_not_offered() -> None:
    watching = samples.trouble()
    source = FakeSource(LIVE, replace(watching, header=replace(watching.header, read_only=True)))
    app = SwitchoverApp(source, THEMES, "dark", clock=StillClock(), ticks=False)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        for tab in ("1", "2", "3", "6"):
            await pilot.press(tab)
            await settle(pilot)
            assert isinstance([app.does.is_offered(name) for name in ACTIONS], list)
        for action in CHANGING:
            assert app.check_action(action.name, ()) is False
            await app.run_action(f"app.{action.name}")
        await settle(pilot)
        assert app.screen is app.main
    assert source.requests == []
