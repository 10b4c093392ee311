"""Where a step runs, and how it stands on each machine of a group."""

from __future__ import annotations

from switchover.migration.facts.display import display
from switchover.migration.facts.run_state import RunState, UnitState
from switchover.plan.model import Step
from switchover.snapshot import MachineView

__all__ = ["host_view", "machine_views"]


def host_view(step: Step, unit: UnitState) -> str:
    """Return the host of a step, and what ssh called it where it ran."""
    far = unit.last.far if unit.last is not None else None
    return f"{far.host} (ssh {far.ssh})" if far is not None else step.run_on or ""


def machine_views(unit: UnitState, state: RunState) -> tuple[MachineView, ...]:
    """Return how a step stands on each machine of its group."""
    parts = dict.fromkeys(part for attempt in unit.attempts for part in attempt.members)
    found = []
    for part in parts:
        one = state.unit(part)
        code = one.last.exit_code if one.last is not None else None
        name = display(part.partition("@")[2])
        found.append(MachineView(name, part, one.stage.word, len(one.attempts), code, display(one.reason)))
    return tuple(found)
