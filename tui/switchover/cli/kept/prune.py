"""`switchover prune [PLAN]`: says what is old enough to be removed; with `--yes` removes it."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from switchover.cli import diagnostics, output
from switchover.cli.plan_file import workspace_of
from switchover.clock import iso_utc
from switchover.errors import StateError, SwitchoverError
from switchover.locations import state_root
from switchover_checks.language.units import format_bytes, format_duration, parse_duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from switchover.cli.kept.prunable import Prunable, PruneSurvey

__all__ = ["add_arguments", "run"]

VERB = "prune"
RANK = 165
SUMMARY = "remove old runs, outputs, incidents and bundles; says first what"
_USUAL = "90d"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `prune`."""
    parser.description = (
        "Say what was over long ago and can be removed: what the steps of runs wrote, closed incidents, bundles, and "
        "all runs of a plan whose file is gone. Nothing is removed without --yes. What is open is never removed, nor "
        "what a plan keeps (`signoff: {retention: 90d}`). The journal of a plan that is still there stays whole."
    )
    parser.add_argument("plan", nargs="?", metavar="PLAN", help="only what belongs to this plan (default: all)")
    parser.add_argument(
        "--older-than", type=_age, default=_USUAL, metavar="AGE", help=f"how long it must be over (default: {_USUAL})"
    )
    parser.add_argument("--yes", action="store_true", help="remove it")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how to answer (default: text)")


def run(args: Namespace) -> int:
    """Say it or do it; 1 where something could not be removed."""
    from switchover.cli.kept.prunable import find_prunable

    root = state_root(args.state)
    only = [workspace_of(args).directory] if args.plan is not None else None
    found = find_prunable(root, only, time.time() - args.older_than)
    failed = asyncio.run(_remove(root, found.items)) if args.yes else {}
    if args.format == "json":
        _emit_json(args, found, failed)
    else:
        _emit_text(args, found, failed)
    return 1 if failed else 0


def _age(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no age: write 90d, 12h or 52w") from error


def _emit_json(args: Namespace, found: PruneSurvey, failed: Mapping[Path, str]) -> None:
    items = [
        {"what": item.what, "text": item.text, "path": item.path, "bytes": item.bytes, "over_since": iso_utc(item.at)}
        for item in found.items
    ]
    kept = [{"text": one.text, "why": one.why} for one in found.kept]
    total = sum(item.bytes for item in found.items)
    output.emit_json(
        {"removed": args.yes, "items": items, "bytes": total, "kept": kept, "failed": list(failed.values())}
    )


def _emit_text(args: Namespace, found: PruneSurvey, failed: Mapping[Path, str]) -> None:
    for item in found.items:
        did = "left" if item.path in failed else "removed" if args.yes else "would remove"
        day = time.strftime("%Y-%m-%d", time.localtime(item.at))
        output.emit_text(f"{did}  {day}  {format_bytes(item.bytes):>9}  {item.text}\n    {item.path}")
    for one in found.kept:
        output.emit_text(f"kept  {one.text}: {one.why}")
    if not found.items:
        output.emit_text(f"nothing is over for {format_duration(args.older_than)}")
    elif not args.yes:
        total = format_bytes(sum(item.bytes for item in found.items))
        output.emit_text(f"{total} in all; nothing is removed yet: add --yes")
    for why in failed.values():
        diagnostics.say(why)


async def _remove(root: Path, items: Sequence[Prunable]) -> dict[Path, str]:
    """Remove it all; return what could not be, and why. What fails keeps nothing else from going."""
    failed: dict[Path, str] = {}
    outputs = [item for item in items if item.what == "outputs"]
    for directory, found in groupby(outputs, lambda item: item.path.parent.parent):
        group = list(found)
        try:
            await _remove_outputs(group)
        except (SwitchoverError, OSError) as error:
            why = f"the outputs in {directory} are left: {getattr(error, 'title', error)}"
            failed |= {item.path: why for item in group if item.path.exists()}
    for item in (item for item in items if item.what != "outputs"):
        try:
            if item.what == "run":
                await _remove_workspace(root, item)
            else:
                item.path.unlink(missing_ok=True)
        except (SwitchoverError, OSError) as error:
            failed[item.path] = f"{item.path} is left: {getattr(error, 'title', error)}"
    return failed


async def _remove_outputs(items: Sequence[Prunable]) -> None:
    """Have the engine do it, which puts it on record first."""
    from switchover.app import build
    from switchover.migration.facts.operator import Operator
    from switchover.plan.loader.load import load_plan_text

    run = items[0].run
    assert run is not None
    loaded = load_plan_text(run.state.plan_text, Path(run.state.plan_path), frozen=True)
    parts = build(loaded, run.workspace)
    try:
        engine = parts.engine
        assert engine is not None
        await engine.prune_outputs(
            Operator.current(), [item.run.state.run_id for item in items if item.run is not None]
        )
    finally:
        await parts.aclose()


async def _remove_workspace(root: Path, item: Prunable) -> None:
    """Take a whole workspace away while nobody drives and no agent lives, then what this host noted of it."""
    from switchover.agent.process.agent_record import AgentLock
    from switchover.migration.facts.operator import Operator
    from switchover.migration.journal.host_lock import host_of
    from switchover.migration.journal.run_lock import RunLock
    from switchover.plan.loader.load import load_plan_text

    run = item.run
    assert run is not None
    plan = load_plan_text(run.state.plan_text, Path(run.state.plan_path), frozen=True).plan
    host = host_of(run.workspace, plan)
    lock = RunLock(run.workspace, plan.target or f"{plan.id} {run.state.plan_path}", None, host)
    agent = AgentLock.acquire(run.workspace)
    try:
        await lock.acquire(Operator.current())
        try:
            aside = root / f".pruned-{item.path.name}-{os.getpid()}"
            item.path.rename(aside)  # it is there, or not at all
            if host is not None:
                host.change(lambda notes: notes.without(str(item.path)))
            shutil.rmtree(aside)
        finally:
            await lock.release()
    finally:
        agent.release()
    if item.path.exists():
        raise StateError(f"{item.path} was made anew meanwhile", "look at it with `switchover runs`")
