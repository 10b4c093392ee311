"""One wish of a person: what it says and changes, who may ask, and how it is carried out.

A command is sent as `{"method": its name, "params": its fields}`. Whoever carries it out calls `apply`: the agent for
its clients, the command line where no agent answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, get_args

import msgspec

from switchover.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from switchover.agent.server.client_session import ClientSession
    from switchover.hub import FollowingHub, Hub
    from switchover.migration.facts.operator import Operator
    from switchover.migration.run.engine import Engine

__all__ = [
    "Changes",
    "Command",
    "CommandContext",
    "CommandTarget",
    "Life",
    "Question",
    "RunAction",
    "RunCommand",
    "Who",
]

Answer = TypeVar("Answer")


class Changes(StrEnum):
    """What carrying it out may do to the world. What changes something is refused to one who only watches."""

    NOTHING = "nothing"
    SOMETHING = "something"
    DANGEROUS = "dangerous"  # ends, undoes or destroys: a screen asks before it sends this


class Who(StrEnum):
    """Who may ask for what changes something."""

    DRIVER = "the one who drives"
    DRIVER_OF_RUN = "anyone, but while a run is open only the one who drives it"
    ANYONE = "anyone"


class Life(StrEnum):
    """How long carrying it out may take, and whose it is."""

    OF_CLIENT = "ends with the client that asked"
    OF_AGENT = "the agent's own: it outlives its client, who is answered at its end"
    OF_ENGINE = "the engine's: its client is answered as soon as it is accepted"


@dataclass(frozen=True, slots=True)
class CommandTarget:
    """On whom commands act. There is no engine where only the host is watched.

    `secrets` returns the secrets known by now, by name: log readers take them out of what they show. What they save
    goes to `log_folder`. `fill_in` writes the commands in a text so that they work as printed.
    """

    hub: FollowingHub
    engine: Engine | None = None
    secrets: Callable[[], Mapping[str, str]] = dict
    log_folder: Path | None = None
    fill_in: Callable[[str], str] = str

    @property
    def run(self) -> Engine:
        """The engine. Raise `RefusedError` where there is none."""
        if self.engine is None:
            raise RefusedError("no plan is open here, so there is nothing to run", "open one: `switchover PLAN`")
        return self.engine


@dataclass(frozen=True, slots=True)
class CommandContext:
    """What a command is carried out with, for whom. `session` is the client's; there is none on the command line."""

    target: CommandTarget
    operator: Operator
    session: ClientSession | None = None

    @property
    def run(self) -> Engine:
        """The engine. Raise `RefusedError` where there is none."""
        return self.target.run

    @property
    def hub(self) -> Hub:
        """The hub of the plan in force."""
        return self.target.hub.current

    @property
    def client(self) -> ClientSession:
        """The client that asks. Raise `RefusedError` where there is none."""
        if self.session is None:
            raise RefusedError("this can only be asked of an agent", "start one: `switchover agent start PLAN`")
        return self.session


class Command(msgspec.Struct, Generic[Answer], frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A wish, and the type of its answer. `doing` is what the agent says it is at meanwhile."""

    name: ClassVar[str] = ""
    changes: ClassVar[Changes] = Changes.SOMETHING
    who: ClassVar[Who] = Who.DRIVER
    life: ClassVar[Life] = Life.OF_AGENT
    doing: ClassVar[str] = ""

    async def apply(self, at: CommandContext) -> Answer:
        """Carry it out. Raise `SwitchoverError` where it is refused or fails."""
        raise NotImplementedError

    def changes_something(self) -> bool:
        """Tell whether one who only watches may not ask for this."""
        return self.changes is not Changes.NOTHING

    @classmethod
    def answer_type(cls) -> Any:
        """Return the type of its answer."""
        for kind in cls.__mro__:
            for base in getattr(kind, "__orig_bases__", ()):
                if (args := get_args(base)) and not isinstance(args[0], TypeVar):
                    return args[0]
        raise TypeError(f"{cls.__name__} does not say what it answers")

    @classmethod
    def parse(cls, params: Mapping[str, Any]) -> Command[Any]:
        """Make one of what came over the wire. Raise `UsageError`."""
        try:
            return msgspec.convert(dict(params), type=cls)
        except msgspec.ValidationError as error:
            raise UsageError(
                f"the request does not fit: {error}", "client and agent may be of different versions"
            ) from error


class Question(Command[Answer], Generic[Answer], frozen=True):
    """A command that changes nothing, for anyone."""

    changes: ClassVar[Changes] = Changes.NOTHING
    who: ClassVar[Who] = Who.ANYONE
    life: ClassVar[Life] = Life.OF_CLIENT


class RunCommand(Command[Answer], Generic[Answer], frozen=True):
    """A command that the engine carries out at once. Its fact is journalled before it is answered."""


class RunAction(RunCommand[str | None], frozen=True):
    """A command of the engine that may take long: its client hears `accepted`, and of its failure later."""

    life: ClassVar[Life] = Life.OF_ENGINE
