"""The screen before what cannot be undone."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult

from switchover.commands.run import RunStep
from switchover.snapshot import StepView
from switchover.ui.kit.bars import RuleLine
from switchover.ui.kit.guarded_screen import TypedScreen
from switchover.ui.kit.line_view import LineView
from switchover.ui.kit.messages import Intent
from switchover.ui.kit.scroller import Scroller
from switchover.ui.kit.theme import Painter
from switchover.ui.migration.confirmation_lines import confirmation_lines
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import StyledSpan, fit

__all__ = ["ConfirmScreen"]


class ConfirmScreen(TypedScreen):
    """Before what cannot be undone: all that must be known, and one empty line in which the target is typed."""

    def __init__(self, painter: Painter, moment: RenderContext, step: StepView) -> None:
        super().__init__(painter, moment, f"before {step.id}: {step.title}")
        self._step = step
        self._body = Scroller(painter)
        self._bar = LineView(painter, classes="line")
        self._ask = LineView(painter, classes="line")

    def compose(self) -> ComposeResult:
        """Place what is at stake, then the empty line."""
        yield self.header
        yield self._bar
        yield self._body
        yield RuleLine(self.painter)
        yield self._ask
        yield from self.asks_with()
        yield self.status
        yield self.keys

    @property
    def must_type(self) -> str:
        """What the plan says is to be typed."""
        return self._step.confirm_text

    def draw(self) -> None:
        """Draw what is at stake as it stands now."""
        width = self.size.width
        target = self.moment.data.header.target or self.moment.data.header.plan_id
        says = "this cannot be undone" if self._step.irreversible else "this has to be confirmed"
        self._bar.set_lines([(StyledSpan(fit(f" ⚠  {says} · {target}", width), "danger-bar"),)])
        self._body.set_all(confirmation_lines(self._step, self.moment, width, self._body.size.height))
        self._ask.set_lines([self.question()])

    def answer(self, typed: str) -> None:
        """Send it."""
        self.decide(Intent(RunStep(self._step.id, typed), f"confirmed, running {self._step.id}"))

    def on_key(self, event: events.Key) -> None:
        """Scroll what is at stake without leaving the line."""
        pages = {"pagedown": 1, "pageup": -1}
        lines = {"down": 1, "up": -1}
        if event.key in pages:
            self._body.action_scroll_page(pages[event.key])
        elif event.key in lines:
            self._body.action_scroll_lines(lines[event.key])
