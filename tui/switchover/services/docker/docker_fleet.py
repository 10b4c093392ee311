"""All daemons that were asked for, and one stream of events of each, shared by those who listen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from switchover.services.docker.docker_daemon import Connect, Daemon, connect_to
from switchover.services.docker.docker_event_details import details_after
from switchover.services.docker.docker_events import DockerEvent, follow_events

__all__ = ["Fleet", "Listener"]

_ALIVE_S = 5.0
_AGAIN_S = 0.5

# Called with what happened at a daemon; without an event the link to it was made (empty reason) or lost.
Listener = Callable[[Daemon, DockerEvent | None, str], None]


class Fleet:
    """Knows the daemons by address. The usual one (empty) is always among them.

    Every `alive_s` seconds each is seen to answer, for one that hangs says nothing of it.
    """

    def __init__(self, connect: Connect = connect_to) -> None:
        self._connect = connect
        self._daemons: dict[str, Daemon] = {}
        self._listeners: list[Listener] = []
        self._ends: list[asyncio.Future[None]] = []
        self._following: dict[str, asyncio.Task[None]] = {}
        self.alive_s = _ALIVE_S
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
        """Call `listener` with what happens until cancelled. Raise what any listener raises."""
        self._listeners.append(listener)
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ends.append(ended)
        try:
            for daemon in self._daemons.values():
                if daemon.live:
                    listener(daemon, None, "")
                self._follow(daemon)
            await ended
        finally:
            self._listeners.remove(listener)
            self._ends.remove(ended)
            if not self._listeners:
                await self._stop()

    async def aclose(self) -> None:
        """Let all connections go."""
        await self._stop()
        await asyncio.gather(*(daemon.aclose() for daemon in self._daemons.values()))

    def _follow(self, daemon: Daemon) -> None:
        if daemon.host not in self._following:
            task = self._following[daemon.host] = asyncio.ensure_future(self._follow_both(daemon))
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Hand an error to those who listen, instead of being silent from then on."""
        if task.cancelled() or (error := task.exception()) is None:
            return
        self._following = {host: one for host, one in self._following.items() if one is not task}
        for ended in self._ends:
            if not ended.done():
                ended.set_exception(error)

    async def _follow_both(self, daemon: Daemon) -> None:
        """Follow events, and see that the daemon does not hang meanwhile: its stream would just be silent then."""
        follow = follow_events(
            daemon, lambda event: self._happened(daemon, event), lambda why: self._tell(daemon, None, why)
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(follow)
            group.create_task(self._see_that_it_lives(daemon))

    async def _see_that_it_lives(self, daemon: Daemon) -> None:
        hangs = False
        while True:
            await asyncio.sleep(_AGAIN_S if hangs else self.alive_s)
            if not daemon.live:
                hangs = False
                continue
            try:
                await daemon.call(_ping)
            except Exception:
                if not hangs and daemon.live and daemon.off:
                    hangs = True
                    self._tell(daemon, None, daemon.off)
            else:
                if hangs:
                    hangs = False
                    daemon.forget()
                    self._tell(daemon, None, "")

    def _happened(self, daemon: Daemon, event: DockerEvent) -> None:
        before = daemon.changed(event.container, *event.names)
        if before is not None and (after := details_after(before, event)) is not None:
            daemon.overtaken[event.container] = after
        if event.action == "die" and event.exit_code is not None:
            daemon.last_exits[event.container] = event.exit_code
        elif event.action == "kill":
            daemon.signals[event.container] = event.signal, event.at
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


def _ping(api: Any) -> None:
    api.ping()
