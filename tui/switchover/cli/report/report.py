"""`switchover report PLAN`: what was planned, done and proved, by whom and when. Reads only."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from switchover.cli import output
from switchover.cli.plan_argument import add_plan
from switchover.cli.plan_file import load_for_run
from switchover.errors import StateError, SwitchoverError, UsageError
from switchover.private_files import replace_private

if TYPE_CHECKING:
    from switchover.migration.run.engine import Engine

__all__ = ["add_arguments", "render", "run", "write_file"]

VERB = "report"
RANK = 110
SUMMARY = "write down what was done, when and by whom"

_FORMATS = {".md": "md", ".json": "json", ".html": "html", ".htm": "html"}
_TAIL = 20


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `report`."""
    add_plan(parser, "the plan whose run is reported")
    parser.add_argument("--run", metavar="ID", help="which run (default: the newest)")
    parser.add_argument(
        "--format", choices=("md", "json", "html"), help="how it is written (default: as --output is named, else md)"
    )
    parser.add_argument(
        "--output", metavar="FILE", help="write it to a file, whole or not at all; a new one is readable by you alone"
    )


def run(args: Namespace) -> int:
    """Write the report."""
    import asyncio

    return asyncio.run(_report(args))


async def _report(args: Namespace) -> int:
    from switchover.app import KnownSecrets, build_evaluator

    words = KnownSecrets()
    parts = build_evaluator(*load_for_run(args, finished=True, copies=True), secret_words=words)
    try:
        report = clean_report(_make(parts.engine, args), words.display)
    finally:
        await parts.aclose()
    suffix = Path(args.output).suffix.lower() if args.output else ""
    how = args.format or _FORMATS.get(suffix, "md")
    if args.output:
        write_file(Path(args.output), render(report, how) + "\n")
    elif how == "json":
        output.emit_json(report)  # which minds what the terminal can show
    else:
        output.emit_text(render(report, how))
    return 0


def render(report: dict[str, Any], how: str) -> str:
    """Return a report's text: md, json or html."""
    from switchover.cli.report.report_blocks import blocks
    from switchover.cli.report.report_html import to_html
    from switchover.cli.report.report_markdown import to_markdown

    if how == "json":
        return json.dumps(report, indent=2, ensure_ascii=False)
    if how == "html":
        return to_html(f"{report['plan']['title']}: run {report['run']['id']}", blocks(report))
    return to_markdown(blocks(report))


def write_file(path: Path, text: str) -> None:
    """Write a file whole or not at all. A new file is its owner's alone; a pipe or a device is simply written to."""
    if path.is_dir():
        raise UsageError(f"{path} is a directory", f"name a file, such as {path / 'report.html'}")
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
        return
    path = path.resolve()  # what a link points at is replaced, not the link
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
        replace_private(path, text.encode(), mode)
    except OSError as error:
        raise StateError(
            f"the report could not be written to {path}: {error.strerror}", "free space, or name another file"
        ) from error


def _make(engine: Engine, args: Namespace) -> dict[str, Any]:
    import time

    from switchover.migration.facts.run_fold import fold
    from switchover.migration.reports.run_report import ReportInputs, make_report
    from switchover.migration.rules.possible import why_impossible
    from switchover.migration.run.store.run_plans import plan_in_force
    from switchover.migration.steps.attempt import AttemptFolder
    from switchover.migration.steps.kept_evidence import evidence_fault
    from switchover.migration.steps.step_output import read_tail

    run_store = engine.run_store
    journal = run_store.journal
    if journal is None or not engine.state.exists:
        raise SwitchoverError("there is no run to report on yet", "begin one with `switchover run PLAN`")
    run_id = args.run or engine.state.run_id
    if run_id not in (runs := journal.runs()):
        raise SwitchoverError(f"there is no run {run_id!r}", f"there is {', '.join(runs)}")
    records = journal.records(run_id)
    state = fold(records, None, why_impossible)
    not_believed = {wrong.seq for wrong in state.impossible}
    records = [record for record in records if record.seq not in not_believed]
    directory = run_store.workspace.run_directory(run_id)

    def tail(unit: str, attempt: int) -> tuple[tuple[str, ...], int]:
        return read_tail(AttemptFolder.of(directory, unit, attempt).directory, _TAIL)

    head, is_newest = (journal.last_seq(), journal.head_hash()), run_id == engine.state.run_id
    driven = is_newest and engine.holder() is not None
    lost = engine.lost_sight_of() if is_newest else ()
    sources = ReportInputs(
        tuple(records), head, tail, time.time(), driven, lost, lambda file: evidence_fault(directory, file)
    )
    return make_report(plan_in_force(run_store.file, state).plan, state, sources)


def clean_report(value: Any, redact: Callable[[str], str]) -> Any:
    """Return the document with each of its texts redacted."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {clean_report(key, redact): clean_report(item, redact) for key, item in value.items()}
    if isinstance(value, list):
        return [clean_report(item, redact) for item in value]
    return value
