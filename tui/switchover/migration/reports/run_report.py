"""The record of a run for people who were not there: who did what, when, why, with what result. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from switchover.clock import iso_utc
from switchover.costs.estimate import costs_view
from switchover.migration.facts import events as ev
from switchover.migration.facts.run_state import Attempt, RunState, Stage, Timestamp, UnitState
from switchover.migration.reports import report_people as people
from switchover.migration.reports.rollback_view import gone_over
from switchover.migration.reports.run_view import ViewContext, build_view
from switchover.migration.rules.rollback_paths import RollbackPath, rollback_paths
from switchover.plan.model import ChecklistItem, Gate, Plan, Step
from switchover.plan.promise_model import Promise
from switchover.snapshot import CostsView, PhaseView, RollbackRun, StepView

__all__ = ["ReportInputs", "make_report"]


Tail = Callable[[str, int], tuple[tuple[str, ...], int]]


def _unread(_file: ev.EvidenceFile) -> str:
    return "nobody has looked at it"


@dataclass(frozen=True, slots=True)
class ReportInputs:
    """What the report is made from beside plan and state. `tail` gives an attempt's last lines and bytes in all."""

    records: Sequence[ev.Record]
    head: tuple[int, str]  # number and hash of the newest record of the whole journal
    tail: Tail
    made_at: float
    driven: bool = False  # whether somebody drives the run at this moment
    lost: Collection[str] = ()  # units that began, have no end on record, and that nobody watches
    evidence_fault: Callable[[ev.EvidenceFile], str] = _unread  # what is wrong with a kept file


def make_report(plan: Plan, state: RunState, sources: ReportInputs) -> dict[str, Any]:
    """Return the report as a document. Times are ISO 8601 UTC, durations seconds."""
    records = sources.records
    started = next(r.event for r in records if isinstance(r.event, ev.RunStarted))
    view = build_view(plan, state, ViewContext(sources.made_at, 0.0, "", driven=sources.driven))
    shown = {step.id: step for phase in view.phases for step in phase.steps}
    parts = {phase.id: phase for phase in view.phases}
    return {
        "plan": _plan(plan, started, records),
        "run": {"id": state.run_id, "state": "unknown" if sources.lost else view.state, **_run(state, started)},
        "operators": people.operators(records),
        "phases": [
            {
                "id": phase.id,
                "title": phase.title or phase.id,
                "group": phase.group,
                "window": phase.window,
                **_due(parts[phase.id], sources),
                "steps": [_step(step, shown[step.id], state, sources) for step in phase.steps],
            }
            | {
                "gate": _gate(phase.id, phase.gate, state, records, gone_over(plan, state, phase.id))
                if phase.gate
                else None
            }
            for phase in plan.phases
        ],
        "decisions": people.decisions(records),
        "confirmations": _confirmations(records),
        "waivers": people.waivers(records),
        "promises": [_promise(name, promise, state) for name, promise in plan.promises.items()],
        "costs": _costs(costs_view(plan)),
        "ways_back": [_way_back(way, records) for way in rollback_paths(plan, state)],
        "rollback": _rollback(state, view.rollback, sources),
        "other": people.others(records),
        "timeline": people.what_happened(records),
        "signoff": {
            "roles": list(plan.signoff.roles) if plan.signoff else [],
            "retention_s": plan.signoff.retention if plan.signoff else None,
        },
        "journal": {"records": len(records), "head_seq": sources.head[0], "head_hash": sources.head[1]},
        "made_at": iso_utc(sources.made_at),
    }


def _plan(plan: Plan, started: ev.RunStarted, records: Sequence[ev.Record]) -> dict[str, Any]:
    return {
        "id": started.plan_id,
        "title": started.plan_title,
        "owner": plan.owner,
        "path": started.plan_path,
        "sha256": started.plan_digest,
        "rebased_to": [r.event.plan_digest for r in records if isinstance(r.event, ev.PlanRebased)],
        "target": started.target or None,
    }


def _run(state: RunState, started: ev.RunStarted) -> dict[str, Any]:
    return {
        "reason": state.reason or None,
        "not_believed": [str(wrong) for wrong in state.impossible],
        "started_by": str(started.by),
        "started_at": _when(state.started),
        "ended_at": _when(state.ended),
        "duration_s": _between(state.started, state.ended or state.last_moment),
        "variables": dict(state.variables),
        "version": started.version,
    }


