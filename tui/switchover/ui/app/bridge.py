"""Where Snapshots come from and intents go to: the agent. It is started where none runs, and found again when lost."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

from switchover.clock import Clock
from switchover.commands.command import Command
from switchover.errors import (
    AgentError,
    AgentStoppedError,
    NotTrustedError,
    PlanError,
    SwitchoverError,
    VersionMismatchError,
)
from switchover.locations import Workspace
from switchover.ui.kit.messages import Sender
from switchover.ui.text.render_context import AgentLink, AgentLinkState

if TYPE_CHECKING:
    from switchover.snapshot import Snapshot

__all__ = [
    "ActionFailed",
    "AgentConnection",
    "AgentSource",
    "Attach",
    "SnapshotSource",
    "Update",
    "agent_attacher",
    "agent_returns",
]

Answer = TypeVar("Answer")
Update: TypeAlias = "Snapshot | AgentLink"
ActionFailed = Callable[[SwitchoverError], None]
_LONGEST_PAUSE_S = 3.0
_LOOK_AGAIN_S = 1.0
_GIVE_UP_AFTER = 3  # failures in a row before the very first Snapshot


class SnapshotSource(Sender, Protocol):
    """Feeds the screens. The agent's is `AgentSource`; tests have their own."""

    def snapshots(self, on_action_failed: ActionFailed) -> AsyncIterator[Update]:
        """Yield Snapshots, and an `AgentLink` whenever the line comes or goes. Raise `SwitchoverError` when hopeless.

        `on_action_failed` hears of intents that were accepted and failed later.
        """

    async def aclose(self) -> None:
        """Let go of the line; the run goes on."""


class AgentConnection(Sender, Protocol):
    """The line to an agent, as `switchover.agent.wire.client.AgentClient` has it."""

    def snapshots(self) -> AsyncIterator[Snapshot]:
        """Yield Snapshots; raise `AgentError` when the line is lost."""

    async def aclose(self) -> None:
        """Hang up."""


Attach = Callable[[ActionFailed], Awaitable[AgentConnection]]


async def _at_once() -> None:
    """Wait for nothing."""


class AgentSource:
    """The agent of a workspace: `attach` starts it where none answers and connects; a broken line is found again.

    One that somebody has stopped is not started again: `comes_back` waits until somebody else has done so.
    """

    def __init__(
        self,
        attach: Attach,
        clock: Clock,
        log: Path,
        *,
        first_pause_s: float = 0.3,
        comes_back: Callable[[], Awaitable[None]] = _at_once,
    ) -> None:
        self._attach = attach
        self._comes_back = comes_back
        self._clock = clock
        self._log = log
        self._first_pause_s = first_pause_s
        self._client: AgentConnection | None = None

    async def snapshots(self, on_action_failed: ActionFailed) -> AsyncIterator[Update]:
        """Yield what the agent publishes, for as long as anybody listens."""
        pause, failures, seen = self._first_pause_s, 0, False
        yield AgentLink(AgentLinkState.STARTING, self._clock.now(), "starting the agent …")
        while True:
            problem: SwitchoverError = AgentError("the agent closed the line")
            try:
                client = await self._attach(on_action_failed)
                self._client, told = client, False
                async for snapshot in client.snapshots():
                    if not told:
                        told, failures, pause = True, 0, self._first_pause_s
                        yield AgentLink(AgentLinkState.LIVE, self._clock.now())
                    seen = True
                    yield snapshot
            except (NotTrustedError, PlanError, VersionMismatchError) as error:
                if not seen:
                    raise
                problem = error
            except SwitchoverError as error:
                problem = error
            except OSError as error:
                problem = AgentError(f"the agent cannot be reached: {error}")
            finally:
                await self.aclose()
            failures += 1
            if not seen and failures >= _GIVE_UP_AFTER:
                raise AgentError(problem.title, problem.hint or f"its log: {self._log}")
            stopped = isinstance(problem, AgentStoppedError)
            state = AgentLinkState.STOPPED if stopped else AgentLinkState.LOST if seen else AgentLinkState.STARTING
            yield AgentLink(state, self._clock.now(), problem.title)
            await asyncio.sleep(pause)
            if stopped:
                await self._comes_back()
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def send(self, command: Command[Answer]) -> Answer:
        """Have the agent carry a command out."""
        if self._client is None:
            raise AgentError("not connected to the agent", "wait until it has been found again")
        return await self._client.send(command)

    async def aclose(self) -> None:
        """Close the line to the agent; the run goes on."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


def agent_returns(workspace: Workspace) -> Callable[[], Awaitable[None]]:
    """Return what waits until an agent of the workspace answers, without starting one."""

    def answers() -> bool:
        from switchover.agent.process import lifecycle

        try:
            return lifecycle.ask(workspace) is not None
        except SwitchoverError:
            return False

    async def returns() -> None:
        while True:
            if await asyncio.to_thread(answers):
                return
            await asyncio.sleep(_LOOK_AGAIN_S)

    return returns


def agent_attacher(workspace: Workspace, plan: Path | None, *, read_only: bool, digest: str = "") -> Attach:
    """Return what starts the workspace's agent where none answers, and connects to it.

    A warning of the agent is shown once. `digest` is that of the only content of the plan that is trusted.
    """
    warned: set[str] = set()
    attached = False  # from then on an agent of another version was brought by another screen, and is left alone

    async def attach(on_action_failed: ActionFailed) -> AgentConnection:
        nonlocal attached
        from switchover.agent.process import lifecycle
        from switchover.agent.process.agent_record import find_socket
        from switchover.agent.wire.client import AgentClient

        await asyncio.to_thread(
            lambda: lifecycle.ensure_agent(workspace, plan, read_only=read_only, replace=not attached, digest=digest)
        )
        client = AgentClient(on_action_failed)
        try:
            await client.connect(find_socket(workspace))
            info = await client.hello(_operator(), read_only=read_only)
        except BaseException:
            await client.aclose()
            raise
        attached = True
        if info.warning and info.warning not in warned:
            warned.add(info.warning)
            on_action_failed(AgentError(info.warning))
        return client

    return attach


def _operator() -> dict[str, str]:
    """Say who sits here: the login name, the host, the terminal."""
    import getpass
    import socket

    try:
        tty = os.ttyname(0)
    except OSError:
        tty = ""
    try:
        who = getpass.getuser()
    except (KeyError, OSError):
        who = str(os.getuid())
    return {"who": who, "host": socket.gethostname(), "tty": tty}
