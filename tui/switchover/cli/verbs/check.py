"""`switchover check PLAN [NAME…]`: run the checks once, here; text and exit code say how they are.

The exit codes are those of monitoring plugins: 0 OK, 1 WARN, 2 CRIT, 3 UNKNOWN. A plan that cannot be used, an unknown
name or a wrong option is UNKNOWN too. With `--format nagios` it is such a plugin.

`--wait 5m` looks again until everything is fine, or until the time is over. So a script can wait for a deployment. The
exit code is that of the last look. Standard error says meanwhile what is waited for.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Coroutine, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from switchover.cli import diagnostics, output
from switchover.cli.check_formats import check_format, check_formats
from switchover.cli.check_formats.format_api import CheckReport
from switchover.cli.plan_argument import add_plan
from switchover.cli.plan_file import workspace_of
from switchover.cli.until_fine import Patience, look_until_fine
from switchover.errors import SwitchoverError, UsageError
from switchover_checks.api import Status
from switchover_checks.language.suggest import did_you_mean

if TYPE_CHECKING:
    from switchover.health.catalog import Catalog
    from switchover.health.probing import CheckObservation, Evaluator
    from switchover.health.watched_phases import PhaseMark
    from switchover.services.inventory import Inventory

__all__ = ["add_arguments", "run"]

VERB = "check"
RANK = 10
SUMMARY = "run a plan's checks and show their results"

UNKNOWN = int(Status.UNKNOWN)
_USUAL_PAUSE_S = 5.0


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `check`."""
    add_plan(parser, "the plan whose checks are run", executes=True, then="names", exit_code=UNKNOWN)
    parser.add_argument("names", metavar="NAME", nargs="*", help="only these checks, and what they need")
    parser.add_argument(
        "--format",
        choices=tuple(check_formats()),
        default="table",
        help="how the result is written (default: table)",
    )
    parser.add_argument(
        "--var", metavar="NAME=VALUE", action="append", default=[], help="a variable, where no run has given it a value"
    )
    parser.add_argument(
        "--read-only", action="store_true", help="leave out checks that change something when they look"
    )
    parser.add_argument(
        "--wait", metavar="TIME", type=_duration, help="look again until everything is fine, at most so long: 30s, 5m"
    )
    parser.add_argument(
        "--every", metavar="TIME", type=_duration, help="with --wait: the pause between two looks (default: 5s)"
    )
    refuse = parser.error

    def error(message: str) -> NoReturn:
        try:
            refuse(message)
        except UsageError as usage:
            usage.exit_code = UNKNOWN  # 2 would be read as CRIT
            raise

    parser.error = error  # type: ignore[method-assign]
    parser.parse_args = parser.parse_intermixed_args  # type: ignore[method-assign] # names may follow options


def run(args: Namespace) -> int:
    """Look once and return the exit code."""
    import asyncio

    from switchover.locations import state_root

    root = state_root(args.state)
    failed = "told to end before all checks had been looked at; nothing is known"
    try:
        return asyncio.run(_until_told_to_end(_check(args)))
    except asyncio.CancelledError:
        diagnostics.say(f"switchover: {failed}")
    except SwitchoverError as error:
        failed = diagnostics.describe(error).removeprefix("switchover: ")
        diagnostics.report_error(error)
    except Exception as error:  # a defect must not look like a WARN
        failed = f"unexpected {type(error).__name__}, a defect of switchover"
        diagnostics.report_unexpected(error, root)
    if text := check_format(args.format).render(CheckReport(failed=failed)):
        output.emit_exact(text)
    return UNKNOWN


def _duration(text: str) -> float:
    from argparse import ArgumentTypeError

    from switchover_checks.language.units import parse_duration

    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
    if seconds <= 0:
        raise ArgumentTypeError(f"{text} is no time at all")
    return seconds


def _patience(args: Namespace) -> Patience | None:
    if args.wait is None and args.every is not None:
        raise UsageError("--every says how often to look while waiting", "add --wait, such as --wait 5m")
    return None if args.wait is None else Patience(args.wait, args.every or _USUAL_PAUSE_S)


