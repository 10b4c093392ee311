"""The argument PLAN of a verb: named, or left out where exactly one plan lies in the current directory.

A plan that is named is trusted by being named. One that was found is trusted once by the operator, before a verb
executes anything of it.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from switchover.errors import SwitchoverError, UsageError
from switchover.locations import state_root
from switchover.trust import choose_plan, find_plan, trusted_digest

__all__ = ["add_plan", "looks_like_a_plan", "settle_plan", "the_plan_here"]

_ENDINGS = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class _PlanArgument:
    """What a verb does with its plan, and which of its arguments follows it on the command line."""

    executes: bool
    only_reads_with: Collection[str]
    then: str
    exit_code: int


def add_plan(
    parser: ArgumentParser,
    meaning: str,
    *,
    executes: bool = False,
    only_reads_with: Collection[str] = (),
    then: str = "",
    exit_code: int = 2,
) -> None:
    """Declare PLAN. A verb that `executes` something of it wants a plan that was found to be trusted.

    `only_reads_with` names options that keep it from that. `then` is the argument that comes after PLAN.
    """
    parser.add_argument("plan", metavar="PLAN", nargs="?", help=f"{meaning}; without it, the one plan found here")
    parser.set_defaults(plan_argument=_PlanArgument(executes, only_reads_with, then, exit_code))


def settle_plan(args: Namespace, verb: str) -> None:
    """Put the plan that is meant into `args`. Raise `SwitchoverError` where none or several can be meant."""
    argument: _PlanArgument | None = getattr(args, "plan_argument", None)
    if argument is None:
        return
    try:
        _sort_out(args, argument, verb)
        if args.plan is not None:
            return
        args.plan = str(the_plan_here(verb))
        if argument.executes and not any(getattr(args, name) for name in argument.only_reads_with):
            root = state_root(args.state)
            found = choose_plan(None, root, Path.cwd(), verb=verb)
            args.digest = trusted_digest(None, found, root)
    except SwitchoverError as error:
        error.exit_code = argument.exit_code
        raise


def the_plan_here(verb: str) -> Path:
    """Return the one plan of the current directory, as it would be named. Raise `UsageError`."""
    found = find_plan(Path.cwd(), verb)
    if found is None:
        raise UsageError(
            f"no plan is named, and none lies in {Path.cwd()}",
            f"name one: `switchover {verb} FILE`; or `switchover init` writes a first one",
        )
    return Path(found.name)


def looks_like_a_plan(word: str) -> bool:
    """Tell a plan's file from a name in a plan: it is there, or is written like a file."""
    return "/" in word or word.endswith(_ENDINGS) or Path(word).is_file()


def _sort_out(args: Namespace, argument: _PlanArgument, verb: str) -> None:
    """Tell a plan from the word behind it, where only one of them was given."""
    if not argument.then:
        return
    after = getattr(args, argument.then)
    if args.plan is None and isinstance(after, str) and looks_like_a_plan(after):
        raise UsageError(
            f"{argument.then.upper()} is missing", f"write `switchover {verb} {after} {argument.then.upper()}`"
        )
    if args.plan is None or looks_like_a_plan(args.plan) or (isinstance(after, str) and after):
        return
    setattr(args, argument.then, [args.plan, *after] if isinstance(after, list) else args.plan)
    args.plan = None
