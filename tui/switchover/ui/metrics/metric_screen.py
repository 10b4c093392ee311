"""A metric in full: a chart that is zoomed and moved in time, with a cursor that reads values."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from switchover.commands.metric_series import ReadSeries, SeriesPart
from switchover.errors import SwitchoverError
from switchover.snapshot import MetricRow
from switchover.ui.kit.base_screen import OverScreen
from switchover.ui.kit.messages import Sender
from switchover.ui.kit.scroller import Scroller
from switchover.ui.kit.theme import Painter
from switchover.ui.metrics.metric_lines import metric_detail
from switchover.ui.metrics.span_chart import LABEL_WIDTH, span_lines, week_lines
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, StyledSpan

__all__ = ["MetricScreen"]

_HOUR, _DAY = 3600.0, 86_400.0
_SPANS = (
    ("the newest points", 0.0),
    ("30 minutes", 1800.0),
    ("2 hours", 2 * _HOUR),
    ("6 hours", 6 * _HOUR),
    ("24 hours", _DAY),
    ("7 days", 7 * _DAY),
    ("30 days", 30 * _DAY),
    ("by weekday and hour", 28 * _DAY),
)
_WEEK = len(_SPANS) - 1
_READ_EVERY_S = 10.0


class MetricScreen(OverScreen):
    """Live at first; from the first zoom on it reads the past from the agent."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("minus", "longer", "longer", tooltip="a longer span, up to 30 days, then a week by hours"),
        Binding("equals_sign", "shorter", "shorter", tooltip="a shorter span"),
        Binding("left", "sideways(-1)", "earlier", tooltip="move the cursor, and the span at its edge"),
        Binding("right", "sideways(1)", "later", tooltip="move the cursor, and the span at its edge"),
    ]

    def __init__(self, painter: Painter, moment: RenderContext, metric: str, sender: Sender) -> None:
        super().__init__(painter, moment, f"metric {metric}")
        self._metric = metric
        self._sender = sender
        self._span = 0
        self._until = 0.0  # 0: now
        self._cursor = -1  # -1: the newest column
        self._part: SeriesPart | None = None
        self._why = ""
        self._body = Scroller(painter, says_more=True)

    def compose(self) -> ComposeResult:
        """Header, body, status, keys."""
        yield self.header
        yield self._body
        yield self.status
        yield self.keys

    def on_mount(self) -> None:
        """Read anew now and then, where the span ends now."""
        self.set_interval(_READ_EVERY_S, self._read_on)

    @property
    def _row(self) -> MetricRow | None:
        return next((row for row in self.moment.data.metrics if row.name == self._metric), None)

    @property
    def _columns(self) -> int:
        return max(self._body.size.width - LABEL_WIDTH - 2, 8)

    def draw(self) -> None:
        """Draw the span."""
        width, height = self._body.size
        row = self._row
        if not width:
            return
        if row is None:
            self._body.set_all([(), (StyledSpan(f"   {self._metric} is gone", "muted"),)])
        elif self._span == 0:
            self._body.set_all(metric_detail(row, self.moment, width, max(height - 8, 5), plot=True))
        else:
            self._body.set_all([self._heading(), (), *self._past(row, width, height)])

    def _heading(self) -> Line:
        name = _SPANS[self._span][0]
        until = "" if not self._until or self._span == _WEEK else "  (moved back; esc and enter show now)"
        return (StyledSpan(f" {name}", "heading"), StyledSpan(until, "late"))

    def _past(self, row: MetricRow, width: int, height: int) -> list[Line]:
        if self._part is None:
            return [(StyledSpan(f"   {self._why or 'asking …'}", "muted"),)]
        if self._span == _WEEK:
            return week_lines(row, self._part)
        cursor = self._cursor if self._cursor >= 0 else len(self._part.columns) - 1
        return span_lines(row, self._part, self.moment.data.timeline, max(height - 10, 4), cursor, width)

    def action_longer(self) -> None:
        """Show a longer span."""
        self._zoom(1)

    def action_shorter(self) -> None:
        """Show a shorter span."""
        self._zoom(-1)

    def _zoom(self, by: int) -> None:
        self._span = min(max(self._span + by, 0), _WEEK)
        self._part, self._why, self._cursor = None, "", -1
        if self._span:
            self._read()
        self.draw()

    def action_sideways(self, by: int) -> None:
        """Move the cursor; at the edge the span moves by half of itself."""
        if self._part is None or self._span == _WEEK:
            return
        last = len(self._part.columns) - 1
        at = (self._cursor if self._cursor >= 0 else last) + by
        if 0 <= at <= last:
            self._cursor = at
        else:
            half = _SPANS[self._span][1] / 2
            until = (self._until or self._part.until) + (half if by > 0 else -half)
            self._until = 0.0 if until >= self.moment.now else until
            self._cursor = last // 2 if self._until or by < 0 else -1
            self._read()
        self.draw()

    def _read_on(self) -> None:
        if self._span and not self._until:
            self._read()

    def _read(self) -> None:
        self.run_worker(self._load(), exclusive=True)

    async def _load(self) -> None:
        until, length, count = self._until, _SPANS[self._span][1], self._columns
        if self._span == _WEEK:  # a column is an hour of the clock
            until, count = (self.moment.now // _HOUR + 1) * _HOUR, int(length // _HOUR)
        since = (until or self.moment.now) - length
        try:
            self._part = await self._sender.send(ReadSeries(self._metric, since, until, count))
        except SwitchoverError as error:
            self._part, self._why = None, error.title
        self.draw()
