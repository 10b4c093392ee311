"""One Docker daemon: a connection that is found again, calls with a deadline, and what is known of its containers."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from switchover.services.docker.docker_observation import SILENT, fingerprint, name_of
from switchover_checks.runtime.docker.docker_errors import DockerAwayError
from switchover_checks.runtime.docker.docker_hosts import named_endpoint, open_client, reason_of, usual_endpoint
from switchover_checks.runtime.threads import Threads

__all__ = ["Connect", "Daemon", "connect_to"]

T = TypeVar("T")

# Opens a client of the SDK: the address (empty for the usual one), and how long a stream may be silent.
Connect = Callable[[str, float | None], Any]

_TIMEOUT_S = 4
_ACTION_TIMEOUT_S = 30
_PATIENCE_S = 5.0
_PATIENCE_WITH_THE_AWAY_S = 0.5
# With a live stream of events, details hold this long without being read again; those of an ailing container change
# without an event.
_KEPT_S = 40.0
_KEPT_AILING_S = 5.0
_BATCH = 50  # containers that are read in one go, in one time limit
_STUCK_S = 30.0
_LIST_KEPT_S = 25.0
_TRUSTED_S = 4.0  # for so long after an answer nobody asks whether it still answers


def connect_to(host: str, quiet: float | None) -> Any:
    """Open a client of the SDK; blocks. Raise what it raises, and `DockerAwayError`."""
    return open_client(named_endpoint(host) if host else usual_endpoint(), _TIMEOUT_S, quiet)


@dataclass(frozen=True, slots=True)
class _Known:
    data: Mapping[str, Any]
    read_at: float

    def fresh(self, now: float) -> bool:
        state = self.data.get("State") or {}
        ailing = str((state.get("Health") or {}).get("Status", "")) in ("unhealthy", "starting")
        return now - self.read_at < (_KEPT_AILING_S if ailing else _KEPT_S)


class Daemon:
    """A daemon at `host` (empty: where the docker command would go).

    `off` says why it cannot be asked, empty while it answers. `live` says that its events are being followed. What is
    known of a container then holds until an event names it. `overtaken` holds what such an event says, by the
    container's id, until the container is read again. All is called in the loop's own thread.
    """

    def __init__(
        self, host: str, connect: Connect = connect_to, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.host = host
        self.off = ""
        self.live = False
        self.asked = False
        self.last_exits: dict[str, int] = {}
        self.overtaken: dict[str, Mapping[str, Any]] = {}
        self.signals: dict[str, tuple[str, float | None]] = {}  # with when it was sent (epoch seconds)
        self._connect = connect
        self._monotonic = monotonic
        self._threads = Threads()
        self._opening = asyncio.Lock()
        self._client: Any = None
        self._hanging: asyncio.Task[Any] | None = None
        self._known: dict[str, _Known] = {}
        self._list: list[Mapping[str, Any]] = []
        self._list_holds: tuple[int, float] | None = None
        self._listing: asyncio.Task[list[Mapping[str, Any]]] | None = None
        self._changes = 0
        self._stuck: dict[str, float] = {}  # since when the daemon says nothing of a container (monotonic)
        self._answered = float("-inf")

    @property
    def is_local(self) -> bool:
        """Whether it is reached through a socket of this host."""
        return (self.host or os.environ.get("DOCKER_HOST", "") or "unix:").startswith("unix:")

    def ref(self, name: str) -> str:
        """Return what a container is called among those of all daemons."""
        return f"{self.host}/{name}" if self.host else name

    def open(self, quiet: float | None = None) -> Any:
        """Open a client of its own; blocks."""
        return self._connect(self.host, quiet)

    async def call(self, work: Callable[[Any], T], seconds: float = _PATIENCE_S) -> T:
        """Do `work` with a client, in a thread. Raise `DockerAwayError` when no answer comes within `seconds`.

        A daemon that did not answer last time is not waited for again. The attempt goes on by itself and delays nobody
        else.
        """
        self.asked = True
        if self._hanging is not None:
            raise DockerAwayError(self.off)
        task = asyncio.ensure_future(self._attempt(work))
        try:
            done, _ = await asyncio.wait({task}, timeout=_PATIENCE_WITH_THE_AWAY_S if self.off else seconds)
        except asyncio.CancelledError:
            task.add_done_callback(_taken)
            raise
        if done:
            return task.result()
        self.off = self.off or self._reason(TimeoutError())
        self._hanging = task
        task.add_done_callback(self._came_back)
        raise DockerAwayError(self.off)

    async def act(self, work: Callable[[Any], T]) -> T:
        """Do what may take its time, with a client of its own; raises what `work` raises."""

        def alone() -> T:
            client = self.open()
            client.timeout = _ACTION_TIMEOUT_S
            try:
                return work(client)
            finally:
                client.close()

        return await self._threads.run(alone)

    async def details(self, words: list[str]) -> dict[str, Mapping[str, Any] | None]:
        """Return what `docker inspect` says about each (by name or id), None where there is no such container.

        What is known still holds while the daemon is live and answers at all; the others are read.
        """
        now = self._monotonic()
        held = {word: self._known[word].data for word in words if self.live and self._holds(word, now)}
        wanted = [word for word in words if word not in held]
        changes = self._changes
        if not wanted and self._is_trusted():
            return dict(held)
        read: dict[str, Mapping[str, Any] | None] = {}
        for start in range(0, len(wanted), _BATCH) if wanted else (0,):
            some = wanted[start : start + _BATCH]
            read |= await self.call(lambda api, some=some: _read(api, some, self._stuck, self._monotonic))  # type: ignore[misc]
        if changes == self._changes:  # else an event came meanwhile, and what was read may be older than it
            self._known |= {word: _Known(data, now) for word, data in read.items() if data and data.get("Id")}
            for data in read.values():
                self.overtaken.pop(str((data or {}).get("Id", "")), None)
        return held | read

    async def listed(self) -> list[Mapping[str, Any]]:
        """Return one short entry for each container, with one call; what is known of the unchanged holds on.

        Those who ask while the call is under way share its answer.
        """
        if self._listing is None:
            self._listing = asyncio.ensure_future(self._list_now())
            self._listing.add_done_callback(self._listed)
        return await asyncio.shield(self._listing)

    async def entries(self) -> list[Mapping[str, Any]]:
        """Return the same as `listed`, without asking for it again while it holds and the daemon answers at all."""
        holds = self._list_holds
        if not self.live or holds is None or holds[0] != self._changes or self._monotonic() - holds[1] > _LIST_KEPT_S:
            return await self.listed()
        if not self._is_trusted():
            await self.call(lambda api: api.ping())
        return self._list

    @property
    def last_list(self) -> Sequence[Mapping[str, Any]]:
        """The containers as they were listed last, however long ago."""
        return self._list

    def _listed(self, task: asyncio.Task[Any]) -> None:
        self._listing = None
        _taken(task)

    async def _list_now(self) -> list[Mapping[str, Any]]:
        changes = self._changes
        entries: list[Mapping[str, Any]] = await self.call(lambda api: api.containers(all=True))
        now = self._monotonic()
        self._list, self._list_holds = entries, (changes, now)
        names = {name_of(entry): entry for entry in entries}
        if changes == self._changes:
            self._forget_gone({str(entry.get("Id", "")) for entry in entries})
        for word, known in list(self._known.items()):
            entry = names.get(name_of(known.data))
            if entry is None or fingerprint(entry) != fingerprint(known.data):
                del self._known[word]
            elif known.fresh(now):
                self._known[word] = _Known(known.data, now)
        return entries

    def _forget_gone(self, there: AbstractSet[str]) -> None:
        """Forget what was heard of containers that have gone without an event: while nobody listened."""
        for book in (self.last_exits, self.overtaken, self.signals):
            for container in book.keys() - there:
                del book[container]
        self._stuck = {word: since for word, since in self._stuck.items() if self._monotonic() - since < _STUCK_S}

    def known(self, name: str) -> Mapping[str, Any] | None:
        """Return the details of a container as far as no event has overtaken them."""
        return self._known[name].data if self.live and name in self._known else None

    def is_due(self, name: str) -> bool:
        """Say whether the details of a container should be read again, for what changes without an event."""
        return not self._holds(name, self._monotonic())

    def changed(self, container: str, *names: str) -> Mapping[str, Any] | None:
        """Forget the details of a container, since something happened to it, and return them as they were before."""
        self._changes += 1
        before = self.overtaken.pop(container, None)
        for word, known in list(self._known.items()):
            its_own = known.data.get("Id") == container
            if its_own or word in names:
                before = known.data if its_own else before
                del self._known[word]
        return before

    def forget(self) -> None:
        """Forget all details: anything may have happened."""
        self._changes += 1
        self._known.clear()
        self.overtaken.clear()

    async def aclose(self) -> None:
        """Close the connection."""
        client, self._client = self._client, None
        if client is not None:
            await self._threads.run(client.close)

    def note(self, error: BaseException | None) -> None:
        """Remember why the daemon cannot be asked; None once it answers."""
        self.off = "" if error is None else self._reason(error)

    def _is_trusted(self) -> bool:
        return self.live and not self.off and self._monotonic() - self._answered < _TRUSTED_S

    def _holds(self, word: str, now: float) -> bool:
        known = self._known.get(word)
        return known is not None and known.fresh(now)

    async def _attempt(self, work: Callable[[Any], T]) -> T:
        try:
            async with self._opening:
                if self._client is None:
                    self._client = await self._threads.run(self.open)
            client = self._client
            value = await self._threads.run(lambda: work(client))
        except Exception as error:  # the SDK lets errors of requests, urllib3 and its own through
            if self._client is not None and _is_an_answer(error):
                self.off = ""
                self._answered = self._monotonic()
                raise
            client, self._client = self._client, None
            if client is not None:
                with suppress(Exception):
                    await self._threads.run(client.close)
            self.note(error)
            raise DockerAwayError(self.off) from error
        self.off = ""
        self._answered = self._monotonic()
        return value

    def _came_back(self, task: asyncio.Task[Any]) -> None:
        self._hanging = None
        _taken(task)

    def _reason(self, error: BaseException) -> str:
        said = reason_of(error)
        where = f"at {self.host}" if self.host else "here"
        if "no such file" in said:
            return f"no Docker daemon {where} (its socket is not there)"
        if said == "permission denied":
            return f"the Docker socket {where} may not be opened by this user; join the docker group"
        if "refused" in said:
            return f"the Docker daemon {where} does not answer (connection refused)"
        return f"Docker {where}: {said}"


def _is_an_answer(error: Exception) -> bool:
    """Say whether the daemon is there and says no. Does not import the SDK: this is the loop's own thread."""
    errors = sys.modules.get("docker.errors")
    return errors is not None and isinstance(error, errors.APIError)


def _read(
    api: Any, words: list[str], stuck: dict[str, float], monotonic: Callable[[], float]
) -> dict[str, Mapping[str, Any] | None]:
    """Read the details of containers. One of which the daemon does not say anything costs only itself.

    Such containers are remembered in `stuck` with the time, and left alone for a while. Each would take the daemon's
    whole time limit.
    """
    import requests
    from docker.errors import NotFound

    found: dict[str, Mapping[str, Any] | None] = {}
    for word in words:
        if monotonic() - stuck.get(word, -_STUCK_S) < _STUCK_S:
            found[word] = _silent(word)
            continue
        try:
            found[word] = api.inspect_container(word)
        except NotFound:
            found[word] = None
        except requests.exceptions.ReadTimeout:
            api.ping()  # raises where it is the daemon itself that hangs
            stuck[word] = monotonic()
            found[word] = _silent(word)
        else:
            stuck.pop(word, None)
    if not words:
        api.ping()  # what is known is only told as long as the daemon lives
    return found


def _silent(word: str) -> Mapping[str, Any]:
    """Return what is said of a container of which the daemon says nothing."""
    return {"Id": "", "Name": f"/{word}", "State": {"Status": SILENT}}


def _taken(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()
