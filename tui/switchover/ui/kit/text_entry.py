"""A single line in which the operator types: for the filter, a search, a reason, a confirmation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from switchover.ui.kit.line_view import LineView
from switchover.ui.kit.theme import Painter
from switchover.ui.text.styled_line import StyledSpan

__all__ = ["TextEntry"]


class _Line(Input):
    """Textual's input without its box."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "back"),
        Binding("enter", "submit", "take it"),
    ]

    def action_leave(self) -> None:
        """Give up what was typed."""
        self.post_message(TextEntry.Left())


class TextEntry(Widget):
    """A label and the line beside it."""

    DEFAULT_CSS = """
    TextEntry { height: 1; layout: horizontal; }
    TextEntry LineView { width: auto; height: 1; }
    TextEntry _Line { height: 1; width: 1fr; border: none; padding: 0; background: $surface; color: $foreground; }
    TextEntry _Line:focus { border: none; background: $surface; }
    """

    @dataclass
    class Typed(Message):
        """The text changed."""

        text: str

    @dataclass
    class Entered(Message):
        """The operator pressed enter."""

        text: str

    class Left(Message):
        """The operator pressed escape."""

    def __init__(self, painter: Painter, label: str, text: str = "", *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._label = LineView(painter)
        self._said = label
        self._text = text
        self.line = _Line(text, select_on_focus=False)
        self.line.cursor_blink = False

    def compose(self) -> ComposeResult:
        """Place the label, then the line."""
        yield from self._parts()

    def _parts(self) -> Iterator[Widget]:
        yield self._label
        yield self.line

    def on_mount(self) -> None:
        """Show the label."""
        self.relabel(self._said)

    def relabel(self, label: str) -> None:
        """Ask something else."""
        self._said = label
        self._label.styles.width = len(label) + 2
        self._label.set_lines([(StyledSpan(f" {label} ", "accent"),)])

    @property
    def text(self) -> str:
        """What stands in the line."""
        return self.line.value

    @text.setter
    def text(self, value: str) -> None:
        self.line.value = value

    def take_focus(self) -> None:
        """Type here."""
        self.line.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Pass on that the text changed."""
        event.stop()
        self.post_message(self.Typed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Pass on that the text is complete."""
        event.stop()
        self.post_message(self.Entered(event.value))
