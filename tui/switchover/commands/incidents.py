"""The incident, and the bundle for a colleague."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from switchover.commands.command import Command, CommandContext, Question, Who

__all__ = [
    "BundleMade",
    "CloseIncident",
    "ClosedIncident",
    "IncidentRecord",
    "ListIncidents",
    "MakeBundle",
    "NoteIncident",
    "OpenIncident",
    "OpenedIncident",
]


class OpenedIncident(msgspec.Struct, frozen=True):
    """The number of an incident."""

    id: str = ""


class OpenIncident(Command[OpenedIncident], frozen=True):
    """Open an incident."""

    name: ClassVar[str] = "incident.open"
    who: ClassVar[Who] = Who.ANYONE
    title: str

    async def apply(self, at: CommandContext) -> OpenedIncident:
        return OpenedIncident(await at.hub.triage.open_incident(self.title, at.operator))


class NoteIncident(Command[None], frozen=True):
    """Write something down in the incident."""

    name: ClassVar[str] = "incident.note"
    who: ClassVar[Who] = Who.ANYONE
    text: str = ""

    async def apply(self, at: CommandContext) -> None:
        await at.hub.triage.note_incident(self.text, at.operator)


class ClosedIncident(msgspec.Struct, frozen=True):
    """Where the report lies, on the agent's host."""

    path: str = ""


class CloseIncident(Command[ClosedIncident], frozen=True):
    """Close the incident into a report of its timeline."""

    name: ClassVar[str] = "incident.close"
    who: ClassVar[Who] = Who.ANYONE
    text: str = ""

    async def apply(self, at: CommandContext) -> ClosedIncident:
        return ClosedIncident(str(await at.hub.triage.close_incident(self.text, at.operator)))


class IncidentRecord(msgspec.Struct, frozen=True):
    """An incident as it is on record. `path` is its report, once it is closed."""

    id: str
    title: str
    opened_at: float
    opened_by: str
    closed_at: float | None
    closed_by: str
    notes: int
    path: str


class ListIncidents(Question[tuple[IncidentRecord, ...]], frozen=True):
    """List every incident, newest first."""

    name: ClassVar[str] = "incident.list"

    async def apply(self, at: CommandContext) -> tuple[IncidentRecord, ...]:
        return msgspec.convert(at.hub.triage.all_incidents(), tuple[IncidentRecord, ...])


class BundleMade(msgspec.Struct, frozen=True):
    """Where a bundle lies, on the agent's host, and its size."""

    path: str = ""
    bytes: int = 0


class MakeBundle(Question[BundleMade], frozen=True):
    """Make one redacted file for a colleague."""

    name: ClassVar[str] = "bundle.make"

    async def apply(self, at: CommandContext) -> BundleMade:
        path, size = await at.hub.triage.bundle(at.operator)
        return BundleMade(str(path), size)
