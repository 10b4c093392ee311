"""What a screen is drawn from: the newest Snapshot, the time, and the line to the agent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from switchover.snapshot import Snapshot

__all__ = ["SILENT_AFTER_S", "AgentLink", "AgentLinkState", "RenderContext"]

SILENT_AFTER_S = 6.0


class AgentLinkState(StrEnum):
    """How the line to the agent is. One that was stopped is not started again from here."""

    STARTING = "starting"
    LIVE = "live"
    LOST = "lost"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class AgentLink:
    """The line to the agent: its state, since when, and a sentence for the operator."""

    state: AgentLinkState
    since: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class RenderContext:
    """One instant as it is drawn. `silent_s` is how long ago the data was true, by a clock that never goes back.

    `terminal` says in a few words that the line to the terminal is poor; empty while it is good. `watching` names who
    drives where that is another screen or process.
    """

    snapshot: Snapshot | None
    now: float
    link: AgentLink
    silent_s: float = 0.0
    terminal: str = ""
    watching: str = ""

    @property
    def stale(self) -> bool:
        """Nothing that is shown may be taken for the present."""
        return self.snapshot is not None and (
            self.link.state is not AgentLinkState.LIVE or self.silent_s > SILENT_AFTER_S
        )

    @property
    def data(self) -> Snapshot:
        """The newest Snapshot, or an empty one before the first."""
        if self.snapshot is not None:
            return self.snapshot
        from switchover.snapshot import Snapshot

        return Snapshot()
