"""The terminal handed over: a shell in a service, its log by its own command, the operator's own shell."""

from __future__ import annotations

import os
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from switchover.commands.services import ShowCommandLine
from switchover.errors import SwitchoverError
from switchover.ui.app.action_stage import ActionStage
from switchover.ui.app.at_hand import AtHand
from switchover.ui.services.arrangement import id_of

if TYPE_CHECKING:
    from switchover.snapshot import ServiceRow

__all__ = ["TerminalActions"]


class TerminalActions:
    """Each gives the terminal away, one at a time, and says what came of it."""

    def __init__(self, stage: ActionStage, at_hand: AtHand) -> None:
        self._stage = stage
        self._at_hand = at_hand

    def action_service_shell(self) -> None:
        """Open a shell in the service at hand, on this terminal."""
        rows = self._at_hand.services()
        if len(rows) == 1:
            self._alone(self._hand_over(rows[0], "exec"))

    def action_service_pager(self) -> None:
        """Show the log of the service at hand by its own command, such as `journalctl`, on this terminal."""
        rows = [row for row in self._at_hand.services() if "logs" in row.actions]
        if rows:
            self._alone(self._hand_over(rows[0], "logs"))

    def action_shell_here(self) -> None:
        """Open the operator's own shell, on this terminal."""
        argv = [os.environ.get("SHELL") or "/bin/sh"]
        self._alone(self._run_here(argv, "the shell"))

    def _alone(self, what: Coroutine[Any, Any, None]) -> None:
        self._stage.work(what, "shell", group="terminal")

    async def _hand_over(self, row: ServiceRow, what: str) -> None:
        try:
            shown = await self._stage.source.send(ShowCommandLine(id_of(row), what))
        except SwitchoverError as error:
            self._stage.say(error.title, error=True, hint=error.hint)
            return
        if not shown.argv:
            self._stage.say(f"there is no command for this on {row.name}", error=True)
            return
        await self._run_here(shown.argv, f"the {'shell' if what == 'exec' else 'log'} of {row.name}")

    async def _run_here(self, argv: Sequence[str], called: str) -> None:
        from switchover.ui.text.state_words import ending

        try:
            ended = await self._stage.hand_over(argv)
        except SwitchoverError as error:
            self._stage.say(error.title, error=True, hint=error.hint)
            return
        self._stage.show()
        self._stage.say(f"back from {called}: {ending(ended.exit_code)}")
