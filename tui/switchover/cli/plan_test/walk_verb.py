"""`switchover test [PLAN]`: walks the plan through the cases of PLAN.test.yaml. No command of it runs.

Checks, steps, people, secrets and the clock are what each case says; the engine is the real one. Exit code 0: all
came out as expected. 1: one did not. 2: plan or cases have errors. `--init` writes a first file of cases.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from switchover.cli import diagnostics
from switchover.cli.output import emit_json, emit_text
from switchover.cli.plan_argument import add_plan

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from switchover.cli.plan_test.plan_cases import PlanCase
    from switchover.plan.loader.load import LoadedPlan

__all__ = ["add_arguments", "run"]

VERB = "test"
RANK = 172
SUMMARY = "walk a plan through the cases beside it, without running a command"
NEEDS_JOURNAL = False
_CASES_OF_A_PROCESS = 25
_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own in it, for the owner alone
_NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class _Outcome:
    case: PlanCase
    found: tuple[str, ...]
    seconds: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the plan, the cases and the output's form."""
    add_plan(parser, "the plan, beside which PLAN.test.yaml lies")
    parser.add_argument("--only", metavar="TEXT", default="", help="only the cases whose name has this text")
    parser.add_argument("--init", action="store_true", help="write a first PLAN.test.yaml; none is overwritten")
    parser.add_argument(
        "--format", choices=("text", "json", "junit"), default="text", help="how the outcome is written"
    )


def run(args: argparse.Namespace) -> int:
    """Walk, and return the exit code."""
    from switchover.cli.plan_test.plan_cases import cases_file, read_cases
    from switchover.cli.plan_test.walk import for_tests
    from switchover.errors import UsageError
    from switchover.plan.loader.load import load_plan

    plan = Path(args.plan)
    loaded = for_tests(load_plan(plan))
    file = cases_file(plan)
    if args.init:
        return _write_first(loaded, plan, file)
    if not file.exists():
        raise UsageError(f"{file} is not there", f"`switchover test {plan} --init` writes a first one")
    cases = [case for case in read_cases(file, loaded.plan) if args.only in case.name]
    if not cases:
        raise UsageError(f"no case has {args.only!r} in its name", "")
    with _folder() as folder:
        outcomes = _walk_side_by_side(loaded, cases, Path(folder))
    _write(args.format, file, outcomes)
    return 1 if any(outcome.found for outcome in outcomes) else 0


def _folder() -> tempfile.TemporaryDirectory[str]:
    """Return a folder in memory where there is one: nothing in it has to outlive the machine."""
    base = str(_MEMORY) if _MEMORY.is_dir() else None
    try:
        return tempfile.TemporaryDirectory(prefix="switchover-test-", dir=base)
    except OSError:
        return tempfile.TemporaryDirectory(prefix="switchover-test-")


def _walk_side_by_side(loaded: LoadedPlan, cases: list[PlanCase], folder: Path) -> list[_Outcome]:
    """Walk through many cases in as many processes as there are processors."""
    workers = min(len(os.sched_getaffinity(0)), len(cases) // _CASES_OF_A_PROCESS)
    if workers < 2:
        return asyncio.run(_walk_all(loaded, cases, folder))
    context = multiprocessing.get_context("fork")

    def work(number: int, answer: Connection) -> None:
        found = asyncio.run(_walk_all(loaded, cases[number::workers], folder))
        answer.send([(outcome.found, outcome.seconds) for outcome in found])

    lines = [context.Pipe(duplex=False) for _ in range(workers)]
    processes = [context.Process(target=work, args=(n, sending)) for n, (_, sending) in enumerate(lines)]
    for process in processes:
        process.start()
    for _, sending in lines:
        sending.close()
    outcomes: dict[int, _Outcome] = {}
    for number, (receiving, _) in enumerate(lines):
        for place, (found, seconds) in enumerate(receiving.recv()):
            index = number + place * workers
            outcomes[index] = _Outcome(cases[index], found, seconds)
    for process in processes:
        process.join()
    return [outcomes[index] for index in range(len(cases))]


async def _walk_all(loaded: LoadedPlan, cases: list[PlanCase], folder: Path) -> list[_Outcome]:
    from switchover.cli.plan_test.judging import differences
    from switchover.cli.plan_test.walk import walk

    outcomes = []
    for case in cases:
        began = time.monotonic()
        with tempfile.TemporaryDirectory(dir=folder) as own:
            walked = await walk(loaded, case, Path(own))
        outcomes.append(_Outcome(case, differences(case.expect, walked), time.monotonic() - began))
    return outcomes


def _write_first(loaded: LoadedPlan, plan: Path, file: Path) -> int:
    from switchover.cli.plan_test.first_cases import first_cases

    with _folder() as folder:
        text = asyncio.run(first_cases(loaded, plan.name, Path(folder)))
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        from switchover.errors import UsageError

        raise UsageError(f"{file} is there already", "move it away, or add cases to it") from None
    emit_text(f"{file}: {text.count('    expect: ')} cases; `switchover test {plan}` walks through them")
    return 0


def _write(form: str, file: Path, outcomes: list[_Outcome]) -> None:
    if form == "json":
        emit_json(
            [
                {"case": o.case.name, "line": o.case.line, "passed": not o.found, "differences": o.found}
                for o in outcomes
            ]
        )
        return
    if form == "junit":
        emit_text(_junit(file, outcomes))
        return
    for outcome in outcomes:
        emit_text(f"{'FAILED' if outcome.found else 'ok    '} {outcome.case.name}")
        for line in outcome.found:
            diagnostics.say(f"{file}:{outcome.case.line}: {outcome.case.name}: {line}")
    failed = sum(bool(outcome.found) for outcome in outcomes)
    emit_text(f"{len(outcomes)} {'case' if len(outcomes) == 1 else 'cases'}, {failed} failed")


def _junit(file: Path, outcomes: list[_Outcome]) -> str:
    failed = sum(bool(outcome.found) for outcome in outcomes)
    counts = f'tests="{len(outcomes)}" failures="{failed}" errors="0" skipped="0"'
    counts += f' time="{sum(outcome.seconds for outcome in outcomes):.3f}"'
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites {counts}>"]
    lines.append(f"<testsuite name={_attribute(file.name)} {counts}>")
    for outcome in outcomes:
        case = f"<testcase classname={_attribute(file.stem)} name={_attribute(outcome.case.name)}"
        case += f' file={_attribute(str(file))} line="{outcome.case.line}" time="{outcome.seconds:.3f}"'
        if outcome.found:
            text = escape(_NOT_XML.sub("", "\n".join(outcome.found)))
            lines.append(f"{case}><failure message={_attribute(outcome.found[0])}>{text}</failure></testcase>")
        else:
            lines.append(f"{case}/>")
    return "\n".join([*lines, "</testsuite>", "</testsuites>"])


def _attribute(text: str) -> str:
    return quoteattr(_NOT_XML.sub("", text))
