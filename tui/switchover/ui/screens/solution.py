"""Before a solution that changes something: what it does, its command, and a yes or the text that has to be typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from switchover.snapshot import SolutionView
from switchover.ui.panes.base import set_height
from switchover.ui.presentation.line import Line, Span, fit, wrap
from switchover.ui.presentation.moment import Moment
from switchover.ui.presentation.trouble import Takes, takes_of
from switchover.ui.presentation.words import effect
from switchover.ui.screens.guarded import GuardedScreen
from switchover.ui.theme import Painter
from switchover.ui.widgets.entry import Entry
from switchover.ui.widgets.lines import LineView
from switchover.ui.widgets.scroller import Scroller

__all__ = ["AskSolution", "TypeSolution", "solution_screen"]

_YES = "yes"
Give = Callable[[str], None]


def solution_screen(
    painter: Painter, moment: Moment, solution: SolutionView, about: str, give: Give
) -> _SolutionScreen:
    """Return the screen that a solution takes. `give` gets the confirmation."""
    kind = TypeSolution if takes_of(solution) == Takes.TYPED else AskSolution
    return kind(painter, moment, solution, about, give)


class _SolutionScreen(GuardedScreen):
    def __init__(self, painter: Painter, moment: Moment, solution: SolutionView, about: str, give: Give) -> None:
        super().__init__(painter, moment, "run this solution?")
        self.solution = solution
        self._about = about
        self._give = give
        self._bar = LineView(painter, classes="line")
        self._body = Scroller(painter)

    def draw(self) -> None:
        """Draw what is at stake."""
        width, header = self.size.width, self.moment.data.header
        set_height(self._bar, int(header.production))
        self._bar.set_lines(
            [(Span(fit(" · ".join(filter(None, (" ⚠  PRODUCTION", header.target))), width), "danger-bar"),)]
        )
        words, style = effect(self.solution.effect)
        undone = (Span(", and cannot be undone", "danger"),) if self.solution.irreversible else ()
        lines: list[Line] = [
            (),
            *((Span(" "), *line) for line in wrap(self.solution.text, width - 2, "strong")),
            (),
            (Span(" it ", "muted"), Span(words, style), *undone),
            *([(Span(" about ", "muted"), Span(self._about))] if self._about else []),
            *((Span(" "), *line) for line in wrap(f"$ {self.solution.command}", width - 2, "code")),
            (),
            *self.question(),
        ]
        self._body.set_all(lines)

    def question(self) -> Sequence[Line]:
        """Return what the operator is asked."""
        return ()

    def decide_solution(self, typed: str) -> None:
        """Have it run, and close, once; never on old data."""
        if self.left:
            return
        if self.moment.stale:
            self.say("not connected to the agent: nothing is started from here", error=True)
            return
        self.leave()
        self._give(typed)


class AskSolution(_SolutionScreen):
    """`y` alone says yes; enter does nothing, so that a double press never confirms."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "yes", "yes, do it"), Binding("n", "back", "no")]

    def compose(self) -> ComposeResult:
        """Place the question."""
        yield self.header
        yield self._bar
        yield self._body
        yield self.status
        yield self.keys

    def question(self) -> Sequence[Line]:
        """Return the two answers."""
        return ((Span(" y", "key"), Span(" yes, do it    "), Span("n", "key"), Span(" no, go back")),)

    def action_yes(self) -> None:
        """Do it."""
        self.decide_solution(_YES)


class TypeSolution(_SolutionScreen):
    """Before what destroys: a text is typed, by hand."""

    def __init__(self, painter: Painter, moment: Moment, solution: SolutionView, about: str, give: Give) -> None:
        super().__init__(painter, moment, solution, about, give)
        self._entry = Entry(painter, "type it here:")

    def compose(self) -> ComposeResult:
        """Place what is at stake, then the empty line."""
        yield self.header
        yield self._bar
        yield self._body
        yield self._entry
        yield self.status
        yield self.keys

    def on_mount(self) -> None:
        """Type at once, but not before the guard has passed."""
        self._entry.take_focus()

    def question(self) -> Sequence[Line]:
        """Return what is to be typed."""
        typed = (Span(" To go on, type  "), Span(self.solution.confirm_text, "danger"), Span("  and press enter. "))
        return ((*typed, Span("esc", "key"), Span(" goes back", "muted")),)

    def on_entry_entered(self, event: Entry.Entered) -> None:
        """Have it run where it is exactly what was asked for."""
        if self.left:
            return
        if event.text != self.solution.confirm_text or not event.text:
            self._entry.text = ""
            self.say(f"that is not “{self.solution.confirm_text}”; nothing was done", error=True)
            return
        self.decide_solution(event.text)

    def on_entry_left(self) -> None:
        """Go back."""
        self.action_back()

    def on_paste(self, event: events.Paste) -> None:
        """Take nothing that was not typed."""
        event.stop()
        event.prevent_default()
        self.say("this must be typed, not pasted", error=True)
