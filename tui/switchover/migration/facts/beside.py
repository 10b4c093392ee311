"""How a run stands while steps end side by side."""

from __future__ import annotations

from switchover.migration.facts import events as ev
from switchover.migration.facts.run_state import RunState, Stage, UnitState

__all__ = ["is_beside_a_failure"]

_BAD = (Stage.FAILED, Stage.UNKNOWN)


def is_beside_a_failure(state: RunState, before: UnitState, event: ev.Event) -> bool:
    """Whether a step ended well that ran side by side with one that did not: that mends nothing."""
    is_group = before.last is not None and bool(before.last.members)  # it judges its machines itself
    is_end = isinstance(event, ev.StepReady) or (isinstance(event, ev.StepEnded) and event.outcome == "done")
    return is_end and not is_group and state.rollback is None and state.stage in _BAD and before.stage not in _BAD
