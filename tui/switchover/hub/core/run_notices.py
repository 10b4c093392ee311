"""What of a run somebody has to be told: a gate that waits for a person, what failed, what ended. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from switchover.hub.problems.problem_words import OPEN_RUN, stuck_steps
from switchover.snapshot import GateView, MigrationView
from switchover.snapshot.states import SeverityWord, TopicWord
from switchover_checks.language.units import format_duration

__all__ = ["RunNotice", "run_notices"]

_ENDS = {"done": "is done", "rolled_back": "was rolled back", "aborted": "was aborted"}


@dataclass(frozen=True, slots=True)
class RunNotice:
    """A fact that holds now. `key` stays the same for as long as it does; `at` is since when, where that is known."""

    key: str
    topic: TopicWord
    text: str
    severity: SeverityWord
    at: float | None = None


def run_notices(view: MigrationView, title: str) -> Iterator[RunNotice]:
    """Yield all that holds now and is worth telling a person who does not look."""
    run = view.run_id
    if not run:
        return
    if view.state in _ENDS:
        took = ""
        if view.started_at is not None and view.ended_at is not None:
            took = f" after {format_duration(view.ended_at - view.started_at)}"
        severity: SeverityWord = "info" if view.state == "done" else "warning"
        yield RunNotice(
            f"{run}/{view.state}", "end", f"{title}: run {run} {_ENDS[view.state]}{took}", severity, view.ended_at
        )
        return
    if view.state not in OPEN_RUN:
        return
    for step in stuck_steps(view):
        topic: TopicWord = "unknown" if step.state == "unknown" else "failed"
        what = "nobody knows how it ended" if topic == "unknown" else f"failed, exit {step.exit_code}"
        text = f"{title}: step {step.step}: {step.reason or what}"
        yield RunNotice(f"{run}/{step.step}/{topic}/{step.since or 0:.3f}", topic, text, "critical", step.since)
    if view.rollback is not None and view.rollback.state in ("failed", "unknown"):
        state = "its outcome is not known" if view.rollback.state == "unknown" else "failed"
        key = f"{run}/rollback/{view.rollback.state}/{view.rollback.started_at or 0:.3f}"
        yield RunNotice(key, "failed", f"{title}: the rollback {view.rollback.name}: {state}", "critical")
    for phase in view.phases:
        if phase.gate is not None:
            yield from _of_gate(run, title, phase.gate)


def _of_gate(run: str, title: str, gate: GateView) -> Iterator[RunNotice]:
    name = f"{title}: gate {gate.phase}"
    if gate.state == "human":
        missing = max(gate.persons - len(gate.said_go), 1)
        who = f" ({missing} more persons)" if missing > 1 else ""
        asks = f": {gate.human}" if gate.human else ""
        yield RunNotice(
            f"{run}/{gate.phase}/human/{missing}", "gate", f"{name} waits for a person{who}{asks}", "warning"
        )
    elif gate.state == "decide":
        why = f": {gate.reason}" if gate.reason else ""
        yield RunNotice(f"{run}/{gate.phase}/decide", "gate", f"{name} waits for a decision{why}", "warning")
    elif gate.state == "failed":
        why = gate.reason or "did not become green in time"
        yield RunNotice(f"{run}/{gate.phase}/failed", "failed", f"{name} stays shut: {why}", "critical")
    if gate.hold_s and gate.held_s >= gate.hold_s and gate.state in ("human", "decide", "passed"):
        held = format_duration(gate.hold_s)
        yield RunNotice(f"{run}/{gate.phase}/held", "hold", f"{name} was fine for {held}: its hold is over", "info")
    if gate.broken_at is not None:
        key = f"{run}/{gate.phase}/broken/{gate.broken_at:.3f}"
        text = f"{name} was no longer fine, so its hold begins again: {gate.broken_why}"
        yield RunNotice(key, "hold", text, "warning", gate.broken_at)
