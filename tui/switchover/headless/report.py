"""`switchover report PLAN`: what was done, by whom, when, and on what evidence. Reads only."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from typing import Any

from switchover.errors import SwitchoverError
from switchover.headless import output
from switchover.headless.plan_file import load_for_run
from switchover_checks.units import format_duration

__all__ = ["add_arguments", "run", "to_markdown"]


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `report`."""
    parser.add_argument("plan", metavar="PLAN", help="the plan whose run is reported")
    parser.add_argument("--format", choices=("md", "json"), default="md", help="how it is written (default: md)")


def run(args: Namespace) -> int:
    """Write the report."""
    import asyncio

    return asyncio.run(_report(args))


async def _report(args: Namespace) -> int:
    from switchover.migration.report import make_report
    from switchover.wiring import build_evaluator

    parts = build_evaluator(*load_for_run(args, finished=True))
    try:
        engine = parts.engine
        if not engine.state.exists:
            raise SwitchoverError("there is no run to report on yet", f"begin one with `switchover run {args.plan}`")
        report = make_report(engine.loaded.plan, engine.state, engine.records(), engine.head_hash())
    finally:
        await parts.aclose()
    if args.format == "json":
        output.emit_json(report)
    else:
        output.emit_text(to_markdown(report))
    return 0


def to_markdown(report: dict[str, Any]) -> str:
    """Write a report as Markdown."""
    return "\n".join(_markdown(report))


def _markdown(report: dict[str, Any]) -> Iterator[str]:
    plan, run_ = report["plan"], report["run"]
    yield f"# {_cell(plan['title'])}: run {run_['id']}, {run_['state']}"
    yield ""
    yield f"- plan `{plan['id']}`, sha256 `{plan['sha256']}`" + (f", target {plan['target']}" if plan["target"] else "")
    yield f"- started {run_['started_at']} by {_cell(run_['started_by'])}"
    ended = run_["ended_at"] or "not yet"
    yield f"- ended {ended}" + (f", after {format_duration(run_['duration_s'])}" if run_["duration_s"] else "")
    if run_["reason"]:
        yield f"- {_cell(run_['reason'])}"
    for name, value in run_["variables"].items():
        yield f"- {name} = `{_cell(value)}`"
    for phase in report["phases"]:
        yield from _phase(phase)
    if report["confirmations"]:
        yield from ("", "## Confirmations", "", "| step | typed | by | at |", "|---|---|---|---|")
        for given in report["confirmations"]:
            yield f"| {given['step']} | {_cell(given['typed'])} | {_cell(given['by'])} | {given['at']} |"
    if report["objectives"]:
        yield from ("", "## Objectives", "", "| objective | before | after | target | |", "|---|---|---|---|---|")
        for goal in report["objectives"]:
            before, after = (_number(goal[side], goal["unit"]) for side in ("before", "after"))
            yield f"| {_cell(goal['title'])} | {before} | {after} | `{_cell(goal['target'])}` | {goal['state']} |"
    if report["costs"]:
        costs = report["costs"]
        yield from ("", f"## Costs a month, {costs['currency']} ({costs['source']})", "")
        yield from ("| line | before | after | difference |", "|---|---|---|---|")
        for line in costs["lines"]:
            yield f"| {_cell(line['line'])} | {line['before']} | {line['after']} | {line['difference']} |"
        yield f"| total | {costs['before']} | {costs['after']} | {costs['difference']} |"
    if report["rollback"]:
        yield from _rollback(report["rollback"])
    yield from ("", "## What happened", "")
    for row in report["timeline"]:
        yield f"- {row['at']} {row['kind']}: {_cell(row['text'])}"
    yield ""
    yield f"{report['journal']['records']} records; the journal's head is `{report['journal']['head_hash']}`."


def _phase(phase: dict[str, Any]) -> Iterator[str]:
    yield from ("", f"## Phase {phase['id']}: {_cell(phase['title'])}", "")
    yield from ("| step | state | attempts | exit code | took | by |", "|---|---|---|---|---|---|")
    for step in phase["steps"]:
        last = step["attempts"][-1] if step["attempts"] else {}
        took = format_duration(last["duration_s"]) if last.get("duration_s") is not None else "–"
        code = last.get("exit_code")
        yield (
            f"| {step['id']} | {step['state']} | {len(step['attempts'])} | {'–' if code is None else code} | {took} "
            f"| {_cell(last.get('by', '–'))} |"
        )
    for step in phase["steps"]:
        if step["reason"]:
            yield f"- {step['id']}: {_cell(step['reason'])}"
        for item in step["items"]:
            who = f"{_cell(item['by'])} at {item['at']}"
            yield f"- {step['id']} item {item['item']} by {who}: {_cell(item['evidence'])}"
    gate = phase["gate"]
    if gate is None:
        return
    yield ""
    said = f", go by {_cell(gate['answered_by'])}" if gate["answered_by"] else ""
    held = f", held {format_duration(gate['held_s'])}" if gate["held_s"] >= 1 else ""
    yield f"Gate: {gate['state']}{held}{said}" + (f": {_cell(gate['reason'])}" if gate["reason"] else "")
    if gate["evidence"]:
        yield from ("", "| check | status | what | expected | observed |", "|---|---|---|---|---|")
    for evidence in gate["evidence"]:
        if not evidence["findings"]:
            yield f"| {evidence['check']} | {evidence['status']} | {_cell(evidence['summary'])} | | |"
        for f in evidence["findings"]:
            cells = (evidence["check"], f["status"], _cell(f["what"]), _cell(f["expected"]), _cell(f["observed"]))
            yield f"| {' | '.join(cells)} |"


def _rollback(rollback: dict[str, Any]) -> Iterator[str]:
    yield from ("", f"## Rollback {rollback['name'] or 'step by step'}: {rollback['state']}", "")
    if rollback["duration_s"] is not None:
        budget = {True: ", within its budget", False: ", over its budget", None: ""}[rollback["within_budget"]]
        yield f"- took {format_duration(rollback['duration_s'])}{budget}"
    for action in rollback["actions"]:
        undoes = f"undo {action['undoes']}: " if action["undoes"] else ""
        yield f"- {undoes}`{_cell(action['run'])}`: {action['state']}"
    for text in rollback["cannot_undo"]:
        yield f"- {_cell(text)}"
    for evidence in rollback["verify"]:
        yield f"- afterwards {evidence['check']}: {evidence['status']}: {_cell(evidence['summary'])}"


def _number(value: float | None, unit: str) -> str:
    return "not measured" if value is None else f"{value:g} {unit}".strip()


def _cell(text: str) -> str:
    """Keep text on its line and out of the table's structure."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("`", "'")
