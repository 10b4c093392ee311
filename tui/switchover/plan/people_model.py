"""The parts of a plan for people: what to tick, whom to call, what to read, who signs."""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from switchover.plan.field_types import Flag, Interval, KeyedSpec, Model, Name, Span, Text
from switchover.snapshot.states import EvidenceWord, SeverityWord, TopicWord

__all__ = ["Alert", "AlertGroups", "ChecklistItem", "Contact", "NotifierSpec", "Runbook", "Signoff"]

_TOPICS: tuple[TopicWord, ...] = get_args(TopicWord)


class NotifierSpec(KeyedSpec):
    """Who is notified of an alert. `kind` says how; the keys of that kind are in `config`."""

    tell: tuple[TopicWord, ...] = Field(
        _TOPICS,
        description="what of a run it is told besides alerts: a gate that waits for a person, an unknown outcome, what "
        "failed, a hold that ended, the end, the budget",
    )


class Escalation(Model):
    """Who is told besides when nobody has acknowledged an alert for a while."""

    after: Span = Field(description="so long it fires unacknowledged: 15m")
    notify: tuple[Text, ...] = Field(description="names of `notifiers`")


class Alert(Model):
    """A rule over checks and metrics: `api_up == CRIT for 2m`, `metric("cpu") > 80% for 5m clear 75% keep 2m`."""

    when: str | None = Field(None, description='the rule, such as `metric("cpu") > 80% for 5m` or `api == CRIT for 2m`')
    promql: str | None = Field(
        None, description="a rule that a Prometheus judges; each series of its answer is an alert"
    )
    url: str | None = Field(None, description="the Prometheus or VictoriaMetrics that is asked for `promql`")
    hold: Span | None = Field(None, alias="for", description="so long `promql` has to hold before it fires: 5m")
    keep: Span | None = Field(None, description="so long `promql` fires on after its end")
    every: Interval = Field(30.0, description="how often `promql` is asked")
    notify: tuple[Text, ...] = Field(("log",), description="names of `notifiers`; `bell` and `log` need no entry there")
    remind: Span | None = Field(None, description="how often it is said again: 30m, 4h")
    text: Text = Field("", description="what the message says besides")
    severity: SeverityWord = Field("critical", description="how bad it is: critical, error, warning, info")
    labels: dict[Name, Text] = Field(default_factory=dict, description="labels for grouping, silences and receivers")
    runbook: Text = Field("", description="the address of what to read when it fires")
    no_data: Literal["tell", "ignore", "fire"] = Field(
        "tell", description="what to do where its numbers are missing for 5 minutes"
    )
    escalate: Escalation | None = Field(None, description="who is told besides when nobody acknowledges it")
    since: str | None = Field(None, description="it is judged from this phase or step on: PHASE or PHASE.STEP")
    until: str | None = Field(None, description="it is judged up to this phase or step")

    @model_validator(mode="after")
    def _one_rule(self) -> Alert:
        if (self.when is None) == (self.promql is None):
            raise ValueError("an alert has either `when` or `promql`")
        if self.promql is not None and self.url is None:
            raise ValueError("`promql` needs `url`: the Prometheus that is asked")
        return self


class AlertGroups(Model):
    """Alerts that are told together, and when."""

    by: tuple[Text, ...] = Field(("alertname",), description="labels: what has the same values is one group")
    wait: Span = Field(10.0, description="so long a new group waits for more: 10s")
    interval: Span = Field(300.0, description="so long lies between two notices of a group: 5m")
    repeat: Span = Field(43200.0, description="so often a group that still fires is told again: 12h")


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
