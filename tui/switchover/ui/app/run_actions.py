"""What the operator's keys do to the run: go on, let pass, roll back, abort, begin anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from switchover.commands.looking import RunChecks
from switchover.commands.put_off import CancelPutOff
from switchover.commands.run import AbortRun, StartRun
from switchover.errors import SwitchoverError
from switchover.ui.app.action_stage import ActionStage
from switchover.ui.app.at_hand import AtHand
from switchover.ui.app.fingerprint import fingerprint
from switchover.ui.kit.messages import Intent
from switchover.ui.text.styled_line import Line, StyledSpan, wrap

if TYPE_CHECKING:
    from switchover.snapshot import MigrationView

__all__ = ["RunActions", "say_stale"]

_HELD_S = 0.15  # presses that are closer come from a key that is held down, or bounces
_ABORT = (
    "The running step is told to stop (first politely, then by force) and counts as failed. Nothing is undone by this: "
    "R shows the ways back afterwards."
)


def say_stale(stage: ActionStage) -> None:
    """Say why nothing is sent now."""
    stage.say("not connected to the agent: what is shown may be old, so nothing is started from here", error=True)


class RunActions:
    """The actions on the run. What was `sent` stays so until the run shows that it was taken."""

    def __init__(self, stage: ActionStage, at_hand: AtHand) -> None:
        self._stage = stage
        self._at_hand = at_hand
        self._sent: tuple[object, ...] | None = None
        self._advanced_at = float("-inf")

    @property
    def sent(self) -> bool:
        """Say whether something was sent that the run does not show yet."""
        return self._sent is not None

    def forget_sent(self) -> None:
        """Take what was sent as not taken: the agent refused it, or went."""
        self._sent = None

    def compare(self, view: MigrationView) -> None:
        """Forget what was sent once the run shows something else than then."""
        if self._sent is not None and fingerprint(view) != self._sent:
            self._sent = None

    async def send(self, intent: Intent) -> None:
        """Send an intent, and say what came of it."""
        try:
            await self._stage.source.send(intent.command)
        except SwitchoverError as error:
            self._sent = None
            self._stage.say(error.title, error=True, hint=error.hint)
        else:
            if intent.doing:
                self._stage.say(intent.doing)

    def action_advance(self) -> None:
        """Do the next action, once: until the run shows that it was taken, a second press does nothing.

        A key that is held down repeats itself. An elbow on it must not carry a run from step to step.
        """
        view = self._stage.moment.data.migration
        now = self._stage.clock.monotonic()
        held, self._advanced_at = now - self._advanced_at < _HELD_S, now
        if held:
            return
        if self._stage.moment.stale:
            say_stale(self._stage)
            return
        if self._sent is not None:
            return
        from switchover.ui.migration.advance import next_of

        todo = next_of(self._stage.moment, self._stage.painter)
        if isinstance(todo, Intent):
            self._sent = fingerprint(view)
            self._stage.post_message(todo)
        elif todo is not None:
            self._stage.push_screen(todo)
        else:
            self._stage.say(view.action.text or "there is nothing to do now")

    def action_run_to_gate(self) -> None:
        """Ask for all steps up to the next gate, or let no other begin."""
        from switchover.ui.migration.advance import to_gate_of

        if self._stage.moment.stale:
            say_stale(self._stage)
            return
        todo = to_gate_of(self._stage.moment, self._stage.painter)
        if isinstance(todo, Intent):
            self._stage.post_message(todo)
        elif todo is not None:
            self._stage.push_screen(todo)

    def action_acknowledge(self) -> None:
        """Let a warning pass where the run stands, with a reason."""
        from switchover.ui.migration.operator_screens import acknowledge_screen

        self._stage.push_screen(acknowledge_screen(self._stage.moment, self._stage.painter))

    def action_waive(self) -> None:
        """Let a check that is not fine pass for a while, with a reason."""
        from switchover.ui.migration.operator_screens import waive_screen

        self._stage.push_screen(waive_screen(self._stage.moment, self._stage.painter))

    def action_rollback(self) -> None:
        """Open the rollback paths."""
        from switchover.ui.migration.rollback_screen import RollbackScreen

        self._stage.push_screen(RollbackScreen(self._stage.painter, self._stage.moment))

    def action_plan_difference(self) -> None:
        """Open the difference between the plan's file and the plan in force."""
        from switchover.ui.migration.asked_screens import DifferenceScreen

        self._stage.push_screen(DifferenceScreen(self._stage.painter, self._stage.moment, self._stage.source))

    def action_rehearse(self, name: str) -> None:
        """Open the rehearsal of a rollback path."""
        from switchover.ui.migration.asked_screens import RehearsalScreen

        self._stage.push_screen(RehearsalScreen(self._stage.painter, self._stage.moment, name, self._stage.source))

    def action_abort(self) -> None:
        """Ask whether the run shall be aborted."""
        from switchover.ui.kit.guarded_screen import AskScreen

        view = self._stage.moment.data.migration
        lines: list[Line] = [
            (StyledSpan(" Abort the run", "danger"),),
            (),
            *((StyledSpan(" "), *line) for line in wrap(_ABORT, max(self._stage.size.width - 4, 20))),
            (),
            (StyledSpan(" running now: ", "muted"), StyledSpan(view.current_step or "nothing")),
        ]
        intent = Intent(AbortRun("aborted from the terminal"), "aborting the run")
        self._stage.push_screen(AskScreen(self._stage.painter, self._stage.moment, "abort the run?", lines, intent))

    def action_new_run(self) -> None:
        """Ask whether another run shall begin, where the last one has ended."""
        from switchover.ui.kit.guarded_screen import AskScreen

        view = self._stage.moment.data.migration
        if view.variables_needed:
            from switchover.ui.migration.advance import variables_screen

            self._stage.push_screen(variables_screen(self._stage.moment, self._stage.painter, new=True))
            return
        lines: list[Line] = [
            (StyledSpan(f" Run {view.run_id} has ended: {view.state.replace('_', ' ')}.", "strong"),),
            (StyledSpan(" A new run begins with the first step; the old one stays in the journal.", "text"),),
        ]
        if self._stage.moment.data.header.plan_edited:
            lines.append(
                (
                    StyledSpan(
                        " It begins with the plan's file as it is now, which was edited: P shows what changed.", "late"
                    ),
                )
            )
        intent = Intent(StartRun(new=True), "starting a new run")
        self._stage.push_screen(AskScreen(self._stage.painter, self._stage.moment, "start a new run?", lines, intent))

    def action_note(self) -> None:
        """Open the items of the chosen checklist."""
        view = self._stage.moment.data.migration
        step = self._at_hand.chosen_step()
        if step is None or not step.checklist:
            step = next(
                (s for p in view.phases for s in p.steps if s.checklist and s.state not in {"done", "skipped"}), None
            )
        if step is None:
            self._stage.say("no step has items to tick")
            return
        from switchover.ui.migration.advance import checklist_screen

        self._stage.push_screen(checklist_screen(self._stage.moment, self._stage.painter, step.id))

    def action_recheck(self) -> None:
        """Run the check at hand now."""
        check = self._at_hand.check()
        if check is not None:
            self._stage.post_message(Intent(RunChecks((check.name,)), f"running the check {check.name}"))

    def action_recheck_all(self) -> None:
        """Run all checks that are watched now."""
        self._stage.post_message(Intent(RunChecks(), "running all checks"))

    def action_cancel_put_off(self) -> None:
        """Take back that the run goes on by itself."""
        self._stage.post_message(Intent(CancelPutOff(), "taking back what was put off"))
