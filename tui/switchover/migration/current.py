"""The view of the run at this moment: fetches what `view` needs from the keeper and the disk."""

from __future__ import annotations

from dataclasses import replace

from switchover.clock import iso_utc
from switchover.migration.confirm import confirmed_by, ready_at, why_not_yet
from switchover.migration.exceptions import judge
from switchover.migration.execution import Executor
from switchover.migration.keeper import Keeper
from switchover.migration.next import may_repeat, next_action
from switchover.migration.output import read_tail
from switchover.migration.state import Moment, Stage
from switchover.migration.view import GateLive, OutputTail, ViewContext, build_view
from switchover.plan.model import Step
from switchover.plan.templates import TemplateError
from switchover.plan.variables import MissingValueError, render, resolve_variables
from switchover.redaction import neutralise
from switchover.snapshot import ActionView, MigrationView, Requirement

__all__ = ["absence_text", "current_view"]

TAIL_LINES = 200


def current_view(keeper: Keeper, executor: Executor, gate: GateLive | None, *, driven: bool) -> MigrationView:
    """Return the run as a client shows it now; `driven` says whether somebody drives it."""
    moment, scope = keeper.moment(), keeper.scope()

    def fill(text: str) -> str:
        try:
            return render(text, scope)
        except (MissingValueError, TemplateError):
            return text

    action = next_action(keeper.plan, keeper.state)
    step = next((s for s in keeper.plan.all_steps if s.id == action.unit), None)
    reasons: dict[str, str] = {}
    ready: dict[str, float] = {}
    words: dict[str, tuple[str, ...]] = {}
    passed: dict[str, tuple[Requirement, ...]] = {}
    if step is not None and action.kind == "confirm":
        reasons[step.id] = why_not_yet(keeper.plan, keeper.state, step, moment)
        if (at := ready_at(keeper.plan, keeper.state, step, moment)) is not None:
            ready[step.id] = at
        passed[step.id] = _let_pass(keeper, step, moment)
        words[step.id] = tuple(str(by) for by in confirmed_by(step, keeper.state, moment))
    context = ViewContext(
        moment.at,
        moment.mono,
        moment.boot_id,
        fill,
        gate,
        _output(keeper, executor),
        keeper.measured,
        _needed(keeper),
        reasons,
        ready,
        _judged(keeper, moment),
        words,
        keeper.registered,
        passed,
        driven,
        frozenset(may_repeat(keeper.plan, keeper.state)),
    )
    view = build_view(keeper.plan, keeper.state, context)
    for look_again in (_with_places, _with_other_plan, _with_absence, _with_doubt):
        view = look_again(keeper, view)
    return view


def absence_text(keeper: Keeper) -> str:
    """Say since when the journal is away, and why; nothing where it is there."""
    since = keeper.absence.since
    if since is None:
        return ""
    running = keeper.state.open_units
    if not keeper.absence.well_again:
        return f"the journal is refused since {iso_utc(since)}: {keeper.absence.reason}; nothing is written to it"
    rest = f"{running[0]} is not disturbed, its end is recorded when it is back" if running else "nothing new begins"
    return f"the journal is away since {iso_utc(since)} ({keeper.absence.reason}); {rest}"


def _with_places(keeper: Keeper, view: MigrationView) -> MigrationView:
    """Say of a step that runs elsewhere where that is."""
    places = {unit: place for unit in keeper.state.open_units if (place := keeper.elsewhere(unit)) is not None}
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


def _with_other_plan(keeper: Keeper, view: MigrationView) -> MigrationView:
    """Let a run that is over count for its own plan alone."""
    if not keeper.state.finished or not keeper.other_plan:
        return view
    return replace(view, action=ActionView("none", "", f"{neutralise(keeper.other_plan)}; N begins one by the file"))


def _with_doubt(keeper: Keeper, view: MigrationView) -> MigrationView:
    """Where the journal holds what no run wrote, nothing comes next."""
    text = neutralise(keeper.not_believed)
    if not text:
        return view
    return replace(view, not_believed=text, action=ActionView("none", "", f"{text}; nothing is done on its word"))


def _with_absence(keeper: Keeper, view: MigrationView) -> MigrationView:
    """While the journal is away, nothing can begin and nothing counts as done."""
    text = absence_text(keeper)
    if not text:
        return view
    action = replace(view.action, kind="wait", text=text, dangerous=False)
    return replace(view, state=view.state if keeper.state.finished else Stage.WAITING.value, action=action)


def _judged(keeper: Keeper, moment: Moment) -> dict[str, tuple[Requirement, ...]]:
    """Return what each gate saw last, with what a person has let pass there."""
    state = keeper.state
    found = {}
    for phase in keeper.plan.phases:
        past = state.gate(phase.id)
        if phase.gate is None or not past.evidence:
            continue
        seen = {e.check: e for e in past.evidence}
        asked = [seen[name] for name in phase.gate.require if name in seen]
        judged = judge(asked, state, f"gate:{phase.id}", past.ended or moment)
        found[phase.id] = tuple(replace(r, summary=neutralise(r.summary)) for r in judged.requirements)
    return found


def _let_pass(keeper: Keeper, step: Step, moment: Moment) -> tuple[Requirement, ...]:
    """Return what a person has let pass of what a step's confirmation requires; how it stands, others know."""
    state, place = keeper.state, f"step:{step.id}"
    found = []
    for check in step.confirm.require if step.confirm else ():
        acknowledged, waiver = state.acknowledgements.get((place, check)), state.waivers.get((place, check))
        if waiver is not None and waiver.holds(moment):
            found.append(Requirement(check, "", "", waiver.by.who, waiver.reason, waiver.until))
        elif acknowledged is not None:
            found.append(Requirement(check, "", "", acknowledged.by.who, acknowledged.reason))
    return tuple(found)


def _needed(keeper: Keeper) -> tuple[tuple[str, str, str], ...]:
    """Return the variables that have to be asked for: name, type, question. Another run asks for all of them anew."""
    over = keeper.state.finished
    plan = keeper.file.plan if over else keeper.plan
    missing = resolve_variables(plan, {}, {}).missing if over else keeper.resolve().missing
    return tuple((name, plan.vars[name].type, plan.vars[name].ask or name) for name in missing)


def _output(keeper: Keeper, executor: Executor) -> OutputTail:
    """Return the last lines of what runs, else of what ran last."""
    latest: tuple[float, str, int] | None = None
    for name, unit in keeper.state.units.items():
        if unit.last and unit.last.argv:
            latest = max(latest or (0.0, "", 0), (unit.last.started.at, name, unit.last.number))
    if latest is None:
        return OutputTail()
    _, name, attempt = latest
    lines, total = read_tail(executor.attempt(name, attempt).directory, TAIL_LINES)
    return OutputTail(name, attempt, lines, total)
