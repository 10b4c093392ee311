"""The parts of a plan for people: what to tick, whom to call, what to read, who signs."""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from switchover.plan.field_types import Flag, KeyedSpec, Model, Span, Text
from switchover.snapshot.states import EvidenceWord, TopicWord

__all__ = ["Alert", "ChecklistItem", "Contact", "NotifierSpec", "Runbook", "Signoff"]

_TOPICS: tuple[TopicWord, ...] = get_args(TopicWord)


class NotifierSpec(KeyedSpec):
    """Who is notified of an alert. `kind` says how; the keys of that kind are in `config`."""

    tell: tuple[TopicWord, ...] = Field(
        _TOPICS,
        description="what of a run it is told besides alerts: a gate that waits for a person, an unknown outcome, what "
        "failed, a hold that ended, the end, the budget",
    )


class Alert(Model):
    """A rule over checks: `api_up == CRIT for 2m`."""

    when: str = Field(description="the condition, such as `api_up == CRIT for 2m`")
    notify: tuple[Text, ...] = Field(("log",), description="names of `notifiers`; `bell` and `log` need no entry there")
    remind: Span | None = Field(None, description="how often it is said again: 30m, 4h")
    text: Text = Field("", description="what the message says besides")


class ChecklistItem(Model):
    """An item for a person to tick: its text alone, or with who does it and how it is known."""

    text: Text = Field(description="what is to be true, or to be done")
    check: str | None = Field(None, description="it is ticked only while this check is fine")
    owner: Text | None = Field(None, description="who does it; advice that nobody checks")
    optional: Flag = Field(False, description="the step is done without it too")
    evidence: EvidenceWord = Field(
        "none", description="what has to be given with the tick; a file is copied and kept with its digest"
    )

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"text": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler.resolve_ref_schema(handler(core))
        schema["type"] = ["object", "string"]
        return handler(core)


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