async def _until_told_to_end(looking: Coroutine[None, None, int]) -> int:
    """End in good order on SIGTERM and SIGHUP, as cron and `timeout` send them. So no probe outlives us."""
    import asyncio
    import signal

    task = asyncio.ensure_future(looking)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # what nohup ignores stays ignored
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task


async def _check(args: Namespace) -> int:
    from switchover.app import KnownSecrets, build_evaluator, load
    from switchover.hub.core.run_marks import run_marks

    patience = _patience(args)
    words = KnownSecrets()
    diagnostics.redact_with(words.redact)
    loaded = load(Path(args.plan), digest=getattr(args, "digest", ""))
    given = _variables(args.var)
    parts = build_evaluator(loaded, workspace_of(args), given, secret_words=words, only_read=args.read_only)
    try:
        catalog = parts.evaluator.catalog
        names, resting = _choose(catalog, args.names, run_marks(parts.view))
        readings = await _look(parts.evaluator, parts.inventory, names, patience)
    finally:
        await parts.aclose()
    kinds = {name: item.spec.kind for name, item in catalog.items.items()}
    if parts.plan_edited:
        diagnostics.say(f"{args.plan} was edited since the run began; looked at is the plan that the run goes by")
    report = CheckReport(parts.loaded.plan.id, readings, kinds, resting)
    form = check_format(args.format)
    output.emit_exact(form.render(report))
    if resting and not form.has_left_out:
        diagnostics.say(resting)
    return int(report.status)


def _variables(given: Iterable[str]) -> dict[str, str]:
    values = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"{text!r} gives no variable", "write --var NAME=VALUE")
        values[name] = value
    return values


def _choose(catalog: Catalog, names: Iterable[str], marks: Mapping[str, PhaseMark]) -> tuple[tuple[str, ...], str]:
    """Return the items to look at, and a line that counts those left out and says why.

    A check asked for by name is probed whatever the phase. Before a run all are looked at that do not say themselves
    that they come later. Raise `UsageError` for an unknown name.
    """
    from switchover.health.watched_phases import not_watched

    chosen: list[str] = []
    for name in names:
        if name not in catalog.names:
            raise UsageError(f"the plan has no check {name!r}{did_you_mean(name, catalog.names)}")
        chosen += catalog.members(name)
    if chosen:
        return tuple(dict.fromkeys(chosen)), ""
    left_out: Counter[str] = Counter()
    begun = any(mark.started for mark in marks.values())
    for name, item in catalog.items.items():
        presence = item.presence if begun else item.presence.as_written
        if why := "for a gate, or by name" if item.spec.on_demand else not_watched(presence, marks):
            left_out[why] += 1
        else:
            chosen.append(name)
    why = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
    return tuple(chosen), f"{left_out.total()} not looked at: {why}" if left_out else ""


async def _look(
    evaluator: Evaluator, inventory: Inventory, names: tuple[str, ...], patience: Patience | None
) -> list[CheckObservation]:
    """Return a reading for each of `names`, looked at once, or with patience until all are fine."""

    async def look() -> list[CheckObservation]:
        readings = await evaluator.evaluate_items(names)
        return [_with_causes(readings[name], readings, inventory) for name in names]

    if patience is None:
        return await look()
    answered: dict[str, CheckObservation] = {}
    evaluator.subscribe(lambda reading: answered.update({reading.name: reading}))
    return await look_until_fine(look, answered, names, patience)


def _with_causes(
    reading: CheckObservation, readings: Mapping[str, CheckObservation], inventory: Inventory
) -> CheckObservation:
    """Return a reading that says, where it was skipped, how that stands what it waits for."""
    from dataclasses import replace

    causes = []
    for need in reading.waits_for:
        if need in readings:
            causes.append(f"{need} is {readings[need].status.label}: {readings[need].result.summary}")
        elif need in inventory.states:
            seen = inventory.states[need].observation
            causes.append(f"{need} is {seen.state}: {seen.detail}")
    if not causes:
        return reading
    summary = f"{reading.result.summary} ({'; '.join(causes)})"
    return replace(reading, result=replace(reading.result, summary=summary))
