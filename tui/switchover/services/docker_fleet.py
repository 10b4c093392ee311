"""All daemons that were asked for, and one stream of events of each, shared by those who listen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

from switchover.services.docker_daemon import Connect, Daemon, connect_to
from switchover.services.docker_events import DockerEvent, follow_events

__all__ = ["Fleet", "Listener"]

# Called with what happened at a daemon; without an event the link to it was made (empty reason) or lost.
Listener = Callable[[Daemon, DockerEvent | None, str], None]


class Fleet:
    """Knows the daemons by address. The usual one (empty) is always among them."""

    def __init__(self, connect: Connect = connect_to) -> None:
        self._connect = connect
        self._daemons: dict[str, Daemon] = {}
        self._listeners: list[Listener] = []
        self._following: dict[str, asyncio.Task[None]] = {}
        self.daemon("")

    @property
    def daemons(self) -> Iterable[Daemon]:
        """Return all of them, the usual one first."""
        return tuple(self._daemons.values())

    def daemon(self, host: str) -> Daemon:
        """Return the daemon at `host`; a new one is followed at once where anybody listens."""
        if host not in self._daemons:
            self._daemons[host] = Daemon(host, self._connect)
            if self._listeners:
                self._follow(self._daemons[host])
        return self._daemons[host]

    def off(self) -> str:
        """Say why daemons that were asked do not answer."""
        return "; ".join(one.off for one in self._daemons.values() if one.off and one.asked)

    async def listen(self, listener: Listener) -> None:
        """Call `listener` with what happens until cancelled."""
        self._listeners.append(listener)
        try:
            for daemon in self._daemons.values():
                if daemon.live:
                    listener(daemon, None, "")
                self._follow(daemon)
            await asyncio.get_running_loop().create_future()
        finally:
            self._listeners.remove(listener)
            if not self._listeners:
                await self._stop()

    async def aclose(self) -> None:
        """Let all connections go."""
        await self._stop()
        await asyncio.gather(*(daemon.aclose() for daemon in self._daemons.values()))

    def _follow(self, daemon: Daemon) -> None:
        if daemon.host not in self._following:
            self._following[daemon.host] = asyncio.ensure_future(
                follow_events(
                    daemon,
                    lambda event: self._happened(daemon, event),
                    lambda why: self._tell(daemon, None, why),
                )
            )

    def _happened(self, daemon: Daemon, event: DockerEvent) -> None:
        daemon.changed(event.container, *event.names)
        if event.action == "die" and event.exit_code is not None:
            daemon.last_exits[event.container] = event.exit_code
        elif event.action == "kill":
            daemon.signals[event.container] = event.signal
        elif event.action in ("start", "destroy"):
            daemon.signals.pop(event.container, None)
            if event.action == "destroy":
                daemon.last_exits.pop(event.container, None)
        self._tell(daemon, event, "")

    def _tell(self, daemon: Daemon, event: DockerEvent | None, why: str) -> None:
        for listener in list(self._listeners):
            listener(daemon, event, why)

    async def _stop(self) -> None:
        tasks, self._following = list(self._following.values()), {}
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
