"""The plan as it stands in the file: one frozen type for each part, templates not filled in yet."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from switchover.plan.command_model import ARGV_WORDS, RUN_WORDS, Argv, UsefulCommand, command_text
from switchover.plan.costs.cost_model import Costs
from switchover.plan.field_types import (
    DUE_WORDS,
    NOT_BEFORE_WORDS,
    SINCE_WORDS,
    UNTIL_WORDS,
    WINDOW_WORDS,
    Env,
    Flag,
    Interval,
    KeyedSpec,
    MemberName,
    Model,
    Name,
    Span,
    StepEffect,
    Text,
    Timeout,
    ValueType,
    WindowText,
    WrittenText,
)
from switchover.plan.hosts_model import Host
from switchover.plan.maintenance_model import Maintenance
from switchover.plan.people_model import Alert, AlertGroups, ChecklistItem, Contact, NotifierSpec, Runbook, Signoff
from switchover.plan.promise_model import Promise, PromiseValue
from switchover.plan.step_model import Confirm, RollbackAction, Step, UndoneBy, Verify
from switchover.plan.templates import put_out_by, slots
from switchover.plan.trouble_model import PlannedLook, Solution, TroubleshootingEntry
from switchover_checks.runtime.registry import usual_timeout

__all__ = [
    "Alert",
    "AlertGroups",
    "CheckSpec",
    "ChecklistItem",
    "Confirm",
    "Contact",
    "Gate",
    "Host",
    "LiveProbe",
    "MetricSpec",
    "Name",
    "NotifierSpec",
    "Phase",
    "Plan",
    "PlannedLook",
    "Promise",
    "PromiseValue",
    "Rollback",
    "RollbackAction",
    "RollbackStep",
    "Runbook",
    "SecretRef",
    "Service",
    "Side",
    "Signoff",
    "Solution",
    "Step",
    "StepEffect",
    "TroubleshootingEntry",
    "UndoneBy",
    "UsefulCommand",
    "Variable",
    "Verify",
]


class Variable(Model):
    """A value that is asked once, journalled, then frozen for the run. What a step puts out is `step.NAME.OUT`."""

    type: ValueType | Literal["list"] = Field("str", description="what kind of value it is; others are refused")
    ask: Text | None = Field(None, description="the question to a person; without it, a default is needed")
    default: str | int | float | bool | tuple[Any, ...] | dict[str, Any] | None = Field(
        None, description="the value when nobody gives one, also made of what a step puts out: {{ step.NAME.OUT }}"
    )
    choices: tuple[WrittenText, ...] = Field((), description="the values that may be given")


class SecretRef(Model):
    """Where a secret comes from; never the secret itself."""

    ref: str = Field(description="env:NAME, file:PATH, cmd:COMMAND, aws-sm:ID or gcp-sm:NAME")


class Side(BaseModel):
    """One side of the migration: `before` or `after`. Further keys are free and reach checks as they are."""

    model_config = ConfigDict(frozen=True, extra="allow")

    title: Text | None = Field(None, description="how the side is called on the screen")
    production: Flag = Field(False, description="this side serves real visitors")


class Service(BaseModel):
    """Something that runs and is watched. Which keys apply depends on `kind`; the loader checks them."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: str = Field(description="what it is; the table below says what each needs")
    side: str | None = Field(None, description="the side that it belongs to")
    title: Text | None = Field(None, description="how it is called on the screen")
    owner: Text | None = Field(None, description="who answers for it: a person, a team")
    link: str | None = Field(None, description="where a person looks at it: its dashboard, its console")
    url: str | None = Field(None, description="http: the address that is asked")
    container: str | None = Field(None, description="docker: the container's name")
    docker_host: str | None = Field(
        None, description="docker, compose: unix://, tcp:// or ssh://USER@HOST; else DOCKER_HOST or the context in use"
    )
    project: str | None = Field(None, description="compose: the project; gcp: the project's id")
    compose_service: str | None = Field(None, description="compose: the service; all of the project without one")
    unit: str | None = Field(None, description="systemd: the unit; .service is added where it has no suffix")
    deployment: str | None = Field(None, description="kubernetes: the deployment")
    namespace: str | None = Field(None, description="kubernetes: the namespace, else that of the context")
    context: str | None = Field(None, description="kubernetes: the context of kubectl, else the one in use")
    resource: str | None = Field(None, description="aws: ec2, rds, elasticache; gcp: run, sql, memorystore, pubsub")
    id: str | None = Field(None, description="aws, gcp: the resource's id or name")
    region: str | None = Field(None, description="aws, gcp: the region, else that of its side")
    pattern: str | None = Field(None, description="process: a regular expression over the command line")
    pid_file: str | None = Field(None, description="process: a file that holds the pid")
    listen: str | int | None = Field(None, description="process: the port it listens on")
    logs: tuple[str, ...] = Field((), description="log files, or cloudwatch:GROUP[/STREAM], gcp:FILTER")
    config: tuple[str, ...] = Field((), description="files whose change belongs on the timeline")
    needs: tuple[str, ...] = Field((), description="services or checks that it cannot work without")
    every: Interval = Field(2.0, description="how often it is probed: 500ms, 2s, 1m")
    run_on: Name | None = Field(None, description="docker, compose: the host of `hosts` whose containers they are")
    since: str | None = Field(None, description=SINCE_WORDS)
    until: str | None = Field(None, description=UNTIL_WORDS)


