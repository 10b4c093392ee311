"""Before a solution that changes something: its effect, its command, and a yes or a text to type."""

from __future__ import annotations

from collections.abc import Callable

from switchover.snapshot import SolutionView
from switchover.ui.kit.guarded_screen import StakesScreen, TypedScreen, YesScreen
from switchover.ui.kit.theme import Painter
from switchover.ui.problems.known_issue_lines import Takes, takes_of
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.state_words import effect
from switchover.ui.text.styled_line import Line, StyledSpan, wrap

__all__ = ["AskSolution", "TypeSolution", "solution_screen"]

_YES = "yes"
Give = Callable[[str], None]


def solution_screen(
    painter: Painter, moment: RenderContext, solution: SolutionView, about: str, give: Give
) -> _SolutionScreen:
    """Return the screen that a solution takes. `give` gets the confirmation."""
    kind = TypeSolution if takes_of(solution) == Takes.TYPED else AskSolution
    return kind(painter, moment, solution, about, give)


class _SolutionScreen(StakesScreen):
    def __init__(self, painter: Painter, moment: RenderContext, solution: SolutionView, about: str, give: Give) -> None:
        super().__init__(painter, moment, "run this solution?")
        self.solution = solution
        self._about = about
        self._give = give

    def draw(self) -> None:
        """Draw what is at stake."""
        width = self.size.width
        self.draw_bar()
        words, style = effect(self.solution.effect)
        undone = (StyledSpan(", and cannot be undone", "danger"),) if self.solution.irreversible else ()
        lines: list[Line] = [
            (),
            *((StyledSpan(" "), *line) for line in wrap(self.solution.text, width - 2, "strong")),
            (),
            (StyledSpan(" it ", "muted"), StyledSpan(words, style), *undone),
            *([(StyledSpan(" about ", "muted"), StyledSpan(self._about))] if self._about else []),
            *((StyledSpan(" "), *line) for line in wrap(f"$ {self.solution.command}", width - 2, "code")),
            (),
            self.question(),
        ]
        self._body.set_all(lines)

    def why_not(self) -> str:
        """Start nothing on old data."""
        return "not connected to the agent: nothing is started from here" if self.moment.stale else ""

    def do(self, typed: str) -> None:
        """Have it run."""
        self._give(typed)


class AskSolution(_SolutionScreen, YesScreen):
    """A yes has it run."""

    def do(self, typed: str) -> None:
        """Have it run, with the word that the agent takes for a yes."""
        super().do(typed or _YES)


class TypeSolution(_SolutionScreen, TypedScreen):
    """The text has it run."""

    @property
    def must_type(self) -> str:
        """What the solution says is to be typed."""
        return self.solution.confirm_text
