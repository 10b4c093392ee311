"""`switchover explain [KEY]`: the reference of plans in the terminal.

KEY is a key or a part of a plan (`step.on_unknown`, `gate`), a kind (`check.http`) or a page (`expressions`). A path is
taken as an error shows it: `phases[0].gate.hold`. Without one, all that there is is listed. It is plain text, 80
columns wide, and comes from what the loader itself goes by.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from switchover.cli.output import emit_text

__all__ = ["add_arguments", "run"]

VERB = "explain"
RANK = 165
SUMMARY = "explain a key of a plan, with an example"
NEEDS_JOURNAL = False


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what is to be explained."""
    parser.add_argument("key", metavar="KEY", nargs="?", help="what is to be explained; without it, all is listed")
    parser.add_argument("--plan", metavar="PLAN", type=Path, help="a plan whose own check kinds are explained too")


def run(args: Namespace) -> int:
    """Explain it and return the exit code."""
    from switchover.cli.explain.reference import Reference
    from switchover.cli.explain.topic_text import list_text, topic_text
    from switchover.cli.explain.topics import find_topic
    from switchover.plan.loader.plan_content import declared_modules
    from switchover_checks.runtime.registry import Registry

    reference = Reference(Registry(declared_modules(args.plan) if args.plan is not None else ()))
    text = list_text(reference) if args.key is None else topic_text(reference, find_topic(reference, args.key))
    emit_text(text, exact=True)
    return 0
