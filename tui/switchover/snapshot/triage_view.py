"""What is wrong, what happened, and what may help."""

from __future__ import annotations

from dataclasses import dataclass

from switchover.snapshot.states import EventKind, NamedStatus, SeverityWord, SourceWord, StatusWord, StepEffect

__all__ = [
    "AlertRow",
    "ContactRow",
    "IncidentView",
    "KnownIssueView",
    "Problem",
    "SilenceRecord",
    "SolutionView",
    "SourceNote",
    "TimelineRow",
    "UsefulCommandView",
]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong, worded for the Overview. `status` is a check status; `waiting` counts what waits for it.

    `plan_entry` is the index of the plan's entry that fits, `known` the id of the shipped entry. It is so since
    `since`, at the latest where `or_before` says so. `changed` is what changed just before, newest first. `nearby`
    says that none of it is known to be related; it only stands beside it.
    """

    status: StatusWord
    subject: str
    what: str
    since: float | None
    cause: str = ""
    next: str = ""
    check: str = ""
    service: str = ""
    plan_entry: int | None = None
    waiting: tuple[str, ...] = ()
    known: str = ""
    owner: str = ""
    changed: tuple[TimelineRow, ...] = ()
    or_before: bool = False
    nearby: bool = False


@dataclass(frozen=True, slots=True)
class KnownIssueView:
    """A troubleshooting entry. `matches`: it fits something that is wrong now.

    `id` is `plan:INDEX` for one of the plan, else the entry's own name. `about` are the services and checks that it
    fits now. `because` gives the reasons of a shipped entry. `acts` are its solutions as things that can be run;
    `solutions` the same in words. `shows` says what each of `diagnose` shows.
    """

    symptom: str
    matches: bool
    diagnose: tuple[str, ...] = ()
    solutions: tuple[str, ...] = ()
    id: str = ""
    about: tuple[str, ...] = ()
    acts: tuple[SolutionView, ...] = ()
    because: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SolutionView:
    """One thing that may help. Without a `command` a person does it; `confirm_text` has to be typed before it runs.

    `asks` are names and questions: what a person answers before it runs.
    """

    text: str
    command: str = ""
    effect: StepEffect = "changes"
    irreversible: bool = False
    confirm_text: str = ""
    asks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class UsefulCommandView:
    """A command that people need again and again. `run_on` is its host; `key` runs it where they are listed."""

    name: str
    title: str
    key: str = ""
    command: str = ""
    effect: StepEffect = "changes"
    run_on: str = ""


@dataclass(frozen=True, slots=True)
class IncidentView:
    """The incident that is open here. `notes` are what people wrote, oldest first: (at, who, text).

    `trouble` says why something of what happens cannot be written down now.
    """

    id: str
    title: str
    opened_at: float
    opened_by: str
    notes: tuple[tuple[float, str, str], ...] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class ContactRow:
    """Whom to call or what to read."""

    name: str
    how: str


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """Something that happened. `kind`: run, step, gate, check, service, alert, agent, action, change, incident.

    A `change` is a deploy, a restart, another image, an edited configuration; an `action` is what a person did here.
    `about` are the ids of the services that it happened to, or what a person called them.
    """

    at: float
    kind: EventKind
    text: str
    status: NamedStatus = ""
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert that fires. `note` says why nobody is told of it now; `runbook` is what to read.

    `id` names it for silences and acknowledgements.
    """

    rule: str
    text: str
    since: float
    bell: bool = False
    name: str = ""
    desktop: bool = False
    severity: SeverityWord = "critical"
    note: str = ""
    runbook: str = ""
    id: str = ""

    @property
    def key(self) -> str:
        """What tells it from others."""
        return self.name or self.rule


@dataclass(frozen=True, slots=True)
class SourceNote:
    """A source that is off or failing, and why, in one line."""

    name: str
    state: SourceWord
    why: str = ""


@dataclass(frozen=True, slots=True)
class SilenceRecord:
    """Whom nobody is told of, until when, who said so and why. `matchers` are texts such as `name=api_*`.

    An acknowledgement is a silence of one alert (`ack`), which ends with that alert at the latest.
    """

    id: str
    matchers: tuple[str, ...]
    start: float
    until: float
    who: str
    why: str
    ack: bool = False
