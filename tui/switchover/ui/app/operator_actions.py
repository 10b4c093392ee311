"""What the operator's keys do: open a screen, or send an intent. Kept apart from the App so that both stay readable."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from switchover.commands.lease import AskForRun
from switchover.commands.looking import RunChecks
from switchover.commands.run import AbortRun, StartRun
from switchover.errors import SwitchoverError
from switchover.ui.app.fingerprint import fingerprint
from switchover.ui.app.triage_actions import TriageActions
from switchover.ui.kit.actions import ACTIONS
from switchover.ui.kit.base_screen import BaseScreen, OverScreen
from switchover.ui.kit.messages import Intent
from switchover.ui.kit.pane import Pane
from switchover.ui.problems.chosen_problem import entry_of, problem_of
from switchover.ui.problems.known_issue_lines import known_issue_lines
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, StyledSpan, fit, wrap

if TYPE_CHECKING:
    from switchover.snapshot import CheckRow, StepView

__all__ = ["OperatorActions"]

_HELD_S = 0.15  # presses that are closer come from a key that is held down, or bounces


class OperatorActions(TriageActions):
    """The actions behind the keys. The App gives `source`, `moment`, `painter` and `main`."""

    sent: tuple[object, ...] | None = None
    _advanced_at = float("-inf")
    _about_driving: OverScreen | None = None  # the screen that asks, or answers; one is open at a time

    @property
    def pane(self) -> Pane:
        """The chosen tab's pane."""
        return self.main.pane

    def say(self, text: str, *, error: bool = False, hint: str = "") -> None:
        """Put a remark or an error into the status line of the screen that is seen."""
        screen = self.screen
        if isinstance(screen, BaseScreen):
            screen.say(text, error=error, hint=hint)

    def say_stale(self) -> None:
        """Say why nothing is sent now."""
        self.say("not connected to the agent: what is shown may be old, so nothing is started from here", error=True)

    def is_offered(self, name: str) -> bool:
        """Say whether an action would do something now: only then its key is shown, and works."""
        action = ACTIONS.get(name)
        return action is None or action.is_offered(self)

    def can_take_over(self) -> bool:
        """Say whether somebody can be asked for the run, or be answered; only one question about it is open."""
        if self._about_driving in self.screen_stack or self.moment.data.header.read_only:
            return False
        return bool(self.moment.watching) or self.is_asked()

    def can_let_pass(self, how: str) -> bool:
        """Say whether a check can be waived or acknowledged where the run stands."""
        from switchover.ui.migration.operator_lines import blocked

        return any(how in entry.can for entry in blocked(self.moment))

    def can_open(self) -> bool:
        """Say whether there is more to see of the row under the cursor."""
        key = self.pane.rows.key
        return self.problem_at_hand() is not None if key.startswith("alert:") else bool(key)

    def is_on_main(self) -> bool:
        """Say whether the tabs are seen."""
        return self.screen is self.main

    # ------------------------------------------------------------------ open

    def action_open_selected(self) -> None:
        """Open everything that is known about the row under the cursor."""
        kind, _, name = self.pane.rows.key.partition(":")
        if kind not in {"problem", "alert"}:
            self.open_thing(kind, name)
        elif self.is_offered("diagnose"):
            self.action_diagnose()
        else:
            self.action_open_problem()

    def action_open_problem(self) -> None:
        """Open what the problem is about: its check, its service, its place in the wizard."""
        problem = self.problem_at_hand()
        if problem is None:
            return
        if not (problem.check or problem.service):
            self._open_subject(problem.subject)
            return
        kind, name = ("check", problem.check) if problem.check else ("service", problem.service)
        self.open_thing(kind, name)

    def _open_subject(self, subject: str) -> None:
        """Open a problem that is neither a check nor a service: a step, a gate, or a metric."""
        kind, _, name = subject.partition(" ")
        if kind in {"step", "gate"}:
            self.run_worker(self._go_to(f"{kind}:{name}"))
            return
        metric = next((row for row in self.moment.data.metrics if subject in {row.title, row.name}), None)
        if metric is not None:
            self.open_thing("metric", metric.name)

    async def _go_to(self, key: str) -> None:
        pane = await self.main.show_tab("migration")
        pane.show(self.moment)
        pane.rows.select(key)

    def open_thing(self, kind: str, name: str) -> None:
        """Open the detail screen of a check, a service or a metric."""
        from switchover.ui.checks.check_lines import check_detail
        from switchover.ui.kit.detail_screen import CheckScreen, DetailScreen
        from switchover.ui.metrics.metric_lines import metric_detail
        from switchover.ui.services.service_detail import find_service

        if kind == "service":
            if find_service(self.moment, name) is not None:
                self.open_service(name)
            return

        def row(moment: RenderContext) -> Any:
            rows: dict[str, Sequence[Any]] = {"check": moment.data.checks, "metric": moment.data.metrics}
            return next((entry for entry in rows.get(kind, ()) if entry.name == name), None)

        if row(self.moment) is None:
            return

        def lines(moment: RenderContext, width: int, height: int) -> Sequence[Line]:
            found = row(moment)
            if found is None:
                return [(), (StyledSpan(f"   {name} is gone", "muted"),)]
            if kind == "check":
                return [*check_detail(found, moment, width), *_advice(found, moment, width)]
            return metric_detail(found, moment, width, max(height - 8, 5), plot=True)

        if kind == "check":
            self.push_screen(CheckScreen(self.painter, self.moment, name, lines))
        else:
            self.push_screen(DetailScreen(self.painter, self.moment, f"{kind} {name}", lines))

    def open_lines(self, title: str, make: Any) -> None:
        """Open a screen of lines."""
        from switchover.ui.kit.detail_screen import DetailScreen

        self.push_screen(DetailScreen(self.painter, self.moment, title, make))

    def action_contacts(self) -> None:
        """Open whom to call and what to read."""

        def lines(now: RenderContext, width: int, _height: int) -> Sequence[Line]:
            names = min(max((cell_len(row.name) for row in now.data.contacts), default=0), max(width // 2, 10))
            rows: list[Line] = []
            for row in now.data.contacts:
                how = wrap(row.how, max(width - names - 4, 10)) or [()]
                rows.append((StyledSpan(f" {fit(row.name, names)}  ", "strong"), *how[0]))
                rows += [(StyledSpan(" " * (names + 3)), *line) for line in how[1:]]
            return [(), *rows] if rows else [(), (StyledSpan("   the plan names nobody and nothing to read", "muted"),)]

        self.open_lines("whom to call, what to read", lines)

    def action_promises(self) -> None:
        """Open what the migration promised, measured before and after."""
        from switchover.ui.migration.promise_lines import promise_lines

        self.open_lines("what the migration promised", lambda now, width, _: promise_lines(now.data.migration, width))

    def action_output(self) -> None:
        """Open all output of the chosen step, else of the one that spoke last."""
        from switchover.ui.migration.output_screen import OutputScreen

        step = self.step_at_hand()
        if step is None:
            return
        self.push_screen(OutputScreen(self.painter, self.moment, step, self.source))

    def step_at_hand(self) -> StepView | None:
        """Return the step under the cursor, else the one that spoke last; None where it has not run."""
        from switchover.snapshot import StepView
        from switchover.ui.migration.wizard import find_step

        view = self.moment.data.migration
        chosen: StepView | None = getattr(self.pane, "step", None)
        if chosen is not None and chosen.attempts:
            return chosen
        spoke = find_step(view, view.output_step or view.current_step)
        if spoke is None and view.output_step:
            spoke = StepView(view.output_step, "", view.state, "changes", attempts=view.output_attempt)
        return spoke if spoke is not None and spoke.attempts else None

    # ------------------------------------------------------------------ act

    def action_advance(self) -> None:
        """Do the next action, once: until the run shows that it was taken, a second press does nothing.

        A key that is held down repeats itself. An elbow on it must not carry a run from step to step.
        """
        view = self.moment.data.migration
        now = self.clock.monotonic()
        held, self._advanced_at = now - self._advanced_at < _HELD_S, now
        if held:
            return
        if self.moment.stale:
            self.say_stale()
            return
        if self.sent is not None:
            return
        from switchover.ui.migration.advance import next_of

        todo = next_of(self.moment, self.painter)
        if isinstance(todo, Intent):
            self.sent = fingerprint(view)
            self.post_message(todo)
        elif todo is not None:
            self.push_screen(todo)
        else:
            self.say(view.action.text or "there is nothing to do now")

    def action_run_to_gate(self) -> None:
        """Ask for all steps up to the next gate, or let no other begin."""
        from switchover.ui.migration.advance import to_gate_of

        if self.moment.stale:
            self.say_stale()
            return
        todo = to_gate_of(self.moment, self.painter)
        if isinstance(todo, Intent):
            self.post_message(todo)
        elif todo is not None:
            self.push_screen(todo)

    def is_asked(self) -> bool:
        """Say whether somebody asks this screen for the run."""
        header = self.moment.data.header
        return (
            header.asking is not None
            and header.asking.pid != os.getpid()
            and header.driver is not None
            and header.driver.pid == os.getpid()
        )

    def action_takeover(self) -> None:
        """Ask whoever drives for the run, or answer one who asks."""
        from switchover.ui.kit.guarded_screen import AskScreen
        from switchover.ui.migration.operator_screens import AnswerScreen

        if self.is_asked():
            self._ask_about_driving(AnswerScreen(self.painter, self.moment))
            return
        lines: list[Line] = [
            (StyledSpan(f" {self.moment.watching} drives; you watch.", "strong"),),
            (),
            *((StyledSpan(" "), *line) for line in wrap(_TAKE_OVER, max(self.size.width - 4, 20))),
        ]
        intent = Intent(AskForRun(), f"asked {self.moment.watching} for the run")
        self._ask_about_driving(AskScreen(self.painter, self.moment, "ask to take over?", lines, intent))

    def _ask_about_driving(self, screen: OverScreen) -> None:
        self._about_driving = screen
        self.push_screen(screen)

    def action_acknowledge(self) -> None:
        """Let a warning pass where the run stands, with a reason."""
        from switchover.ui.migration.operator_screens import acknowledge_screen

        self.push_screen(acknowledge_screen(self.moment, self.painter))

    def action_waive(self) -> None:
        """Let a check that is not fine pass for a while, with a reason."""
        from switchover.ui.migration.operator_screens import waive_screen

        self.push_screen(waive_screen(self.moment, self.painter))

    def action_rollback(self) -> None:
        """Open the rollback paths."""
        from switchover.ui.migration.rollback_screen import RollbackScreen

        self.push_screen(RollbackScreen(self.painter, self.moment))

    def action_plan_difference(self) -> None:
        """Open the difference between the plan's file and the plan in force."""
        from switchover.ui.migration.asked_screens import DifferenceScreen

        self.push_screen(DifferenceScreen(self.painter, self.moment, self.source))

    def action_rehearse(self, name: str) -> None:
        """Open the rehearsal of a rollback path."""
        from switchover.ui.migration.asked_screens import RehearsalScreen

        self.push_screen(RehearsalScreen(self.painter, self.moment, name, self.source))

    def action_abort(self) -> None:
        """Ask whether the run shall be aborted."""
        from switchover.ui.kit.guarded_screen import AskScreen

        view = self.moment.data.migration
        lines: list[Line] = [
            (StyledSpan(" Abort the run", "danger"),),
            (),
            *((StyledSpan(" "), *line) for line in wrap(_ABORT, max(self.size.width - 4, 20))),
            (),
            (StyledSpan(" running now: ", "muted"), StyledSpan(view.current_step or "nothing")),
        ]
        intent = Intent(AbortRun("aborted from the terminal"), "aborting the run")
        self.push_screen(AskScreen(self.painter, self.moment, "abort the run?", lines, intent))

    def action_new_run(self) -> None:
        """Ask whether another run shall begin, where the last one has ended."""
        from switchover.ui.kit.guarded_screen import AskScreen

        view = self.moment.data.migration
        if view.variables_needed:
            from switchover.ui.migration.advance import variables_screen

            self.push_screen(variables_screen(self.moment, self.painter, new=True))
            return
        lines: list[Line] = [
            (StyledSpan(f" Run {view.run_id} has ended: {view.state.replace('_', ' ')}.", "strong"),),
            (StyledSpan(" A new run begins with the first step; the old one stays in the journal.", "text"),),
        ]
        if self.moment.data.header.plan_edited:
            lines.append(
                (
                    StyledSpan(
                        " It begins with the plan's file as it is now, which was edited: P shows what changed.", "late"
                    ),
                )
            )
        intent = Intent(StartRun(new=True), "starting a new run")
        self.push_screen(AskScreen(self.painter, self.moment, "start a new run?", lines, intent))

    def action_note(self) -> None:
        """Open the items of the chosen checklist."""
        view = self.moment.data.migration
        step = getattr(self.pane, "step", None)
        if step is None or not step.checklist:
            step = next(
                (s for p in view.phases for s in p.steps if s.checklist and s.state not in {"done", "skipped"}), None
            )
        if step is None:
            self.say("no step has items to tick")
            return
        from switchover.ui.migration.advance import checklist_screen

        self.push_screen(checklist_screen(self.moment, self.painter, step.id))

    def check_at_hand(self) -> CheckRow | None:
        """Return the check that the screen or the cursor is about."""
        name = getattr(self.screen, "check", "")
        if not name:
            kind, _, name = self.pane.rows.key.partition(":")
            if kind == "problem":
                name = getattr(getattr(self.pane, "problem", None), "check", "")
        return next((row for row in self.moment.data.checks if row.name == name), None)

    def action_recheck(self) -> None:
        """Run the check at hand now."""
        check = self.check_at_hand()
        if check is not None:
            self.post_message(Intent(RunChecks((check.name,)), f"running the check {check.name}"))

    async def ask(self, intent: Intent) -> str:
        """Send an intent; return what is wrong, empty where the agent took it."""
        try:
            await self.source.send(intent.command)
        except SwitchoverError as error:
            self.sent = None
            self.say(error.title, error=True, hint=error.hint)
            return error.title
        if intent.doing:
            self.say(intent.doing)
        return ""


_TAKE_OVER = (
    "They see your request and may hand over or refuse. Without an answer within a minute you are refused; one whose "
    "screen has gone is taken over at once. What runs goes on either way."
)
_ABORT = (
    "The running step is told to stop (first politely, then by force) and counts as failed. Nothing is undone by this: "
    "R shows the ways back afterwards."
)


def _advice(check: CheckRow, moment: RenderContext, width: int) -> list[Line]:
    """Return what is known about this issue: symptom, diagnosis, solutions."""
    problem = problem_of(check.name, moment)
    entry = entry_of(problem, moment) if problem is not None else None
    return known_issue_lines(entry, width) if entry is not None else []
