"""The migration as a tree of phases, steps and gates, and the line that says what enter would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rich.cells import cell_len

from switchover.snapshot import GateView, MigrationView, PhaseView, Requirement, StepView
from switchover.ui.text.due_lines import due_line, overdue
from switchover.ui.text.numbers import age, clock, upright
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.spark import progress_bar
from switchover.ui.text.state_words import effect, outcome, severity
from switchover.ui.text.state_words import gate as gate_word
from switchover.ui.text.state_words import run as run_word
from switchover.ui.text.state_words import step as step_word
from switchover.ui.text.styled_line import Line, ListItems, StyledSpan, cut, fit, join, line_width, spread

__all__ = [
    "action_line",
    "current_key",
    "find_gate",
    "find_step",
    "gate_line",
    "needs_now",
    "phase_lines",
    "run_line",
    "spent",
    "tree_items",
    "tree_width_for",
    "worst_first",
]


def spent(entry: StepView | PhaseView, now: float) -> float | None:
    """Say how long a step or a phase took, or has been going on."""
    if entry.started_at is None:
        return None
    return (entry.ended_at if entry.ended_at is not None else now) - entry.started_at


def tree_width_for(view: MigrationView, width: int) -> int:
    """Choose the tree's width: what its names need, but never so much that the step beside it is squeezed."""
    names = [3 + cell_len(step.id) for phase in view.phases for step in phase.steps]
    names.extend(1 + cell_len(phase.title or phase.id) for phase in view.phases)
    wanted = max(names, default=10) + 11
    return max(min(wanted, width * 3 // 8, 48), 20)


def tree_items(moment: RenderContext, width: int) -> ListItems:
    """Return an item for each phase with its title, for each step, and for each gate."""
    keys: list[str] = []
    entries: list[PhaseView | StepView | GateView | str] = []
    group = ""
    for phase in moment.data.migration.phases:
        if phase.group and phase.group != group:
            keys.append(f"group:{phase.id}")
            entries.append(phase.group)
        group = phase.group
        keys += [f"phase:{phase.id}", *(f"step:{step.id}" for step in phase.steps)]
        entries += [phase, *phase.steps]
        if phase.gate is not None:
            keys.append(f"gate:{phase.id}")
            entries.append(phase.gate)

    def line(index: int) -> Line:
        entry = entries[index]
        if isinstance(entry, str):
            return (StyledSpan(fit(entry, width), "heading"),)
        if isinstance(entry, GateView):
            return _gate_row(entry, width)
        if isinstance(entry, StepView):
            return _step_line(entry, moment.now, width)
        return _phase_line(entry, moment.now, width)

    return ListItems.lines_of(keys, line)


def _phase_line(phase: PhaseView, now: float, width: int) -> Line:
    word = step_word(phase.state)
    time = age(spent(phase, now)) if phase.started_at is not None else ""
    right: Line = (StyledSpan(f" {word.glyph}", word.style), StyledSpan(f"{time:>5} ", "muted"))
    return spread((StyledSpan(" "), StyledSpan(phase.title or phase.id, "strong")), right, width)


def _step_line(step: StepView, now: float, width: int) -> Line:
    word = step_word(step.state)
    time = age(spent(step, now)) if step.started_at is not None else age(step.expect_s) if step.expect_s else ""
    warning = StyledSpan(" ⚠" if step.irreversible else "", "danger")
    right: Line = (warning, StyledSpan(f" {word.glyph}", word.style), StyledSpan(f"{time:>5} ", "muted"))
    name_style = word.style if step.state in {"running", "failed", "unknown", "waiting"} else "text"
    return spread((StyledSpan("   "), StyledSpan(step.id, name_style)), right, width)


def _gate_row(gate: GateView, width: int) -> Line:
    word = gate_word(gate.state)
    time = ""
    if gate.state == "holding":
        time = age(max(gate.hold_s - gate.held_s, 0))
    elif gate.state != "passed" and gate.hold_s:
        time = age(gate.hold_s)
    right: Line = (StyledSpan(f" {word.glyph}", word.style), StyledSpan(f"{time:>5} ", "muted"))
    return spread((StyledSpan("   "), StyledSpan("gate", "muted")), right, width)


def current_key(view: MigrationView) -> str:
    """Return the key of the item where the run stands."""
    if view.rollback is not None and view.rolling_back:
        undone = {a.unit: a.undoes for a in view.rollback.actions if a.undoes}.get(
            view.current_step or view.action.target
        )
        return f"step:{undone}" if undone else f"phase:{view.phases[0].id}" if view.phases else ""
    action = view.action
    if action.kind in {"gate", "human", "decide"} and action.target:
        return f"gate:{action.target}"
    for phase in view.phases:
        if phase.gate is not None and phase.gate.state in {"waiting", "holding", "human", "decide"}:
            return f"gate:{phase.id}"
    if view.current_step:
        return f"step:{view.current_step}"
    if action.target:
        return f"step:{action.target}"
    return f"phase:{view.phases[0].id}" if view.phases else ""


def find_step(view: MigrationView, step_id: str) -> StepView | None:
    """Return a step by its id."""
    return next((step for phase in view.phases for step in phase.steps if step.id == step_id), None)


def find_gate(view: MigrationView, phase_id: str) -> GateView | None:
    """Return a phase's gate."""
    return next((phase.gate for phase in view.phases if phase.id == phase_id), None)


def run_line(moment: RenderContext, width: int) -> Line:
    """Write how far the run is and what it has taken so far."""
    view = moment.data.migration
    steps = [step for phase in view.phases for step in phase.steps]
    done = sum(step.state in {"done", "skipped"} for step in steps)
    word = run_word(view.state, view.action.kind)
    state: Line = (StyledSpan(f" {word.glyph} {word.word}", word.style),)
    if view.rolling_back:
        state = (StyledSpan(f" ↶ rolling back: {view.rolling_back}", "step-rolled-back"),)
    parts: list[Line] = [state, (StyledSpan(f"{done}/{len(steps)} steps"),)]
    late = overdue(view, moment.now)
    bar = progress_bar(done / max(len(steps), 1), max(min(width - 60 - cell_len(late), 40), 8))
    if view.started_at is not None:
        end = view.ended_at if view.ended_at is not None else moment.now
        parts.append((StyledSpan("spent ", "muted"), StyledSpan(upright(end - view.started_at))))
    if late:
        parts.append((StyledSpan(late, "outcome-warn"),))
    if view.remaining_s is not None and view.ended_at is None:
        parts.append((StyledSpan("left ", "muted"), StyledSpan(f"~{age(view.remaining_s)}")))
    return spread(join(parts), (*bar, StyledSpan(" ")), width)


def gate_line(gate: GateView, moment: RenderContext, width: int) -> Line:
    """Write a gate in one line: each requirement as it stands, how long it has held, who must say yes."""
    if gate.state == "passed":
        by = f" by {gate.answered_by}" if gate.answered_by else ""
        return (StyledSpan(f" gate {gate.phase} ", "muted"), StyledSpan(f"✓ passed{by}", "step-done"))
    needs = needs_now(gate, moment)
    line = _gate_line(gate, moment, [_need(need) for need in needs])
    if line_width(line) > width:  # what stands in the way is named first, what is fine is counted
        first = worst_first(needs)
        bad = [_need(need) for need in first if need.status != "ok"]
        fine = len(needs) - len(bad)
        word = outcome("ok")
        line = _gate_line(
            gate, moment, [*bad, *([(StyledSpan(f"{fine} "), StyledSpan(word.glyph, word.style))] if fine else [])]
        )
    return spread(line, (), width)


def worst_first(needs: Sequence[Requirement]) -> list[Requirement]:
    """Put what stands in the way of a gate before what is fine."""
    return sorted(needs, key=lambda need: severity(need.status))


def _need(need: Requirement) -> Line:
    word = outcome(need.status)
    passed = (StyledSpan("~", "outcome-warn"),) if need.allowed_by else ()
    return (StyledSpan(f"{need.name} "), StyledSpan(word.glyph, word.style), *passed)


def _gate_line(gate: GateView, moment: RenderContext, needs: Sequence[Line]) -> Line:
    parts = [*needs]
    if gate.hold_s:
        parts.append(_hold(gate))
    if gate.human:
        people = "two people say yes" if gate.persons > 1 else "a person says yes"
        parts.append((StyledSpan(people, "step-waiting" if gate.state == "human" else "muted"),))
    if gate.deadline_at is not None and gate.state in {"waiting", "holding"}:
        parts.append((StyledSpan(f"gives up in {age(gate.deadline_at - moment.now)}", "muted"),))
    return (StyledSpan(f" gate {gate.phase} needs: ", "muted"), *join(parts))


def needs_now(gate: GateView, moment: RenderContext) -> tuple[Requirement, ...]:
    """Return what a gate needs; before it has been asked, each check as it is watched now."""
    if gate.state not in {"pending", "failed"}:
        return gate.requirements
    seen = {check.name: check for check in moment.data.checks}
    return tuple(
        replace(need, status=seen[need.name].status, summary=seen[need.name].summary)
        if need.status == "pending" and need.name in seen
        else need
        for need in gate.requirements
    )


def _hold(gate: GateView) -> Line:
    if gate.state == "holding":
        left = age(max(gate.hold_s - gate.held_s, 0))
        return (
            StyledSpan("holds ", "muted"),
            *progress_bar(gate.held_s / gate.hold_s, 8),
            StyledSpan(f" {left} left"),
        )
    return (StyledSpan(f"hold {age(gate.hold_s)}", "muted"),)


_VERBS = {
    "start": "start the run",
    "step": "run",
    "checklist": "tick the items of",
    "confirm": "confirm and run",
    "gate": "check the gate of",
    "human": "answer the gate of",
    "decide": "decide about the gate of",
    "resolve": "say what became of",
    "failed": "decide about the failed",
}


def action_line(
    view: MigrationView,
    width: int,
    *,
    sent: bool,
    read_only: bool,
    watching: str = "",
    now: float = 0.0,
    stale: bool = False,
) -> Line:
    """Say in one statement what enter would do now. From data that is `stale` it does nothing."""
    action = view.action
    if stale:
        return (
            StyledSpan(" ? ", "late"),
            StyledSpan("not connected to the agent: nothing is started from here", "late"),
        )
    if watching and not read_only:
        said = f"{watching} drives: {action.text}" if action.text else f"{watching} drives"
        return (
            StyledSpan(" you watch ", "late"),
            StyledSpan(cut(said, width - 32), "muted"),
            StyledSpan("  T", "key"),
            StyledSpan(" take over"),
        )
    if read_only and action.kind not in {"none", "done"}:
        return (StyledSpan(" read-only ", "late"), StyledSpan(cut(action.text, width - 14), "muted"))
    if sent:
        return (StyledSpan(" … ", "accent"), StyledSpan("sent to the agent, waiting for it to begin", "muted"))
    if action.kind in {"none", "wait", "later"}:
        mark = step_word(view.state).glyph if view.state in {"rolled_back", "aborted"} else "·"
        said = action.text or "nothing to press now"
        on = " · then on to the gate; U stops after this step" if view.to_gate else ""
        return (StyledSpan(f" {mark} ", "muted"), StyledSpan(cut(f"{said}{on}", width - 4), "muted"))
    if action.kind == "done":
        return (StyledSpan(" ✓ ", "step-done"), StyledSpan(action.text or "the migration is done", "step-done"))
    text = action.text or f"{_VERBS.get(action.kind, action.kind)} {action.target}".strip()
    style = "danger" if action.dangerous or action.kind == "confirm" else "strong"
    step = find_step(view, action.target) if action.kind in {"step", "confirm"} else None
    if step is not None:
        expect = f", ~{age(step.expect_s)}" if step.expect_s else ""
        if step.ready_at is not None and now and step.ready_at > now:
            text = f"confirm and run {step.id} in {age(step.ready_at - now)}, at {clock(step.ready_at)}"
        text = f"{text} · {effect(step.effect)[0]}{expect}"
    return (StyledSpan(" enter ", "key"), StyledSpan(cut(text, width - 8), style))


def phase_lines(phase: PhaseView, moment: RenderContext, width: int) -> list[Line]:
    """Return what stands beside a phase: its steps and what each does."""
    word = step_word(phase.state)
    lines: list[Line] = [
        spread(
            (StyledSpan(f" {phase.title or phase.id}", "strong"),),
            (StyledSpan(f"{word.glyph} {word.word} ", word.style),),
            width,
        ),
        (),
    ]
    for step in phase.steps:
        mark = step_word(step.state)
        lines.append(
            (
                StyledSpan(f" {mark.glyph} ", mark.style),
                StyledSpan(fit(step.id, 14)),
                StyledSpan(f" {step.title}", "muted"),
            )
        )
    if phase.gate is not None:
        mark = gate_word(phase.gate.state)
        lines.append(
            (
                StyledSpan(f" {mark.glyph} ", mark.style),
                StyledSpan(fit("gate", 14)),
                StyledSpan(f" {mark.word}", mark.style),
            )
        )
    if phase.started_at is not None:
        lines.extend([(), (StyledSpan(" spent ", "muted"), StyledSpan(upright(spent(phase, moment.now))))])
    if phase.window:
        lines.extend([(), (StyledSpan(" window ", "muted"), StyledSpan(phase.window))])
    if due := due_line(phase, moment.now):
        lines.extend([(), due])
    return lines
