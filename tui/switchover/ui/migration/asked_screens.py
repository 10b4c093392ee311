"""What a screen asks of the agent when it opens: an edited plan's difference, a rollback's rehearsal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from switchover.commands.looking import ComparePlan, RehearseRollback
from switchover.commands.run import RebaseRun
from switchover.errors import SwitchoverError
from switchover.snapshot import PlanDifference, Rehearsal
from switchover.ui.kit.base_screen import OverScreen
from switchover.ui.kit.choice_screen import Choice, ChoiceScreen
from switchover.ui.kit.messages import Intent, Sender
from switchover.ui.kit.scroller import Scroller
from switchover.ui.kit.theme import Painter
from switchover.ui.migration.plan_change_lines import difference_lines
from switchover.ui.migration.rollback_progress import rehearsal_lines
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, StyledSpan, wrap

__all__ = ["DifferenceScreen", "RehearsalScreen"]


class AskedScreen(OverScreen):
    """Asks when it opens and shows the answer; `r` asks again."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("r", "again", "look again")]

    def __init__(self, painter: Painter, moment: RenderContext, title: str, sender: Sender) -> None:
        super().__init__(painter, moment, title)
        self._sender = sender
        self._body = Scroller(painter)

    def compose(self) -> ComposeResult:
        """Header, body, status, keys."""
        yield self.header
        yield self._body
        yield self.status
        yield self.keys

    def on_mount(self) -> None:
        """Ask."""
        self.action_again()

    def action_again(self) -> None:
        """Ask again."""
        self.run_worker(self._load(), exclusive=True)

    async def _load(self) -> None:
        try:
            await self.ask()
        except SwitchoverError as error:
            self.say(error.title, error=True, hint=error.hint)
        self.draw()
        self.show_keys()

    async def ask(self) -> None:
        """Ask for what is shown."""

    def lines(self, width: int) -> Sequence[Line] | None:
        """Return what is shown; None while there is no answer."""
        del width
        return None

    def draw(self) -> None:
        """Draw the answer."""
        width = max(self.size.width - 2, 20)
        found = self.lines(width)
        self._body.set_all([(), *found] if found is not None else [(), (StyledSpan(" asking the agent …", "muted"),)])


class RehearsalScreen(AskedScreen):
    """All that taking a rollback path would do, and what its checks say now."""

    def __init__(self, painter: Painter, moment: RenderContext, name: str, sender: Sender) -> None:
        super().__init__(painter, moment, f"rehearsal: {name or 'step by step'}", sender)
        self._name = name
        self._found: Rehearsal | None = None

    async def ask(self) -> None:
        """Ask for the rehearsal."""
        self._found = await self._sender.send(RehearseRollback(self._name))

    def lines(self, width: int) -> Sequence[Line] | None:
        """Return the rehearsal."""
        return rehearsal_lines(self._found, width) if self._found is not None else None


class DifferenceScreen(AskedScreen):
    """The edited plan beside the one that the run goes by; enter adopts it where nothing stands in the way."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "adopt", "adopt", tooltip="let the run go by the edited plan; what has begun stays as it is")
    ]

    def __init__(self, painter: Painter, moment: RenderContext, sender: Sender) -> None:
        super().__init__(painter, moment, "the plan was edited", sender)
        self._found: PlanDifference | None = None

    async def ask(self) -> None:
        """Ask for the difference."""
        self._found = await self._sender.send(ComparePlan())

    def lines(self, width: int) -> Sequence[Line] | None:
        """Return the difference."""
        return difference_lines(self._found, width) if self._found is not None else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to adopt only what can be."""
        del parameters
        found = self._found
        can = found is not None and not (found.same or found.problems or found.refused)
        return action != "adopt" or (can and not self.moment.data.header.read_only)

    def action_adopt(self) -> None:
        """Ask for what is missing and for a reason, then adopt it."""
        found = self._found
        if found is None:
            return
        if found.needed:
            from switchover.ui.kit.values_screen import ValuesScreen
            from switchover.ui.migration.advance import FROZEN_NOTE

            def with_values(values: dict[str, str]) -> Intent:
                return Intent(RebaseRun(values, digest=found.digest), "adopting the edited plan")

            wanted = [(name, ask) for name, _, ask in found.needed]
            title = "values that the plan asks for"
            self.app.switch_screen(ValuesScreen(self.painter, self.moment, title, FROZEN_NOTE, wanted, with_values))
            return

        def with_reason(reason: str) -> Intent:
            return Intent(RebaseRun(reason=reason, digest=found.digest), "adopting the edited plan")

        count = len(found.changes)
        adopt = Choice(
            "adopt",
            "✓ let the run go by the edited plan" if found.run_open else "✓ begin the next run with the edited plan",
            f"{count} part{'' if count == 1 else 's'} changed. What has begun stays as it is, with its rollback.",
            with_reason,
            "why (may stay empty):",
        )

        def about(_now: RenderContext, width: int) -> Sequence[Line]:
            names = ", ".join(f"{change.what} {change.name} {change.kind}" for change in found.changes)
            return [(StyledSpan(" "), *line) for line in wrap(names or "only comments or layout", width - 2, limit=6)]

        self.app.switch_screen(
            ChoiceScreen(self.painter, self.moment, "adopt the edited plan?", about, lambda _now: [adopt])
        )
