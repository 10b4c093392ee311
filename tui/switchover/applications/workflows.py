"""Workflows as they go: their steps, how far they are, what they log, how they ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import Any, Literal

from switchover.applications.app_events import MOST_TEXT, AppEvent, number_of, text_of

__all__ = ["Workflow", "WorkflowStep", "Workflows"]

WorkflowState = Literal["queued", "running", "succeeded", "failed"]

KEPT_S = 7 * 86_400.0
_SETTLED_AFTER_S = 60.0  # a failed step ends its workflow once nothing more came for so long: a retry may follow
_MOST_WORKFLOWS = 5_000
_DROPPED_AT_ONCE = 100  # to look for one at a time would take the agent long
_MOST_STEPS = 200
_MOST_LOG_LINES = 200


@dataclass(slots=True)
class WorkflowStep:
    """A step of a workflow. Times in epoch seconds, `seconds` as the application measured it."""

    name: str
    state: Literal["running", "ok", "failed"] = "running"
    started: float = 0.0
    seconds: float | None = None
    error: str = ""


@dataclass(slots=True)
class Workflow:
    """One workflow. `percent` is what its finished steps add up to, at most 100. `ended` is 0 while it goes on."""

    id: str
    app: str = ""
    task_type: str = ""
    priority: str = ""
    state: WorkflowState = "running"
    percent: float = 0.0
    started: float = 0.0
    seen: float = 0.0
    ended: float = 0.0
    steps: list[WorkflowStep] = field(default_factory=list)
    logs: deque[tuple[float, str, str]] = field(default_factory=lambda: deque(maxlen=_MOST_LOG_LINES))

    @property
    def is_over(self) -> bool:
        """Whether it has ended, as far as it is known."""
        return self.ended > 0

    @property
    def seconds(self) -> float:
        """How long it took, or has taken until it was last heard of."""
        return max(0.0, (self.ended or self.seen) - self.started)

    def document(self, *, whole: bool, log_lines: int = _MOST_LOG_LINES) -> dict[str, Any]:
        """Return it as JSON data; `whole` with its steps and its newest log lines."""
        found: dict[str, Any] = {
            "id": self.id,
            "app": self.app,
            "task_type": self.task_type,
            "priority": self.priority,
            "state": self.state,
            "percent": round(self.percent, 1),
            "step": next((s.name for s in reversed(self.steps) if s.state == "running"), ""),
            "started": self.started,
            "ended": self.ended or None,
            "seconds": round(self.seconds, 3),
        }
        if whole:
            found["steps"] = [
                {
                    "name": s.name,
                    "state": s.state,
                    "started": s.started,
                    "seconds": _rounded(s.seconds),
                    "error": s.error,
                }
                for s in self.steps
            ]
            found["logs"] = [
                {"at": at, "level": level, "text": text} for at, level, text in list(self.logs)[-log_lines:]
            ]
        return found


class Workflows:
    """All workflows that were heard of within 7 days. `changed` holds the ids that moved since it was last emptied."""

    def __init__(self) -> None:
        self.known: dict[str, Workflow] = {}
        self.changed: set[str] = set()
        self.running: set[str] = set()
        self.dropped = 0

    def take(self, event: AppEvent) -> list[Workflow]:
        """Take in an event; return the workflows that ended by it."""
        if not event.workflow:
            return []
        was_known = event.workflow in self.known
        flow = self._of(event)
        was_over = flow.is_over
        if event.kind == "workflow":
            self._told(flow, event, was_known=was_known)
        elif event.kind == "step":
            self._step(flow, event)
        elif event.kind == "log":
            flow.logs.append((event.at, text_of(event.data.get("level")) or "info", event.name[:MOST_TEXT]))
        flow.seen = max(flow.seen, event.at)
        self.changed.add(flow.id)
        (self.running.add if flow.state == "running" else self.running.discard)(flow.id)
        return [flow] if flow.is_over and not was_over else []

    def settle(self, now: float) -> list[Workflow]:
        """End what failed and was not taken up again; forget what ended 7 days ago. Return what ended."""
        ended = [
            flow
            for flow in self.known.values()
            if flow.state == "failed" and not flow.is_over and now - flow.seen >= _SETTLED_AFTER_S
        ]
        for flow in ended:
            flow.ended = flow.seen
            self.changed.add(flow.id)
        for old in [f.id for f in self.known.values() if now - f.seen > KEPT_S]:
            self._forget(old)
        return ended

    def in_order(self) -> Iterable[Workflow]:
        """Return those that go on first, then the newest first."""
        return sorted(self.known.values(), key=lambda f: (f.is_over, -f.seen))

    def _forget(self, name: str) -> None:
        del self.known[name]
        self.running.discard(name)

    def _of(self, event: AppEvent) -> Workflow:
        flow = self.known.get(event.workflow)
        if flow is None:
            if len(self.known) >= _MOST_WORKFLOWS:
                for oldest in nsmallest(_DROPPED_AT_ONCE, self.known.values(), key=lambda f: (not f.is_over, f.seen)):
                    self._forget(oldest.id)
                    self.dropped += 1
            flow = Workflow(event.workflow, event.app, started=event.at, seen=event.at)
            self.known[flow.id] = flow
        return flow

    def _told(self, flow: Workflow, event: AppEvent, *, was_known: bool) -> None:
        state = text_of(event.data.get("state"))
        if state in {"started", "queued"}:
            flow.task_type = text_of(event.data.get("task_type"))
            flow.priority = text_of(event.data.get("priority"))
            if flow.is_over or not was_known:  # the same name once more is a new one
                flow.started, flow.ended, flow.percent = event.at, 0.0, 0.0
                flow.steps.clear()
                flow.logs.clear()
            flow.state = "queued" if state == "queued" else "running"
        elif state == "completed":
            flow.state = "succeeded" if event.data.get("success") is True else "failed"
            flow.ended = event.at
            if flow.state == "succeeded":
                flow.percent = 100.0

    def _step(self, flow: Workflow, event: AppEvent) -> None:
        state = text_of(event.data.get("state"))
        step = next((s for s in reversed(flow.steps) if s.name == event.name and s.state == "running"), None)
        if state == "started" or step is None:
            step = WorkflowStep(text_of(event.name), started=event.at)
            flow.steps.append(step)
            del flow.steps[:-_MOST_STEPS]
        if state == "started":
            flow.state, flow.ended = "running", 0.0
            return
        step.state = "ok" if state == "ok" else "failed"
        step.seconds = number_of(event.data.get("seconds"))
        step.error = text_of(event.data.get("error"))
        if step.state == "failed":
            flow.state = "failed"
            return
        flow.percent = min(100.0, flow.percent + max(0.0, number_of(event.data.get("increment")) or 0.0))
        if flow.percent >= 100.0 and all(s.state != "running" for s in flow.steps):
            flow.state, flow.ended = "succeeded", event.at


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
