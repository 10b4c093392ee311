"""One thing that a client may ask for: what it needs, what does it, and who may ask."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from switchover.agent.server.server_ports import EnginePort, HubPort
from switchover.errors import RefusedError, UsageError

__all__ = ["Handler", "Method", "MethodContext", "Need"]


@dataclass(frozen=True, slots=True)
class MethodContext:
    """On whom the methods act. There is no engine where only the host is watched.

    `secrets` tells the secrets known by now, by name: log readers take them out of what they show. What they save goes
    to `log_folder`.
    """

    hub: HubPort
    engine: EnginePort | None
    secrets: Callable[[], Mapping[str, str]] = dict
    log_folder: Path | None = None

    @property
    def acting(self) -> EnginePort:
        """The engine. Raise `RefusedError` where there is none."""
        if self.engine is None:
            raise RefusedError("no plan is open here, so there is nothing to run", "open one: `switchover PLAN`")
        return self.engine


class Need(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The parameters of a method; each method has a type of its own."""


Handler = Callable[..., Coroutine[Any, Any, Any]]


@dataclass(frozen=True, slots=True)
class Method:
    """One method. `changes`: refused to a read-only client. `acts`: an action of the agent, which outlives its client.

    `handler` is called with the `MethodContext`, what was asked and the operator; `in_session`: and with the client's
    `Session` besides. `long`: answered as soon as the engine has accepted it. `anyone`: not only for one who drives.
    `driver_of_run`: for anyone, but while a run is open only for the one who drives it. `harmless` tells of what was
    asked whether a read-only client may ask for it all the same. `doing` is what the agent says it is at meanwhile.
    """

    needs: type[Need]
    handler: Handler
    changes: bool = True
    acts: bool = True
    long: bool = False
    anyone: bool = False
    driver_of_run: bool = False
    in_session: bool = False
    harmless: Callable[[Any], bool] | None = None
    doing: str = ""

    def parse(self, params: Mapping[str, Any]) -> Need:
        """Check the parameters. Raise `UsageError`."""
        try:
            return msgspec.convert(dict(params), type=self.needs)
        except msgspec.ValidationError as error:
            raise UsageError(
                f"the request does not fit: {error}", "client and agent may be of different versions"
            ) from error

    def changes_something(self, need: Need) -> bool:
        """Tell whether a read-only client may not ask for this."""
        return self.changes and not (self.harmless is not None and self.harmless(need))
