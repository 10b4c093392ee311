"""Open the screens on a workspace. Textual is imported only once it is clear that they can be shown."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from switchover.clock import SystemClock
from switchover.errors import SwitchoverError
from switchover.locations import Workspace
from switchover.ui.terminal import TerminalGuard, choose_theme, prepare_environment, why_not

__all__ = ["run"]


def run(workspace: Workspace, plan: Path | None, *, read_only: bool) -> int:
    """Show the screens until the operator leaves; return the exit code."""
    if reason := why_not(os.environ):
        _tell(reason)
        return 2
    mouse = prepare_environment(os.environ)

    from switchover.ui.application import SwitchoverApp
    from switchover.ui.bridge import AgentSource
    from switchover.ui.theme import load_themes, theme_folders

    themes, bad = load_themes(theme_folders(_config_home()))
    if not themes:
        _tell("no theme can be used; install switchover again")
        return 1
    wanted = choose_theme(os.environ)
    clock = SystemClock()
    source = AgentSource(workspace, plan, read_only=read_only, clock=clock)
    log = workspace.directory / "screens.log"
    app = SwitchoverApp(source, themes, wanted, clock=clock, read_only=read_only, log_path=log)
    app.remarks = [str(error).splitlines()[0] for error in bad]
    if wanted not in themes:
        app.remarks.append(f"there is no theme {wanted}; there are {', '.join(themes)}")

    def leave(code: int) -> None:
        if app.is_running:
            app.call_later(app.exit, None, code)

    with TerminalGuard(leave) as guard:
        try:
            app.run(mouse=mouse)
        except Exception as error:  # a crash outside of the App's own handlers
            app._handle_exception(error)
        if app.crash:
            guard.restore()
    return _say_goodbye(app, log, guard.signal_number)


def _config_home() -> Path:
    chosen = os.environ.get("XDG_CONFIG_HOME", "")
    return Path(chosen) if os.path.isabs(chosen) else Path.home() / ".config"


def _tell(text: str) -> None:
    print(f"switchover: {text}", file=sys.stderr)


def _say_goodbye(app: object, log: Path, signal_number: int) -> int:
    failure: SwitchoverError | None = getattr(app, "failure", None)
    crash = getattr(app, "crash", "")
    if crash:
        _tell(f"the screens ended unexpectedly ({crash}); the run goes on. Details: {log}")
        return 1
    if failure is not None:
        _tell(failure.title + (f"\n  {failure.hint}" if failure.hint else ""))
        return failure.exit_code
    if signal_number:
        return 128 + signal_number
    state = getattr(getattr(app, "moment", None), "data", None)
    if state is not None and state.migration.state in {"running", "waiting"}:
        _tell("detached; the run goes on. `switchover` shows it again, `switchover status` says where it is")
    return int(getattr(app, "return_code", 0) or 0)
