"""The lines around every screen: the header with the tabs above, the status line and the keys below."""

from __future__ import annotations

from textual import events

from switchover.ui.presentation.header import header_line, lost_line, tab_line, title_rule
from switchover.ui.presentation.keys import KeyHint, key_line
from switchover.ui.presentation.line import Line, Span, rule, spread
from switchover.ui.presentation.moment import Moment
from switchover.ui.theme import Painter
from switchover.ui.widgets.lines import LineView

__all__ = ["HeaderBar", "KeyBar", "RuleLine", "StatusLine"]


class HeaderBar(LineView):
    """Plan, run and freshness; the tabs or a title; a rule that says when nothing below is the present."""

    DEFAULT_CSS = "HeaderBar { height: 3; dock: top; } HeaderBar.-titled { height: 2; }"

    def __init__(self, painter: Painter, moment: Moment, *, tab: str = "", title: str = "") -> None:
        super().__init__(painter, classes="-titled" if title else None)
        self._moment = moment
        self._tab = tab
        self._title = title

    def show(self, moment: Moment, *, tab: str = "", title: str = "") -> None:
        """Draw what changed."""
        self._moment, self._tab, self._title = moment, tab, title
        self._draw()

    def on_resize(self, _event: events.Resize) -> None:
        """Fit the new width."""
        self._draw()

    def _draw(self) -> None:
        width = self.size.width
        lost = lost_line(self._moment)
        lines = [header_line(self._moment, width)]
        if self._title:
            lines.append(lost or title_rule(self._title, width))
        else:
            lines.extend([tab_line(self._moment.data, self._tab, width), lost or rule(width)])
        self.set_lines(lines)


class RuleLine(LineView):
    """A rule between two zones, with a title in it where one helps."""

    DEFAULT_CSS = "RuleLine { height: 1; }"

    def on_resize(self, _event: events.Resize) -> None:
        """Fill the width."""
        self.set_lines([rule(self.size.width)])


class StatusLine(LineView):
    """One line for what the agent answered; an error stays until it has been read."""

    DEFAULT_CSS = "StatusLine { height: 1; dock: bottom; display: none; }"

    def __init__(self, painter: Painter) -> None:
        super().__init__(painter, id="status")
        self._said: Line = ()
        self.sticky = False

    def say(self, text: str, *, error: bool = False, hint: str = "") -> None:
        """Show a message. An error is not pushed out by a mere remark."""
        if self.sticky and not error:
            return
        self.sticky = error
        glyph, style = ("✗", "message-error") if error else ("·", "message-info")
        said = [Span(f" {glyph} {text}".replace("\n", " · "), style)]
        if hint:
            said.append(Span(f"  {hint}".replace("\n", " · "), "key-label"))
        self._said = tuple(said)
        self.display = True
        self._draw()

    def clear(self, *, remarks_only: bool = False) -> bool:
        """Take the message away; say whether there was one."""
        if not self.display or (remarks_only and self.sticky):
            return False
        self.sticky = False
        self._said = ()
        self.display = False
        return True

    def on_resize(self, _event: events.Resize) -> None:
        """Fit the new width."""
        self._draw()

    def _draw(self) -> None:
        close: Line = (Span(" esc", "key"), Span(" read ", "key-label")) if self.sticky else ()
        self.set_lines([spread(self._said, close, self.size.width)])


class KeyBar(LineView):
    """The keys that do something here."""

    DEFAULT_CSS = "KeyBar { height: 1; dock: bottom; }"

    def __init__(self, painter: Painter) -> None:
        super().__init__(painter)
        self._hints: tuple[KeyHint, ...] = ()

    def show(self, hints: tuple[KeyHint, ...]) -> None:
        """Show these keys, as many as fit."""
        self._hints = hints
        self._draw()

    def on_resize(self, _event: events.Resize) -> None:
        """Fit the new width."""
        self._draw()

    def _draw(self) -> None:
        self.set_lines([key_line(self._hints, self.size.width)])
