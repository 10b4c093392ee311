"""`switchover run PLAN`: carry the migration on as far as it goes without a person.

Exit codes: 0 done, or the phase of `--until` is through. 1 failed. 2 plan or usage. 3 an outcome is unknown. 4 a person
is needed. 5 somebody else drives.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from switchover.cli import diagnostics, output
from switchover.cli.journal_watch import keeping_line
from switchover.cli.later_run import put_off
from switchover.cli.plan_argument import add_plan
from switchover.cli.plan_file import load_for_run
from switchover.cli.takeover_answer import answering
from switchover.errors import UsageError
from switchover.plan.plan_bytes import read_file

if TYPE_CHECKING:
    from switchover.migration.facts.events import Record, RollbackStarted
    from switchover.migration.facts.operator import Operator
    from switchover.migration.run.engine import Engine
    from switchover.migration.run.unattended import DriveOutcome, GivenEvidence
    from switchover.plan.model import Plan

__all__ = ["add_arguments", "interruptible", "pairs", "run", "tell", "tell_last_lines", "teller"]

VERB = "run"
RANK = 20
SUMMARY = "carry a plan's migration on, without a screen"

EXIT_CODES = {"done": 0, "reached": 0, "failed": 1, "unknown": 3, "waiting": 4, "handed": 5}
_TAIL = 20
_MOST_EVIDENCE = 64 * 1024


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `run`."""
    add_plan(parser, "the plan to carry through", executes=True, only_reads_with=("dry_run",))
    parser.add_argument("--until", metavar="PHASE", help="stop when this phase is through")
    parser.add_argument("--dry-run", action="store_true", help="show what would be done, and do nothing")
    parser.add_argument("--new", action="store_true", help="begin another run where the last one is over")
    for option, meta, text in (
        ("--var", "NAME=VALUE", "give a value that the plan asks for"),
        ("--confirm", "STEP=TEXT", "the typed confirmation of a step, or PHASE=go for a gate that asks"),
        (
            "--tick",
            "STEP[.N]=EVIDENCE",
            "an item (or all) of a checklist is done, and how that is known; @FILE is kept, or its text",
        ),
        ("--retry", "STEP", "run this failed step again"),
        ("--resolve", "STEP=CHOICE", "how a step with an unknown outcome ended: done, failed, retry or rollback"),
    ):
        parser.add_argument(option, metavar=meta, action="append", default=[], help=text)
    parser.add_argument("--at", metavar="TIME", help="let the agent begin or go on then: 2026-01-31T22:00+01:00")
    parser.add_argument(
        "--expires", metavar="TIME", help="with --at: not after it, or so long after --at (default: 1h)"
    )
    parser.add_argument("--cancel", action="store_true", help="take back what --at has put off")
    parser.add_argument("--abort", action="store_true", help="give the run up: nothing more of it is begun")
    parser.add_argument(
        "--forget",
        action="store_true",
        help="give up what was noted of runs whose journal is lost, or whose state lies elsewhere; it is set aside",
    )
    parser.add_argument("--reason", metavar="TEXT", default="", help="why, for --resolve, --abort and --forget")


def run(args: Namespace) -> int:
    """Carry on and return the exit code."""
    import asyncio

    if args.at or args.cancel:
        return put_off(args, pairs(args.var, "--var", "NAME=VALUE"))
    return asyncio.run(_dry_run(args) if args.dry_run else _run(args))


def pairs(given: Sequence[str], option: str, shape: str) -> dict[str, str]:
    """Split `NAME=VALUE` arguments. Raise `UsageError` where there is no `=`."""
    found = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"{option} {text!r} does not fit", f"write {option} {shape}")
        found[name] = value
    return found


def _evidence(plan: Plan, name: str, given: str) -> GivenEvidence:
    """Return what was written, or the file behind an `@` and its text where one is wanted. `@@` begins a text."""
    from switchover.migration.run.unattended import GivenEvidence

    if not given.startswith("@") or given.startswith("@@"):
        return GivenEvidence(given.removeprefix("@"))
    path = Path(given[1:]).expanduser()
    step_id, _, number = name.partition(".")
    items = next((step.checklist for step in plan.all_steps if step.id == step_id), ())
    asked = {item.evidence for n, item in enumerate(items, 1) if number in ("", str(n))}
    return GivenEvidence("" if asked == {"file"} else _text_of(path), path.absolute())


def _text_of(path: Path) -> str:
    """Return what a file holds, for an item that asks for words. Raise `UsageError`."""
    try:
        size, content = read_file(path, _MOST_EVIDENCE)
        text = content.decode("utf-8")
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"--tick @{path}: it cannot be read: {reason}", "write @@ where the text begins with @"
        ) from None
    except UnicodeDecodeError:
        raise UsageError(f"--tick @{path}: it is not UTF-8 text", "name a text, or write what is to be seen") from None
    if size > _MOST_EVIDENCE:
        raise UsageError(
            f"--tick @{path}: it has more than {_MOST_EVIDENCE:,} bytes", "name a part of it, or its place"
        )
    if not text.strip():
        raise UsageError(f"--tick @{path}: it is empty")
    return text.rstrip("\n")


