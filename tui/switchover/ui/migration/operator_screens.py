"""Screens about people: a warning acknowledged, a requirement waived, a gate decided, the run handed over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from switchover.commands.gates import AcknowledgeCheck, CheckGate, WaiveCheck
from switchover.commands.lease import AnswerTakeover
from switchover.ui.kit.choice_screen import Choice, ChoiceScreen
from switchover.ui.kit.guarded_screen import GuardedScreen
from switchover.ui.kit.messages import Intent
from switchover.ui.kit.scroller import Scroller
from switchover.ui.kit.theme import Painter
from switchover.ui.migration.operator_lines import Blocked, blocked, request_lines
from switchover.ui.migration.step_detail import gate_lines
from switchover.ui.migration.wizard import find_gate
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.state_words import outcome
from switchover.ui.text.styled_line import Line, StyledSpan, wrap

__all__ = ["AnswerScreen", "acknowledge_screen", "decide_gate_screen", "waive_screen"]

_TIMES = (("30 m", 1800.0), ("2 h", 7200.0), ("8 h", 28800.0), ("1 d", 86400.0))


def acknowledge_screen(moment: RenderContext, painter: Painter) -> ChoiceScreen:
    """Let a warning pass, with a reason."""
    return ChoiceScreen(painter, moment, "acknowledge a warning", _about, lambda now: _acknowledge(blocked(now)))


def waive_screen(moment: RenderContext, painter: Painter) -> ChoiceScreen:
    """Let a check pass for a while, with a reason."""
    return ChoiceScreen(painter, moment, "waive a requirement", _about, lambda now: _waive(blocked(now), _TIMES))


def decide_gate_screen(moment: RenderContext, painter: Painter, phase: str) -> ChoiceScreen:
    """Return a gate that waits for a person's word on what warns or cannot be known."""

    def about(now: RenderContext, width: int) -> Sequence[Line]:
        gate = find_gate(now.data.migration, phase)
        return gate_lines(gate, now, width, 12) if gate is not None else []

    def choices(now: RenderContext) -> list[Choice]:
        again = Intent(CheckGate(phase), f"checking the gate of {phase} again")
        open_checks = blocked(now)
        unknown = [entry for entry in open_checks if "acknowledge" not in entry.can]
        return [
            Choice("again", "▶ look again", "all that the gate needs is looked at anew", lambda _text: again),
            *_acknowledge(open_checks),
            *_waive(unknown, _TIMES[1:2]),
        ]

    return ChoiceScreen(painter, moment, f"gate of {phase}: a person decides", about, choices)


def _about(now: RenderContext, width: int) -> Sequence[Line]:
    gate = find_gate(now.data.migration, now.data.migration.current_phase)
    if gate is not None and now.data.migration.action.kind != "confirm":
        return gate_lines(gate, now, width, 10)
    text = "What is let pass stands in the journal and in the report, with your name and your reason."
    return [(StyledSpan(" "), *line) for line in wrap(text, width - 2, "muted")]


def _acknowledge(entries: Sequence[Blocked]) -> list[Choice]:
    return [
        Choice(
            f"acknowledge:{entry.check}",
            f"! acknowledge {entry.check}",
            f"{entry.summary}. It may pass here while it stays a warning.",
            _acknowledged(entry.check),
            "why may it pass?",
            need=True,
            style="outcome-warn",
        )
        for entry in entries
        if "acknowledge" in entry.can
    ]


def _waive(entries: Sequence[Blocked], times: Sequence[tuple[str, float]]) -> list[Choice]:
    return [
        Choice(
            f"waive:{entry.check}:{seconds:.0f}",
            f"{outcome(entry.status).glyph} waive {entry.check} for {said}",
            f"{entry.summary}. It may pass here; after {said} it blocks again." if index == 0 else "",
            _waived(entry.check, seconds),
            "why may it pass?",
            need=True,
            style=outcome(entry.status).style,
        )
        for entry in entries
        for index, (said, seconds) in enumerate(times)
        if "waive" in entry.can
    ]


def _acknowledged(check: str) -> Callable[[str], Intent]:
    return lambda reason: Intent(AcknowledgeCheck(check, reason), f"acknowledged: {check}")


def _waived(check: str, seconds: float) -> Callable[[str], Intent]:
    return lambda reason: Intent(WaiveCheck(check, reason, seconds), f"waived: {check}")


class AnswerScreen(GuardedScreen):
    """Somebody asks to take over: hand over or refuse. Enter does nothing, and neither does going back.

    It opens when the operator asks for it, never by itself. An answer is for the person whose name stands here. Where
    another one asks by now, keys pressed before that could be read are dropped.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes, hand over"),
        Binding("n", "answer(False)", "no, refuse"),
    ]

    def __init__(self, painter: Painter, moment: RenderContext) -> None:
        super().__init__(painter, moment, "somebody asks to take over")
        self._asking = moment.data.header.asking
        self._body = Scroller(painter)

    def compose(self) -> ComposeResult:
        """Place the question."""
        yield self.header
        yield self._body
        yield self.status
        yield self.keys

    def draw(self) -> None:
        """Draw the question as it stands now; another asker is another question."""
        asking = self.moment.data.header.asking
        if asking != self._asking:
            self._asking = asking
            self.guard_anew()
        yes = (StyledSpan(" y", "key"), StyledSpan(" yes, hand over    "))
        no = (StyledSpan("n", "key"), StyledSpan(" no, refuse    "))
        later = (StyledSpan("esc", "key"), StyledSpan(" answer later: T"))
        keys: Line = (*yes, *no, *later) if asking is not None else ()
        self._body.set_all([(), *request_lines(self.moment.data.header, self.moment.now), (), keys])

    def action_answer(self, yes: bool) -> None:
        """Answer the one who asks."""
        if self.moment.data.header.asking is None:
            self.say("nobody asks any more", error=True)
            return
        self.app.post_message(Intent(AnswerTakeover(yes), "handed over" if yes else "refused"))
        self.dismiss()
