"""What the operator's keys do to what is wrong: look closer, open its log, the timeline, the incident, the bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from switchover.commands.incidents import MakeBundle
from switchover.errors import SwitchoverError
from switchover.ui.app.service_actions import ServiceActions
from switchover.ui.text.styled_line import Line, StyledSpan, wrap

if TYPE_CHECKING:
    from switchover.snapshot import CheckRow, KnownIssueView, Problem, ServiceRow
    from switchover.ui.text.render_context import RenderContext
from switchover.ui.problems.chosen_problem import entries_of, entry_of, problem_of

_IN_IT = (
    "In it: what is wrong, the timeline, the plan, the last lines of the services with problems, what works here, and "
    "the journals' newest hashes. Secrets, and what looks like one, are left out; look through it before it leaves."
)

__all__ = ["TriageActions"]


class TriageActions(ServiceActions):
    """The actions on problems. The App gives what `ServiceActions` needs, and `check_at_hand`."""

    _bundling = False

    def check_at_hand(self) -> CheckRow | None:
        """Return the check that the screen or the cursor is about."""
        return None

    def is_about_service(self) -> bool:
        """Say whether the screen or the cursor may be about a service with a log."""
        return bool(getattr(self.screen, "service", "")) or self.problem_at_hand() is not None

    def can_bundle(self) -> bool:
        """Say whether no bundle is being made."""
        return not self._bundling

    def problem_at_hand(self) -> Problem | None:
        """Return the problem that the screen or the cursor is about."""
        if not getattr(self.screen, "check", "") and self.main.has_pane:
            problem: Problem | None = getattr(self.pane_at_hand, "problem", None)
            if problem is not None:
                return problem
        check = self.check_at_hand()
        return problem_of(check.name, self.moment) if check is not None else None

    @property
    def pane_at_hand(self) -> object:
        """The chosen tab's pane."""
        return self.main.pane

    def entry_at_hand(self) -> tuple[Problem, KnownIssueView] | None:
        """Return the problem with the entry that fits it."""
        problem = self.problem_at_hand()
        entry = entry_of(problem, self.moment) if problem is not None else None
        return (problem, entry) if problem is not None and entry is not None else None

    def _service_at_hand(self) -> ServiceRow | None:
        from switchover.ui.services.service_detail import find_service

        name: str = getattr(self.screen, "service", "")
        if not name:
            problem, check = self.problem_at_hand(), self.check_at_hand()
            name = (problem.service if problem is not None else "") or (check.service if check is not None else "")
        return find_service(self.moment, name)

    def action_diagnose(self) -> None:
        """Run the commands of the entry that fits, and show what they say."""
        found = self.entry_at_hand()
        if found is None:
            self.say("no entry fits this; enter shows everything that is known")
            return
        from switchover.ui.problems.diagnose_screen import DiagnoseScreen

        problem, _ = found
        entries = entries_of(problem, self.moment)
        about = problem.service or problem.check or problem.subject
        self.push_screen(DiagnoseScreen(self.painter, self.moment, entries, about, self.source, problem.service))

    def action_problem_logs(self) -> None:
        """Open the log of the service that the problem is about."""
        from switchover.ui.services.arrangement import id_of

        row = self._service_at_hand()
        if row is not None and "logs" in row.actions:
            self.open_logs([id_of(row)], title=f"logs of {row.name}")
        else:
            self.say(f"there is no log of {row.name}" if row is not None else "this is about no service with a log")

    def action_timeline(self) -> None:
        """Open what happened, newest first."""
        from switchover.ui.timeline.timeline_screen import TimelineScreen

        self.push_screen(TimelineScreen(self.painter, self.moment))

    def action_incident(self) -> None:
        """Open the incident, or the line in which one gets its title."""
        from switchover.ui.problems.incident_screen import IncidentScreen

        problem = self.problem_at_hand()
        suggested = f"{problem.subject}: {problem.what}"[:80] if problem is not None else ""
        self.push_screen(IncidentScreen(self.painter, self.moment, self.source, suggested))

    def action_bundle(self) -> None:
        """Make a bundle for a colleague, one at a time."""
        if not self._bundling:
            self._bundling = True
            self.say("making a bundle: problems, timeline, logs, without secrets …")
            self.run_worker(self._bundle(), name="bundle")

    async def _bundle(self) -> None:
        try:
            made = await self.source.send(MakeBundle())
        except SwitchoverError as error:
            self.say(error.title, error=True, hint=error.hint)
        else:
            self._show_bundle(made.path, made.bytes)
        finally:
            self._bundling = False

    def _show_bundle(self, path: str, size: int) -> None:
        from switchover.ui.kit.detail_screen import DetailScreen
        from switchover.ui.text.numbers import format_bytes

        def lines(_now: RenderContext, width: int, _height: int) -> list[Line]:
            return [
                (),
                (
                    StyledSpan(
                        f" a bundle of {format_bytes(size)}, on the agent's host, readable by you alone:", "text"
                    ),
                ),
                *((StyledSpan("   "), *line) for line in wrap(path, max(width - 4, 20), "strong")),
                (),
                *((StyledSpan(" "), *line) for line in wrap(_IN_IT, max(width - 2, 20), "muted")),
            ]

        self.push_screen(DetailScreen(self.painter, self.moment, "the bundle is made", lines))
