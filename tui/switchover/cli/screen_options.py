"""How the screen is started: the options of every verb that opens it, and what it needs of the terminal."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import MutableMapping

from switchover.errors import UsageError
from switchover.settings import Settings, load_settings, settings_path

__all__ = ["add_screen_options", "apply_screen_options", "need_terminal", "same_place"]

_INSTEAD = "in scripts use `switchover status PLAN`, `switchover check PLAN` or `switchover run PLAN`"
_FILES = (("standard input", "<"), ("standard output", ">"))


def add_screen_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    on_or_off = argparse.BooleanOptionalAction
    parser.add_argument("--theme", metavar="NAME", help="how it looks: dark, light, ansi, mono, or one of your own")
    parser.add_argument("--ascii", action=on_or_off, help="draw with plain ASCII signs (by default as the locale says)")
    parser.add_argument("--mouse", action=on_or_off, help="use the mouse (by default not over SSH)")
    parser.add_argument("--motion", action=on_or_off, help="animate and scroll smoothly (by default nothing moves)")
    parser.add_argument(
        "--fps",
        type=int,
        metavar="N",
        choices=range(1, 121),
        help="draw at most N times a second (default: 30, over SSH 15)",
    )


def need_terminal(instead: str = _INSTEAD) -> None:
    """Raise `UsageError` where there is no terminal to draw on or to read keys from. It says which end is missing."""
    missing = [(name, sign) for number, (name, sign) in enumerate(_FILES) if not _is_terminal(number)]
    if not missing:
        return
    if len(missing) == len(_FILES):
        raise UsageError("the screen needs a terminal on standard input and output", instead)
    name, sign = missing[0]
    raise UsageError(
        f"the screen needs a terminal, and {name} is none: it is a file or a pipe",
        f"leave out the `{sign}` or the `|` (messages may go elsewhere: `2>FILE` is fine); {instead}",
    )


def apply_screen_options(args: argparse.Namespace, environ: MutableMapping[str, str]) -> None:
    """Put what flags, else variables, else settings say of the terminal where the screen looks before its import."""
    chosen = load_settings(settings_path(environ))
    for flag, setting, variables in _ways(args, chosen):
        for name, values in variables.items():
            if flag is not None:
                environ[name] = values[flag]
            elif setting is not None:
                environ.setdefault(name, values[setting])
    if args.fps is not None:
        environ["TEXTUAL_FPS"] = str(args.fps)
    elif chosen.fps is not None:
        environ.setdefault("TEXTUAL_FPS", str(chosen.fps))


def same_place(args: argparse.Namespace) -> str:
    """Return the options with which another command finds the same run, each after a space."""
    given = (("--state", args.state), ("--journal", getattr(args, "journal", None)))
    return "".join(f" {option} {shlex.quote(value)}" for option, value in given if value)


def _ways(
    args: argparse.Namespace, chosen: Settings
) -> tuple[tuple[bool | None, bool | None, dict[str, tuple[str, str]]], ...]:
    return (
        (args.mouse, chosen.mouse, {"SWITCHOVER_MOUSE": ("0", "1")}),
        (args.motion, chosen.motion, {"TEXTUAL_ANIMATIONS": ("none", "full"), "TEXTUAL_SMOOTH_SCROLL": ("0", "1")}),
        (args.ascii, chosen.ascii, {"SWITCHOVER_ASCII": ("0", "1")}),
    )


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False
