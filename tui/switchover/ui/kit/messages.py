"""What travels inside the user interface: one small message for each thing that happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from textual.message import Message

from switchover.commands.command import Command
from switchover.ui.text.render_context import AgentLink

if TYPE_CHECKING:
    from switchover.snapshot import Snapshot

__all__ = ["ClosedByItself", "Intent", "LinkChanged", "Say", "Sender", "SnapshotChanged"]

Answer = TypeVar("Answer")


class Sender(Protocol):
    """The way to the agent, as screens use it."""

    async def send(self, command: Command[Answer]) -> Answer:
        """Have a command carried out. Raise `SwitchoverError` where the agent refuses or cannot be reached."""


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
    """The operator wants the agent to carry a command out. `doing` says it in words for the status line."""

    command: Command[Any]
    doing: str = ""


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
