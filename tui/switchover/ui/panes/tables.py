"""Checks, Metrics and Costs: a table each, with what is known about the chosen row."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from switchover.ui.panes.base import TablePane, set_height
from switchover.ui.presentation.checks import check_brief, check_detail, check_table
from switchover.ui.presentation.costs import cost_table, cost_totals
from switchover.ui.presentation.line import Line, Span, rule
from switchover.ui.presentation.metrics import metric_detail, metric_table
from switchover.ui.presentation.moment import Moment
from switchover.ui.theme import Painter
from switchover.ui.widgets.lines import LineView
from switchover.ui.widgets.rows import RowList

__all__ = ["ChecksPane", "CostsPane", "DetailTablePane", "MetricsPane"]

_SIDE_FROM = 150


class DetailTablePane(TablePane):
    """A table whose chosen row is explained below it, or beside it on a wide terminal."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "app.open_selected", "open", tooltip="everything about the row under the cursor"),
    ]

    def __init__(self, painter: Painter, moment: Moment, name: str) -> None:
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
            self._beside.set_lines([(Span("│ ", "rule"), *line) for line in (lines + [()] * height)[:height]])
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


class ChecksPane(DetailTablePane):
    """Every check, worst first, with expected against observed."""

    BINDING_GROUP_TITLE = "Checks"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "app.recheck", "recheck", tooltip="run the check under the cursor now"),
        Binding("d", "app.diagnose", "diagnose", tooltip="run the plan's commands that look closer at this trouble"),
        Binding("c", "app.contacts", "contacts", tooltip="whom to call and what to read"),
    ]

    def __init__(self, painter: Painter, moment: Moment) -> None:
        super().__init__(painter, moment, "checks")

    def draw_table(self, width: int) -> None:
        """Fill the table."""
        self.fill(*check_table(self.moment, width, self.wanted), "checks")

    def detail(self, width: int, height: int) -> list[Line]:
        """All about the chosen check."""
        del height
        row = next((row for row in self.moment.data.checks if f"check:{row.name}" == self.rows.key), None)
        return [(Span(f" {row.name}", "strong"),), *check_detail(row, self.moment, width)] if row is not None else []

    def short(self, width: int, height: int) -> list[Line]:
        """Return expected against observed."""
        row = next((row for row in self.moment.data.checks if f"check:{row.name}" == self.rows.key), None)
        return check_brief(row, self.moment, width, height) if row is not None else []


class MetricsPane(DetailTablePane):
    """Numbers over time."""

    BINDING_GROUP_TITLE = "Metrics"

    def __init__(self, painter: Painter, moment: Moment) -> None:
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
        return [(Span(f" {row.title or row.name}", "strong"),), *metric_detail(row, self.moment, width, chart)]

    def short(self, width: int, height: int) -> list[Line]:
        """Return the chosen series as a small chart."""
        row = next((row for row in self.moment.data.metrics if f"metric:{row.name}" == self.rows.key), None)
        if row is None or height < 4:
            return []
        return metric_detail(row, self.moment, width, max(height - 1, 3))[:height]


class CostsPane(TablePane):
    """Money a month, before and after."""

    BINDING_GROUP_TITLE = "Costs"

    def __init__(self, painter: Painter, moment: Moment) -> None:
        super().__init__(painter, moment, "costs")
        self._list = RowList(painter)
        self._totals = LineView(painter)

    def compose(self) -> ComposeResult:
        """Place the lines, then their sum."""
        yield self._list
        yield self._totals

    def draw(self) -> None:
        """Draw the lines, and the sum right under them."""
        width, height = self.size
        heading, items = cost_table(self.moment, width, self.wanted)
        self.fill(heading, items, "costs")
        totals = [rule(width), *cost_totals(self.moment, width)] if items else []
        room = height - len(totals)
        wanted = len(items) + 1 + len(self.filter_lines())
        set_height(self._list, max(min(wanted, room), 2) if items else max(height, 1))
        set_height(self._totals, min(len(totals), max(height - 2, 0)))
        self._totals.set_lines(totals)
