"""What travels inside the user interface: one small message for each thing that happens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from textual.message import Message

from switchover.ui.text.render_context import AgentLink

if TYPE_CHECKING:
    from switchover.snapshot import Snapshot

__all__ = ["ClosedByItself", "Intent", "IntentAnswer", "LinkChanged", "Say", "SnapshotChanged"]


@dataclass
class SnapshotChanged(Message):
    """The newest Snapshot; one that waits to be handled is replaced by a newer one."""

    snapshot: Snapshot

    def can_replace(self, message: Message) -> bool:
        """Say that a newer Snapshot makes the older one worthless."""
        return isinstance(message, SnapshotChanged)


@dataclass
class LinkChanged(Message):
    """The line to the agent came or went."""

    link: AgentLink


@dataclass
class Intent(Message):
    """The operator wants the agent to do something. `doing` says it in words for the status line."""

    method: str
    params: dict[str, Any] = field(default_factory=dict)
    doing: str = ""


@dataclass
class IntentAnswer(Message):
    """The agent took an intent, or refused it: then `error` says why and what to do."""

    method: str
    error: str = ""


@dataclass
class ClosedByItself(Message):
    """A screen went away that nobody closed: what is still typed for it (`at`, monotonic) is for nobody."""

    at: float


@dataclass
class Say(Message):
    """Put a remark into the status line."""

    text: str
    error: bool = False
    hint: str = ""
