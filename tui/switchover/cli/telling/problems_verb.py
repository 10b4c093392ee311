"""`switchover problems [PLAN]`: what the Overview shows, for people and scripts."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from switchover.cli import output
from switchover.cli.telling.rows import FORMATS, emit_rows

if TYPE_CHECKING:
    from switchover.snapshot import Problem

__all__ = ["add_arguments", "run"]

VERB = "problems"
RANK = 151
SUMMARY = "list what is wrong now, worst first"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `problems`."""
    parser.add_argument("plan", nargs="?", metavar="PLAN", help="the plan that is looked at (default: this host)")
    parser.add_argument("--format", choices=FORMATS, default="text", help="how to answer (default: text)")


def run(args: Namespace) -> int:
    """List them; 0 when nothing is wrong, 1 when something is."""
    from switchover.cli.run_access import carry_out
    from switchover.commands.alert_commands import ListProblems

    found = carry_out(args, ListProblems(), looks_first=True)
    if args.format == "text":
        for problem in found:
            for line in _lines(problem):
                output.emit_text(line)
        if not found:
            output.emit_text("nothing to report")
    else:
        emit_rows([_document(problem) for problem in found], args.format)
    return 1 if found else 0


def _lines(problem: Problem) -> list[str]:
    lines = [f"{problem.status:8} {problem.subject}: {problem.what}"]
    named = (("cause", problem.cause), ("next", problem.next), ("with it", ", ".join(problem.waiting)))
    return lines + [f"         {word}: {text}" for word, text in named if text]


def _document(problem: Problem) -> dict[str, object]:
    from switchover.clock import iso_utc

    return {
        "status": problem.status,
        "subject": problem.subject,
        "what": problem.what,
        "since": iso_utc(problem.since),
        "cause": problem.cause or None,
        "next": problem.next or None,
        "check": problem.check or None,
        "service": problem.service or None,
        "owner": problem.owner or None,
        "waiting": list(problem.waiting),
    }
