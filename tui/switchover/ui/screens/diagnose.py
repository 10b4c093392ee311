"""A diagnosis: the plan's commands that look closer, what each said, and what may help."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from switchover.errors import SwitchoverError
from switchover.snapshot import TroubleView
from switchover.ui.presentation.line import Line, Span, indent, wrap
from switchover.ui.presentation.moment import Moment
from switchover.ui.screens.base import OverScreen
from switchover.ui.theme import Painter
from switchover.ui.widgets.scroller import Scroller

__all__ = ["DiagnoseScreen"]


class DiagnoseScreen(OverScreen):
    """Runs the diagnosis when it opens; `r` runs it again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "again", "run again"),
        Binding("R", "app.rollback", "roll back", tooltip="the ways back"),
    ]

    def __init__(
        self, painter: Painter, moment: Moment, index: int, trouble: TroubleView, request: Callable[..., Awaitable[Any]]
    ) -> None:
        super().__init__(painter, moment, f"diagnosis: {trouble.symptom}")
        self._index = index
        self._trouble = trouble
        self._request = request
        self._results: list[tuple[str, int | None, str]] | None = None
        self._body = Scroller(painter)

    def compose(self) -> ComposeResult:
        """Place what was found."""
        yield self.header
        yield self._body
        yield self.status
        yield self.keys

    def on_mount(self) -> None:
        """Run it."""
        self.action_again()

    def action_again(self) -> None:
        """Run the commands."""
        self._results = None
        self.run_worker(self._run(), exclusive=True)
        self.draw()

    async def _run(self) -> None:
        try:
            reply = await self._request("trouble.diagnose", index=self._index)
        except SwitchoverError as error:
            self._results = []
            self.say(error.title, error=True, hint=error.hint)
        else:
            self._results = [(str(one["command"]), one["exit_code"], str(one["output"])) for one in reply]
        self.draw()

    def draw(self) -> None:
        """Draw what was found so far."""
        width = max(self.size.width - 2, 10)
        lines: list[Line] = []
        if self._trouble.solutions:
            lines.append((Span(" what may help", "heading"),))
            lines.extend(
                (Span("   · ", "muted"), *line) for text in self._trouble.solutions for line in wrap(text, width - 6)
            )
            lines.append(())
        if self._results is None:
            lines.append((Span(" running; each command has 20 seconds …", "accent"),))
            lines.extend(
                (Span("   $ ", "muted"), *line)
                for text in self._trouble.diagnose
                for line in wrap(text, width - 6, "code")
            )
        for command, code, output in self._results or ():
            good = code == 0
            mark = f"exit {code}" if code is not None else "did not end in time"
            said = wrap(command, max(width - len(mark) - 7, 10), "strong")
            lines.extend((Span(" $ " if not row else "   ", "muted"), *line) for row, line in enumerate(said))
            lines[-1] = (*lines[-1], Span(f"   {mark}", "outcome-ok" if good else "outcome-crit"))
            lines.extend(
                indent(line, 3)
                for text in (output.rstrip("\n").split("\n") if output.strip() else ["(no output)"])
                for line in wrap(text, width - 4)
            )
            lines.append(())
        self._body.set_all(lines)
