"""Other machines, as they stand in the plan."""

from __future__ import annotations

from pydantic import Field

from switchover.plan.field_types import ExactText, Model

__all__ = ["Host"]


class Host(Model):
    """Another machine, or a group of them, reached by the operator's own ssh."""

    ssh: ExactText | tuple[ExactText, ...] = Field(
        description="how `ssh` calls it, such as ops@db1; a list makes a group of machines"
    )

    @property
    def destinations(self) -> tuple[str, ...]:
        """What ssh calls its machines, still with templates."""
        return (self.ssh,) if isinstance(self.ssh, str) else self.ssh
