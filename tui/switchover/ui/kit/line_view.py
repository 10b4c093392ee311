"""A widget that shows lines and repaints only those that changed."""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from switchover.ui.kit.theme import Painter
from switchover.ui.text.styled_line import BLANK, Line

__all__ = ["LineView"]


class LineView(Widget):
    """Lines from the top down. `paint_with` changes theme or freshness; `set_lines` changes what is said."""

    DEFAULT_CSS = "LineView { height: 1fr; width: 1fr; }"

    def __init__(self, painter: Painter, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._painter = painter
        self._lines: tuple[Line, ...] = ()

    @property
    def lines(self) -> tuple[Line, ...]:
        """What is shown."""
        return self._lines

    def paint_with(self, painter: Painter) -> None:
        """Use another painter; everything is drawn anew only when it is another one."""
        if painter is not self._painter:
            self._painter = painter
            self.refresh()

    def set_lines(self, lines: Sequence[Line]) -> None:
        """Show these lines; only rows that differ are painted again."""
        new = tuple(lines)
        old, self._lines = self._lines, new
        if old == new:
            return
        self._refresh_rows(
            [
                row
                for row in range(max(len(old), len(new)))
                if (old[row] if row < len(old) else BLANK) != (new[row] if row < len(new) else BLANK)
            ]
        )

    def _refresh_rows(self, rows: Sequence[int]) -> None:
        width, height = self.size
        regions = [Region(0, row, width, 1) for row in rows if 0 <= row < height]
        if regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        """Paint one row."""
        line = self._lines[y] if y < len(self._lines) else BLANK
        return self._painter.paint(line, self.size.width, "")
