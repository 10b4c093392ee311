"""`switchover bundle [PLAN]`: one redacted file for a colleague, with all that helps to understand what is wrong."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from switchover.cli import diagnostics, output

__all__ = ["add_arguments", "run"]

VERB = "bundle"
RANK = 160
SUMMARY = "make one redacted file for a colleague: problems, timeline, logs"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `bundle`."""
    parser.description = (
        "Write problems, timeline, plan, the logs of what is not well and what works here into one file of mode 0600. "
        "Secrets, and what looks like one, are left out; look through it before it leaves."
    )
    parser.add_argument("plan", nargs="?", metavar="PLAN", help="the plan that it is about (default: this host)")


def run(args: Namespace) -> int:
    """Make it, and print where it is."""
    from switchover.cli.run_access import carry_out
    from switchover.commands.incidents import MakeBundle
    from switchover_checks.language.units import format_bytes

    made = carry_out(args, MakeBundle(), looks_first=True)
    output.emit_text(made.path)
    diagnostics.say(f"{format_bytes(made.bytes)}, readable by you alone; look through it before it leaves")
    return 0
