"""`switchover status PLAN`: how the plan's run stands. Reads only; works beside an agent or another driver."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from switchover.cli import output
from switchover.cli.plan_argument import add_plan
from switchover.cli.plan_file import load_for_run

if TYPE_CHECKING:
    from switchover.migration.run.engine import Engine
    from switchover.snapshot import GateView, MigrationView, PhaseView, RollbackRun, RollbackView, StepView

__all__ = ["add_arguments", "run", "status_json"]

VERB = "status"
RANK = 100
SUMMARY = "show where a plan's run stands"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `status`."""
    add_plan(parser, "the plan whose run is shown")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how it is written (default: text)")


def run(args: Namespace) -> int:
    """Tell how it stands; 0 whatever that is."""
    import asyncio

    return asyncio.run(_status(args))


async def _status(args: Namespace) -> int:
    from switchover.app import build_evaluator

    parts = build_evaluator(*load_for_run(args, finished=True, copies=True))
    try:
        if args.format == "json":
            output.emit_json(status_json(parts.engine))
        else:
            output.emit_text(_text(parts.engine))
    finally:
        await parts.aclose()
    return 0


def status_json(engine: Engine) -> dict[str, Any]:
    """Return the status as a document. States: pending running waiting done failed unknown skipped rolled_back."""
    from switchover.clock import iso_utc

    view = engine.view()
    lost = engine.lost_sight_of()
    steps = [
        {
            "id": step.id,
            "state": "unknown" if step.id in lost else step.state,
            "attempts": step.attempts,
            "exit_code": step.exit_code,
            "started_at": iso_utc(step.started_at),
            "ended_at": iso_utc(step.ended_at),
            "due_at": iso_utc(step.due_at),
            "progress": step.progress,
        }
        for phase in view.phases
        for step in phase.steps
    ]
    state = "unknown" if lost else "failed" if view.state == "aborted" else view.state
    return {
        "run": {
            "id": view.run_id or None,
            "state": state,
            "phase": view.current_phase or None,
            "step": view.current_step or None,
            "other_plan": engine.other_plan or None,
        },
        "not_believed": view.not_believed or None,
        "held_elsewhere": view.held_elsewhere or None,
        "put_off": view.put_off or None,
        "notices": list(engine.notices()),
        "steps": steps,
        "gate": _gate(_current_gate(view)),
        "rollback": _rollback(view.rollback),
        "ways_back": [_way(way) for way in view.rollbacks],
    }


def _way(way: RollbackView) -> dict[str, Any]:
    from switchover.clock import iso_utc

    return {
        "name": way.name or None,
        "open": way.available,
        "reason": way.reason or None,
        "expect_s": way.expect_s,
        "expect_from": way.expect_from or None,
        "within_s": way.within_s,
        "data_loss": way.data_loss or None,
        "loses_since": iso_utc(way.loses_since),
        "cannot_undo": list(way.cannot_undo),
    }


def _rollback(run: RollbackRun | None) -> dict[str, Any] | None:
    from switchover.clock import iso_utc

    if run is None:
        return None
    return {
        "name": run.name or None,
        "state": run.state,
        "started_at": iso_utc(run.started_at),
        "took_s": run.took_s,
        "within_s": run.within_s,
        "actions": [
            {"unit": a.unit, "undoes": a.undoes or None, "state": a.state, "exit_code": a.exit_code, "reason": a.reason}
            for a in run.actions
        ],
        "cannot_undo": list(run.cannot_undo),
    }


def _ways(engine: Engine, view: MigrationView) -> list[str]:
    """Say where a rollback stands that was begun, with its last lines where it failed, and which ways are open."""
    import time

    from switchover.cli.report.rollback_text import next_steps, standing, time_and_loss

    lines = []
    rollback = view.rollback
    if rollback is not None:
        lines.append(standing(rollback, time.time()))
        if rollback.state == "failed":
            lines += [f"  last lines of {view.output_step}:", *(f"    {line}" for line in view.output[-10:])]
        if rollback.state in ("failed", "unknown", "stopped"):
            others = tuple(way.name for way in view.rollbacks if way.available and way.name != rollback.name)
            lines += [f"  {text}" for text in next_steps(rollback, engine.run_store.workspace, others)]
    for way in view.rollbacks:
        state = "; ".join(("open", *time_and_loss(way))) if way.available else f"closed: {way.reason}"
        lines.append(f"way back {way.name or 'step by step'}: {state}")
    return lines


def _current_gate(view: MigrationView) -> GateView | None:
    return next((p.gate for p in view.phases if p.id == view.current_phase and p.gate is not None), None)


def _gate(gate: GateView | None) -> dict[str, Any] | None:
    if gate is None:
        return None
    from switchover.clock import iso_utc

    return {
        "phase": gate.phase,
        "state": gate.state,
        "requirements": [
            {
                "name": r.name,
                "status": r.status,
                "summary": r.summary,
                "allowed_by": r.allowed_by or None,
                "allowed_because": r.allowed_why or None,
                "allowed_until": iso_utc(r.allowed_until),
            }
            for r in gate.requirements
        ],
        "green_since": iso_utc(gate.green_since),
        "broken_at": iso_utc(gate.broken_at),
        "broken_because": gate.broken_why or None,
        "persons": gate.persons,
        "said_go": list(gate.said_go),
        "who": list(gate.who),
        "hold_s": gate.hold_s,
        "held_s": gate.held_s,
        "human": gate.human or None,
        "reason": gate.reason or None,
    }


