"""All that the keys do, put together from small parts. The App holds one set; the table of actions asks it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from switchover.ui.app.action_stage import ActionStage
from switchover.ui.app.at_hand import AtHand
from switchover.ui.app.look_actions import LookActions
from switchover.ui.app.opener import Opener
from switchover.ui.app.problem_actions import ProblemActions
from switchover.ui.app.run_actions import RunActions
from switchover.ui.app.service_actions import ServiceActions
from switchover.ui.app.takeover_actions import TakeoverActions
from switchover.ui.app.terminal_actions import TerminalActions
from switchover.ui.kit.actions import ACTIONS
from switchover.ui.text.render_context import RenderContext

__all__ = ["ActionSet"]


class ActionSet:
    """The parts, each with what it needs. A method `action_NAME` of any part does the action of that name."""

    at_hand: AtHand
    takeover: TakeoverActions
    problems: ProblemActions

    def __init__(self, stage: ActionStage) -> None:
        self.at_hand = AtHand(stage)
        self.opener = Opener(stage)
        self.run = RunActions(stage, self.at_hand)
        self.takeover = TakeoverActions(stage)
        self.problems = ProblemActions(stage, self.at_hand, self.opener)
        self.services = ServiceActions(stage, self.at_hand)
        self.terminal = TerminalActions(stage, self.at_hand)
        self.look = LookActions(stage, self.at_hand, self.opener)

    @property
    def moment(self) -> RenderContext:
        """What is shown now."""
        return self.at_hand.moment

    def is_offered(self, name: str) -> bool:
        """Say whether an action would do something now: only then its key is shown, and works."""
        action = ACTIONS.get(name)
        return action is None or action.is_offered(self)

    def methods(self) -> dict[str, Callable[..., Any]]:
        """Return every part's actions by the name of their method, which is where Textual looks for them."""
        parts = (self.run, self.takeover, self.problems, self.services, self.terminal, self.look)
        own = {name: getattr(part, name) for part in parts for name in dir(part) if name.startswith("action_")}
        return {**own, "action_open_selected": self.open_selected}

    def open_selected(self) -> None:
        """Open everything that is known about the row under the cursor."""
        kind, _, name = self.at_hand.pane.rows.key.partition(":")
        if kind not in {"problem", "alert"}:
            self.opener.thing(kind, name)
        elif self.is_offered("diagnose"):
            self.problems.action_diagnose()
        else:
            self.look.action_open_problem()
