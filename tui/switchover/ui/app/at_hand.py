"""What the screen, the selection or the cursor is about. Actions and their offers ask here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from switchover.ui.app.action_stage import ActionStage
from switchover.ui.kit.pane import Pane
from switchover.ui.problems.chosen_problem import entry_of, problem_of
from switchover.ui.services.arrangement import is_kept
from switchover.ui.text.render_context import RenderContext

if TYPE_CHECKING:
    from switchover.snapshot import AlertRow, CheckRow, KnownIssueView, Problem, ServiceRow, StepView

__all__ = ["AtHand"]


class AtHand:
    """Looks at the screen that is seen, else at the chosen tab."""

    def __init__(self, stage: ActionStage) -> None:
        self._stage = stage

    @property
    def moment(self) -> RenderContext:
        """What is shown now."""
        return self._stage.moment

    @property
    def pane(self) -> Pane:
        """The chosen tab's pane."""
        return self._stage.main.pane

    def services(self) -> tuple[ServiceRow, ...]:
        """Return the services that it is about."""
        at_hand = getattr(self._stage.screen, "chosen", None)
        if at_hand is None and self.is_on_main() and self._stage.main.has_pane:
            at_hand = getattr(self.pane, "chosen", None)
        return at_hand or ()

    def check(self) -> CheckRow | None:
        """Return the check that it is about."""
        name = getattr(self._stage.screen, "check", "")
        if not name:
            kind, _, name = self.pane.rows.key.partition(":")
            if kind == "problem":
                name = getattr(getattr(self.pane, "problem", None), "check", "")
        return next((row for row in self.moment.data.checks if row.name == name), None)

    def problem(self) -> Problem | None:
        """Return the problem that it is about."""
        if not getattr(self._stage.screen, "check", "") and self._stage.main.has_pane:
            problem: Problem | None = getattr(self.pane, "problem", None)
            if problem is not None:
                return problem
        check = self.check()
        return problem_of(check.name, self.moment) if check is not None else None

    def alert(self) -> AlertRow | None:
        """Return the alert under the cursor."""
        kind, _, key = (
            self.pane.rows.key.partition(":") if self.is_on_main() and self._stage.main.has_pane else ("",) * 3
        )
        return next((row for row in self.moment.data.alerts if kind == "alert" and row.key == key), None)

    def entry(self) -> tuple[Problem, KnownIssueView] | None:
        """Return the problem with the entry that fits it."""
        problem = self.problem()
        entry = entry_of(problem, self.moment) if problem is not None else None
        return (problem, entry) if problem is not None and entry is not None else None

    def service_with_log(self) -> ServiceRow | None:
        """Return the service that the screen, the problem or the check is about."""
        from switchover.ui.services.service_detail import find_service

        name: str = getattr(self._stage.screen, "service", "")
        if not name:
            problem, check = self.problem(), self.check()
            name = (problem.service if problem is not None else "") or (check.service if check is not None else "")
        return find_service(self.moment, name)

    def step(self) -> StepView | None:
        """Return the step under the cursor, else the one that spoke last; None where it has not run."""
        from switchover.snapshot import StepView
        from switchover.ui.migration.wizard import find_step

        view = self.moment.data.migration
        chosen = self.chosen_step()
        if chosen is not None and chosen.attempts:
            return chosen
        spoke = find_step(view, view.output_step or view.current_step)
        if spoke is None and view.output_step:
            spoke = StepView(view.output_step, "", view.state, "changes", attempts=view.output_attempt)
        return spoke if spoke is not None and spoke.attempts else None

    def chosen_step(self) -> StepView | None:
        """Return the step under the cursor, run or not."""
        step: StepView | None = getattr(self.pane, "step", None)
        return step

    # ------------------------------------------------------------------ what may be offered

    def is_on_main(self) -> bool:
        """Say whether the tabs are seen."""
        return self._stage.screen is self._stage.main

    def is_about_service(self) -> bool:
        """Say whether it may be about a service with a log."""
        return bool(getattr(self._stage.screen, "service", "")) or self.problem() is not None

    def can_open(self) -> bool:
        """Say whether there is more to see of the row under the cursor."""
        key = self.pane.rows.key
        return self.problem() is not None if key.startswith("alert:") else bool(key)

    def can_let_pass(self, how: str) -> bool:
        """Say whether a check can be waived or acknowledged where the run stands."""
        from switchover.ui.migration.operator_lines import blocked

        return any(how in entry.can for entry in blocked(self.moment))

    def keeps_anything(self) -> bool:
        """Say whether anything is kept until a person has seen it."""
        return any(is_kept(row) for row in self.moment.data.found)
