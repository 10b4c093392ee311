"""A pane with a table whose chosen row is explained beside or below it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from switchover.ui.kit.actions import bound
from switchover.ui.kit.line_view import LineView
from switchover.ui.kit.pane import TablePane
from switchover.ui.kit.row_list import RowList
from switchover.ui.kit.theme import Painter
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, StyledSpan, rule

__all__ = ["DetailTablePane"]


_SIDE_FROM = 150


class DetailTablePane(TablePane):
    """A table whose chosen row is explained below it, or beside it on a wide terminal."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bound("open_selected"),
    ]

    def __init__(self, painter: Painter, moment: RenderContext, name: str) -> None:
        super().__init__(painter, moment, name)
        self._list = RowList(painter)
        self._beside = LineView(painter)
        self._below = LineView(painter)

    def compose(self) -> ComposeResult:
        """Place the table, and the two places for what is known about a row."""
        with Horizontal(classes="row"):
            yield self._list
            yield self._beside
        yield self._below

    def draw(self) -> None:
        """Draw the table and the chosen row."""
        width, height = self.size
        wide = width >= _SIDE_FROM
        side = width * 2 // 5 if wide else 0
        self._beside.display = wide
        if wide:
            self._beside.styles.width = side
        self.draw_table(width - side)
        if wide:
            lines = self.detail(side - 2, height)
            self._beside.set_lines([(StyledSpan("│ ", "rule"), *line) for line in (lines + [()] * height)[:height]])
            self.brief(self._below, [])
        else:
            room = max(min(height // 3, 8), 0) if height >= 10 else 0
            lines = self.short(width, room - 1) if room > 2 else []
            self.brief(self._below, [rule(width), *(lines + [()] * room)[: room - 1]] if lines else [])

    def draw_table(self, width: int) -> None:
        """Fill the table."""

    def detail(self, width: int, height: int) -> list[Line]:
        """All about the chosen row, for the side."""
        del width, height
        return []

    def short(self, width: int, height: int) -> list[Line]:
        """Return what matters most about the chosen row, for below."""
        return self.detail(width, height)[:height]
