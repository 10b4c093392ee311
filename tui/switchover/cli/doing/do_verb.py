"""`switchover do PLAN [NAME]`: run a useful command of a plan, or list them."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from switchover.cli import output
from switchover.cli.plan_argument import add_plan
from switchover.errors import RefusedError
from switchover_checks.language.suggest import did_you_mean

__all__ = ["add_arguments", "run"]

VERB = "do"
RANK = 95
SUMMARY = "run a useful command of the plan, or list them"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `do`."""
    parser.description = (
        "Run one of the plan's `commands:`. It has an end, is on record as any action, and its exit code is that of "
        "the command. Without a NAME they are listed."
    )
    add_plan(parser, "the plan whose command is run", executes=True, then="name")
    parser.add_argument("name", metavar="NAME", nargs="?", help="the command (default: list them)")
    parser.add_argument("--yes", action="store_true", help="run one that changes something")


def run(args: Namespace) -> int:
    """Run it; return its exit code, 0 for the list."""
    from switchover.cli.run_access import carry_out
    from switchover.commands.useful import LookByCommand, RunUseful
    from switchover.plan.loader.load import load_plan

    commands = load_plan(Path(args.plan)).plan.commands
    if args.name is None:
        width = max(map(len, commands), default=0)
        for name, command in commands.items():
            output.emit_text(f"{name:{width}}  {command.effect:7}  {command.command}")
        if not commands:
            output.emit_text("the plan has no commands; write them in `commands:`")
        return 0
    command_named = commands.get(args.name)
    if command_named is None:
        hint = f"it has: {', '.join(commands)}" if commands else "it has none: write them in `commands:`"
        raise RefusedError(f"the plan has no command {args.name!r}{did_you_mean(args.name, commands)}", hint)
    if command_named.effect == "read":
        ended = carry_out(args, LookByCommand(args.name))
    elif args.yes:
        ended = carry_out(args, RunUseful(args.name, "yes"))
    else:
        raise RefusedError(f"{args.name} changes something", "run it with --yes")
    for one in ended:
        if len(ended) > 1:
            output.emit_text(f"{one.command}: exit {one.exit_code}")
        output.emit_text(one.output.rstrip("\n"))
    return next((one.exit_code for one in ended if one.exit_code), 0)
