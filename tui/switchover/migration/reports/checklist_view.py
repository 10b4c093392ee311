"""The items of a checklist as a client shows them. Pure."""

from __future__ import annotations

from dataclasses import replace

from switchover.migration.facts.display import display
from switchover.migration.facts.run_state import UnitState
from switchover.plan.model import Step
from switchover.redaction import sanitize
from switchover.snapshot import ChecklistItemView

__all__ = ["checklist_view"]


def checklist_view(step: Step, unit: UnitState) -> tuple[ChecklistItemView, ...]:
    """Return each item, and who ticked it with what."""
    items = []
    for index, item in enumerate(step.checklist):
        view = ChecklistItemView(
            sanitize(item.text),
            asks=item.evidence,
            check=item.check or "",
            owner=sanitize(item.owner or ""),
            optional=item.optional,
        )
        if (tick := unit.ticks.get(index)) is not None:
            view = replace(view, done=True, who=tick.who, at=tick.at, evidence=display(tick.evidence))
            if tick.file is not None:
                view = replace(view, file=display(tick.file.name), sha256=tick.file.sha256)
        items.append(view)
    return tuple(items)
