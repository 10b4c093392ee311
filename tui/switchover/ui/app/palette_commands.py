"""What the palette offers: the tabs, the keys of this screen, every check, service and step, the themes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from switchover.ui.app.palette_screen import PaletteEntry, PaletteScreen
from switchover.ui.kit.actions import ACTIONS
from switchover.ui.kit.base_screen import hints_from
from switchover.ui.services.arrangement import id_of
from switchover.ui.text.keys import key_name
from switchover.ui.text.tabs import tabs

if TYPE_CHECKING:
    from switchover.snapshot import ServiceRow, StepView
    from switchover.ui.app.application import SwitchoverApp

__all__ = ["palette"]

_MOST = 300  # of what was found by itself; more are found with the filter of their own tab
_WORDS = {"sort": "order cpu memory top", "filter": "search find grep"}  # what people say for what a pane does itself
_NOT_HERE = {"palette", "back", "move", "jump", "page", "tab", "next_tab"}


def palette(app: SwitchoverApp) -> PaletteScreen:
    """Collect all that can be done or opened at this moment."""
    commands: list[PaletteEntry] = []
    active = app.screen.active_bindings.values()
    by_name = {entry.binding.action: entry for entry in active if entry.enabled and entry.binding.description}
    hints = {hint.label: hint for hint in hints_from(by_name.values(), only_shown=False)}
    for action, entry in by_name.items():
        name = action.rpartition(".")[2].partition("(")[0]
        if name in _NOT_HERE:
            continue
        binding = entry.binding
        key = key_name(hints[binding.description].keys[0]) if binding.description in hints else ""
        commands.append(
            PaletteEntry(
                binding.description,
                partial(_run_action, app, action, entry.node),
                key,
                binding.tooltip,
                ACTIONS[name].words if name in ACTIONS else _WORDS.get(name, ""),
            )
        )
    commands.extend(
        PaletteEntry(
            f"go to {tab.name.capitalize()}",
            partial(_run_action, app, f"tab('{tab.name}')", app.main),
            str(number),
            words=tab.search,
        )
        for number, tab in enumerate(tabs(), 1)
    )
    commands.append(
        PaletteEntry(
            "open a log file …", app.does.look.action_open_log_file, "", "follow it, search it, filter it", "logs tail"
        )
    )
    data = app.moment.data
    commands.extend(
        PaletteEntry(f"check {row.name}", _open(app, "check", row.name), "", row.summary) for row in data.checks
    )
    commands.extend(
        PaletteEntry(f"service {row.name}", _open(app, "service", id_of(row)), "", _kind_and_place(row))
        for row in (*data.services, *data.found[:_MOST])
    )
    commands.extend(
        PaletteEntry(one.title, partial(_run_action, app, f"app.{one.name}", app), "", one.tooltip, one.words)
        for one in ACTIONS.values()
        if not one.key and one.is_offered(app.does)
    )
    commands.extend(
        PaletteEntry(f"run {step.id} again", partial(_repeat, app, step), "", "its gate still needs what it does")
        for phase in data.migration.phases
        for step in phase.steps
        if step.state == "done" and "retry" in step.choices and not step.confirm_text and not data.header.read_only
    )
    commands.extend(_useful(app))
    commands.extend(
        PaletteEntry(f"metric {row.name}", _open(app, "metric", row.name), "", row.title) for row in data.metrics
    )
    commands.extend(PaletteEntry(f"theme {name}", partial(app.choose_theme, name)) for name in app.theme_names)
    return PaletteScreen(app.painter, app.moment, _told_apart(commands))


def _useful(app: SwitchoverApp) -> list[PaletteEntry]:
    run = app.does.problems.action_useful_commands
    return [
        PaletteEntry(f"command {one.title}", partial(run, one.name), "", one.command)
        for one in app.moment.data.commands
    ]


def _told_apart(commands: list[PaletteEntry]) -> list[PaletteEntry]:
    """Give twins (a container and a process of one name) what tells them apart."""
    count = Counter(command.title for command in commands)
    return [
        replace(command, title=f"{command.title} ({command.about})")
        if count[command.title] > 1 and command.about
        else command
        for command in commands
    ]


def _kind_and_place(row: ServiceRow) -> str:
    where = row.side or (f"pid {row.pid}" if row.kind == "process" and row.pid else row.group)
    return f"{row.kind} · {where}" if where else row.kind


def _run_action(app: SwitchoverApp, action: str, node: object) -> None:
    app.run_worker(app.run_action(action, node))  # type: ignore[arg-type]


def _repeat(app: SwitchoverApp, step: StepView) -> None:
    from switchover.ui.migration.advance import repeat_screen

    app.push_screen(repeat_screen(app.moment, app.painter, step))


def _open(app: SwitchoverApp, kind: str, name: str) -> Callable[[], None]:
    return partial(app.does.opener.thing, kind, name)
