"""Screens of what is known beside the rows: contacts, promises, output, timeline, incident, who needs whom."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from switchover.ui.app.action_stage import ActionStage
from switchover.ui.app.at_hand import AtHand
from switchover.ui.app.opener import Opener
from switchover.ui.services.arrangement import id_of
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, StyledSpan, fit, linked, wrap

__all__ = ["LookActions"]


class LookActions:
    """The actions that change nothing: each opens a screen, or a place in a tab."""

    def __init__(self, stage: ActionStage, at_hand: AtHand, opener: Opener) -> None:
        self._stage = stage
        self._at_hand = at_hand
        self._opener = opener

    def action_open_problem(self) -> None:
        """Open what the problem is about: its check, its service, its place in the wizard."""
        problem = self._at_hand.problem()
        if problem is None:
            return
        if not (problem.check or problem.service):
            self._open_subject(problem.subject)
            return
        kind, name = ("check", problem.check) if problem.check else ("service", problem.service)
        self._opener.thing(kind, name)

    def _open_subject(self, subject: str) -> None:
        """Open a problem that is neither a check nor a service: a step, a gate, or a metric."""
        kind, _, name = subject.partition(" ")
        if kind in {"step", "gate"}:
            self._stage.work(self._go_to(f"{kind}:{name}"), "go to")
            return
        metric = next((row for row in self._stage.moment.data.metrics if subject in {row.title, row.name}), None)
        if metric is not None:
            self._opener.thing("metric", metric.name)

    async def _go_to(self, key: str) -> None:
        pane = await self._stage.main.show_tab("migration")
        pane.show(self._stage.moment)
        pane.rows.select(key)

    def action_contacts(self) -> None:
        """Open whom to call and what to read."""

        def lines(now: RenderContext, width: int, _height: int) -> Sequence[Line]:
            names = min(max((cell_len(row.name) for row in now.data.contacts), default=0), max(width // 2, 10))
            rows: list[Line] = []
            for row in now.data.contacts:
                link = linked(row.how)
                how = [(link,)] if link.style != "text" else wrap(row.how, max(width - names - 4, 10)) or [()]
                rows.append((StyledSpan(f" {fit(row.name, names)}  ", "strong"), *how[0]))
                rows += [(StyledSpan(" " * (names + 3)), *line) for line in how[1:]]
            return [(), *rows] if rows else [(), (StyledSpan("   the plan names nobody and nothing to read", "muted"),)]

        self._opener.lines("whom to call, what to read", lines)

    def action_promises(self) -> None:
        """Open what the migration promised, measured before and after."""
        from switchover.ui.migration.promise_lines import promise_lines

        self._opener.lines(
            "what the migration promised", lambda now, width, _: promise_lines(now.data.migration, width)
        )

    def action_output(self) -> None:
        """Open all output of the chosen step, else of the one that spoke last."""
        from switchover.ui.migration.output_screen import OutputScreen

        step = self._at_hand.step()
        if step is None:
            return
        self._stage.push_screen(OutputScreen(self._stage.painter, self._stage.moment, step, self._stage.source))

    def action_timeline(self) -> None:
        """Open what happened, newest first."""
        from switchover.ui.timeline.timeline_screen import TimelineScreen

        self._stage.push_screen(TimelineScreen(self._stage.painter, self._stage.moment))

    def action_service_logs(self) -> None:
        """Open the logs of the services at hand, merged where they are several."""
        rows = [row for row in self._at_hand.services() if "logs" in row.actions]
        if rows:
            more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
            self._opener.logs([id_of(row) for row in rows], title=f"logs of {rows[0].name}{more}")

    def action_open_log_file(self) -> None:
        """Ask for a log file and open it."""
        from switchover.ui.logs.log_path_screen import LogPathScreen

        self._stage.push_screen(LogPathScreen(self._stage.painter, self._stage.moment, self._opener))

    def action_service_inspect(self) -> None:
        """Open the service at hand with all that its source knows."""
        rows = self._at_hand.services()
        if rows:
            self._opener.service(id_of(rows[0]), inspected=True)

    def action_connections(self) -> None:
        """Open who needs whom."""
        from switchover.ui.services.connections_screen import ConnectionsScreen

        rows = self._at_hand.services()
        name = id_of(rows[0]) if rows else ""
        self._stage.push_screen(ConnectionsScreen(self._stage.painter, self._stage.moment, name, self._opener))
