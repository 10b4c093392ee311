"""What daemons say by themselves: one stream of events each, read in a thread, taken up again for ever."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from switchover.services.docker.docker_daemon import Daemon
from switchover.services.provider_api import ServiceEvent
from switchover_checks.api import Status
from switchover_checks.runtime.threads import Threads

__all__ = ["ACTIONS", "DockerEvent", "follow_events", "read_event", "sent_before", "service_event_of"]

# Asked of the daemon by name, so that the exec_* of every health check do not even wake us.
ACTIONS = (
    *("create", "start", "restart", "die", "stop", "kill", "oom", "pause", "unpause", "rename", "update", "destroy"),
    "health_status",
)
_COMES_AND_GOES = frozenset({"create", "destroy", "rename"})
_WORDS: Mapping[str, str] = {
    "create": "created",
    "start": "started",
    "restart": "restarted",
    "die": "died",
    "stop": "stopped",
    "oom": "oom",
    "pause": "paused",
    "unpause": "unpaused",
    "update": "config",
    "destroy": "removed",
    "health_status": "health",
}
_HEALTH = {"healthy": Status.OK, "starting": Status.PENDING, "unhealthy": Status.CRIT}
# A stream that says nothing for this long is opened anew, for a link may die without a word.
_QUIET_S = 60.0
_COMES_OF_IT_S = 130.0  # as long as a container may take to end after it was asked to
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0
_LONGEST_PAUSE_LOCAL_S = 1.0  # to knock at a socket that is not there costs nothing


@dataclass(frozen=True, slots=True)
class DockerEvent:
    """Something that happened to a container. `said` is what follows the action: a health status."""

    container: str
    name: str
    action: str
    said: str = ""
    at: float | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def exit_code(self) -> int | None:
        """Return the exit code that the event carries."""
        text = self.attributes.get("exitCode", "")
        return int(text) if text.lstrip("-").isdigit() else None

    @property
    def signal(self) -> str:
        """Return the name of the signal that the event carries."""
        number = self.attributes.get("signal", "")
        try:
            return signal.Signals(int(number)).name
        except ValueError:
            return f"signal {number}" if number else ""

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names that are concerned: also the one before, when it was given another."""
        before = self.attributes.get("oldName", "").lstrip("/")
        return (self.name, before) if self.action == "rename" and before else (self.name,)


def read_event(data: Mapping[str, Any]) -> DockerEvent | None:
    """Read one message of the stream; None for what does not concern us."""
    action, _, said = str(data.get("Action", "")).partition(": ")
    if data.get("Type") != "container" or action not in ACTIONS:
        return None
    actor = data.get("Actor") or {}
    attributes = {str(key): str(value) for key, value in (actor.get("Attributes") or {}).items()}
    at = data["timeNano"] / 1e9 if isinstance(data.get("timeNano"), int) else None
    return DockerEvent(str(actor.get("ID", "")), attributes.get("name", ""), action, said, at, attributes)


def service_event_of(
    kind: str, event: DockerEvent, ref: Callable[[str], str], sent: str = ""
) -> Iterator[ServiceEvent]:
    """Turn an event into what a provider emits, for each name that it concerns.

    `sent` names the signal that somebody had the daemon send, which is why a container died soon afterwards.
    """
    text, status = "", None
    match event.action:
        case "die":
            code = event.exit_code
            text = f"exit {code}" if code is not None else ""
            if sent:
                text += f", after {sent} was sent to it"
            status = Status.OK if code == 0 else Status.CRIT
        case "oom":
            text, status = "out of memory: the kernel ended a process of it", Status.CRIT
        case "kill":
            return  # what comes of it is told
        case "health_status":
            text, status = event.said, _HEALTH.get(event.said)
        case "rename" if len(event.names) > 1:
            text = f"{event.names[1]} is called {event.name} now"
    listing = event.action in _COMES_AND_GOES
    for name in event.names:
        what = _WORDS.get(event.action, "note")
        yield ServiceEvent(kind, ref(name), what, text, status, event.at, listing=listing)


def sent_before(event: DockerEvent, sent: tuple[str, float | None] | None) -> str:
    """Return the signal that was sent so shortly before that the event may come of it; empty where none was.

    Many signals end nothing: SIGHUP has a log opened anew. They are not to blame for what happens weeks later.
    """
    if sent is None:
        return ""
    name, at = sent
    if at is None or event.at is None:
        return name
    return name if event.at - at <= _COMES_OF_IT_S else ""


async def follow_events(
    daemon: Daemon, on_event: Callable[[DockerEvent], None], on_link: Callable[[str], None]
) -> None:
    """Follow a daemon's events until cancelled.

    `on_link` is called with nothing each time that the link was made, and with the reason when it is lost.
    """
    threads = Threads(8)
    loop = asyncio.get_running_loop()
    pause = _FIRST_PAUSE_S
    while True:
        stream = _Stream(daemon, loop, on_event)
        reading = asyncio.ensure_future(threads.run(stream.read))
        try:
            await asyncio.wait({reading, stream.opened}, return_when=asyncio.FIRST_COMPLETED)
            if stream.opened.done():
                pause = _FIRST_PAUSE_S
                daemon.forget()
                daemon.live = True
                daemon.note(None)
                on_link("")
            await reading
            why: Exception = ConnectionResetError(104, "the daemon ended the connection")
        except Exception as error:
            why = error
        finally:
            was_live, daemon.live = daemon.live, False
            stream.close()
            reading.cancel()
        if was_live and stream.fell_silent:
            continue
        daemon.note(why)
        if was_live:
            on_link(daemon.off)
        await asyncio.sleep(pause)
        longest = _LONGEST_PAUSE_LOCAL_S if daemon.is_local else _LONGEST_PAUSE_S
        pause = min(pause * 2, longest)


class _Stream:
    """One connection for events. `read` blocks in a thread; all it hears is handed to the loop."""

    def __init__(
        self, daemon: Daemon, loop: asyncio.AbstractEventLoop, on_event: Callable[[DockerEvent], None]
    ) -> None:
        self.opened: asyncio.Future[None] = loop.create_future()
        self.fell_silent = False
        self._daemon = daemon
        self._loop = loop
        self._on_event = on_event
        self._events: Any = None
        self._closed = False

    def read(self) -> None:
        """Read until the stream ends. Raise what the SDK raises where it cannot be opened."""
        client = self._daemon.open(_QUIET_S)
        try:
            self._events = client.events(decode=True, filters={"type": ["container"], "event": list(ACTIONS)})
            self._tell(self._open)
            for data in self._events:
                if self._closed:
                    return
                event = read_event(data)
                if event is not None:
                    self._tell(partial(self._on_event, event))
        except Exception as error:
            # `requests` and urllib3 each have their own error for a read that took too long.
            self.fell_silent = "ReadTimeout" in type(error).__name__ or "timed out" in str(error).lower()
            raise
        finally:
            self._events = None
            client.close()

    def close(self) -> None:
        """End the reading, from the loop's thread."""
        self._closed = True
        self.opened.cancel()
        events = self._events
        if events is not None:
            with suppress(Exception):
                events.close()

    def _open(self) -> None:
        if not self.opened.done():
            self.opened.set_result(None)

    def _tell(self, what: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(self._unless_closed, what)
        except RuntimeError:
            self._closed = True  # the loop has ended; nobody listens any more

    def _unless_closed(self, what: Callable[[], None]) -> None:
        if not self._closed:
            what()