def _promise(name: str, promise: Promise, state: RunState) -> dict[str, Any]:
    measured = state.measurements.get(name)
    return {
        "name": name,
        "title": promise.title,
        "unit": promise.unit,
        "target": promise.target,
        "before": measured.before if measured else (state.baseline or {}).get(name),
        "after": measured.after if measured else None,
        "state": measured.state if measured else "pending",
        "let_pass": measured.let_pass or None if measured else None,
    }


def _due(part: PhaseView | StepView, sources: ReportInputs) -> dict[str, Any]:
    """Say by when a part should have been through, and how late it was, or is."""
    if part.due_at is None:
        return {"due_at": None, "late_s": None}
    late = (part.ended_at or sources.made_at) - part.due_at
    return {"due_at": iso_utc(part.due_at), "late_s": round(late, 3) if late > 0 else None}


def _when(moment: Timestamp | None) -> str | None:
    return iso_utc(moment.at) if moment else None


def _between(start: Timestamp | None, end: Timestamp | None) -> float | None:
    if start is None or end is None:
        return None
    same_boot = start.boot_id == end.boot_id
    return round(max(0.0, end.mono - start.mono if same_boot else end.at - start.at), 3)


def _step(step: Step, view: StepView, state: RunState, sources: ReportInputs) -> dict[str, Any]:
    unit = state.unit(step.id)
    return {
        "id": step.id,
        "title": step.title or step.id,
        "effect": step.effect,
        "window": step.window,
        **_due(view, sources),
        "irreversible": step.irreversible,
        "command": step.command or None,
        "env_names": sorted(step.env),
        "rollback": step.undo.command if step.undo else None,
        "undo_note": view.undo_note or None,
        "state": "unknown" if step.id in sources.lost else view.state,
        "reason": view.reason or None,
        "outputs": dict(unit.outputs),
        **({"run_on": step.run_on} if step.run_on else {}),
        "attempts": [_attempt(step.id, attempt, sources) for attempt in unit.attempts],
        **({"machines": parts} if (parts := _machines(unit, state, sources)) else {}),
        "items": [_item(number, item, unit, sources) for number, item in enumerate(step.checklist)],
    }


def _machines(unit: UnitState, state: RunState, sources: ReportInputs) -> list[dict[str, Any]]:
    """Return what each machine of a group has done."""
    parts = dict.fromkeys(part for attempt in unit.attempts for part in attempt.members)
    return [
        {
            "name": part.partition("@")[2],
            "state": state.unit(part).stage.word,
            "reason": state.unit(part).reason or None,
            "attempts": [_attempt(part, attempt, sources) for attempt in state.unit(part).attempts],
        }
        for part in parts
    ]


def _attempt(unit: str, attempt: Attempt, sources: ReportInputs) -> dict[str, Any]:
    tail, total = sources.tail(unit, attempt.number) if attempt.argv else ((), 0)
    return {
        "number": attempt.number,
        "by": str(attempt.by),
        "started_at": iso_utc(attempt.started.at),
        "ended_at": _when(attempt.ended),
        "duration_s": attempt.duration_s,
        "outcome": attempt.outcome or None,
        "exit_code": attempt.exit_code,
        "kept": [{"name": f.name, "path": f.kept, "sha256": f.sha256, "bytes": f.size} for f in attempt.kept],
        "reason": attempt.reason or None,
        "argv": list(attempt.argv),
        **({"host": attempt.far.host, "ssh": attempt.far.ssh} if attempt.far is not None else {}),
        "output_bytes": attempt.output_bytes or total,
        "output_tail": list(tail),
    }


def _item(number: int, item: ChecklistItem, unit: UnitState, sources: ReportInputs) -> dict[str, Any]:
    tick = unit.ticks.get(number)
    file = tick.file if tick else None
    return {
        "item": number + 1,
        "text": item.text,
        "owner": item.owner,
        "optional": item.optional,
        "check": item.check,
        "check_was": [people.evidence(e) for e in tick.seen] if tick else [],
        "by": tick.who if tick else None,
        "at": iso_utc(tick.at) if tick else None,
        "evidence": tick.evidence if tick else None,
        "file": {
            "name": file.name,
            "kept": file.kept,
            "sha256": file.sha256,
            "size": file.size,
            "fault": sources.evidence_fault(file) or None,
        }
        if file
        else None,
    }


