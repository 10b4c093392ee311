"""`switchover schema [PLAN]`: the JSON Schema of plans, for `# yaml-language-server: $schema=` and other editors."""

from __future__ import annotations

import argparse
from pathlib import Path

from switchover.cli.output import emit_json

__all__ = ["add_arguments", "run"]

VERB = "schema"
RANK = 180
SUMMARY = "print the JSON Schema of plans, for an editor"
NEEDS_JOURNAL = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the plan whose own check kinds are added."""
    parser.add_argument(
        "plan", metavar="PLAN", nargs="?", type=Path, help="a plan whose check_modules are described too (not executed)"
    )


def run(args: argparse.Namespace) -> int:
    """Print the schema as JSON and return the exit code."""
    from switchover.plan.loader.json_schema import json_schema
    from switchover.plan.loader.plan_content import declared_modules
    from switchover_checks.runtime.registry import Registry

    local = declared_modules(args.plan) if args.plan is not None else ()
    emit_json(json_schema(Registry(local)), exact=True)
    return 0
