"""Metrics: a table, with the chosen one as a chart."""

from __future__ import annotations

from typing import ClassVar

from switchover.ui.kit.detail_table_pane import DetailTablePane
from switchover.ui.kit.theme import Painter
from switchover.ui.metrics.metric_lines import metric_detail, metric_table
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, StyledSpan

__all__ = ["MetricsPane"]


class MetricsPane(DetailTablePane):
    """Numbers over time."""

    kind: ClassVar[str] = "metrics"
    rank: ClassVar[int] = 40
    short_title: ClassVar[str] = "Metr"
    search: ClassVar[str] = "cpu memory charts graphs"
    BINDING_GROUP_TITLE = "Metrics"

    def __init__(self, painter: Painter, moment: RenderContext) -> None:
        super().__init__(painter, moment, "metrics")

    def draw_table(self, width: int) -> None:
        """Fill the table."""
        self.fill(*metric_table(self.moment, width, self.wanted), "metrics")

    def detail(self, width: int, height: int) -> list[Line]:
        """Return the chosen series as a chart."""
        row = next((row for row in self.moment.data.metrics if f"metric:{row.name}" == self.rows.key), None)
        if row is None:
            return []
        chart = min(max(height - 10, 3), 16)
        return [(StyledSpan(f" {row.title or row.name}", "strong"),), *metric_detail(row, self.moment, width, chart)]

    def short(self, width: int, height: int) -> list[Line]:
        """Return the chosen series as a small chart."""
        row = next((row for row in self.moment.data.metrics if f"metric:{row.name}" == self.rows.key), None)
        if row is None or height < 4:
            return []
        return metric_detail(row, self.moment, width, max(height - 1, 3))[:height]
