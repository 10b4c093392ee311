"""Maintenance: times in which what fails is expected to, and is told only if it still fails at their end."""

from __future__ import annotations

from pydantic import Field, model_validator

from switchover.plan.field_types import Model, Text, WindowText

__all__ = ["Maintenance"]


class Maintenance(Model):
    """When, and of what."""

    title: Text | None = Field(None, description="how it is called on the screen")
    window: WindowText | tuple[WindowText, ...] | None = Field(
        None, description="when, also over midnight: Sun 02:00-04:00 Europe/Paris, daily 03:00-03:30 UTC"
    )
    ics: Text | None = Field(None, description="a calendar file beside the plan, whose events are the times")
    of: tuple[str, ...] = Field((), description="the checks and services that it is about; without it all of them")

    @model_validator(mode="after")
    def _has_times(self) -> Maintenance:
        if (self.window is None) == (self.ics is None):
            raise ValueError("maintenance has either window or ics: when is it?")
        return self

    @property
    def windows(self) -> tuple[str, ...]:
        """Its windows as they are written."""
        return (self.window,) if isinstance(self.window, str) else self.window or ()
