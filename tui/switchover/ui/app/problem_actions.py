"""What the operator's keys do to what is wrong: look closer, open its log, an incident, a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from switchover.commands.alert_commands import AcknowledgeAlert, SilenceAlerts
from switchover.commands.incidents import MakeBundle
from switchover.errors import SwitchoverError
from switchover.ui.app.action_stage import ActionStage
from switchover.ui.app.at_hand import AtHand
from switchover.ui.app.opener import Opener
from switchover.ui.kit.messages import Intent
from switchover.ui.problems.chosen_problem import entries_of
from switchover.ui.services.arrangement import id_of
from switchover.ui.text.styled_line import Line, StyledSpan, wrap

if TYPE_CHECKING:
    from switchover.snapshot import AlertRow
    from switchover.ui.text.render_context import RenderContext

__all__ = ["ProblemActions"]

_IN_IT = (
    "In it: what is wrong, the timeline, the plan, the last lines of the services with problems, what works here, and "
    "the journals' newest hashes. Secrets, and what looks like one, are left out; look through it before it leaves."
)


class ProblemActions:
    """The actions on problems. One bundle is made at a time."""

    def __init__(self, stage: ActionStage, at_hand: AtHand, opener: Opener) -> None:
        self._stage = stage
        self._at_hand = at_hand
        self._opener = opener
        self._bundling = False

    def can_bundle(self) -> bool:
        """Say whether no bundle is being made."""
        return not self._bundling

    def action_diagnose(self) -> None:
        """Run the commands of the entry that fits, and show what they say."""
        found = self._at_hand.entry()
        if found is None:
            self._stage.say("no entry fits this; enter shows everything that is known")
            return
        from switchover.ui.problems.diagnose_screen import DiagnoseScreen

        problem, _ = found
        entries = entries_of(problem, self._stage.moment)
        about = problem.service or problem.check or problem.subject
        self._stage.push_screen(
            DiagnoseScreen(self._stage.painter, self._stage.moment, entries, about, self._stage.source, problem.service)
        )

    def action_problem_logs(self) -> None:
        """Open the log of the service that the problem is about."""
        row = self._at_hand.service_with_log()
        if row is not None and "logs" in row.actions:
            self._opener.logs([id_of(row)], title=f"logs of {row.name}")
        else:
            self._stage.say(
                f"there is no log of {row.name}" if row is not None else "this is about no service with a log"
            )

    def action_incident(self) -> None:
        """Open the incident, or the line in which one gets its title."""
        from switchover.ui.problems.incident_screen import IncidentScreen

        problem = self._at_hand.problem()
        suggested = f"{problem.subject}: {problem.what}"[:80] if problem is not None else ""
        self._stage.push_screen(IncidentScreen(self._stage.painter, self._stage.moment, self._stage.source, suggested))

    def action_useful_commands(self, run: str = "") -> None:
        """Open the commands of the plan; run one of them at once where it is named."""
        from switchover.ui.problems.commands_screen import CommandsScreen

        self._stage.push_screen(CommandsScreen(self._stage.painter, self._stage.moment, self._stage.source, run))

    def action_take_on(self) -> None:
        """Ask whether the alert is acknowledged: it is neither repeated nor escalated for a day."""
        if (alert := self._at_hand.alert()) is not None:
            intent = Intent(AcknowledgeAlert(alert.id or alert.name), "the alert is acknowledged for a day")
            self._ask("do you take this alert on?", alert, "nobody else is told of it again for a day", intent)

    def action_silence(self) -> None:
        """Ask whether the alert is silenced for an hour."""
        if (alert := self._at_hand.alert()) is not None:
            name = alert.name.partition("{")[0]
            intent = Intent(SilenceAlerts((name,), 3600.0), "the alert is silenced for an hour")
            command = f"longer: switchover silence {name} --for 8h --reason TEXT"
            self._ask("tell nobody of this alert for an hour?", alert, command, intent)

    def _ask(self, question: str, alert: AlertRow, more: str, intent: Intent) -> None:
        from switchover.ui.kit.guarded_screen import AskScreen

        lines: list[Line] = [(StyledSpan(f"   {alert.text}"),), (StyledSpan(f"   {more}", "muted"),)]
        self._stage.push_screen(AskScreen(self._stage.painter, self._stage.moment, question, lines, intent))

    def action_bundle(self) -> None:
        """Make a bundle for a colleague, one at a time."""
        if not self._bundling:
            self._bundling = True
            self._stage.say("making a bundle: problems, timeline, logs, without secrets …")
            self._stage.work(self._bundle(), "bundle")

    async def _bundle(self) -> None:
        try:
            made = await self._stage.source.send(MakeBundle())
        except SwitchoverError as error:
            self._stage.say(error.title, error=True, hint=error.hint)
        else:
            self._show_bundle(made.path, made.bytes)
        finally:
            self._bundling = False

    def _show_bundle(self, path: str, size: int) -> None:
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

        self._opener.lines("the bundle is made", lines)
