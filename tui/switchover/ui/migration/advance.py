"""What enter does in the wizard: the screen or the intent for the next action."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from switchover.commands.gates import AnswerGate, CheckGate
from switchover.commands.run import ResolveStep, RetryStep, RunNext, RunToGate, StartRun, StopAfterStep, TickItem
from switchover.snapshot import ChecklistItemView, MigrationView, StepView
from switchover.snapshot.states import ResolvedAs, StageWord
from switchover.ui.kit.base_screen import BaseScreen
from switchover.ui.kit.choice_screen import Choice, ChoiceScreen
from switchover.ui.kit.guarded_screen import AskScreen
from switchover.ui.kit.messages import Intent
from switchover.ui.kit.theme import Painter
from switchover.ui.migration.checklist_lines import item_facts
from switchover.ui.migration.confirm_screen import ConfirmScreen
from switchover.ui.migration.step_detail import gate_lines, rollback_summary
from switchover.ui.migration.wizard import find_gate, find_step
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, StyledSpan, cut, wrap

__all__ = ["FROZEN_NOTE", "checklist_screen", "next_of", "repeat_screen", "steps_to_gate", "to_gate_of"]

FROZEN_NOTE = "The plan asks for these; they are frozen for the whole run."

_SHOWN = 10  # steps that are named before they run


def next_of(moment: RenderContext, painter: Painter) -> Intent | BaseScreen | None:
    """Return what enter does now: an intent to send, a screen to open, or None."""
    view = moment.data.migration
    action = view.action
    step = find_step(view, action.target)
    if action.kind == "start" and moment.data.header.plan_edited:
        lines: list[Line] = [
            (StyledSpan(" The plan's file was edited since it was opened here.", "outcome-warn"),),
            (StyledSpan(" The run begins with the file as it is now. e on the screen before shows what changed."),),
        ]
        return AskScreen(painter, moment, "begin with the edited plan?", lines, Intent(StartRun(), "starting the run"))
    if action.kind == "start":
        return variables_screen(moment, painter) if view.variables_needed else Intent(StartRun(), "starting the run")
    if action.kind == "step":
        intent = Intent(RunNext(), f"running {action.target}")
        return _ask(moment, painter, step, intent) if action.dangerous and step is not None else intent
    if action.kind == "confirm" and step is not None:
        return ConfirmScreen(painter, moment, step)
    if action.kind == "checklist" and step is not None:
        return checklist_screen(moment, painter, step.id)
    if action.kind == "gate":
        return Intent(CheckGate(action.target), f"checking the gate of {action.target}")
    if action.kind == "decide":
        from switchover.ui.migration.operator_screens import decide_gate_screen

        return decide_gate_screen(moment, painter, action.target)
    if action.kind == "human":
        return human_screen(moment, painter, action.target)
    if action.kind in {"resolve", "failed"}:
        state: StageWord = "unknown" if action.kind == "resolve" else "failed"
        undo = _undoing(moment, action.target, state)
        return decide_screen(moment, painter, step or undo)
    return None


def to_gate_of(moment: RenderContext, painter: Painter) -> Intent | BaseScreen | None:
    """Return what U does now: ask for all steps up to the gate, or stop after the one that runs."""
    view = moment.data.migration
    if view.to_gate:
        return Intent(StopAfterStep(), "stopping after this step")
    steps = steps_to_gate(view)
    if not steps:
        return None
    noun = "1 step runs" if len(steps) == 1 else f"{len(steps)} steps run, one after the other"
    lines: list[Line] = [(StyledSpan(f" {noun}, up to {_stop_of(view, steps[-1])}:", "strong"),), ()]
    shown = steps[:_SHOWN]
    lines += [(StyledSpan(f"   {cut(step.id, 24):24} "), StyledSpan(cut(step.title, 44), "muted")) for step in shown]
    if len(steps) > _SHOWN:
        lines.append((StyledSpan(f"   and {len(steps) - _SHOWN} more", "muted"),))
    lines += [(), (StyledSpan(" It stops where one fails. U stops it after a step, A at once.", "muted"),)]
    return AskScreen(painter, moment, "run to the gate?", lines, Intent(RunToGate(), "running to the gate"))


def steps_to_gate(view: MigrationView) -> tuple[StepView, ...]:
    """Return the steps that would run by themselves now, in their order."""
    if view.action.kind != "step" or view.rolling_back:
        return ()
    found: list[StepView] = []
    for phase in view.phases:
        todo = [step for step in phase.steps if step.state not in {"done", "skipped"}]
        if not todo and (phase.gate is None or phase.gate.state == "passed"):
            continue
        for step in todo:
            if step.checklist or step.confirm_text or step.irreversible or step.effect == "destroys":
                return tuple(found)
            found.append(step)
        if phase.gate is not None:
            break
    return tuple(found)


def _stop_of(view: MigrationView, last: StepView) -> str:
    """Say where it stops after the last step: at a gate, before a step, or at the end."""
    order = [(phase, step) for phase in view.phases for step in phase.steps]
    at = next(n for n, (_, step) in enumerate(order) if step.id == last.id)
    phase = order[at][0]
    if phase.steps[-1].id == last.id and phase.gate is not None:
        return f"gate {phase.id}"
    return order[at + 1][1].id if at + 1 < len(order) else "the end"


def _undoing(moment: RenderContext, unit: str, state: StageWord) -> StepView:
    """Return an action of the rollback as a step, with what can be decided about it."""
    run = moment.data.migration.rollback
    one = next((a for a in run.actions if a.unit == unit), None) if run is not None else None
    title = f"undoing {one.undoes}" if one is not None and one.undoes else "an action of the rollback"
    reason = (one.reason or moment.data.migration.action.text) if one is not None else moment.data.migration.action.text
    choices = ("done", "failed", "retry", "skip") if state == "unknown" else ("retry", "skip", "done")
    return StepView(unit, title, state, "changes", reason=reason, choices=choices)


def _ask(moment: RenderContext, painter: Painter, step: StepView, intent: Intent) -> AskScreen:
    width = 76
    lines: list[Line] = [(StyledSpan(f" {moment.data.migration.action.text}", "danger"),), ()]
    lines.extend((StyledSpan("   "), *line) for line in wrap(step.command.strip(), width, "code", limit=8))
    lines.extend([(), (StyledSpan(" way back ", "muted"), *rollback_summary(moment.data.migration.rollbacks))])
    return AskScreen(painter, moment, f"run {step.id}?", lines, intent)


def repeat_screen(moment: RenderContext, painter: Painter, step: StepView) -> AskScreen:
    """Ask whether a done step runs again, because its gate still needs what it does."""
    what = step.command or "; ".join(item.text for item in step.checklist)
    lines: list[Line] = [
        (
            StyledSpan(
                f" {step.id} is done. It runs once more, then its gate looks again at all that it needs.", "strong"
            ),
        ),
        (),
        *((StyledSpan("   "), *line) for line in wrap(what, 76, "code", 8)),
    ]
    intent = Intent(RetryStep(step.id), f"running {step.id} again")
    return AskScreen(painter, moment, f"run {step.id} again?", lines, intent)


def checklist_screen(moment: RenderContext, painter: Painter, step_id: str) -> ChoiceScreen:
    """Tick the items of a checklist, each with its evidence."""

    def about(now: RenderContext, width: int) -> Sequence[Line]:
        step = find_step(now.data.migration, step_id)
        done = sum(item.done for item in step.checklist) if step else 0
        total = len(step.checklist) if step else 0
        return (
            [
                (
                    StyledSpan(f" {step.title or step_id if step else step_id}", "strong"),
                    StyledSpan(f"  {done} of {total} ticked", "muted"),
                )
            ]
            if width
            else []
        )

    def choices(now: RenderContext) -> list[Choice]:
        step = find_step(now.data.migration, step_id)
        if step is None:
            return []
        return [
            Choice(
                key=str(index),
                label=f"{'✓' if item.done else '○'} {item.text}",
                what=" · ".join(item_facts(item, now)),
                intent=_tick(step_id, index, item),
                ask=_ASKS[item.asks],
                need=item.asks != "none",
                style="step-done" if item.done else "strong",
            )
            for index, item in enumerate(step.checklist)
        ]

    return ChoiceScreen(painter, moment, f"by hand: {step_id}", about, choices, stays=True)


_ASKS = {
    "none": "evidence (may stay empty):",
    "text": "evidence:",
    "file": "file, which is kept:",
    "url": "address:",
}


def _tick(step_id: str, index: int, item: ChecklistItemView) -> Callable[[str], Intent]:
    done = f"ticked: {cut(item.text, 40)}"
    if item.asks == "file":
        return lambda path: Intent(TickItem(step_id, index, file=str(Path(path).expanduser().absolute())), done)
    return lambda evidence: Intent(TickItem(step_id, index, evidence), done)


def human_screen(moment: RenderContext, painter: Painter, phase: str) -> ChoiceScreen:
    """Return a gate that asks a person: yes or no, with a note."""

    def about(now: RenderContext, width: int) -> Sequence[Line]:
        gate = find_gate(now.data.migration, phase)
        return gate_lines(gate, now, width, 12) if gate is not None else []

    def answer(yes: bool) -> Callable[[str], Intent]:
        word = "go" if yes else "no go"
        return lambda note: Intent(AnswerGate(phase, yes, note), f"answered {word} for {phase}")

    def choices(_now: RenderContext) -> list[Choice]:
        return [
            Choice("go", "✓ go", "the next phase opens", answer(True), "note (may stay empty):"),
            Choice(
                "no",
                "✗ no go",
                "the gate stays shut; the reason stands in the report",
                answer(False),
                "reason:",
                need=True,
            ),
        ]

    return ChoiceScreen(painter, moment, f"gate of {phase}: a person decides", about, choices)


def decide_screen(moment: RenderContext, painter: Painter, step: StepView) -> ChoiceScreen:
    """Return a step that failed, or of which nobody knows how it ended: what is true, and what to do."""
    known = _known_choices(step)
    unknown = step.state == "unknown"
    if unknown:
        names = step.choices or tuple(name for name in known if name != "skip")
        chosen = [known[name] for name in names if name in known]
    else:
        again = Intent(RetryStep(step.id), f"running {step.id} again")
        chosen = [Choice("retry", "▶ run it again", "a new attempt; the old output is kept", lambda _text: again)]
        chosen += [known[name] for name in step.choices if name in {"skip", "done"}]
    name = step.title if step.id.startswith("rollback:") else step.id
    title = f"nobody knows how {name} ended" if unknown else f"{name} failed"
    return ChoiceScreen(painter, moment, title, partial(_about_ended, step), lambda _now: chosen)


def _about_ended(step: StepView, now: RenderContext, width: int) -> Sequence[Line]:
    view = now.data.migration
    entry = find_step(view, step.id) or step
    name = "" if entry.id.startswith("rollback:") else f" {entry.id} "
    style = f"step-{entry.state}" if entry.state in {"failed", "unknown"} else "text"
    lines: list[Line] = [(StyledSpan(name, "strong"), StyledSpan(f" {entry.title}", "muted"))]
    lines.extend((StyledSpan(" "), *line) for line in wrap(entry.reason or "it failed", width - 2, style, limit=4))
    if view.output_step == entry.id:
        lines.extend((StyledSpan("   "), StyledSpan(cut(text, width - 4), "muted")) for text in view.output[-4:])
    return lines


_RESOLVING: tuple[tuple[ResolvedAs, str, str, str], ...] = (
    ("done", "✓ it is done", "I have looked: it ended well. The run goes on behind it.", "how do you know?"),
    ("failed", "✗ it failed", "I have looked: it did not do its work.", "how do you know?"),
    ("retry", "▶ run it again", "Only where running it twice does no harm.", "why is it safe?"),
    (
        "skip",
        "– leave it out",
        "The rollback goes on behind it; the report says that this was not undone.",
        "why may it be left out?",
    ),
    ("rollback", "↶ roll it back", "Undo this step, then decide.", "reason:"),
)


def _known_choices(step: StepView) -> dict[str, Choice]:
    """Return the ways to say how a step ended, each with a reason that is asked for."""

    def resolve(choice: ResolvedAs) -> Callable[[str], Intent]:
        return lambda reason: Intent(ResolveStep(step.id, choice, reason), f"{step.id}: {choice}")

    return {
        name: Choice(name, title, about, resolve(name), question, need=True)
        for name, title, about, question in _RESOLVING
    }


def variables_screen(moment: RenderContext, painter: Painter, *, new: bool = False) -> BaseScreen:
    """Ask for the values that the plan wants from the operator, then start."""
    from switchover.ui.kit.values_screen import ValuesScreen

    wanted = [(name, ask) for name, _, ask in moment.data.migration.variables_needed]

    def start(values: dict[str, str]) -> Intent:
        return Intent(StartRun(values, new), "starting the run")

    return ValuesScreen(painter, moment, "before the run starts", FROZEN_NOTE, wanted, start)
