"""The run as a client shows it: plan, state and what is going on right now, made into a `MigrationView`. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from switchover.migration.facts.display import display
from switchover.migration.facts.run_state import GateState, RunState, Stage, Timestamp, UnitState
from switchover.migration.reports.checklist_view import checklist_view
from switchover.migration.reports.machines_view import host_view, machine_views
from switchover.migration.reports.rollback_view import action_name, mark_gone_over, rollback_path_view, rollback_view
from switchover.migration.rules.confirmations import answered_by, elapsed
from switchover.migration.rules.next_action import Action, next_action
from switchover.migration.rules.rollback_paths import measured_as, rollback_paths
from switchover.migration.rules.times import due_at
from switchover.plan.command_model import command_text
from switchover.plan.model import Gate, Phase, Plan, Step
from switchover.redaction import sanitize
from switchover.snapshot import (
    ActionView,
    GateView,
    MigrationView,
    PhaseView,
    PromiseView,
    Requirement,
    StepView,
)
from switchover.snapshot.states import GateWord, StageWord

__all__ = ["GateLive", "OutputTail", "ViewContext", "build_view", "shown_env"]

_SECRET = re.compile(r"\{\{\s*secret\.([A-Za-z0-9_-]+)[^}]*\}\}")
CHOICES = ("done", "failed", "retry", "rollback")


@dataclass(frozen=True, slots=True)
class GateLive:
    """A gate that is being judged now. Monotonic times except those that end in `_at`."""

    phase: str
    state: GateWord = "waiting"
    requirements: tuple[Requirement, ...] = ()
    green_since_mono: float | None = None
    green_since_at: float | None = None
    deadline_at: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OutputTail:
    """The last lines of what a unit wrote, fit for display."""

    unit: str = ""
    attempt: int = 0
    lines: tuple[str, ...] = ()
    total_bytes: int = 0


@dataclass(frozen=True, slots=True)
class ViewContext:
    """What the view needs beside plan and state. `render` fills variables into a text, or returns it as it is."""

    now: float
    mono: float
    boot_id: str
    render: Callable[[str], str] = field(default=str)
    gate: GateLive | None = None
    output: OutputTail = field(default_factory=OutputTail)
    measured: Mapping[str, float] = field(default_factory=dict)  # unit or "undo STEP" -> seconds it took before
    needed: tuple[tuple[str, str, str], ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)  # unit -> why it may not run yet
    ready_at: Mapping[str, float] = field(default_factory=dict)  # unit -> when its time comes
    judged: Mapping[str, tuple[Requirement, ...]] = field(default_factory=dict)  # phase -> what was seen last, judged
    confirmed_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # unit -> whose word counts now
    registered: Mapping[str, Step] = field(default_factory=dict)  # steps as they were when they began, if other now
    passed: Mapping[str, tuple[Requirement, ...]] = field(default_factory=dict)  # unit -> what a person has let pass
    driven: bool = False  # whether somebody drives the run at this moment
    repeatable: frozenset[str] = frozenset()  # done steps that may run again on a person's word


def build_view(plan: Plan, state: RunState, context: ViewContext) -> MigrationView:
    """Return the whole view."""
    action = next_action(plan, state)
    phases = mark_gone_over((_phase(plan, phase, state, action, context) for phase in plan.phases), plan, state)
    return MigrationView(
        run_id=state.run_id,
        state=_run_word(state, action, context),
        phases=phases,
        current_phase=action.phase,
        current_step=action.unit,
        action=_action(plan, state, action, context),
        rollbacks=tuple(
            rollback_path_view(way, plan) for way in rollback_paths(plan, state, context.registered, context.measured)
        )
        if state.exists
        else (),
        promises=_promises(plan, state),
        started_at=_at(state.started),
        ended_at=_at(state.ended),
        remaining_s=_remaining(plan, state, context),
        output_step=context.output.unit,
        output_attempt=context.output.attempt,
        output=context.output.lines,
        output_bytes=context.output.total_bytes,
        rolling_back=_rolling_back(state),
        started_by=str(state.by) if state.by else "",
        variables_needed=context.needed,
        rollback=rollback_view(state, action),
    )


def shown_env(env: Mapping[str, str], render: Callable[[str], str]) -> tuple[tuple[str, str], ...]:
    """Return names and values as they may be shown: a value that holds a secret only says which."""
    shown = []
    for name, text in env.items():
        secret = _SECRET.search(text)
        value = f"(secret {secret[1]})" if secret else display(render(text)).replace("\n", "⏎")
        shown.append((name, value))
    return tuple(shown)


def _at(moment: Timestamp | None) -> float | None:
    return moment.at if moment else None


def _run_word(state: RunState, action: Action, context: ViewContext) -> StageWord:
    """Say how the run stands. It runs while a unit does or somebody drives it; else it waits for a person."""
    if not state.exists or state.finished:
        return state.stage.word
    if action.kind == "wait":
        return Stage.RUNNING.word
    if action.kind in ("failed", "resolve"):
        return (Stage.FAILED if action.kind == "failed" else Stage.UNKNOWN).word
    goes_on = action.kind in ("step", "gate", "rollback", "done") and context.driven
    gate = state.gate(action.phase).stage
    waits = context.gate is not None or gate is Stage.FAILED or (action.kind == "gate" and gate is Stage.RUNNING)
    return (Stage.RUNNING if goes_on and not waits else Stage.WAITING).word


def _rolling_back(state: RunState) -> str:
    if state.rollback is None or state.rollback.stage is Stage.DONE:
        return ""
    return state.rollback.name or "step by step"


def _phase(plan: Plan, phase: Phase, state: RunState, action: Action, context: ViewContext) -> PhaseView:
    steps = tuple(_step(plan, step, state, action, context) for step in phase.steps)
    gate = _gate(phase.id, phase.gate, state, context) if phase.gate else None
    started = [s.started_at for s in steps if s.started_at is not None]
    gate_state = state.gate(phase.id)
    if gate_state.opened:
        started.append(gate_state.opened.at)
    words = {s.state for s in steps}
    through = all(s.state in ("done", "skipped") for s in steps) and (gate is None or gate.state == "passed")
    if through and (state.exists or not steps):
        word = Stage.DONE if state.exists else Stage.PENDING
    else:
        bad = next((w for w in (Stage.UNKNOWN, Stage.FAILED, Stage.ROLLED_BACK) if w.value in words), None)
        current = action.phase == phase.id and state.exists
        goes_on = "running" in words or (current and _run_word(state, action, context) == "running")
        waits = "waiting" in words or current
        word = bad or (Stage.RUNNING if goes_on else Stage.WAITING if waits else Stage.PENDING)
    ended = _at(gate_state.ended) if phase.gate else max((s.ended_at or 0.0 for s in steps), default=0.0) or None
    return PhaseView(
        phase.id,
        sanitize(phase.title or phase.id),
        word.word,
        steps,
        gate,
        min(started, default=None),
        ended if word is Stage.DONE else None,
        group=sanitize(phase.group or ""),
        due_at=due_at(plan, state, phase),
        window=phase.window or "",
    )


def _step(plan: Plan, step: Step, state: RunState, action: Action, context: ViewContext) -> StepView:
    unit = state.unit(step.id)
    last = unit.last
    current = action.unit == step.id
    word = unit.stage
    if current and word is Stage.PENDING and (action.kind in ("checklist", "confirm") or context.reasons.get(step.id)):
        word = Stage.WAITING
    reason = unit.reason or (context.reasons.get(step.id, "") if current else "")
    confirm = step.confirm
    return StepView(
        id=step.id,
        title=sanitize(step.title or step.id),
        state=word.word,
        effect=step.effect or "",
        command=display(command_text(step.run, map(context.render, step.argv or ()))),
        env=shown_env(step.env, context.render),
        irreversible=step.irreversible,
        confirm_text=sanitize(context.render(confirm.text)) if confirm else "",
        confirm_require=confirm.require if confirm else (),
        attempts=len(unit.attempts),
        exit_code=last.exit_code if last else None,
        started_at=last.started.at if last else None,
        ended_at=_at(unit.ended),
        expect_s=step.expect_duration if step.expect_duration is not None else context.measured.get(step.id),
        timeout_s=None if step.checklist else step.timeout,
        reason=display(reason),
        blast_radius=sanitize(step.blast_radius or ""),
        rollback=display(step.undo.command) if step.undo else "",
        undo_note=step.undo_note,
        rollback_expect_s=_undo_expect(step, context),
        checklist=checklist_view(step, unit),
        outputs=tuple((name, display(value)) for name, value in unit.outputs.items()),
        persons=confirm.persons if confirm else 1,
        confirmed_by=context.confirmed_by.get(step.id, ()),
        ready_at=context.ready_at.get(step.id),
        due_at=due_at(plan, state, step),
        requirements=context.passed.get(step.id, ()),
        choices=_choices(step, unit, context),
        run_on=host_view(step, unit),
        machines=machine_views(unit, state),
    )


def _choices(step: Step, unit: UnitState, context: ViewContext) -> tuple[str, ...]:
    if unit.stage is Stage.UNKNOWN:
        return CHOICES
    return ("retry",) if unit.stage is Stage.FAILED or step.id in context.repeatable else ()


def _undo_expect(step: Step, context: ViewContext) -> float | None:
    if step.undo is None:
        return None
    if step.undo.expect_duration is not None:
        return step.undo.expect_duration
    return context.measured.get(measured_as(step.undo.command, step.id))


def _gate(phase: str, gate: Gate, state: RunState, context: ViewContext) -> GateView:
    live = context.gate if context.gate is not None and context.gate.phase == phase else None
    past = state.gate(phase)
    word = _gate_word(past, live)
    if live is not None:
        requirements = live.requirements or tuple(Requirement(name, "pending") for name in gate.require)
    elif phase in context.judged:
        requirements = context.judged[phase]
    else:
        seen = {e.check: e for e in past.evidence}
        requirements = tuple(
            Requirement(name, seen[name].status, display(seen[name].summary))
            if name in seen
            else Requirement(name, "pending")
            for name in gate.require
        )
    held = past.held_s
    moment = Timestamp(context.now, context.mono, context.boot_id)
    if live is not None:
        held = max(0.0, context.mono - live.green_since_mono) if live.green_since_mono is not None else 0.0
    elif word == "holding" and past.looked is not None and context.driven:
        since = elapsed(past.looked, moment)
        held = min(gate.hold, past.held_s + since)  # a break would be on record at once
    return GateView(
        phase=phase,
        state=word,
        requirements=requirements,
        hold_s=gate.hold,
        held_s=held,
        green_since=_at(past.green) or (live.green_since_at if live else None),
        human=sanitize(gate.human or ""),
        answered_by=past.answered_by,
        reason=display(live.reason if live else _gate_reason(past, context)),
        deadline_at=live.deadline_at if live else past.until if word == "waiting" else None,
        persons=gate.persons,
        said_go=tuple(str(by) for by in answered_by(phase, state, moment)),
        who=tuple(sanitize(name) for name in gate.who),
        broken_at=_at(past.broken),
        broken_why=sanitize(past.broken_why),
    )


def _gate_reason(past: GateState, context: ViewContext) -> str:
    if past.stage is not Stage.RUNNING:
        return past.reason
    if not context.driven:
        return "nobody watches it now" + (f"; it waited for: {past.waits_for}" if past.waits_for else "")
    return past.waits_for or ("holds green" if past.green else "is looked at")


def _gate_word(past: GateState, live: GateLive | None) -> GateWord:
    if live is not None:
        return live.state
    if past.undecided:
        return "decide"
    if past.stage is Stage.RUNNING:  # another process watches it, or its watcher has just died
        return "holding" if past.green and not past.waits_for else "waiting"
    words: dict[Stage, GateWord] = {Stage.DONE: "passed", Stage.FAILED: "failed", Stage.WAITING: "human"}
    return words.get(past.stage, "pending")


def _action(plan: Plan, state: RunState, action: Action, context: ViewContext) -> ActionView:
    past = state.gate(action.phase)
    if context.gate is not None:
        return _gate_waits(context.gate.phase, context.gate.reason)
    if action.kind == "gate" and context.driven and past.stage is Stage.RUNNING:
        return _gate_waits(action.phase, _gate_reason(past, context))
    step = next((s for s in plan.all_steps if s.id == action.unit), None)
    dangerous = step is not None and (step.irreversible or step.effect == "destroys")
    held = context.reasons.get(action.unit, "")
    match action.kind:
        case "step" | "checklist" if held:
            return ActionView("later", action.unit, sanitize(f"{action.unit} may not begin yet: {held}"))
        case "start":
            if not plan.phases:
                return ActionView("none", "", "this plan has no phases")
            return ActionView("start", "", "start the run")
        case "step":
            return ActionView("step", action.unit, f"run {action.unit}", dangerous)
        case "confirm":
            text = f"confirm and run {action.unit}" + (f" ({held})" if held else "")
            return ActionView("confirm", action.unit, text, dangerous)
        case "checklist":
            return ActionView("checklist", action.unit, f"tick the items of {action.unit}")
        case "gate":
            again = state.gate(action.phase).stage is Stage.FAILED
            text = f"check gate {action.phase}" + (f" again: {action.reason}" if again and action.reason else "")
            return ActionView("gate", action.phase, sanitize(text))
        case "human":
            return ActionView("human", action.phase, f"gate {action.phase} waits for your go or no-go")
        case "decide":
            text = f"gate {action.phase} waits for you to decide: {action.reason}"
            return ActionView("decide", action.phase, sanitize(text))
        case "wait":
            return ActionView("wait", action.unit, f"{action.unit} runs")
        case "failed":
            if unit := action_name(state, action.unit):
                return ActionView("failed", action.unit, f"{unit} failed: again, skip it, or another way back")
            return ActionView("failed", action.unit, sanitize(f"{action.unit} failed: retry or roll back"))
        case "resolve" if unit := action_name(state, action.unit):
            return ActionView("resolve", action.unit, f"say how {unit} ended: done, failed, retry or skip")
        case "resolve":
            return ActionView("resolve", action.unit, f"say how {action.unit} ended: done, failed, retry or rollback")
        case "rollback":
            name = f" {state.rollback.name}" if state.rollback and state.rollback.name else ""
            return ActionView("step", action.unit, f"go on with the rollback{name}")
        case "done":
            return ActionView("done", "", "all done")
    return ActionView("none", "", sanitize(state.reason))


def _gate_waits(phase: str, reason: str) -> ActionView:
    goes_on = reason.startswith(("holds ", "looks at ", "is looked at"))
    return ActionView("wait", phase, sanitize(f"gate {phase} {reason}" if goes_on else f"gate {phase} waits: {reason}"))


def _promises(plan: Plan, state: RunState) -> tuple[PromiseView, ...]:
    views = []
    for name, promise in plan.promises.items():
        measured = state.measurements.get(name)
        before = measured.before if measured else (state.baseline or {}).get(name)
        if before is None and promise.before is not None and not isinstance(promise.before.value, str):
            before = float(promise.before.value)
        views.append(
            PromiseView(
                name,
                sanitize(promise.title),
                promise.unit,
                before,
                measured.after if measured else None,
                promise.target,
                measured.state if measured else "pending",
            )
        )
    return tuple(views)


def _remaining(plan: Plan, state: RunState, context: ViewContext) -> float | None:
    """Return the seconds left, from what is expected of each step and hold; None where nothing is expected."""
    if state.finished or state.rollback is not None:
        return None
    total, known = 0.0, False
    for phase in plan.phases:
        for step in phase.steps:
            unit = state.unit(step.id)
            if unit.stage in (Stage.DONE, Stage.SKIPPED):
                continue
            expected = step.expect_duration if step.expect_duration is not None else context.measured.get(step.id)
            if expected is None:
                continue
            known = True
            spent = 0.0
            if unit.stage is Stage.RUNNING and unit.last:
                started = unit.last.started
                spent = context.mono - started.mono if started.boot_id == context.boot_id else context.now - started.at
            total += max(0.0, expected - max(0.0, spent))
        hold = phase.gate.hold if phase.gate else 0.0
        if hold and state.gate(phase.id).stage is not Stage.DONE:
            known = True
            held = 0.0
            if context.gate and context.gate.phase == phase.id and context.gate.green_since_mono is not None:
                held = context.mono - context.gate.green_since_mono
            total += max(0.0, hold - held)
    return total if known else None