class LiveProbe(Model):
    """Which side serves now. What decides it is asked: a URL, a file, a symbolic link, a command or DNS."""

    url: str | None = Field(None, description="the address that is asked; its JSON body names the side")
    file: str | None = Field(None, description="a file that holds the side's name")
    symlink: str | None = Field(None, description="a symbolic link; the last part of its target is the side's name")
    run: str | None = Field(None, description="a command that only reads and prints the side's name; it has 10 s")
    dns: str | None = Field(None, description="a name whose records tell; `answers` says which side has which")
    record: Literal["A", "AAAA", "CNAME"] = Field("A", description="dns: the type of record that is asked for")
    server: str | None = Field(None, description="dns: the server that is asked, else that of this machine: 192.0.2.53")
    answers: dict[str, str | tuple[str, ...]] = Field(
        default_factory=dict, description="dns: SIDE: its record, or all of them"
    )
    path: str = Field("live", description="dotted path into the JSON body; the value there is a side's name")
    every: Interval = Field(2.0, description="how often it is asked: 500ms, 2s, 1m")


_NEVER_S = 10 * 366 * 86400.0


class CheckSpec(KeyedSpec):
    """A check: what the engine needs to schedule and judge it. The kind's own keys are in `config`."""

    title: Text | None = Field(None, description="how it is called on the screen")
    service: str | tuple[str, ...] | None = Field(
        None, description="the service that it is about; of several, one check for each"
    )
    side: str | None = Field(None, description="the side that it is about")
    every: Interval | Literal["gate"] = Field(
        15.0,
        description="how often it is probed: 500ms, 15s, 5m; `gate`: only when a gate, a person or `check NAME` asks",
    )
    timeout: Timeout | None = Field(
        None, description="a probe that takes longer is unknown: 10s, 1m; without it 10s, or what the kind says"
    )
    fail_after: Annotated[int, Field(strict=True, ge=1, le=100)] = Field(
        1, description="so many bad results in a row make it fail"
    )
    ok_after: Annotated[int, Field(strict=True, ge=1, le=100)] = Field(
        1, description="so many good results in a row make it fine again"
    )
    attempts: Annotated[int, Field(strict=True, ge=1, le=10)] = Field(
        1, description="so many attempts, all in all, before a bad result counts"
    )
    needs: tuple[str, ...] = Field((), description="checks or services that must be fine for this one to mean anything")
    run_on: Name | None = Field(
        None, description="the host of `hosts` on which its command runs; of a group the worst machine counts"
    )
    since: str | None = Field(None, description=SINCE_WORDS)
    until: str | None = Field(None, description=UNTIL_WORDS)

    @property
    def on_demand(self) -> bool:
        """Whether it is looked at only when a gate or a person asks."""
        return self.every == "gate"

    @property
    def every_s(self) -> float:
        """The seconds between two probes. On demand they are so many that nothing of it is ever old."""
        return _NEVER_S if self.every == "gate" else self.every

    @property
    def timeout_s(self) -> float:
        """How long a probe may take, in seconds."""
        return self.timeout or usual_timeout(self.kind)


