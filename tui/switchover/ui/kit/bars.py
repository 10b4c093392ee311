"""The lines around every screen: the header with the tabs above, the status line and the keys below."""

from __future__ import annotations

from textual import events

from switchover.ui.kit.line_view import LineView
from switchover.ui.kit.theme import Painter
from switchover.ui.text.header_lines import header_line, lost_line, tab_line, title_rule
from switchover.ui.text.keys import KeyHint, key_line
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, StyledSpan, rule, spread, wrap

__all__ = ["HeaderBar", "KeyBar", "RuleLine", "StatusLine"]


class HeaderBar(LineView):
    """Plan, run and freshness; the tabs or a title; a rule that says when nothing below is the present."""

    DEFAULT_CSS = "HeaderBar { height: 3; dock: top; } HeaderBar.-titled { height: 2; }"

    def __init__(self, painter: Painter, moment: RenderContext, *, tab: str = "", title: str = "") -> None:
        super().__init__(painter, classes="-titled" if title else None)
        self._moment = moment
        self._tab = tab
        self._title = title

    def show(self, moment: RenderContext, *, tab: str = "", title: str = "") -> None:
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
            lines.extend([tab_line(self._moment.snapshot, self._tab, width), lost or rule(width)])
        self.set_lines(lines)


class RuleLine(LineView):
    """A rule between two zones, with a title in it where one helps."""

    DEFAULT_CSS = "RuleLine { height: 1; }"

    def on_resize(self, _event: events.Resize) -> None:
        """Fill the width."""
        self.set_lines([rule(self.size.width)])


class StatusLine(LineView):
    """What went wrong, and what to do about it: as many lines as it takes, until it has been read."""

    DEFAULT_CSS = "StatusLine { height: 1; display: none; }"
    MOST = 5

    def __init__(self, painter: Painter) -> None:
        super().__init__(painter, id="status")
        self._text = ""
        self._hint = ""

    def say(self, text: str, *, hint: str = "") -> None:
        """Show an error."""
        self._text, self._hint = " · ".join(text.split("\n")), " · ".join(hint.split("\n"))
        self.display = True
        self._draw()

    def forget(self, hint: str) -> None:
        """Take an error away that is over, by its hint or how it begins; another one stays."""
        if self.display and hint and (self._hint == hint or self._text.startswith(hint)):
            self.clear()

    def clear(self) -> bool:
        """Take the error away; say whether there was one."""
        shown = bool(self.display)
        self.display = False
        return shown

    def on_resize(self, _event: events.Resize) -> None:
        """Fit the new width."""
        self._draw()

    def _draw(self) -> None:
        width = self.size.width or self.screen.size.width
        body = wrap(self._text, width - 14, "message-error") + (
            wrap(self._hint, width - 14, "key-label") if self._hint else []
        )
        close: Line = (StyledSpan(" esc", "key"), StyledSpan(" read ", "key-label"))
        lines: list[Line] = [
            spread(
                (StyledSpan(" ✗ " if not index else "   ", "message-error"), *line), close if not index else (), width
            )
            for index, line in enumerate(body[: self.MOST])
        ]
        self.styles.height = max(len(lines), 1)
        self.set_lines(lines)


class KeyBar(LineView):
    """The keys that do something here; for a moment, a remark in their place."""

    DEFAULT_CSS = "KeyBar { height: 1; }"

    def __init__(self, painter: Painter) -> None:
        super().__init__(painter)
        self._hints: tuple[KeyHint, ...] = ()
        self._notice = ""

    def notice(self, text: str) -> None:
        """Put a remark in the place of the keys; an empty one brings them back."""
        self._notice = text
        self._draw()

    def show(self, hints: tuple[KeyHint, ...]) -> None:
        """Show these keys, as many as fit."""
        self._hints = hints
        self._draw()

    def on_resize(self, _event: events.Resize) -> None:
        """Fit the new width."""
        self._draw()

    def _draw(self) -> None:
        notice: Line = (StyledSpan(f" · {self._notice}".replace("\n", " · "), "message-info"),)
        self.set_lines([notice if self._notice else key_line(self._hints, self.size.width)])