def _gate(phase: str, asked: Gate, state: RunState, records: Sequence[ev.Record], gone_over: str) -> dict[str, Any]:
    gate = state.gate(phase)
    word = "waiting" if gate.stage is Stage.RUNNING else gate.stage.value
    if gone_over and gate.stage is Stage.DONE:
        word = Stage.ROLLED_BACK.value
    return {
        "state": word,
        "at": _when(gate.ended),
        "requires": list(asked.require),
        "proves": list(asked.prove),
        "hold_s": asked.hold,
        "human": asked.human,
        "who": list(asked.who),
        "persons": asked.persons,
        "answers": [{"by": str(by), "at": iso_utc(at.at)} for by, at in gate.answers],
        "held_s": round(gate.held_s, 3),
        "answered_by": gate.answered_by or None,
        "note": gate.note or None,
        "reason": gate.reason or None,
        "evidence": [people.evidence(e) for e in gate.evidence],
        "shut": [
            {"at": iso_utc(r.at), "reason": r.event.reason, "evidence": [people.evidence(e) for e in r.event.evidence]}
            for r in records
            if isinstance(r.event, (ev.GateFailed, ev.GateBroken, ev.GateUndecided)) and r.event.phase == phase
        ],
    }


def _way_back(way: RollbackPath, records: Sequence[ev.Record]) -> dict[str, Any]:
    gone = any(isinstance(r.event, ev.RollbackStarted) and r.event.name == way.name for r in records)
    rehearsed = [e for e in people.rehearsals(records) if e["details"].get("name", "") in (way.name, None)]
    return {
        "name": way.name or None,
        "title": way.title,
        "open": way.available,
        "reason": way.reason or None,
        "actions": [item.label for item in way.items],
        "cannot_undo": list(way.cannot_undo),
        "expect_s": way.expect_s,
        "within_s": way.within_s,
        "data_loss": way.data_loss or None,
        "rehearsed_at": rehearsed[-1]["at"] if rehearsed else None,
        "gone": gone,
    }


def _confirmations(records: Sequence[ev.Record]) -> list[dict[str, Any]]:
    found = []
    for record in records:
        event = record.event
        if isinstance(event, ev.StepStarted) and event.confirmed:
            step, text, by, evidence = event.unit, event.confirmed, event.by, event.evidence
        elif isinstance(event, ev.ConfirmationGiven):
            step, text, by, evidence = event.step, event.text, event.by, event.evidence
        else:
            continue
        found.append(
            {
                "step": step,
                "by": str(by),
                "at": iso_utc(record.at),
                "typed": text,
                "evidence": [people.evidence(e) for e in evidence],
            }
        )
    return found


def _rollback(state: RunState, view: RollbackRun | None, sources: ReportInputs) -> dict[str, Any] | None:
    rollback = state.rollback
    if rollback is None:
        return None
    return {
        "name": rollback.name or None,
        "state": view.state if view is not None else rollback.stage.value,
        "started_at": _when(rollback.started),
        "duration_s": rollback.duration_s,
        "within_s": rollback.within_s,
        "within_time": rollback.within_time,
        "actions": [
            {
                "run": item.run,
                "undoes": item.undoes or None,
                "state": state.unit(item.unit).stage.value,
                "reason": state.unit(item.unit).reason or None,
                "attempts": [_attempt(item.unit, attempt, sources) for attempt in state.unit(item.unit).attempts],
            }
            for item in rollback.items
        ],
        "cannot_undo": list(rollback.cannot_undo),
        "verify": [people.evidence(e) for e in rollback.evidence],
    }


def _costs(costs: CostsView) -> dict[str, Any] | None:
    if not costs.rows:
        return None
    return {
        "currency": costs.currency,
        "before": costs.before_total,
        "after": costs.after_total,
        "difference": costs.difference,
        "budget": costs.budget or None,
        "within_budget": costs.within_budget,
        "unpriced": [row.line for row in costs.rows if row.state == "unpriced"],
        "source": costs.source,
        "measured": None,
        "lines": [
            {"line": row.line, "before": row.before, "after": row.after, "difference": row.difference}
            for row in costs.rows
        ],
    }
