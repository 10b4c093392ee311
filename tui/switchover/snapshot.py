"""The frozen Snapshot: all that a client shows, made by the hub, sent by the agent, drawn by the UI.

Plain data only. Times are epoch seconds UTC (`*_at`) or seconds (`*_s`); None means not known, never zero.
Statuses of checks are words: ok warn crit unknown skipped pending. States of steps: pending running waiting done failed
unknown skipped rolled_back. Text is already redacted and free of control characters.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = [
    "ActionView",
    "AlertRow",
    "CheckRow",
    "ContactRow",
    "CostRow",
    "CostsView",
    "FindingRow",
    "GateView",
    "Header",
    "Holder",
    "IncidentView",
    "ManualItem",
    "MetricRow",
    "MigrationView",
    "ObjectiveView",
    "PhaseView",
    "PlanChange",
    "PlanDifference",
    "Problem",
    "Rehearsal",
    "RehearsedAction",
    "Requirement",
    "RollbackAction",
    "RollbackRun",
    "RollbackView",
    "ServiceRow",
    "Snapshot",
    "SolutionView",
    "SourceNote",
    "StepView",
    "TimelineRow",
    "TroubleView",
]


@dataclass(frozen=True, slots=True)
class Holder:
    """Who drives the run."""

    who: str
    host: str
    tty: str
    pid: int
    since: float


@dataclass(frozen=True, slots=True)
class Header:
    """What every screen's first line says.

    `holder` has the run's lock now, in whatever process. `driver` is the screen that drives by way of the agent (`pid`
    is that of the screen); `asking` wants to take over, and has no answer after `asking_until`.
    """

    plan_id: str = ""
    title: str = ""
    plan_path: str = ""
    target: str = ""
    production: bool = False
    live_side: str = ""
    holder: Holder | None = None
    read_only: bool = False
    agent_pid: int = 0
    agent_version: str = ""
    host: str = ""
    plan_edited: bool = False
    driver: Holder | None = None
    asking: Holder | None = None
    asking_until: float | None = None


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """A service as last seen. `state`: running, stopped, unknown. `health`: a check status.

    `id` names it in requests: its name in the plan, or `kind:ref` for what was found by itself; it never changes while
    the thing is there. `identity` is another one once the thing behind it is (a new pid, a new container): a request to
    act carries it, so that nothing is done to what took its place. `actions` can be done to it now (the words of
    `switchover.tiers`, and logs, exec, inspect). `group` is what it belongs to: a project, a slice, a namespace.
    `wrong_since` is when it ceased to be fine, however that looked since; `or_before`: at the latest.
    """

    name: str
    side: str
    kind: str
    state: str
    health: str
    detail: str = ""
    cpu_percent: float | None = None
    cpu_history: tuple[float, ...] = ()
    memory_bytes: int | None = None
    started_at: float | None = None
    restarts: int | None = None
    pid: int | None = None
    url: str = ""
    latency_ms: float | None = None
    needs: tuple[str, ...] = ()
    observed_at: float | None = None
    changed_at: float | None = None
    stale_after_s: float = 10.0
    id: str = ""
    identity: str = ""
    actions: tuple[str, ...] = ()
    group: str = ""
    image: str = ""
    ports: tuple[str, ...] = ()
    user: str = ""
    parent: int | None = None
    ready: int | None = None
    wanted: int | None = None
    owner: str = ""
    wrong_since: float | None = None
    or_before: bool = False


@dataclass(frozen=True, slots=True)
class FindingRow:
    """Expected against observed."""

    what: str
    expected: str
    observed: str
    status: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A check. `history` holds the last statuses as digits (`Status` values), newest last.

    `wrong_since` is when the first of the bad results came, however bad they were since; `or_before`: at the latest.
    """

    name: str
    kind: str
    status: str
    summary: str
    title: str = ""
    phase: str = ""
    service: str = ""
    observed_at: float | None = None
    took_ms: float | None = None
    changed_at: float | None = None
    last_ok_at: float | None = None
    history: tuple[int, ...] = ()
    findings: tuple[FindingRow, ...] = ()
    needs: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()
    every_s: float = 15.0
    stale_after_s: float = 40.0
    running: bool = False
    pending_failures: int = 0
    evidence: tuple[tuple[str, str], ...] = ()
    wrong_since: float | None = None
    or_before: bool = False


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A series. `values` are the newest points, oldest first, one each `step_s`; None where nothing was measured."""

    name: str
    group: str
    unit: str
    values: tuple[float | None, ...] = ()
    latest: float | None = None
    title: str = ""
    warn: str = ""
    crit: str = ""
    status: str = "ok"
    baseline: float | None = None
    observed_at: float | None = None
    step_s: float = 2.0
    stale_after_s: float = 10.0
    note: str = ""


@dataclass(frozen=True, slots=True)
class CostRow:
    """One line of money a month; amounts are decimal text, empty where the side has no such line."""

    line: str
    before: str
    after: str
    difference: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class CostsView:
    """Costs a month before and after. Amounts are decimal text in `currency`; `source` says how they are known."""

    currency: str = ""
    rows: tuple[CostRow, ...] = ()
    before_total: str = ""
    after_total: str = ""
    difference: str = ""
    percent: str = ""
    budget: str = ""
    within_budget: bool | None = None
    both_total: str = ""
    source: str = "planned"


@dataclass(frozen=True, slots=True)
class ManualItem:
    """An item that a human ticks."""

    text: str
    done: bool = False
    who: str = ""
    at: float | None = None
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class StepView:
    """A step as the wizard shows it. `command` is the exact text; `env` is what it gets, never values of secrets."""

    id: str
    title: str
    state: str
    effect: str
    command: str = ""
    env: tuple[tuple[str, str], ...] = ()
    irreversible: bool = False
    confirm_text: str = ""
    confirm_require: tuple[str, ...] = ()
    attempts: int = 0
    exit_code: int | None = None
    started_at: float | None = None
    ended_at: float | None = None
    expect_s: float | None = None
    timeout_s: float | None = None
    reason: str = ""
    blast_radius: str = ""
    rollback: str = ""
    rollback_expect_s: float | None = None
    manual: tuple[ManualItem, ...] = ()
    evidence_required: bool = False
    outputs: tuple[tuple[str, str], ...] = ()
    choices: tuple[str, ...] = ()
    persons: int = 1
    confirmed_by: tuple[str, ...] = ()
    ready_at: float | None = None
    requirements: tuple[Requirement, ...] = ()


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that a gate needs, as it stands.

    `allowed_by` let it pass although it is not fine; `can` says what a person may do: acknowledge, waive.
    """

    name: str
    status: str
    summary: str = ""
    allowed_by: str = ""
    allowed_why: str = ""
    allowed_until: float | None = None
    can: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GateView:
    """A gate. `state`: pending, waiting, holding, human, decide, passed, failed.

    `soak`: its hold goes on in the agent, over restarts. `roles` are advisory: nothing here knows who is what.
    """

    phase: str
    state: str
    requirements: tuple[Requirement, ...] = ()
    hold_s: float = 0.0
    held_s: float = 0.0
    green_since: float | None = None
    human: str = ""
    answered_by: str = ""
    reason: str = ""
    deadline_at: float | None = None
    soak: bool = False
    roles: tuple[str, ...] = ()
    broken_at: float | None = None
    broken_why: str = ""


