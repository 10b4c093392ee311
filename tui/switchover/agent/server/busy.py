"""Is anything under way? Decides whether an agent may be replaced without disturbing a migration."""

from __future__ import annotations

from switchover.snapshot import MigrationView

__all__ = ["run_is_open", "under_way"]

_RUN_ENDED = frozenset({"", "pending", "done", "rolled_back", "aborted"})
_GATE_AT_WORK = frozenset({"waiting", "holding"})


def under_way(view: MigrationView | None) -> str:
    """Say in a few words what runs now; empty when nothing does."""
    if view is None:
        return ""
    stuck = view.rollback is not None and view.rollback.state != "running"
    if view.rolling_back and not stuck:
        return f"rollback {view.rolling_back}"
    for phase in view.phases:
        for step in phase.steps:
            if step.state == "running":
                return f"step {step.id}"
        if phase.gate is not None and phase.gate.state in _GATE_AT_WORK:
            return f"gate of {phase.id}"
    return ""


def run_is_open(view: MigrationView | None) -> bool:
    """Tell whether a run has begun and not ended; its plan is frozen then."""
    return view is not None and bool(view.run_id) and view.state not in _RUN_ENDED
