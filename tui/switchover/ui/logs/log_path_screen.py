"""Asks for the path of a log file, and opens it."""

from __future__ import annotations

import os

from textual.app import ComposeResult

from switchover.ui.kit.base_screen import OverScreen
from switchover.ui.kit.line_view import LineView
from switchover.ui.kit.ports import Opening
from switchover.ui.kit.text_entry import TextEntry
from switchover.ui.kit.theme import Painter
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import StyledSpan

__all__ = ["LogPathScreen"]


class LogPathScreen(OverScreen):
    """Takes one path, or several with blanks between them, and has their logs opened."""

    def __init__(self, painter: Painter, moment: RenderContext, opening: Opening) -> None:
        super().__init__(painter, moment, "open a log file")
        self._opening = opening
        self._entry = TextEntry(painter, "path", f"{os.getcwd()}/")  # noqa: PTH109 - text to type on, not a path to use
        self._body = LineView(painter)

    def compose(self) -> ComposeResult:
        """Place what is asked, and the line."""
        yield self.header
        yield self._entry
        yield self._body
        yield self.status
        yield self.keys

    def on_mount(self) -> None:
        """Type at once."""
        self._entry.line.cursor_position = len(self._entry.text)
        self._entry.take_focus()

    def draw(self) -> None:
        """Say what can be typed."""
        said = ["A file on this host, also one that is written to, rotated or not there yet."]
        said.append("Several with blanks between them are merged by time.")
        self._body.set_lines([(), *((StyledSpan(f" {text}", "muted"),) for text in said)])

    def on_text_entry_entered(self, event: TextEntry.Entered) -> None:
        """Open what was typed."""
        import shlex

        try:
            words = shlex.split(event.text)
        except ValueError:
            words = [event.text]
        paths = tuple(os.path.abspath(os.path.expanduser(word)) for word in words)  # noqa: PTH100, PTH111 - the agent opens it
        if not paths or self.left:
            return
        self.leave()
        self.app.call_later(self._opening.logs, (), paths)

    def on_text_entry_left(self) -> None:
        """Go back."""
        self.action_back()