@dataclass(frozen=True, slots=True)
class PhaseView:
    """A phase with its steps and its gate."""

    id: str
    title: str
    state: str
    steps: tuple[StepView, ...] = ()
    gate: GateView | None = None
    started_at: float | None = None
    ended_at: float | None = None


@dataclass(frozen=True, slots=True)
class ActionView:
    """What enter would do now.

    `kind`: start, step, manual, confirm, gate, human, decide, resolve, failed, done, wait, none.
    """

    kind: str = "none"
    target: str = ""
    text: str = ""
    dangerous: bool = False


@dataclass(frozen=True, slots=True)
class RollbackView:
    """A way back as it stands now. `name` is empty for undoing the started steps one by one.

    `closed_by` is the step whose start closes it for good, empty where none does. `expect_s` is what is known of its
    time: `measured` where all of it was, `expected` where the plan says so, `partly` where `unknown_times` actions are
    not in it. What was written since `loses_since` is lost, when the step `loses_after` began. `irreversible` are the
    begun steps that it does not undo and that have to be accepted by name.
    """

    name: str
    title: str
    available: bool
    reason: str = ""
    steps: tuple[str, ...] = ()
    expect_s: float | None = None
    budget_s: float | None = None
    data_loss: str = ""
    closed_by: str = ""
    expect_from: str = ""
    unknown_times: int = 0
    loses_since: float | None = None
    loses_after: str = ""
    cannot_undo: tuple[str, ...] = ()
    verify: tuple[str, ...] = ()
    irreversible: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RollbackAction:
    """One action of a rollback. `state`: pending running done failed unknown skipped. `undoes` is a step, or empty."""

    unit: str
    label: str
    state: str
    undoes: str = ""
    attempts: int = 0
    exit_code: int | None = None
    started_at: float | None = None
    took_s: float | None = None
    expect_s: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RollbackRun:
    """A rollback that was begun, action by action. `state`: running, stopped (nothing runs), failed, unknown, done.

    `took_s` is set once it is through; until then its time counts from `started_at`.
    """

    number: int
    name: str
    title: str
    state: str
    started_at: float
    by: str = ""
    actions: tuple[RollbackAction, ...] = ()
    cannot_undo: tuple[str, ...] = ()
    budget_s: float | None = None
    expect_s: float | None = None
    took_s: float | None = None
    data_loss: str = ""
    loses_since: float | None = None
    loses_after: str = ""
    verify: tuple[Requirement, ...] = ()


