"""What the hub asks of the engine; `switchover.migration.run.engine.Engine` is one, tests fake it."""

from __future__ import annotations

from typing import Protocol

from switchover.plan.variables import Scope
from switchover.snapshot import Holder, MigrationView, TimelineRow

__all__ = ["EngineView"]


class EngineView(Protocol):
    """The run as it can be read."""

    def view(self) -> MigrationView:
        """Return the run as the wizard shows it."""

    def timeline(self) -> tuple[TimelineRow, ...]:
        """Return what happened to the run, oldest first."""

    def scope(self) -> Scope:
        """Return what templates are filled from now."""

    def holder(self) -> Holder | None:
        """Return who drives the run, None when nobody does."""

    @property
    def plan_edited(self) -> bool:
        """Whether the plan file differs from the plan that the run was started with."""