class MetricSpec(KeyedSpec):
    """A number over time. `kind` says which source; the source's keys are in `config`."""

    title: Text | None = Field(None, description="how it is called on the screen")
    unit: str = Field("", description="what stands behind the number")
    every: Interval = Field(2.0, description="how often it is measured: 500ms, 2s, 1m")
    rate: Flag = Field(False, description="it counts up: what is shown and judged is how much it grows a second")
    warn: str | None = Field(None, description="a range; outside of it the metric warns")
    crit: str | None = Field(None, description="a range; outside of it the metric is critical")
    baseline: Literal["record"] | float | None = Field(
        None, description="the value to compare with; `record` takes the median at the start of the run"
    )
    since: str | None = Field(None, description=SINCE_WORDS)
    until: str | None = Field(None, description=UNTIL_WORDS)


class Gate(Model):
    """What must hold before the next phase opens."""

    require: tuple[str, ...] = Field((), description="checks and services that must be fine; metrics, fresh")
    prove: tuple[str, ...] = Field((), description="promises that must be met")
    hold: Span = Field(
        0.0, description="how long all of it has to stay green; goes on in the agent and over restarts: 5m, 24h"
    )
    within: Span | None = Field(
        None, description="the whole wait, from its opening; a hold that is green by then goes on to its end: 1m"
    )
    every: Interval | None = Field(
        None, description="how often it is judged again, else as often as its quickest check: 15s, 1m"
    )
    human: Text | None = Field(None, description="a question that a person must answer with yes")
    persons: Annotated[int, Field(strict=True, ge=1, le=2)] = Field(
        1, description="2 asks for the go of a second account"
    )
    who: tuple[Text, ...] = Field((), description="who should answer; advice that nobody checks")


class Phase(Model):
    """A stretch of the migration: steps in order, then a gate."""

    id: MemberName = Field(description="its name, unique in the plan")
    title: Text | None = Field(None, description="how it is called on the screen")
    group: Text | None = Field(None, description="a heading over this phase and those beside it: Week 1")
    steps: tuple[Step, ...] = Field((), description="what is done, in this order")
    gate: Gate | None = Field(None, description="what must hold before the next phase")
    not_before: str | None = Field(None, description=NOT_BEFORE_WORDS)
    window: WindowText | None = Field(None, description=WINDOW_WORDS)
    due: Span | None = Field(None, description=DUE_WORDS)

    def beside(self, step_id: str) -> tuple[Step, ...]:
        """Return a step and those that run beside it, in order; the step alone where none does."""
        step = next(step for step in self.steps if step.id == step_id)
        if step.parallel is None:
            return (step,)
        return tuple(other for other in self.steps if other.parallel == step.parallel)


class RollbackStep(Model):
    """A command, or `rollback`: the per-step rollbacks of the named phases, in reverse."""

    title: Text | None = Field(None, description="how the command is called on the screen")
    run: str | None = Field(None, description=RUN_WORDS)
    argv: Argv | None = Field(None, description=ARGV_WORDS)
    env: Env = Field(default_factory=dict, description="variables of the command; secrets belong here")
    timeout: Timeout = Field(600.0, description="it is ended after that time: 30s, 1h30m")
    expect_duration: Span | None = Field(None, description="how long it should take: 30s, 1h30m")
    rollback: tuple[str, ...] = Field((), description="phases whose begun steps are undone, in reverse")
    run_on: Name | None = Field(None, description="the host of `hosts` on which the command runs, else this one")
    cwd: str | None = Field(None, description="the folder in which the command runs, else that of the plan")
    effect: StepEffect = Field(
        "changes", description="what the command changes; one that reads undoes nothing: read, creates, destroys"
    )
    optional: Flag = Field(False, description="where the command fails, the way back goes on without it")

    @property
    def command(self) -> str:
        """The command as a person reads it; empty where there is none."""
        return command_text(self.run, self.argv)


class Rollback(Model):
    """A named way back."""

    title: Text = Field(description="how it is called on the screen")
    within: Span | None = Field(None, description="how long it may take: 10m, 1h30m")
    valid_until: str | None = Field(None, description="PHASE.STEP after whose start this way back is closed")
    loses: Text | None = Field(None, description="what is lost by going this way, in words; or `nothing`")
    loses_since: str | None = Field(None, description="PHASE.STEP from whose start on what is written is lost this way")
    steps: tuple[RollbackStep, ...] = Field(description="what is done, in this order")
    verify: tuple[str, ...] = Field((), description="checks that must be fine at its end")


