"""The parts of a plan for people: whom to call, what to read, who signs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from switchover.plan.field_types import Model, Span, Text

__all__ = ["Contact", "Runbook", "Signoff"]


class Contact(Model):
    """Whom to call."""

    name: Text = Field(description="who it is")
    role: Text | None = Field(None, description="what they answer for")
    phone: Text | None = Field(None, description="their number")
    email: Text | None = Field(None, description="their address")
    note: Text | None = Field(None, description="when to call them")


class Runbook(Model):
    """What to read."""

    title: Text = Field(description="how it is called on the screen")
    url: str = Field(description="where it is")
    checks: tuple[str, ...] = Field((), description="checks beside which it is offered")


class Signoff(Model):
    """Who signs at the end, and what is kept."""

    roles: tuple[str, ...] = Field((), description="who signs at the end; advice that nobody checks")
    retention: Span | None = Field(None, description="how long the report is to be kept: 90d, 52w")
    report: tuple[Literal["md", "json", "html"], ...] = Field(
        ("md",), description="the formats in which the report is written"
    )