async def _run(args: Namespace) -> int:
    from switchover.app import KnownSecrets, build
    from switchover.migration.facts.operator import Operator
    from switchover.migration.rules.cli_names import check_resolutions

    variables = pairs(args.var, "--var", "NAME=VALUE")
    confirmations = pairs(args.confirm, "--confirm", "STEP=TEXT")
    given = pairs(args.tick, "--tick", "STEP.N=EVIDENCE")
    resolutions = pairs(args.resolve, "--resolve", "STEP=done|failed|retry|rollback")
    words = KnownSecrets()
    diagnostics.redact_with(words.redact)
    operator = Operator.current()
    if args.forget:
        await _forget(args, operator)
    parts = build(*load_for_run(args), secret_words=words)
    engine = parts.engine
    if engine is None:  # pragma: no cover - there is a plan, so there is an engine
        raise UsageError("there is nothing to run")
    try:
        plan = engine.run_store.file.plan if args.new else engine.loaded.plan
        ticks = {name: _evidence(plan, name, text) for name, text in given.items()}
        await parts.know_secrets()
        for notice in engine.notices():
            diagnostics.say(f"switchover: {notice}")
        if engine.other_plan and not engine.state.finished:
            diagnostics.say(f"{engine.other_plan}; the run goes by the plan it was started with")
        engine.listen(teller(engine))
        if args.abort:
            return await _give_up(engine, operator, args.reason)
        with interruptible(engine, operator):
            async with answering(engine, operator), keeping_line(engine, parts.listeners):
                check_resolutions(engine.loaded.plan, engine.state, resolutions)
                for step, choice in resolutions.items():
                    await engine.recover(operator)
                    await engine.settled()
                    await engine.resolve(step, choice, args.reason, operator)
                outcome = await engine.drive(
                    operator,
                    until=args.until,
                    confirmations=confirmations,
                    ticks=ticks,
                    variables=variables,
                    retry=tuple(args.retry),
                    new=args.new,
                )
        await parts.hub.current.alarms.tell_run(engine.view())
        return _say_outcome(engine, outcome)
    finally:
        await parts.aclose()


async def _forget(args: Namespace, operator: Operator) -> None:
    from switchover.clock import SystemClock
    from switchover.migration.run.other_runs.forget import forget

    loaded, workspace = load_for_run(args, quiet=True)
    forgotten = await forget(workspace, loaded.plan, SystemClock(), operator, args.reason)
    for what in forgotten.what:
        output.emit_text(f"given up: {what}")
    if forgotten.aside is not None:
        output.emit_text(f"what lay here is in {forgotten.aside}")


async def _give_up(engine: Engine, operator: Operator, reason: str) -> int:
    """End the run for good: stop what still runs, and say so in the journal. What was done stays done."""
    if not reason.strip():
        raise UsageError("a reason is needed to give a run up", "--abort --reason TEXT")
    command = engine.run_store.workspace.command("run")
    async with engine.hold(operator):
        await engine.recover(operator)
        if engine.busy:
            await engine.abort(operator, reason)
            await engine.settled()
        await engine.abort(operator, reason)
    if not engine.state.finished:
        diagnostics.say(f"switchover: what was left of {engine.action.unit} was ended; its outcome is unknown")
        diagnostics.say(
            f"  say how it ended: `{command} --resolve {engine.action.unit}=done|failed --reason TEXT`; "
            f"then `{command} --abort --reason TEXT` again"
        )
        return EXIT_CODES["unknown"]
    output.emit_text(f"run {engine.state.run_id} was given up; `{command} --new` begins another")
    return 0


@contextmanager
def interruptible(engine: Engine, operator: Operator) -> Iterator[None]:
    """Make Ctrl-C end the step that runs, with all its processes, and journal that; a second one does not wait."""
    import asyncio
    import signal

    loop = asyncio.get_running_loop()
    for number, reason in ((signal.SIGINT, "interrupted with Ctrl-C"), (signal.SIGTERM, "terminated")):
        loop.add_signal_handler(number, engine.interrupt, operator, reason)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def teller(engine: Engine) -> Callable[[Record], None]:
    """Return what writes a line about each record of this engine, the actions of its rollback named in words."""

    def tell_of(record: Record) -> None:
        rollback = engine.state.rollback
        tell(record, rollback.begun if rollback else None)

    return tell_of


def tell(record: Record, rollback: RollbackStarted | None = None) -> None:
    """Write a line about what has just been journalled, `rollback` being under way."""
    from datetime import UTC, datetime

    from switchover.migration.reports.run_timeline import timeline

    for row in timeline([record], rollback):
        output.emit_text(f"{datetime.fromtimestamp(row.at, UTC):%H:%M:%S}Z  {row.kind:<4}  {row.text}")


def tell_last_lines(engine: Engine) -> None:
    """Write what a command said last that has failed, if it said anything."""
    view = engine.view()
    lines = view.output[-_TAIL:]
    if lines and view.action.kind == "failed":
        output.emit_text(f"last lines of {view.output_step}:")
        output.emit_text("\n".join(f"  {line}" for line in lines))


def _say_outcome(engine: Engine, outcome: DriveOutcome) -> int:
    code = EXIT_CODES[outcome.kind]
    for text in outcome.unused:
        diagnostics.say(f"switchover: {text}")
    if code == 0:
        output.emit_text(outcome.text)
        if engine.state.finished:
            output.emit_text(f"head: record {engine.state.seq}, {engine.head_hash()}")
        return code
    if outcome.kind == "failed":
        tell_last_lines(engine)
    diagnostics.say(f"switchover: {outcome.text}")
    if outcome.hint:
        diagnostics.say(f"  {outcome.hint}")
    return code


async def _dry_run(args: Namespace) -> int:
    from switchover.app import build_evaluator
    from switchover.cli.report.dry_run import describe_run

    variables = pairs(args.var, "--var", "NAME=VALUE")
    parts = build_evaluator(*load_for_run(args), variables)
    try:
        output.emit_text(describe_run(parts.engine, variables, until=args.until, new=args.new))
    finally:
        await parts.aclose()
    return 0
