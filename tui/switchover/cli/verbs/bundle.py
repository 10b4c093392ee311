"""`switchover bundle [PLAN]`: one redacted file for a colleague, with all that helps to understand what is wrong."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from switchover.cli import diagnostics, output

if TYPE_CHECKING:
    from switchover.hub.problems.triage_service import TriageService
    from switchover.migration.facts.operator import Operator

__all__ = ["add_arguments", "run"]


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `bundle`."""
    parser.description = (
        "Write problems, timeline, plan, the logs of what is not well and what works here into one file of mode 0600. "
        "Secrets, and what looks like one, are left out; look through it before it leaves."
    )
    parser.add_argument("plan", nargs="?", metavar="PLAN", help="the plan that it is about (default: this host)")


def run(args: Namespace) -> int:
    """Make it, and print where it is."""
    import asyncio

    from switchover.cli.hub_access import call_hub
    from switchover_checks.language.units import format_bytes

    async def here(desk: TriageService, operator: Operator) -> Any:
        path, size = await desk.bundle(operator)
        return {"path": str(path), "bytes": size}

    answer = asyncio.run(call_hub(args, "bundle.make", {}, here, looks_first=True))
    output.emit_text(str(answer["path"]))
    diagnostics.say(f"{format_bytes(answer['bytes'])}, readable by you alone; look through it before it leaves")
    return 0
