"""`switchover run PLAN --at TIME`: the agent begins the run, or goes on with it, at that time."""

from __future__ import annotations

from argparse import Namespace
from datetime import datetime
from pathlib import Path

from switchover.cli import output
from switchover.errors import UsageError

__all__ = ["put_off"]

_USUALLY_S = 3600.0
_NOT_THEN = ("confirm", "tick", "retry", "resolve", "abort", "dry_run", "forget")


def put_off(args: Namespace, variables: dict[str, str]) -> int:
    """Put the run off, or take that back; 0 when that is on record."""
    from switchover.cli.plan_file import load_for_run
    from switchover.cli.run_access import carry_out
    from switchover.clock import SystemClock, iso_utc
    from switchover.commands.put_off import CancelPutOff, PutOffRun

    if args.cancel:
        output.emit_text(f"taken back: {carry_out(args, CancelPutOff())}")
        return 0
    if given := [name for name in _NOT_THEN if getattr(args, name)]:
        option = given[0].replace("_", "-")
        raise UsageError(f"--{option} does not go with --at", "what a person has to say is said at that time")
    at = _moment(args.at, "--at")
    if at <= SystemClock().now():
        raise UsageError(f"--at {args.at}: that time is over", "name one to come")
    expires = _end(args.expires, at)
    _, workspace = load_for_run(args)
    from switchover.agent.process.lifecycle import ensure_agent

    ensure_agent(workspace, Path(args.plan).resolve(), replace=False)
    carry_out(args, PutOffRun(at, expires, args.until or "", variables, args.new))
    output.emit_text(f"the agent goes on at {iso_utc(at)}, and not after {iso_utc(expires)}")
    output.emit_text(f"`{workspace.command('run')} --cancel` takes that back, `{workspace.command('status')}` shows it")
    return 0


def _moment(text: str, option: str) -> float:
    from switchover.plan.notations import parse_moment

    try:
        found = parse_moment(text)
    except ValueError:
        found = None
    if not isinstance(found, datetime):
        raise UsageError(f"{option} {text!r} is no time", "write such as 2026-01-31T22:00+01:00, or …Z for UTC")
    return found.timestamp()


def _end(text: str | None, at: float) -> float:
    from switchover_checks.language.units import parse_duration

    if text is None:
        return at + _USUALLY_S
    try:
        return at + parse_duration(text)
    except ValueError:
        expires = _moment(text, "--expires")
    if expires <= at:
        raise UsageError(f"--expires {text}: it would expire before it begins", "name a time behind --at")
    return expires
