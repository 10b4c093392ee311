"""Checks, Metrics and Costs: a table each, with what is known about the chosen row."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from switchover.ui.checks.check_lines import check_brief, check_detail, check_table
from switchover.ui.kit.actions import bound
from switchover.ui.kit.detail_table_pane import DetailTablePane
from switchover.ui.kit.theme import Painter
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, StyledSpan

__all__ = ["ChecksPane"]


class ChecksPane(DetailTablePane):
    """Every check, worst first, with expected against observed."""

    kind: ClassVar[str] = "checks"
    rank: ClassVar[int] = 30
    short_title: ClassVar[str] = "Checks"
    search: ClassVar[str] = "health tests"
    BINDING_GROUP_TITLE = "Checks"
    BINDINGS: ClassVar[list[BindingType]] = [
        bound("recheck"),
        bound("recheck_all"),
        bound("diagnose"),
        bound("contacts"),
        bound("useful_commands"),
    ]

    def __init__(self, painter: Painter, moment: RenderContext) -> None:
        super().__init__(painter, moment, "checks")

    def draw_table(self, width: int) -> None:
        """Fill the table."""
        self.fill(*check_table(self.moment, width, self.wanted), "checks")

    def detail(self, width: int, height: int) -> list[Line]:
        """All about the chosen check."""
        del height
        row = next((row for row in self.moment.data.checks if f"check:{row.name}" == self.rows.key), None)
        return (
            [(StyledSpan(f" {row.name}", "strong"),), *check_detail(row, self.moment, width)] if row is not None else []
        )

    def short(self, width: int, height: int) -> list[Line]:
        """Return expected against observed."""
        row = next((row for row in self.moment.data.checks if f"check:{row.name}" == self.rows.key), None)
        return check_brief(row, self.moment, width, height) if row is not None else []