def _text(engine: Engine) -> str:
    view = engine.view()
    holder = engine.holder()
    lost = engine.lost_sight_of()
    state = "unknown" if lost else view.state
    whom = {"later": " for its time", "wait": " for its gate"}.get(view.action.kind, " for you")
    lines = [f"run {view.run_id}: {state}{whom if state == 'waiting' else ''}" if view.run_id else "no run here yet"]
    lines += [f"! {text}" for text in (view.held_elsewhere, view.put_off, *engine.notices()) if text]
    if view.not_believed:
        lines.append(f"! {view.not_believed}; what is shown rests on the records before it")
    if holder is not None:
        lines.append(f"driven by {holder.who}@{holder.host}, pid {holder.pid}")
    if engine.other_plan:
        command = engine.run_store.workspace.command
        way_on = f"`{command('run')} --new` begins one by it" if engine.state.finished else "the run keeps its own"
        lines.append(f"{engine.other_plan}; {way_on}, `{command('diff')}` compares")
    if lost:
        lines.append(f"{', '.join(lost)}: nobody watches it; `{engine.run_store.workspace.command('run')}` finds out")
    for phase in view.phases:
        lines.append(f"{phase.id}: {phase.state}{_due(phase)}")
        for step in phase.steps:
            word = "unknown" if step.id in lost else step.state
            far = f", {int(step.progress * 100)} % as it says" if step.progress is not None else ""
            lines.append(f"  {step.id:<24} {word}{far}" + (f": {step.reason}" if step.reason else "") + _due(step))
            if step.persons > 1 and step.state in ("pending", "waiting"):
                lines.append(f"  {'':<24} {_people(step.confirmed_by)}")
        if phase.gate is not None:
            reason = f": {phase.gate.reason}" if phase.gate.reason else ""
            lines.append(f"  {'gate':<24} {phase.gate.state}{reason}")
            lines.extend(f"  {'':<24} {text}" for text in _gate_facts(phase.gate))
    if view.run_id:
        lines.extend(_next(engine, view, lost))
        lines += _ways(engine, view)
    return "\n".join(lines)


def _next(engine: Engine, view: MigrationView, lost: tuple[str, ...]) -> list[str]:
    """Say what comes next; where an outcome is not known, what has to be decided and with which command."""
    run = engine.run_store.workspace.command("run")
    how = "=done|failed|retry|rollback --reason TEXT"
    if lost:
        return [
            f"next: find out what became of {', '.join(lost)}: `{run}`",
            *(f"      where that cannot tell, say how {unit} ended: `{run} --resolve {unit}{how}`" for unit in lost),
        ]
    lines = [f"next: {view.action.text}"]
    if view.action.kind == "resolve" and not view.rolling_back:  # where a rollback stands, the ways back tell
        lines.append(f"      look at what it left behind, then say it: `{run} --resolve {view.action.target}{how}`")
    return lines


def _due(part: PhaseView | StepView) -> str:
    """Say of what is not through by when it should be, or since when it is overdue."""
    import time

    from switchover.clock import iso_utc

    if part.due_at is None or part.ended_at is not None:
        return ""
    return f" (overdue since {iso_utc(part.due_at)})" if part.due_at < time.time() else f" (due {iso_utc(part.due_at)})"


def _people(given: Sequence[str]) -> str:
    said = f"{', '.join(given)} has confirmed" if given else "nobody has confirmed yet"
    return f"needs two people, each under their own account: {said}"


def _gate_facts(gate: GateView) -> list[str]:
    """Say how a hold stands and what a person has let pass."""
    from switchover.clock import iso_utc
    from switchover_checks.language.units import format_duration

    facts = []
    if gate.hold_s and gate.state != "passed" and (gate.held_s or gate.broken_at):
        facts.append(f"held {format_duration(gate.held_s)} of {format_duration(gate.hold_s)}")
    if gate.deadline_at is not None and gate.state == "waiting":
        facts.append(f"waits until {iso_utc(gate.deadline_at)} at most")
    if gate.broken_at is not None and gate.state != "passed":
        facts.append(f"broke {iso_utc(gate.broken_at)}: {gate.broken_why}")
    for need in gate.requirements:
        if need.allowed_by and need.allowed_until is None:
            facts.append(f"{need.name}: {need.status}, acknowledged by {need.allowed_by}: {need.allowed_why}")
        elif need.allowed_by:
            until = iso_utc(need.allowed_until)
            facts.append(f"{need.name}: {need.status}, waived by {need.allowed_by} until {until}: {need.allowed_why}")
    if gate.persons > 1 and gate.state != "passed":
        facts.append(_people(gate.said_go))
    if gate.who and gate.state != "passed":
        facts.append(f"who should answer: {', '.join(gate.who)} (advice that nobody checks)")
    return facts
