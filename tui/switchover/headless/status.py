"""`switchover status PLAN`: how the plan's run stands. Reads only; works beside an agent or another driver."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from switchover.headless import output
from switchover.headless.plan_file import load_for_run

if TYPE_CHECKING:
    from switchover.migration.engine import Engine
    from switchover.snapshot import GateView, MigrationView

__all__ = ["add_arguments", "run", "status_json"]


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `status`."""
    parser.add_argument("plan", metavar="PLAN", help="the plan whose run is looked at")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how it is written (default: text)")


def run(args: Namespace) -> int:
    """Tell how it stands; 0 whatever that is."""
    import asyncio

    return asyncio.run(_status(args))


async def _status(args: Namespace) -> int:
    from switchover.wiring import build_evaluator

    parts = build_evaluator(*load_for_run(args, finished=True))
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
        },
        "steps": steps,
        "gate": _gate(_current_gate(view)),
    }


def _current_gate(view: MigrationView) -> GateView | None:
    return next((p.gate for p in view.phases if p.id == view.current_phase and p.gate is not None), None)


def _gate(gate: GateView | None) -> dict[str, Any] | None:
    if gate is None:
        return None
    return {
        "phase": gate.phase,
        "state": gate.state,
        "requirements": [{"name": r.name, "status": r.status, "summary": r.summary} for r in gate.requirements],
        "hold_s": gate.hold_s,
        "held_s": gate.held_s,
        "human": gate.human or None,
        "reason": gate.reason or None,
    }


def _text(engine: Engine) -> str:
    view = engine.view()
    holder = engine.holder()
    lost = engine.lost_sight_of()
    lines = [f"run {view.run_id}: {view.state}" if view.run_id else "no run yet"]
    if holder is not None:
        lines.append(f"driven by {holder.who}@{holder.host}, pid {holder.pid}")
    if engine.plan_edited:
        lines.append("the plan's file was edited since; the run goes by the plan it was started with")
    if lost:
        lines.append(f"{', '.join(lost)}: nobody watches it; `switchover run` finds out what became of it")
    for phase in view.phases:
        lines.append(f"{phase.id}: {phase.state}")
        for step in phase.steps:
            word = "unknown" if step.id in lost else step.state
            lines.append(f"  {step.id:<24} {word}" + (f": {step.reason}" if step.reason else ""))
        if phase.gate is not None:
            reason = f": {phase.gate.reason}" if phase.gate.reason else ""
            lines.append(f"  {'gate':<24} {phase.gate.state}{reason}")
    if view.run_id:
        lines.append(f"next: {view.action.text}")
        for way in view.rollbacks:
            state = "open" if way.available else f"closed: {way.reason}"
            lines.append(f"way back {way.name or 'step by step'}: {state}")
    return "\n".join(lines)
