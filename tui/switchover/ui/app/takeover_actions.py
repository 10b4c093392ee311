"""Asking whoever drives for the run, and answering one who asks."""

from __future__ import annotations

import os

from switchover.commands.lease import AskForRun
from switchover.snapshot import Header
from switchover.ui.app.action_stage import ActionStage
from switchover.ui.kit.base_screen import BaseScreen, OverScreen
from switchover.ui.kit.messages import Intent
from switchover.ui.text.styled_line import Line, StyledSpan, wrap

__all__ = ["TakeoverActions"]

_ASKED = "T shows who, and answers; without an answer within a minute they are refused"
_TAKE_OVER = (
    "They see your request and may hand over or refuse. Without an answer within a minute you are refused; one whose "
    "screen has gone is taken over at once. What runs goes on either way."
)


class TakeoverActions:
    """One question about who drives is open at a time."""

    def __init__(self, stage: ActionStage) -> None:
        self._stage = stage
        self._open: OverScreen | None = None  # the screen that asks, or answers

    def can_take_over(self) -> bool:
        """Say whether somebody can be asked for the run, or be answered."""
        moment = self._stage.moment
        if self._open in self._stage.screen_stack or moment.data.header.read_only:
            return False
        return bool(moment.watching) or self.is_asked()

    def is_asked(self) -> bool:
        """Say whether somebody asks this screen for the run."""
        header = self._stage.moment.data.header
        return (
            header.asking is not None
            and header.asking.pid != os.getpid()
            and header.driver is not None
            and header.driver.pid == os.getpid()
        )

    def tell_answer(self, before: Header, now: Header) -> None:
        """Say what came of a request of this screen's own."""
        if before.asking is None or before.asking.pid != os.getpid() or now.asking is not None:
            return
        mine = now.driver is not None and now.driver.pid == os.getpid()
        watching = self._stage.moment.watching
        said = "you drive now" if mine else f"{watching} did not hand over: t on tab 1 tells why"
        self._stage.say(said, error=not mine)

    def tell_question(self, before: Header, now: Header) -> None:
        """Say that somebody asks for the run, or forget it once nobody does."""
        if before.asking is None and now.asking is not None and self.is_asked():
            self._stage.show()
            self._stage.bell()  # and no more: a screen that others open would take keys meant for something else
            self._stage.say(f"{now.asking.who} asks to take over the run", error=True, hint=_ASKED)
        elif before.asking is not None and now.asking is None:
            for screen in self._stage.screen_stack:
                if isinstance(screen, BaseScreen):
                    screen.status.forget(_ASKED)

    def action_takeover(self) -> None:
        """Ask whoever drives for the run, or answer one who asks."""
        from switchover.ui.kit.guarded_screen import AskScreen
        from switchover.ui.migration.operator_screens import AnswerScreen

        if self.is_asked():
            self._push(AnswerScreen(self._stage.painter, self._stage.moment))
            return
        lines: list[Line] = [
            (StyledSpan(f" {self._stage.moment.watching} drives; you watch.", "strong"),),
            (),
            *((StyledSpan(" "), *line) for line in wrap(_TAKE_OVER, max(self._stage.size.width - 4, 20))),
        ]
        intent = Intent(AskForRun(), f"asked {self._stage.moment.watching} for the run")
        self._push(AskScreen(self._stage.painter, self._stage.moment, "ask to take over?", lines, intent))

    def _push(self, screen: OverScreen) -> None:
        self._open = screen
        self._stage.push_screen(screen)