@dataclass(frozen=True, slots=True)
class RehearsedAction:
    """One action of a way back as it would be executed; `measured` says that its time was."""

    argv: tuple[str, ...]
    env_names: tuple[str, ...] = ()
    undoes: str = ""
    timeout_s: float = 0.0
    expect_s: float | None = None
    measured: bool = False


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """All that going a way back would do. Asked for, never part of a Snapshot.

    `assumed`: nothing has begun yet, so it is worked out as if every step had. `verify` is what its checks say now.
    """

    way: RollbackView
    actions: tuple[RehearsedAction, ...] = ()
    assumed: bool = False
    verify: tuple[Requirement, ...] = ()


@dataclass(frozen=True, slots=True)
class ObjectiveView:
    """A promised improvement. `state`: pending, met, missed, unknown."""

    name: str
    title: str
    unit: str
    before: float | None
    after: float | None
    target: str
    state: str


@dataclass(frozen=True, slots=True)
class MigrationView:
    """The run as the wizard shows it. `state`: pending running waiting done failed unknown rolled_back aborted."""

    run_id: str = ""
    state: str = "pending"
    phases: tuple[PhaseView, ...] = ()
    current_phase: str = ""
    current_step: str = ""
    action: ActionView = ActionView()
    rollbacks: tuple[RollbackView, ...] = ()
    objectives: tuple[ObjectiveView, ...] = ()
    started_at: float | None = None
    ended_at: float | None = None
    remaining_s: float | None = None
    output_step: str = ""
    output_attempt: int = 0
    output: tuple[str, ...] = ()
    output_bytes: int = 0
    rolling_back: str = ""
    started_by: str = ""
    variables_needed: tuple[tuple[str, str, str], ...] = ()
    rollback: RollbackRun | None = None


@dataclass(frozen=True, slots=True)
class PlanChange:
    """A part of a plan that was edited. `kind`: added removed changed moved. `details`: key, before, after.

    `touches` says how a step or gate stands that has begun already; empty where nothing has.
    """

    kind: str
    what: str
    name: str
    details: tuple[tuple[str, str, str], ...] = ()
    touches: str = ""


@dataclass(frozen=True, slots=True)
class PlanDifference:
    """The plan's file as it is now, beside the plan that the run goes by. Asked for, never part of a Snapshot.

    `problems` are the errors of a file that cannot be used, `refused` why a run cannot go by it, `needed` the variables
    that it asks for beyond those that are known.
    """

    same: bool
    run_id: str = ""
    run_open: bool = False
    digest: str = ""
    problems: tuple[str, ...] = ()
    changes: tuple[PlanChange, ...] = ()
    refused: tuple[str, ...] = ()
    needed: tuple[tuple[str, str, str], ...] = ()
    unified: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong, worded for the Overview. `status` is a check status; `waiting` counts what waits for it.

    `trouble` is the index of the plan's entry that fits, `known` the id of the entry that ships with the program.
    It is so since `since`, at the latest where `or_before` says so. `changed` is what changed just before, newest
    first; `nearby` says that none of it is known to have to do with this, and that it only stands beside it.
    """

    status: str
    subject: str
    what: str
    since: float | None
    cause: str = ""
    next: str = ""
    check: str = ""
    service: str = ""
    trouble: int | None = None
    waiting: tuple[str, ...] = ()
    known: str = ""
    owner: str = ""
    changed: tuple[TimelineRow, ...] = ()
    or_before: bool = False
    nearby: bool = False


@dataclass(frozen=True, slots=True)
class TroubleView:
    """A troubleshooting entry. `matches`: it fits something that is wrong now.

    `id` is `plan:INDEX` for one of the plan, else the entry's own name. `about` are the
    services and checks that it fits now, `because` why each of an entry that ships with the program. `acts` are its
    solutions as things that can be run; `solutions` the same in words. `shows` says what each of `diagnose` shows.
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
    """One thing that may help. Without a `command` a person does it; `confirm_text` has to be typed before it runs."""

    text: str
    command: str = ""
    effect: str = "changes"
    irreversible: bool = False
    confirm_text: str = ""


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
    kind: str
    text: str
    status: str = ""
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert that fires."""

    rule: str
    text: str
    since: float
    bell: bool = False


@dataclass(frozen=True, slots=True)
class SourceNote:
    """A source that is off or has trouble, and why, in one line."""

    name: str
    state: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All of it. `seq` grows by one for each that is published; `at` is when (epoch seconds).

    `problems` stand worst first, the `timeline` newest first, everything else in the order of the plan. `found` is what
    runs here and is in no plan.
    """

    seq: int = 0
    at: float = 0.0
    header: Header = Header()
    problems: tuple[Problem, ...] = ()
    services: tuple[ServiceRow, ...] = ()
    checks: tuple[CheckRow, ...] = ()
    metrics: tuple[MetricRow, ...] = ()
    costs: CostsView = CostsView()
    migration: MigrationView = MigrationView()
    timeline: tuple[TimelineRow, ...] = ()
    alerts: tuple[AlertRow, ...] = ()
    troubles: tuple[TroubleView, ...] = ()
    contacts: tuple[ContactRow, ...] = ()
    sources: tuple[SourceNote, ...] = field(default=())
    found: tuple[ServiceRow, ...] = ()
    incident: IncidentView | None = None
