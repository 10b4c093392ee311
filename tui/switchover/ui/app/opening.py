"""Open the screens on a workspace. Textual is imported only once it is clear that they can be shown."""

from __future__ import annotations

import gc
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from switchover.clock import SystemClock
from switchover.locations import Workspace
from switchover.settings import load_settings, settings_path
from switchover.settings_edit import keep_theme
from switchover.terminal.terminal_guard import (
    TerminalGuard,
    charset_for,
    choose_theme,
    draw_on_the_terminal,
    give_size,
    prepare_environment,
    why_not,
)

if TYPE_CHECKING:
    from switchover.ui.app.application import SwitchoverApp
    from switchover.ui.app.bridge import SnapshotSource

__all__ = ["run", "show"]


Logs = tuple[Sequence[str], Sequence[str]]


def run(
    workspace: Workspace,
    plan: Path | None,
    *,
    read_only: bool,
    digest: str = "",
    logs: Logs | None = None,
    theme: str = "",
    same_place: str = "",
) -> int:
    """Show the screens until the operator leaves; return the exit code. `digest`: only this content is trusted.

    `logs` are services and files whose logs are opened at once. `theme` is the one just asked for. `same_place` are the
    options with which another command finds the same run.
    """

    def agent() -> SnapshotSource:
        from switchover.ui.app.bridge import AgentSource, agent_attacher, agent_returns

        attach = agent_attacher(workspace, plan, read_only=read_only, digest=digest)
        return AgentSource(attach, SystemClock(), workspace.agent_log, comes_back=agent_returns(workspace))

    log = workspace.directory / "screens.log"
    return show(agent, log, read_only=read_only, logs=logs, theme=theme, same_place=same_place)


def show(
    make_source: Callable[[], SnapshotSource],
    log: Path,
    *,
    read_only: bool = False,
    logs: Logs | None = None,
    theme: str = "",
    same_place: str = "",
) -> int:
    """Show a source's Snapshots until the operator leaves, the line drops or a signal comes; return the exit code."""
    if reason := why_not(os.environ):
        _tell(reason)
        return 2
    mouse = prepare_environment(os.environ)
    give_size(1)
    draw_on_the_terminal(charset_for(os.environ))

    gc.disable()  # until the first frame: nothing made for it is garbage, and looking takes a tenth of the time
    from switchover.ui.app.application import SwitchoverApp
    from switchover.ui.kit.theme import load_themes, theme_folders

    themes, bad = load_themes(theme_folders(_config_home()))
    if not themes:
        _tell("no theme can be used; install switchover again")
        return 1
    settings = settings_path(os.environ)
    wanted = choose_theme(os.environ, theme, load_settings(settings).theme or "")
    if theme and theme not in themes:
        _tell(f"there is no theme {theme}; there are {', '.join(themes)}")
        return 2
    os.environ.pop("NO_COLOR", None)  # the theme honours it; Textual would turn even "no colour" into black and white
    app = SwitchoverApp(make_source(), themes, wanted, read_only=read_only, log_path=log)
    app.logs_at_once = logs
    app.keep_theme = partial(keep_theme, settings)
    app.notices = [str(error).splitlines()[0] for error in bad]
    if wanted not in themes:
        app.notices.append(f"there is no theme {wanted}; there are {', '.join(themes)}")

    def leave(code: int) -> None:
        app.call_later(app.exit, None, code)

    with TerminalGuard(leave) as guard:
        try:
            app.run(mouse=mouse)
        except Exception as error:  # what escapes the App's own handlers
            app.note_crash(error)
        if app.crash:
            guard.restore()
    return _say_goodbye(app, log, guard.signal_number, same_place)


def _config_home() -> Path:
    chosen = os.environ.get("XDG_CONFIG_HOME", "")
    return Path(chosen) if Path(chosen).is_absolute() else Path.home() / ".config"


def _tell(text: str) -> None:
    print(f"switchover: {text}", file=sys.stderr)


def _say_goodbye(app: SwitchoverApp, log: Path, signal_number: int, same_place: str) -> int:
    if app.crash:
        _tell(f"the screens ended unexpectedly ({app.crash}); the run goes on. Details: {log}")
        return 1
    if app.failure is not None:
        _tell(app.failure.title + (f"\n  {app.failure.hint}" if app.failure.hint else ""))
        return app.failure.exit_code
    if app.moment.data.migration.state in {"running", "waiting"} and app.moment.data.migration.run_id:
        where = f"{same_place} {shlex.quote(app.moment.data.header.plan_path)}"
        _tell(f"detached; the run is kept. `switchover{where}` shows it again, `switchover status{where}` tells of it")
    return 128 + signal_number if signal_number else app.return_code or 0
