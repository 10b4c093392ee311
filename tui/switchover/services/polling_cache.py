"""Polls a cloud slowly, all of a kind and region at once, and emits what changed since.

Clouds emit no events, so their news are as old as a round.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from switchover.clouds.cloud_errors import CloudError, CloudTrouble
from switchover.services.provider_api import Found, Observation, ProcessState, ServiceEvent, ServiceTarget
from switchover_checks.api import ProbeError, Status

__all__ = ["Cloud", "CloudItem", "CloudNews", "Group", "PollingCache"]

_ROUND_S = 30.0
_FRESH_S = 15.0
_MOVING_S = 3.0
_REFUSED_S = 60.0
_DEADLINE_S = 5.0
_UNWANTED_S = 300.0
_LOOK_BACK_S = 3600.0
_MOST_KNOWN_NEWS = 2000


@dataclass(frozen=True, slots=True)
class Group:
    """All of one kind in one place: `resource` is ec2, rds, run, …; `place` a region, or `project/region`."""

    resource: str
    place: str


@dataclass(frozen=True, slots=True)
class CloudItem:
    """One thing of a group. `moving`: it is on its way to another state, so look again soon."""

    id: str
    title: str
    observation: Observation
    moving: bool = False


@dataclass(frozen=True, slots=True)
class CloudNews:
    """Something that happened to the thing `id`, in the terms of `ServiceEvent`; `at` is what the cloud says."""

    id: str
    what: str
    text: str
    status: Status | None = None
    at: float | None = None


class Cloud(Protocol):
    """What is asked."""

    async def fetch(self, group: Group) -> Mapping[str, CloudItem]:
        """Return all there is of a group, by id. Raise `CloudError`."""

    async def news(self, group: Group, since: float) -> Sequence[CloudNews]:
        """Return what happened since then (epoch seconds). Raise `CloudError`."""


@dataclass
class _Known:
    """What is known of a group. Times are monotonic, but for `news_at`."""

    items: Mapping[str, CloudItem] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    looked_at: float | None = None
    asked_at: float = 0.0
    why: str = ""
    pause: float = _FRESH_S
    ever: bool = False
    news_at: float | None = None
    news: dict[CloudNews, None] = field(default_factory=dict)


class PollingCache:
    """Remembers what was seen for a while. `title` names the cloud where something is said about it as a whole."""

    def __init__(
        self,
        kind: str,
        title: str,
        cloud: Cloud,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        every: float = _ROUND_S,
        deadline: float = _DEADLINE_S,
    ) -> None:
        self._kind = kind
        self._title = title
        self._cloud = cloud
        self._monotonic = monotonic
        self._wall = wall
        self._every = every
        self._deadline = deadline
        self._known: dict[Group, _Known] = {}
        self._refs: dict[tuple[Group, str], set[str]] = {}
        self._tell: Callable[[ServiceEvent], None] | None = None
        self._wanted = asyncio.Event()

    def off(self) -> str:
        """Say why nothing at all can be seen. Where only some of it cannot, the services themselves say so."""
        reasons = [known.why for known in self._known.values()]
        return reasons[0] if reasons and all(reasons) else ""

    @property
    def used(self) -> bool:
        """Whether anything was asked for so far."""
        return bool(self._known)

    def refs(self, resource: str, name: str) -> list[str]:
        """Return what the thing with this id is called, wherever it is."""
        found = {
            ref
            for (group, known), refs in self._refs.items()
            if (group.resource, known) == (resource, name)
            for ref in refs
        }
        return sorted(found) or [f"{resource}/{name}"]

    def forget(self, group: Group) -> None:
        """Look anew next time, because something was done."""
        if group in self._known:
            self._known[group].looked_at = None

    async def inspect(self, wanted: Sequence[tuple[ServiceTarget, Group]]) -> dict[str, Observation]:
        """Look at these targets, one call for all of a group."""
        groups = {group for _, group in wanted}
        probed = dict(zip(groups, await asyncio.gather(*(self.probe(group) for group in groups)), strict=True))
        seen = {}
        for target, group in wanted:
            self._refs.setdefault((group, target.id), set()).add(target.ref)
            known = probed[group]
            if known.why:
                seen[target.name] = Observation(ProcessState.UNKNOWN, Status.UNKNOWN, known.why)
            elif (item := known.items.get(target.id)) is not None:
                seen[target.name] = item.observation
            else:
                where = group.place.strip("/")
                seen[target.name] = Observation(
                    ProcessState.STOPPED, Status.CRIT, f"no {group.resource} {target.id} in {where}"
                )
        return seen

    async def discover(
        self, groups: Collection[Group], make: Callable[[Group, str, str], ServiceTarget]
    ) -> list[Found]:
        """Return all there is in `groups`; `make` builds the target from group, id and ref."""
        probed = await asyncio.gather(*(self.probe(group) for group in groups))
        found = []
        for group, known in zip(groups, probed, strict=True):
            for item in known.items.values() if not known.why else ():
                plain = f"{group.resource}/{item.id}"
                names = sorted(self._refs.get((group, item.id), ()))
                # by the name that a plan has for it, so that it is not taken for another thing
                target = make(group, item.id, next((ref for ref in names if ref != plain), plain))
                self._refs.setdefault((group, item.id), set()).add(target.ref)
                where = group.place.strip("/")
                found.append(Found(target, item.observation, item.title, f"{self._title} {group.resource} {where}"))
        return found

    async def probe(self, group: Group) -> _Known:
        """Return what is known of a group, asked for now unless that was just done."""
        known = self._known.setdefault(group, _Known())
        known.asked_at = self._monotonic()
        self._wanted.set()
        async with known.lock:
            if known.looked_at is None or self._monotonic() - known.looked_at >= known.pause:
                await self._fetch(group, known)
        return known

    async def _fetch(self, group: Group, known: _Known) -> None:
        try:
            async with asyncio.timeout(self._deadline):
                items = await self._cloud.fetch(group)
        except CloudError as error:
            known.why = error.title
            patience = error.trouble in (CloudTrouble.THROTTLED, CloudTrouble.DENIED)
            known.pause = _REFUSED_S if patience else _FRESH_S
        except TimeoutError:
            known.why, known.pause = f"{self._title} did not answer within {self._deadline:g} s", _FRESH_S
        except ProbeError:
            known.why, known.pause = f"{self._title}: earlier questions are not answered yet", _FRESH_S
        except Exception as error:  # an answer that is not as its reference says
            known.why, known.pause = f"{self._title}: {group.resource}: it failed ({type(error).__name__})", _FRESH_S
        else:
            before, ever, known.items = known.items, known.ever, items
            known.why, known.ever = "", True
            known.pause = _MOVING_S if any(item.moving for item in items.values()) else _FRESH_S
            if ever:
                self._compare(group, before, items)
        known.looked_at = self._monotonic()

    def _compare(self, group: Group, before: Mapping[str, CloudItem], now: Mapping[str, CloudItem]) -> None:
        for gone in before.keys() - now.keys():
            self._say(group, CloudNews(gone, "removed", f"{group.resource} {gone} is gone"), None, listing=True)
            self._refs.pop((group, gone), None)  # a plan that names it asks for it again
        for name, item in now.items():
            was = before.get(name)
            if was is None:
                self._say(group, CloudNews(name, "created", ""), item.observation, listing=True)
            elif was.observation != item.observation:
                self._say(group, CloudNews(name, _word(was.observation, item.observation), ""), item.observation)

    def _say(self, group: Group, news: CloudNews, seen: Observation | None, *, listing: bool = False) -> None:
        if self._tell is None:
            return
        for ref in sorted(self._refs.get((group, news.id), {f"{group.resource}/{news.id}"})):
            self._tell(
                ServiceEvent(
                    self._kind, ref, news.what, news.text, news.status, news.at, observation=seen, listing=listing
                )
            )

    async def watch(self, tell: Callable[[ServiceEvent], None]) -> None:
        """Go round for ever through the groups that somebody asks for."""
        self._tell = tell
        tell(ServiceEvent(self._kind, "", listing=True))
        try:
            while True:
                self._wanted.clear()
                wanted = [group for group, one in self._known.items() if self._monotonic() - one.asked_at < _UNWANTED_S]
                await asyncio.gather(*(self.go_round(group) for group in wanted))
                if not wanted:
                    await self._wanted.wait()
                    continue
                moving = any(self._known[group].pause == _MOVING_S for group in wanted)
                await asyncio.sleep(min(self._every, _MOVING_S) if moving else self._every)
        finally:
            self._tell = None

    async def go_round(self, group: Group) -> None:
        """Look at one group and read its news. Asking by itself does not count as being asked for."""
        known = self._known[group]
        async with known.lock:
            if known.looked_at is None or self._monotonic() - known.looked_at >= known.pause:
                await self._fetch(group, known)
        if known.why:
            return
        since = known.news_at if known.news_at is not None else self._wall() - _LOOK_BACK_S
        since = min(since, self._wall() - 600)  # this clock may have been ahead, and set right since
        try:
            async with asyncio.timeout(self._deadline):
                news = await self._cloud.news(group, since)
        except Exception:  # without the right to read events, or without an answer, the state is still known
            return
        for one in sorted(news, key=lambda one: one.at or 0.0):
            if one in known.news or not self._concerns(group, one):
                continue
            known.news[one] = None
            item = known.items.get(one.id)
            self._say(group, one, item.observation if item is not None else None)
        while len(known.news) > _MOST_KNOWN_NEWS:
            del known.news[next(iter(known.news))]
        # what comes late is still read: a cloud's events are minutes behind at times
        known.news_at = self._wall() - 600

    def _concerns(self, group: Group, news: CloudNews) -> bool:
        return (group, news.id) in self._refs


def _word(before: Observation, now: Observation) -> str:
    if before.state is not now.state and now.state is not ProcessState.UNKNOWN:
        return "started" if now.state is ProcessState.RUNNING else "stopped"
    if before.identity and now.identity and before.identity != now.identity:
        return "restarted"
    if before.image != now.image:
        return "image"
    return "config" if before.config != now.config else "health"
