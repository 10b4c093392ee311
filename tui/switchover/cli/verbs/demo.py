"""`switchover demo`: lay the demo down, open it, break it, mend it, end it."""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, cast

from switchover.cli.diagnostics import say
from switchover.cli.output import emit_text
from switchover.demo.layout import MARKER_VARIABLE, Demo
from switchover.errors import StateError, SwitchoverError, UsageError

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]

VERB = "demo"
RANK = 210
SUMMARY = "practise on a real migration that is laid down on this machine"
NEEDS_JOURNAL = False

_FAULTS = ("corrupt", "slow", "down", "disk")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from switchover.cli.screen_options import add_screen_options

    add_screen_options(parser)
    parser.add_argument(
        "directory", nargs="?", metavar="DIR", help="where it lies (default: demo in the state directory)"
    )
    parser.add_argument("--fault", choices=_FAULTS, help="break something real, to practise finding it")
    parser.add_argument("--explain", action="store_true", help="with --fault: say what was broken")
    doing = parser.add_mutually_exclusive_group()
    doing.add_argument("--headless", action="store_true", help="open no screen; print the path of the plan")
    doing.add_argument("--mend", action="store_true", help="undo what --fault broke")
    doing.add_argument("--stop", action="store_true", help="end everything that the demo started; its files stay")


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit code."""
    from switchover.cli.screen_options import apply_screen_options, need_terminal, same_place
    from switchover.demo.demo_processes import DemoError
    from switchover.locations import state_root, workspace_for

    if args.fault and (args.mend or args.stop):
        raise UsageError("--fault goes with neither --mend nor --stop", "break it first, mend it later")
    root = state_root(args.state)
    demo = Demo.at(args.directory if args.directory is not None else root / "demo")
    try:
        if args.stop:
            return _stop(demo, root)
        if args.mend:
            return _mend(demo)
        screen = not args.headless
        if screen and not args.fault:
            need_terminal("in scripts use `switchover demo --headless`, which prints the path of the plan")
        opened = _lay(demo)
        broken = _break(demo, args.fault, explain=args.explain) if args.fault else False
    except DemoError as error:
        raise SwitchoverError(str(error), _hint(demo)) from error
    except (OSError, ValueError, sqlite3.Error) as error:
        words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise StateError(f"the demo cannot use {demo.directory}: {words}", "name another folder") from error
    if args.headless:
        emit_text(str(demo.plan))
        return 0
    if broken and not (opened and _has_terminal()):
        return 0  # somebody has its screen open elsewhere
    os.environ[MARKER_VARIABLE] = str(demo.directory)  # for the agent that the screen starts
    apply_screen_options(args, os.environ)
    app = import_module("switchover.ui.app.opening")
    more = {"theme": args.theme or "", "same_place": same_place(args)}
    code = cast("int", app.run(workspace_for(root, demo.plan), demo.plan, read_only=False, **more))
    _say_goodbye(demo)
    return code


def _lay(demo: Demo) -> bool:
    from switchover.demo.laying import lay_down

    if not demo.mark.exists():
        say(f"Laying down the demo in {demo.directory}")
    return lay_down(demo)


def _break(demo: Demo, fault: str, *, explain: bool) -> bool:
    from switchover.demo.faults import break_it

    what = break_it(demo, fault)
    say(f"Broken: {what}." if explain else "Something is broken now; find it.")
    say(f"To mend it: {_again(demo)} --mend")
    return True


def _mend(demo: Demo) -> int:
    from switchover.demo.demo_processes import DemoError
    from switchover.demo.faults import mend

    if not demo.mark.exists():
        raise DemoError(f"there is no demo in {demo.directory}")
    for line in mend(demo):
        emit_text(line)
    return 0


def _stop(demo: Demo, root: Path) -> int:
    from switchover.agent.process import lifecycle
    from switchover.demo.demo_marks import agents_of
    from switchover.demo.demo_processes import end_all
    from switchover.locations import workspace_for

    agents = agents_of(demo.plan)
    with suppress(SwitchoverError, OSError):  # one that does not listen is ended like the rest
        lifecycle.stop(workspace_for(root, demo.plan))
    ended = len(agents - agents_of(demo.plan)) + end_all(demo, agents_of(demo.plan))
    if not ended:
        emit_text(f"Nothing of the demo in {demo.directory} was running.")
    else:
        emit_text(
            f"Ended {ended} process{'' if ended == 1 else 'es'} of the demo in {demo.directory}. Its files are kept."
        )
    return 0


def _has_terminal() -> bool:
    return os.isatty(0) and os.isatty(1)


def _hint(demo: Demo) -> str:
    if demo.directory.exists() and not demo.mark.exists():
        return "name an empty folder or one that does not exist yet; nothing was changed"
    return f"see {demo.directory / 'logs'}, or end it with `{_again(demo)} --stop` and start one in another folder"


def _again(demo: Demo) -> str:
    return f"{_program()} demo {quote(str(demo.directory))}"


def _program() -> str:
    """Return how this program was called, for commands to copy."""
    called = Path(sys.argv[0])
    return quote(sys.argv[0]) if called.name == "switchover" and os.sep in sys.argv[0] else "switchover"


def _say_goodbye(demo: Demo) -> None:
    emit_text(f"The demo goes on in {demo.directory}: its services run, and so does a migration that you started.")
    emit_text(f"  come back   {_again(demo)}")
    emit_text(f"  end it      {_again(demo)} --stop")
