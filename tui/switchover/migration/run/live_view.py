"""The view of the run at this moment, from the run store and the disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from switchover.clock import iso_utc
from switchover.migration.facts.display import display
from switchover.migration.facts.events import EvidenceFile
from switchover.migration.facts.run_state import Stage, Timestamp
from switchover.migration.reports.run_view import GateLive, OutputTail, ViewContext, build_view
from switchover.migration.reports.step_progress import progress_of
from switchover.migration.rules.confirmations import confirmed_by
from switchover.migration.rules.next_action import may_repeat, next_action
from switchover.migration.rules.times import opens_at, why_not_yet
from switchover.migration.rules.waivers import judge
from switchover.migration.run.actions.appointment import appointment_of
from switchover.migration.run.execution import Executor
from switchover.migration.run.run_store import RunStore
from switchover.migration.steps.step_output import read_tail
from switchover.plan.model import Step
from switchover.plan.templates import TemplateError
from switchover.plan.variables import MissingValueError, render, resolve_variables
from switchover.redaction import sanitize
from switchover.snapshot import ActionView, MigrationView, PhaseView, Requirement, StepView

__all__ = ["live_view", "outage_text", "with_broken_lines"]

TAIL_LINES = 200


def live_view(run_store: RunStore, executor: Executor, gate: GateLive | None, *, driven: bool) -> MigrationView:
    """Return the run as a client shows it now; `driven` says whether somebody drives it."""
    moment, scope = run_store.moment(), run_store.values.scope()

    def fill(text: str) -> str:
        try:
            return render(text, scope)
        except (MissingValueError, TemplateError):
            return text

    action = next_action(run_store.plan, run_store.state)
    step = next((s for s in run_store.plan.all_steps if s.id == action.unit), None)
    reasons: dict[str, str] = {}
    ready: dict[str, float] = {}
    words: dict[str, tuple[str, ...]] = {}
    passed: dict[str, tuple[Requirement, ...]] = {}
    if step is not None and action.kind in ("step", "confirm", "checklist"):
        reasons[step.id] = why_not_yet(run_store.plan, run_store.state, step, moment)
        if (at := opens_at(run_store.plan, run_store.state, step, moment)) is not None:
            ready[step.id] = at
    if step is not None and action.kind in ("confirm", "checklist"):
        passed[step.id] = _let_pass(run_store, step, moment)
        words[step.id] = tuple(str(by) for by in confirmed_by(step, run_store.state, moment))
    context = ViewContext(
        moment.at,
        moment.mono,
        moment.boot_id,
        fill,
        gate,
        _output(run_store, executor),
        run_store.history.durations,
        _needed(run_store),
        reasons,
        ready,
        _judged(run_store, moment),
        words,
        run_store.registered,
        passed,
        driven,
        frozenset(may_repeat(run_store.plan, run_store.state)),
    )
    view = _with_progress(run_store, executor, build_view(run_store.plan, run_store.state, context))
    for look_again in (
        _with_places,
        _with_evidence,
        _with_appointment,
        _with_other_plan,
        _with_other_holder,
        _with_outage,
        _with_doubt,
        _with_refusal,
    ):
        view = look_again(run_store, view)
    return view


def outage_text(run_store: RunStore) -> str:
    """Say since when the journal is away, and why; nothing where it is there."""
    since = run_store.outage.since
    if since is None:
        return ""
    running = run_store.state.open_units
    if not run_store.outage.well_again:
        return f"the journal is refused since {iso_utc(since)}: {run_store.outage.reason}; nothing is written to it"
    rest = f"{running[0]} is not disturbed, its end is recorded when it is back" if running else "nothing new begins"
    return f"the journal is away since {iso_utc(since)} ({run_store.outage.reason}); {rest}"


def with_broken_lines(view: MigrationView, no_line: Mapping[str, str]) -> MigrationView:
    """Say of a step that runs on another machine that it cannot be asked just now, and why."""

    def told(step: StepView) -> StepView:
        said = [
            f"{unit.partition('@')[2] or step.run_on}: {why}" for unit, why in no_line.items() if _is_of(unit, step)
        ]
        again = "it runs on there, and is asked again until it answers"
        return replace(step, reason=display(f"cannot be asked just now: {'; '.join(said)}; {again}")) if said else step

    phases = tuple(replace(phase, steps=tuple(map(told, phase.steps))) for phase in view.phases)
    return replace(view, phases=phases)


def _is_of(unit: str, step: StepView) -> bool:
    return step.state == "running" and unit.partition("@")[0] == step.id


def _with_places(run_store: RunStore, view: MigrationView) -> MigrationView:
    """Say of a step that runs elsewhere where that is."""
    places = {unit: place for unit in run_store.state.open_units if (place := run_store.elsewhere(unit)) is not None}
    if not places:
        return view
    phases = tuple(
        replace(
            phase,
            steps=tuple(
                replace(step, reason=f"runs on {places[step.id]}") if step.id in places else step
                for step in phase.steps
            ),
        )
        for phase in view.phases
    )
    return replace(view, phases=phases)


def _with_progress(run_store: RunStore, executor: Executor, view: MigrationView) -> MigrationView:
    """Say of each running step how far it says it is, in its last lines. One on several machines tells nothing."""
    told: dict[str, float | None] = {}
    for phase in view.phases:
        for step in phase.steps:
            last = run_store.state.unit(step.id).last if step.state == "running" else None
            if last is None or last.members or not last.argv:
                continue
            lines = view.output if (view.output_step, view.output_attempt) == (step.id, last.number) else None
            if lines is None:
                lines = read_tail(executor.attempt(step.id, last.number).directory, TAIL_LINES)[0]
            told[step.id] = progress_of(lines)
    if not any(share is not None for share in told.values()):
        return view
    phases = tuple(
        replace(phase, steps=tuple(replace(step, progress=told.get(step.id)) for step in phase.steps))
        for phase in view.phases
    )
    return replace(view, phases=phases)


def _with_evidence(run_store: RunStore, view: MigrationView) -> MigrationView:
    """Say of each kept file that it is gone or has another size. `audit` and the report compare all of it."""
    directory = run_store.workspace.run_directory(run_store.state.run_id)
    lost = {
        (unit, number): why
        for unit, state in run_store.state.units.items()
        for number, tick in state.ticks.items()
        if tick.file is not None and tick.file.place == run_store.place and (why := _lost(directory, tick.file))
    }
    if not lost:
        return view

    def looked_at(step: StepView) -> StepView:
        items = enumerate(step.checklist)
        return replace(step, checklist=tuple(replace(i, lost=lost.get((step.id, n), "")) for n, i in items))

    phases = tuple(replace(phase, steps=tuple(map(looked_at, phase.steps))) for phase in view.phases)
    return replace(view, phases=phases)


def _with_appointment(run_store: RunStore, view: MigrationView) -> MigrationView:
    """Say until when the run is put off, or what came of that until it goes on."""
    one = appointment_of(run_store.workspace)
    is_past = one is not None and one.said and one.seq != run_store.state.seq
    return view if one is None or is_past else replace(view, put_off=sanitize(one.in_words))


def _lost(directory: Path, file: EvidenceFile) -> str:
    try:
        return "" if (directory / file.kept).lstat().st_size == file.size else "its file has changed"
    except OSError:
        return "its file is gone"


def _with_other_plan(run_store: RunStore, view: MigrationView) -> MigrationView:
    """Let a run that is over count for its own plan alone."""
    if not run_store.state.finished or not run_store.other_plan:
        return view
    return replace(view, action=ActionView("none", "", f"{sanitize(run_store.other_plan)}; N begins one by the file"))


def _with_other_holder(run_store: RunStore, view: MigrationView) -> MigrationView:
    """Where a run of another workspace holds the target, none begins here."""
    text = sanitize(run_store.held_elsewhere)
    if not text or (view.run_id and not run_store.state.finished):
        return view
    return replace(view, held_elsewhere=text, action=ActionView("none", "", text))


def _with_doubt(run_store: RunStore, view: MigrationView) -> MigrationView:
    """Where the journal holds what no run wrote, nothing comes next."""
    text = sanitize(run_store.not_believed)
    if not text:
        return view
    return replace(view, not_believed=text, action=ActionView("none", "", f"{text}; nothing is done on its word"))


def _with_outage(run_store: RunStore, view: MigrationView) -> MigrationView:
    """While the journal is away, nothing can begin and nothing counts as done."""
    text = outage_text(run_store)
    if not text:
        return view
    action = replace(view.action, kind="wait", text=text, dangerous=False)
    return replace(view, state=view.state if run_store.state.finished else Stage.WAITING.value, action=action)


def _with_refusal(run_store: RunStore, view: MigrationView) -> MigrationView:
    """Where the journal is refused, nothing of the run is known: say so, and what shows more."""
    outage = run_store.outage
    if outage.since is None or outage.well_again:
        return view
    workspace, why = run_store.workspace, outage_text(run_store)
    hint = sanitize(workspace.fill_in(outage.error.hint)) if outage.error is not None else ""
    text = f"{why}; `{workspace.command('audit verify')}` shows more"
    phases = view.phases if run_store.state.exists else tuple(map(_not_known, view.phases))
    return replace(
        view,
        state=Stage.UNKNOWN.value,
        phases=phases,
        action=ActionView("none", "", why),
        journal_refused="; ".join(filter(None, (text, hint))),
    )


def _not_known(phase: PhaseView) -> PhaseView:
    return replace(phase, state="unknown", steps=tuple(replace(step, state="unknown") for step in phase.steps))


def _judged(run_store: RunStore, moment: Timestamp) -> dict[str, tuple[Requirement, ...]]:
    """Return what each gate saw last, with what a person has let pass there."""
    state = run_store.state
    found = {}
    for phase in run_store.plan.phases:
        past = state.gate(phase.id)
        if phase.gate is None or not past.evidence:
            continue
        seen = {e.check: e for e in past.evidence}
        asked = [seen[name] for name in phase.gate.require if name in seen]
        judged = judge(asked, state, f"gate:{phase.id}", past.ended or moment)
        found[phase.id] = tuple(replace(r, summary=display(r.summary)) for r in judged.requirements)
    return found


def _let_pass(run_store: RunStore, step: Step, moment: Timestamp) -> tuple[Requirement, ...]:
    """Return what a person has let pass of what a step's confirmation requires; how it stands, others know."""
    state, place = run_store.state, f"step:{step.id}"
    found = []
    for check in step.confirm.require if step.confirm else ():
        acknowledged, waiver = state.acknowledgements.get((place, check)), state.waivers.get((place, check))
        if waiver is not None and waiver.holds(moment):
            found.append(Requirement(check, "", "", waiver.by.who, waiver.reason, waiver.until))
        elif acknowledged is not None:
            found.append(Requirement(check, "", "", acknowledged.by.who, acknowledged.reason))
    return tuple(found)


def _needed(run_store: RunStore) -> tuple[tuple[str, str, str], ...]:
    """Return the variables that have to be asked for: name, type, question. Another run asks for all of them anew."""
    over = run_store.state.finished
    plan = run_store.file.plan if over else run_store.plan
    missing = resolve_variables(plan, {}, {}).missing if over else run_store.values.resolve().missing
    return tuple((name, plan.vars[name].type, plan.vars[name].ask or name) for name in missing)


def _output(run_store: RunStore, executor: Executor) -> OutputTail:
    """Return the last lines of what runs, else of what ran last."""
    latest: tuple[float, str, int] | None = None
    for name, unit in run_store.state.units.items():
        if unit.last and unit.last.argv:
            latest = max(latest or (0.0, "", 0), (unit.last.started.at, name, unit.last.number))
    if latest is None:
        return OutputTail()
    _, name, attempt = latest
    lines, total = read_tail(executor.attempt(name, attempt).directory, TAIL_LINES)
    return OutputTail(name, attempt, lines, total)
