"""What is found of services, what may be done to them, and how a person would type it.

`id`, `identity` and `seen_at` are those of the row that the person saw (`id`, `identity`, `observed_at`).
"""

from __future__ import annotations

import shlex
from typing import ClassVar

import msgspec

from switchover.commands.command import Changes, Command, CommandContext, Life, Question, Who
from switchover.snapshot.triage_view import SourceNote

__all__ = [
    "ActOnServices",
    "ChosenService",
    "DismissService",
    "InspectService",
    "Inspection",
    "ListServiceSources",
    "ServiceOutcome",
    "ShowCommandLine",
    "ShowFoundServices",
    "TypedCommand",
]


class ChosenService(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A service as the person saw it."""

    id: str
    identity: str = ""
    seen_at: float | None = None


class ServiceOutcome(msgspec.Struct, frozen=True):
    """What came of an action on one service."""

    id: str
    ok: bool
    text: str = ""


class ActOnServices(Command[tuple[ServiceOutcome, ...]], frozen=True):
    """Do something to services; the answer has one outcome for each, in their order.

    `confirmation` is the text typed for an action of the tier TYPED: the service's name. For several services it is the
    action and their number, such as `kill 3`.
    """

    name: ClassVar[str] = "service.act"
    changes: ClassVar[Changes] = Changes.DANGEROUS
    who: ClassVar[Who] = Who.DRIVER_OF_RUN
    doing: ClassVar[str] = "an action on services"
    items: tuple[ChosenService, ...]
    action: str
    argument: str = ""
    confirmation: str = ""

    async def apply(self, at: CommandContext) -> tuple[ServiceOutcome, ...]:
        items = [(item.id, item.identity, item.seen_at) for item in self.items]
        done = await at.hub.act(items, self.action, self.argument, self.confirmation, at.operator)
        return msgspec.convert(done, tuple[ServiceOutcome, ...])


class TypedCommand(msgspec.Struct, frozen=True):
    """A command line as a person would type it. `text` is quoted for a shell."""

    argv: tuple[str, ...] = ()
    text: str = ""


class ShowCommandLine(Command[TypedCommand], frozen=True):
    """Show how a person would type it. `what` is an action, exec, logs or inspect."""

    name: ClassVar[str] = "service.command"
    who: ClassVar[Who] = Who.ANYONE
    life: ClassVar[Life] = Life.OF_CLIENT
    id: str
    what: str
    argument: str = ""

    def changes_something(self) -> bool:
        """Tell whether it is for a shell: there, everything can be done."""
        return self.what == "exec"

    async def apply(self, at: CommandContext) -> TypedCommand:
        argv = await at.hub.command(self.id, self.what, self.argument, at.operator)
        return TypedCommand(tuple(argv), shlex.join(argv))


class Inspection(msgspec.Struct, frozen=True):
    """All that is known of a service, without secrets."""

    text: str = ""


class InspectService(Question[Inspection], frozen=True):
    """Ask a service's source for all that it knows."""

    name: ClassVar[str] = "service.inspect"
    id: str

    async def apply(self, at: CommandContext) -> Inspection:
        return Inspection(await at.hub.inspect(self.id))


class DismissService(Command[None], frozen=True):
    """Say that a person has looked at what is kept until then; at all of it where `id` is empty.

    Kept are a listener that died, a unit or a container that failed.
    """

    name: ClassVar[str] = "service.seen"
    who: ClassVar[Who] = Who.ANYONE
    life: ClassVar[Life] = Life.OF_CLIENT
    id: str

    async def apply(self, at: CommandContext) -> None:
        at.hub.seen(self.id)


class ShowFoundServices(Question[None], frozen=True):
    """Say whether this client shows what is in no plan."""

    name: ClassVar[str] = "service.found"
    wanted: bool

    async def apply(self, at: CommandContext) -> None:
        at.client.wants_found = self.wanted
        at.target.hub.note_viewer(at.client, found=self.wanted)


class ListServiceSources(Question[tuple[SourceNote, ...]], frozen=True):
    """List every source of services, on or off."""

    name: ClassVar[str] = "service.sources"

    async def apply(self, at: CommandContext) -> tuple[SourceNote, ...]:
        return at.hub.sources()
