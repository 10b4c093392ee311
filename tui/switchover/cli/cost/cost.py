"""`switchover cost PLAN`: what it costs a month, before and after, and under the choices that one has."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from switchover.cli import output
from switchover.cli.plan_argument import add_plan
from switchover.errors import UsageError

__all__ = ["add_arguments", "run"]

VERB = "cost"
RANK = 65
SUMMARY = "compute what a plan costs a month, before and after, and what a choice would change"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `cost`."""
    from switchover.cli.cost.cost_formats import FORMATS

    add_plan(parser, "the plan whose `costs` are computed")
    parser.add_argument(
        "--what-if", metavar="NAME", action="append", default=[], help="with this choice; may be given again"
    )
    parser.add_argument("--month", metavar="YYYY-MM", help="a month of the calendar (default: 730 hours)")
    parser.add_argument("--format", choices=tuple(FORMATS), default="table", help="how it is written (default: table)")


def run(args: Namespace) -> int:
    """Compute and write it: 0, or 1 where the new side is over the budget."""
    from switchover.cli.cost.cost_document import cost_document
    from switchover.cli.cost.cost_formats import FORMATS
    from switchover.plan.loader.load import load_plan
    from switchover.plan.loader.plan_warnings import plan_warnings
    from switchover.pricing.price_units import PricingError
    from switchover.pricing.schedules import parse_month

    loaded = load_plan(Path(args.plan))
    try:
        month = parse_month(args.month) if args.month else None
    except PricingError as error:
        raise UsageError(str(error), "write --month 2026-03") from None
    choices = loaded.plan.costs.what_if
    if unknown := [name for name in args.what_if if name not in choices]:
        known = ", ".join(choices) or "none"
        raise UsageError(f"the plan has no choice {unknown[0]!r}", f"it has: {known}")
    warnings = [w for w in plan_warnings(loaded) if w.path.startswith("costs")]
    document = cost_document(loaded.plan, args.what_if, month, warnings)
    output.emit_text(FORMATS[args.format](document).rstrip("\n"))
    return 1 if document["within_budget"] is False else 0
