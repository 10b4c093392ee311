"""Values that are asked for, one line each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from switchover.ui.kit.base_screen import OverScreen
from switchover.ui.kit.line_view import LineView
from switchover.ui.kit.messages import Intent
from switchover.ui.kit.text_entry import TextEntry
from switchover.ui.kit.theme import Painter
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, StyledSpan

__all__ = ["ValuesScreen"]


class ValuesScreen(OverScreen):
    """Enter takes a value and goes to the next; after the last one it goes on.

    `take` gets all values; what it returns is sent.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+b", "previous", "the one before")]

    def __init__(
        self,
        painter: Painter,
        moment: RenderContext,
        title: str,
        note: str,
        wanted: Sequence[tuple[str, str]],
        take: Callable[[dict[str, str]], Intent | None],
    ) -> None:
        super().__init__(painter, moment, title)
        self._note = note
        self._wanted = tuple(wanted)
        self._values = [""] * len(self._wanted)
        self._take = take
        self._at = 0
        self._body = LineView(painter)
        self._entry = TextEntry(painter, "value:")

    def compose(self) -> ComposeResult:
        """Place what is asked for, and the line."""
        yield self.header
        yield self._body
        yield self._entry
        yield self.status
        yield self.keys

    def on_mount(self) -> None:
        """Ask for the first."""
        self._ask(0)

    def _ask(self, at: int) -> None:
        self._at = at
        name, _ = self._wanted[at]
        self._entry.relabel(f"{name} =")
        self._entry.text = self._values[at]
        self._entry.take_focus()
        self.draw()

    def draw(self) -> None:
        """Draw the values given so far."""
        lines: list[Line] = [
            (),
            (StyledSpan(f" {self._note}", "muted"),),
            (),
        ]
        for index, (name, ask) in enumerate(self._wanted):
            mark = "▶" if index == self._at else "✓" if index < self._at else "○"
            lines.append(
                (StyledSpan(f" {mark} ", "accent"), StyledSpan(f"{name}  ", "strong"), StyledSpan(ask, "muted"))
            )
            if index < self._at:
                lines.append((StyledSpan(f"     {self._values[index]}"),))
        self._body.set_lines(lines)

    def on_text_entry_entered(self, event: TextEntry.Entered) -> None:
        """Take a value; hand all over after the last, once."""
        if self.left:
            return
        name = self._wanted[self._at][0]
        if not event.text.strip():
            self.say(f"{name} needs a value", error=True)
            return
        self.status.clear()
        self._values[self._at] = event.text.strip()
        if self._at + 1 < len(self._wanted):
            self._ask(self._at + 1)
            return
        values = {name: value for (name, _), value in zip(self._wanted, self._values, strict=True)}
        app = self.app
        self.leave()
        if (intent := self._take(values)) is not None:
            app.post_message(intent)

    def on_text_entry_left(self) -> None:
        """Go back."""
        self.action_back()

    def action_previous(self) -> None:
        """Go back to the value before."""
        self._ask(max(self._at - 1, 0))
