"""Where Snapshots come from and intents go to: the agent, started where none runs and found again when it is lost."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from switchover.clock import Clock
from switchover.errors import AgentError, PlanError, SwitchoverError
from switchover.locations import Workspace
from switchover.snapshot import Snapshot
from switchover.ui.presentation.moment import Link, LinkState

if TYPE_CHECKING:
    from switchover.agent.client import AgentClient

__all__ = ["AgentSource", "Source", "Trouble", "Update"]

Update = Snapshot | Link
Trouble = Callable[[SwitchoverError], None]
_FIRST_PAUSE_S = 0.3
_LONGEST_PAUSE_S = 3.0
_GIVE_UP_AFTER = 3  # failures in a row before the very first Snapshot


class Source(Protocol):
    """Feeds the screens. The agent's is `AgentSource`; tests have their own."""

    def snapshots(self, on_trouble: Trouble) -> AsyncIterator[Update]:
        """Yield Snapshots, and a `Link` whenever the line comes or goes. Raise `SwitchoverError` where it is hopeless.

        `on_trouble` hears of intents that were accepted and failed later.
        """

    async def request(self, method: str, **params: Any) -> Any:
        """Ask the agent for something. Raise `SwitchoverError` where it refuses or cannot be reached."""

    async def aclose(self) -> None:
        """Let go of the line; the run goes on."""


class AgentSource:
    """The agent of a workspace: started where none answers, connected to, and found again when the line breaks."""

    def __init__(self, workspace: Workspace, plan: Path | None, *, read_only: bool, clock: Clock) -> None:
        self._workspace = workspace
        self._plan = plan
        self._read_only = read_only
        self._clock = clock
        self._client: AgentClient | None = None

    async def snapshots(self, on_trouble: Trouble) -> AsyncIterator[Update]:
        """Yield what the agent tells, for as long as anybody listens."""
        pause, failures, seen = _FIRST_PAUSE_S, 0, False
        yield Link(LinkState.STARTING, self._clock.now(), "starting the agent …")
        while True:
            why = ""
            try:
                client = await self._attach(on_trouble)
                async for snapshot in client.snapshots():
                    if self._client is None:
                        self._client, failures, pause = client, 0, _FIRST_PAUSE_S
                        yield Link(LinkState.LIVE, self._clock.now())
                    seen = True
                    yield snapshot
                why = "the agent closed the line"
            except PlanError:
                if not seen:
                    raise
                why = "the agent cannot start again: the plan file has errors"
            except AgentError as error:
                why = error.title
            except (SwitchoverError, OSError) as error:
                why = str(error)
                if not seen and failures + 1 >= _GIVE_UP_AFTER:
                    raise
            finally:
                await self.aclose()
            failures += 1
            if not seen and failures >= _GIVE_UP_AFTER:
                raise AgentError(why or "the agent cannot be reached", f"its log: {self._workspace.agent_log}")
            yield Link(LinkState.LOST if seen else LinkState.STARTING, self._clock.now(), why)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def _attach(self, on_trouble: Trouble) -> AgentClient:
        """Start the agent where none answers, and connect."""
        from switchover.agent import lifecycle
        from switchover.agent.client import AgentClient
        from switchover.agent.record import find_socket

        await asyncio.to_thread(lifecycle.ensure_agent, self._workspace, self._plan, read_only=self._read_only)
        client = AgentClient(on_trouble)
        try:
            await client.connect(find_socket(self._workspace))
            await client.hello(_operator(), read_only=self._read_only)
        except BaseException:
            await client.aclose()
            raise
        return client

    async def request(self, method: str, **params: Any) -> Any:
        """Ask the agent for something."""
        if self._client is None:
            raise AgentError("not connected to the agent", "wait until it has been found again")
        return await self._client.request(method, **params)

    async def aclose(self) -> None:
        """Close the line to the agent."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


def _operator() -> dict[str, str]:
    """Say who sits here: the login name, the host, the terminal."""
    import getpass
    import socket

    try:
        tty = os.ttyname(0)
    except OSError:
        tty = ""
    return {"who": getpass.getuser(), "host": socket.gethostname(), "tty": tty}
