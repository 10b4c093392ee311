"""Opens what is known about a thing: a check, a service, a metric, logs, a screen of lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from switchover.ui.app.action_stage import ActionStage
from switchover.ui.problems.chosen_problem import entry_of, problem_of
from switchover.ui.problems.known_issue_lines import known_issue_lines
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, StyledSpan

if TYPE_CHECKING:
    from switchover.snapshot import CheckRow

__all__ = ["Opener"]


class Opener:
    """Puts a screen on top of what is seen."""

    def __init__(self, stage: ActionStage) -> None:
        self._stage = stage

    def thing(self, kind: str, name: str) -> None:
        """Open the detail screen of a check, a service or a metric; of what is not there, nothing."""
        from switchover.ui.services.service_detail import find_service

        moment = self._stage.moment
        if kind == "service" and find_service(moment, name) is not None:
            self.service(name)
        elif kind in {"check", "metric"} and _row(moment, kind, name) is not None:
            self._detail(kind, name)

    def _detail(self, kind: str, name: str) -> None:
        from switchover.ui.checks.check_lines import check_detail
        from switchover.ui.kit.detail_screen import CheckScreen
        from switchover.ui.metrics.metric_screen import MetricScreen

        def lines(moment: RenderContext, width: int, _height: int) -> Sequence[Line]:
            found = _row(moment, kind, name)
            if found is None:
                return [(), (StyledSpan(f"   {name} is gone", "muted"),)]
            return [*check_detail(found, moment, width), *_advice(found, moment, width)]

        stage = self._stage
        if kind == "check":
            stage.push_screen(CheckScreen(stage.painter, stage.moment, name, lines))
        else:
            stage.push_screen(MetricScreen(stage.painter, stage.moment, name, stage.source))

    def lines(self, title: str, make: Any) -> None:
        """Open a screen of lines."""
        from switchover.ui.kit.detail_screen import DetailScreen

        self._stage.push_screen(DetailScreen(self._stage.painter, self._stage.moment, title, make))

    def service(self, name: str, *, inspected: bool = False) -> None:
        """Open everything about a service."""
        from switchover.ui.services.service_screen import ServiceScreen

        stage = self._stage
        stage.push_screen(ServiceScreen(stage.painter, stage.moment, name, stage.source, inspected=inspected))

    def logs(self, items: Sequence[str] = (), paths: Sequence[str] = (), title: str = "") -> None:
        """Open the logs of services, by their ids, and of files, merged by time."""
        from switchover.ui.logs.log_feed import LogFeed, Wanted, names_of
        from switchover.ui.logs.log_screen import LogScreen

        stage = self._stage
        feed = LogFeed(stage.source, Wanted(tuple(items), tuple(paths)))
        title = title or f"logs of {names_of(items, paths)}"
        stage.push_screen(
            LogScreen(stage.painter, stage.moment, title, feed, stage.clock, stage.link, ticks=stage.lets_time_pass)
        )


def _row(moment: RenderContext, kind: str, name: str) -> Any:
    rows: Sequence[Any] = moment.data.checks if kind == "check" else moment.data.metrics
    return next((entry for entry in rows if entry.name == name), None)


def _advice(check: CheckRow, moment: RenderContext, width: int) -> list[Line]:
    """Return what is known about this issue: symptom, diagnosis, solutions."""
    problem = problem_of(check.name, moment)
    entry = entry_of(problem, moment) if problem is not None else None
    return known_issue_lines(entry, width) if entry is not None else []
