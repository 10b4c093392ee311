"""`switchover logs`: the screen, opened on the logs of services and files."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from switchover.cli.plan_file import workspace_at
from switchover.cli.screen_options import add_screen_options, apply_screen_options, need_terminal, same_place
from switchover.locations import state_root
from switchover.settings import choose_journal
from switchover.trust import choose_plan, trusted_digest

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run", "sort_words"]

VERB = "logs"
RANK = 120
SUMMARY = "open the screen on the logs of services and files, merged by time"

_ENDINGS = frozenset([".log", ".txt", ".out", ".err", ".json", ".jsonl"])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "names",
        nargs="+",
        metavar="SERVICE|FILE",
        help="a service by the name that the list shows, or a file; several are merged by time",
    )
    parser.add_argument(
        "--plan", metavar="PLAN", help="the plan whose services are meant (default: the one found here)"
    )
    add_screen_options(parser)


def run(args: argparse.Namespace) -> int:
    """Open them; return the exit code."""
    need_terminal("in scripts use tail and grep")
    items, paths = sort_words(args.names)
    root = state_root(args.state)
    plan = choose_plan(args.plan, root, Path.cwd(), verb="logs --plan")
    digest = trusted_digest(args.plan, plan, root)
    workspace = workspace_at(root, plan, choose_journal(args.journal, os.environ))
    apply_screen_options(args, os.environ)
    app = import_module("switchover.ui.app.opening")  # not a plain import: only this line may load the screen
    more = {"theme": args.theme or "", "same_place": same_place(args)}
    return cast("int", app.run(workspace, plan, read_only=False, digest=digest, logs=(items, paths), **more))


def sort_words(words: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tell services from files: a word is a file where one is there, or where it is written like one."""
    files = [word for word in words if _is_file(word)]
    paths = tuple(os.path.abspath(word) for word in files)  # noqa: PTH100 - a link stays a link, which rotation needs
    return tuple(word for word in words if word not in files), paths


def _is_file(word: str) -> bool:
    """Tell a file, also a pipe or one that is yet to come. A folder may bear the name of a service."""
    path = Path(word)
    if word.startswith(("/", "./", "../")) or (":" not in word and ("/" in word or path.suffix in _ENDINGS)):
        return True
    return path.exists() and not path.is_dir()
