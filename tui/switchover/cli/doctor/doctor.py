"""`switchover doctor`: what works here, what is off and why, and what to do about it."""

from __future__ import annotations

import argparse
import os

from switchover.cli.output import emit_json, emit_text
from switchover.locations import state_root

__all__ = ["add_arguments", "run"]

VERB = "doctor"
RANK = 190
SUMMARY = "show what works here and what is off, and why"
NEEDS_JOURNAL = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.description = "Look at everything that switchover needs or can use here. Nothing is changed or contacted."
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how to answer (default: table)")


def run(args: argparse.Namespace) -> int:
    """Look, tell, and return 1 where something that is needed does not work."""
    from switchover import __version__
    from switchover.cli.doctor.examine import examine

    looks = list(examine(state_root(args.state), os.environ))
    usable = all(look.state != "broken" for look in looks)
    if args.format == "json":
        emit_json({"usable": usable, "version": __version__, "findings": looks})
        return 0 if usable else 1
    width = max(len(look.name) for look in looks)
    for look in looks:
        emit_text(f"{look.state:6}  {look.name:{width}}  {look.text}")
        if look.hint and look.state != "ok":
            emit_text(f"{'':6}  {'':{width}}  {look.hint}")
    broken = [look.name for look in looks if look.state == "broken"]
    emit_text("")
    emit_text(f"not usable yet: {', '.join(broken)}" if broken else "switchover is usable here")
    return 0 if usable else 1
