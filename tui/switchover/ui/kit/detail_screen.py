"""A screen of lines that follow the data: everything about a check, a service, a metric; the timeline; help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from switchover.ui.kit.actions import bound
from switchover.ui.kit.base_screen import OverScreen
from switchover.ui.kit.scroller import Scroller
from switchover.ui.kit.theme import Painter
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line

__all__ = ["CheckScreen", "DetailScreen", "Lines"]

Lines = Callable[[RenderContext, int, int], Sequence[Line]]


class DetailScreen(OverScreen):
    """Shows what `lines` makes of each RenderContext, for a width and a height."""

    def __init__(self, painter: Painter, moment: RenderContext, title: str, lines: Lines) -> None:
        super().__init__(painter, moment, title)
        self._make = lines
        self._body = Scroller(painter, says_more=True)

    def compose(self) -> ComposeResult:
        """Header, body, status, keys."""
        yield self.header
        yield self._body
        yield self.status
        yield self.keys

    def draw(self) -> None:
        """Draw the body."""
        width, height = self._body.size
        if width:
            self._body.set_all(self._make(self.moment, width, height))


class CheckScreen(DetailScreen):
    """A check in full: it can be run again and looked into from here."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bound("recheck"),
        bound("diagnose"),
    ]

    def __init__(self, painter: Painter, moment: RenderContext, check: str, lines: Lines) -> None:
        super().__init__(painter, moment, f"check {check}", lines)
        self.check = check
