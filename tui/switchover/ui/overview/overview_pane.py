"""Overview: what is wrong, worst first, and where everything stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from switchover.ui.kit.actions import bound
from switchover.ui.kit.line_view import LineView
from switchover.ui.kit.pane import Pane, set_height
from switchover.ui.kit.row_list import RowList
from switchover.ui.kit.theme import Painter
from switchover.ui.migration.notice_lines import notice_lines
from switchover.ui.overview.overview_lines import calm_lines, problem_items, summary_lines
from switchover.ui.problems.incident_lines import incident_line
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, StyledSpan, rule
from switchover.ui.timeline.event_lines import timeline_line, timeline_lines

if TYPE_CHECKING:
    from switchover.snapshot import Problem

__all__ = ["OverviewPane"]

_SIDE_FROM = 140


class OverviewPane(Pane):
    """The first screen: problems above, the state of everything below, what happened last at the end."""

    kind: ClassVar[str] = "overview"
    rank: ClassVar[int] = 10
    short_title: ClassVar[str] = "Over"
    search: ClassVar[str] = "problems home"
    BINDING_GROUP_TITLE = "Overview"
    BINDINGS: ClassVar[list[BindingType]] = [
        bound("open_selected"),
        bound("diagnose"),
        bound("problem_logs"),
        bound("timeline"),
        bound("incident"),
        bound("rollback"),
        bound("acknowledge"),
        bound("waive"),
        bound("bundle"),
        bound("recheck"),
        bound("take_on"),
        bound("silence"),
        bound("seen_all"),
        bound("contacts"),
        bound("useful_commands"),
        bound("open_problem"),
    ]

    def __init__(self, painter: Painter, moment: RenderContext) -> None:
        super().__init__(painter, moment, "overview")
        self._problems = RowList(painter, id="problems", worst_first=True)
        self._side = LineView(painter)
        self._summary = LineView(painter)
        self._last = LineView(painter)

    def compose(self) -> ComposeResult:
        """Problems, with what happened beside them where it is wide; the summary; the last line."""
        with Horizontal(classes="row"):
            yield self._problems
            yield self._side
        yield self._summary
        yield self._last

    @property
    def problem(self) -> Problem | None:
        """The problem under the cursor; of an alert that of the check which it is about."""
        kind, _, name = self.rows.key.partition(":")
        if kind == "alert":
            from switchover.ui.problems.chosen_problem import problem_of

            rule = next((row.rule for row in self.moment.data.alerts if row.key == name), name)
            return problem_of(rule.partition(" ")[0], self.moment)
        for index, problem in enumerate(self.moment.data.problems):
            if name in {problem.check, problem.service, f"{problem.subject}/{index}"} and name:
                return problem
        return None

    def draw(self) -> None:
        """Draw all parts."""
        width, height = self.size
        moment = self.moment
        wide = width >= _SIDE_FROM
        self._side.display = wide
        self._side.styles.width = width // 3
        left = width - width // 3 if wide else width
        items = problem_items(moment, left, self.wanted)
        hidden = bool(self.wanted) and len(items) < len(problem_items(moment, left))
        nothing = (
            [(), (StyledSpan("   nothing that is wrong matches", "muted"),)] if hidden else calm_lines(moment, left)
        )
        incident = moment.snapshot.incident if moment.snapshot is not None else None
        heading = notice_lines(moment, left)
        heading += [] if incident is None else [incident_line(incident, moment.now)]
        self._problems.set_items(items, [*heading, *self.filter_lines()], nothing)
        summary = summary_lines(moment, width, roomy=height >= 32)
        if height < 14:
            summary = summary[: max(height // 4, 1)]
        summary = [rule(width), *summary] if summary and moment.snapshot is not None else []
        set_height(self._summary, len(summary))
        self._summary.set_lines(summary)
        events = moment.snapshot.timeline if moment.snapshot is not None else ()
        if wide:
            happened: list[Line] = [
                (StyledSpan(" what happened", "heading"),),
                *timeline_lines(events, moment.now, width // 3 - 2),
            ]
            self._side.set_lines([(StyledSpan("│", "rule"), *line) for line in (happened + [()] * height)[:height]])
        last = [rule(width), timeline_line(events, moment.now, width)] if events and not wide else []
        set_height(self._last, len(last))
        self._last.set_lines(last)
