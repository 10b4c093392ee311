"""The record of a run for people who were not there: who did what when, on what evidence, with what result. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from switchover.clock import iso_utc
from switchover.costs.estimate import costs_view
from switchover.migration import events as ev
from switchover.migration.state import Moment, RunState
from switchover.migration.timeline import timeline
from switchover.plan.model import Plan
from switchover.redaction import neutralise
from switchover.snapshot import CostsView

__all__ = ["make_report"]


def make_report(plan: Plan, state: RunState, records: Sequence[ev.Record], head_hash: str) -> dict[str, Any]:
    """Return the report as a document. Times are ISO 8601 UTC, durations seconds."""
    started = next(r.event for r in records if isinstance(r.event, ev.RunStarted))
    return {
        "plan": {
            "id": started.plan_id,
            "title": started.plan_title,
            "path": started.plan_path,
            "sha256": started.plan_digest,
            "target": started.target or None,
        },
        "run": {
            "id": state.run_id,
            "state": state.stage.value,
            "reason": state.reason or None,
            "started_by": str(started.by),
            "started_at": _when(state.started),
            "ended_at": _when(state.ended),
            "duration_s": _between(state.started, state.ended or state.last_moment),
            "variables": dict(state.variables),
            "version": started.version,
        },
        "phases": [
            {
                "id": phase.id,
                "title": phase.title or phase.id,
                "steps": [_step(s.id, s.title, state) for s in phase.steps],
            }
            | {"gate": _gate(phase.id, state) if phase.gate else None}
            for phase in plan.phases
        ],
        "confirmations": _confirmations(records),
        "objectives": [
            {
                "name": name,
                "title": objective.title,
                "unit": objective.unit,
                "target": objective.target,
                "before": measured.before if measured else (state.baseline or {}).get(name),
                "after": measured.after if measured else None,
                "state": measured.state if measured else "pending",
            }
            for name, objective in plan.performance.items()
            for measured in [state.measurements.get(name)]
        ],
        "costs": _costs(costs_view(plan)),
        "rollback": _rollback(state),
        "timeline": [
            {"at": iso_utc(row.at), "kind": row.kind, "text": row.text, "status": row.status or None}
            for row in timeline(records)
        ],
        "journal": {"records": len(records), "head_hash": head_hash},
    }


def _when(moment: Moment | None) -> str | None:
    return iso_utc(moment.at) if moment else None


def _between(start: Moment | None, end: Moment | None) -> float | None:
    if start is None or end is None:
        return None
    same_boot = start.boot_id == end.boot_id
    return round(max(0.0, end.mono - start.mono if same_boot else end.at - start.at), 3)


def _step(step_id: str, title: str | None, state: RunState) -> dict[str, Any]:
    unit = state.unit(step_id)
    return {
        "id": step_id,
        "title": title or step_id,
        "state": unit.stage.value,
        "reason": neutralise(unit.reason) or None,
        "outputs": dict(unit.outputs),
        "attempts": [
            {
                "number": attempt.number,
                "by": str(attempt.by),
                "started_at": iso_utc(attempt.started.at),
                "ended_at": _when(attempt.ended),
                "duration_s": attempt.duration_s,
                "outcome": attempt.outcome or None,
                "exit_code": attempt.exit_code,
                "argv": list(attempt.argv),
            }
            for attempt in unit.attempts
        ],
        "items": [
            {"item": number + 1, "by": tick.who, "at": iso_utc(tick.at), "evidence": tick.evidence}
            for number, tick in sorted(unit.ticks.items())
        ],
    }


def _gate(phase: str, state: RunState) -> dict[str, Any]:
    gate = state.gate(phase)
    return {
        "state": gate.stage.value,
        "at": _when(gate.ended),
        "held_s": round(gate.held_s, 3),
        "answered_by": gate.answered_by or None,
        "note": gate.note or None,
        "reason": gate.reason or None,
        "evidence": [_evidence(e) for e in gate.evidence],
    }


def _evidence(evidence: ev.Evidence) -> dict[str, Any]:
    return {
        "check": evidence.check,
        "status": evidence.status,
        "summary": evidence.summary,
        "observed_at": iso_utc(evidence.observed_at),
        "findings": [
            {"what": what, "expected": expected, "observed": observed, "status": status}
            for what, expected, observed, status in evidence.findings
        ],
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
                "evidence": [_evidence(e) for e in evidence],
            }
        )
    return found


def _rollback(state: RunState) -> dict[str, Any] | None:
    rollback = state.rollback
    if rollback is None:
        return None
    return {
        "name": rollback.name or None,
        "state": rollback.stage.value,
        "started_at": _when(rollback.started),
        "duration_s": rollback.duration_s,
        "budget_s": rollback.budget_s,
        "within_budget": rollback.within_budget,
        "actions": [
            {"run": item.run, "undoes": item.undoes or None, "state": state.unit(item.unit).stage.value}
            for item in rollback.items
        ],
        "cannot_undo": list(rollback.cannot_undo),
        "verify": [_evidence(e) for e in rollback.evidence],
    }


def _costs(costs: CostsView) -> dict[str, Any] | None:
    if not costs.rows:
        return None
    return {
        "currency": costs.currency,
        "before": costs.before_total,
        "after": costs.after_total,
        "difference": costs.difference,
        "source": costs.source,
        "lines": [
            {"line": row.line, "before": row.before, "after": row.after, "difference": row.difference}
            for row in costs.rows
        ],
    }
