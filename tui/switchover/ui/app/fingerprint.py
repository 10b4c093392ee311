"""What of a run shows that an intent was taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from switchover.snapshot import MigrationView

__all__ = ["fingerprint"]


def fingerprint(view: MigrationView) -> tuple[object, ...]:
    """Everything of a run that changes when an intent has taken effect; not its output, which changes by itself."""
    return (
        view.run_id,
        view.state,
        view.current_phase,
        view.current_step,
        view.action,
        view.rolling_back,
        tuple((step.state, step.attempts, step.checklist) for phase in view.phases for step in phase.steps),
        tuple(
            (phase.gate.state, phase.gate.answered_by, phase.gate.said_go)
            for phase in view.phases
            if phase.gate is not None
        ),
    )