class Plan(Model):
    """A whole plan file."""

    schema_: Literal[1] = Field(alias="schema", description="the version of this format")
    id: Name = Field(description="its name; runs and journals go by it")
    title: Text = Field(description="how it is called on the screen")
    owner: Text | None = Field(None, description="who answers for it")
    target: str | None = Field(None, description="what is migrated, as the operator names it: prod, staging, …")
    include: str | tuple[str, ...] = Field(
        (), description="files in the plan's folder whose parts stand in the plan as if they were written here"
    )
    vars: dict[Name, Variable] = Field(
        default_factory=dict, description="values that are asked once and frozen for the run"
    )
    secrets: dict[Name, SecretRef] = Field(
        default_factory=dict, description="where secrets come from; never the secrets themselves"
    )
    hosts: dict[Name, Host] = Field(default_factory=dict, description="other machines on which something runs")
    sides: dict[Name, Side] = Field(default_factory=dict, description="the two sides, `before` and `after`")
    costs: Costs = Field(default_factory=Costs, description="what the two sides cost a month")
    check_modules: tuple[str, ...] = Field((), description="Python files beside the plan that add check kinds")
    live: LiveProbe | None = Field(None, description="how to tell which side serves now")
    services: dict[MemberName, Service] = Field(default_factory=dict, description="what runs and is watched")
    checks: dict[MemberName, CheckSpec] = Field(default_factory=dict, description="what must be true")
    metrics: dict[MemberName, MetricSpec] = Field(default_factory=dict, description="numbers over time")
    notifiers: dict[Name, NotifierSpec] = Field(default_factory=dict, description="who is notified of alerts, and how")
    alerts: dict[MemberName, Alert] = Field(default_factory=dict, description="rules over checks and metrics")
    alert_groups: AlertGroups | None = Field(None, description="which alerts are told together, and when")
    phases: tuple[Phase, ...] = Field((), description="what is done, in this order")
    rollbacks: dict[Name, Rollback] = Field(default_factory=dict, description="named ways back")
    troubleshooting: tuple[TroubleshootingEntry, ...] = Field((), description="known issues and what helps")
    promises: dict[MemberName, Promise] = Field(
        default_factory=dict, description="promises that are measured before and after"
    )
    commands: dict[Name, UsefulCommand] = Field(
        default_factory=dict, description="useful commands, each one key away, on record as any action"
    )
    maintenance: dict[Name, Maintenance] = Field(
        default_factory=dict, description="times in which what fails is told only if it still fails at their end"
    )
    contacts: tuple[Contact, ...] = Field((), description="whom to call")
    runbooks: tuple[Runbook, ...] = Field((), description="what to read")
    signoff: Signoff | None = Field(None, description="who signs at the end")

    def phase_of(self, step_id: str) -> Phase:
        """Return the phase that holds the step. Raise `KeyError`."""
        for phase in self.phases:
            if any(step.id == step_id for step in phase.steps):
                return phase
        raise KeyError(step_id)

    def step(self, step_id: str) -> Step:
        """Return a step by its id, unique in the whole plan. Raise `KeyError`."""
        for phase in self.phases:
            for step in phase.steps:
                if step.id == step_id:
                    return step
        raise KeyError(step_id)

    @cached_property
    def variables(self) -> dict[str, Variable]:
        """The plan's variables, and each output of a step as `step.NAME.OUTPUT`."""
        outputs = {
            f"step.{step.id}.{name}": Variable(type=output.type)
            for step in self.all_steps
            for name, output in step.captures.items()
        }
        return {**self.vars, **outputs}

    @cached_property
    def late_variables(self) -> frozenset[str]:
        """The variables that steps put out, and those whose default is made of them. A start does not freeze them."""
        found = {name for name in self.variables if put_out_by(name) is not None}
        needs = {
            name: {slot.name for slot in slots(variable.default)}
            for name, variable in self.vars.items()
            if isinstance(variable.default, str)
        }
        while more := {name for name, needed in needs.items() if name not in found and needed & found}:
            found |= more
        return frozenset(found)

    @property
    def all_steps(self) -> tuple[Step, ...]:
        """All steps in order."""
        return tuple(step for phase in self.phases for step in phase.steps)
