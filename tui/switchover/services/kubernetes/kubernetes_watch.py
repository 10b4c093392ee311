"""Keeps pictures of the requested scopes of clusters: listed once, then updated by kubectl's watch."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from switchover.services.kubernetes.kubectl import ClusterScope, Kubectl
from switchover.services.kubernetes.kubernetes_objects import Event, read_event, read_list
from switchover.services.kubernetes.kubernetes_picture import Happened, Key, Picture
from switchover.services.provider_api import ServiceEvent

__all__ = ["WatchedScope", "WatchedScopes"]

_KIND = "kubernetes"
_FRESH_S = 1.0  # how long a listing answers for, so that many questions at once are one
_WATCHED_S = 120.0  # the same while a watch keeps it up to date; kubectl itself notices a line that is dead
_FAILED_S = 5.0  # the same where it could not be had, so that a cluster that hangs holds nobody up for long
_SILENT_S = 2.0  # a watch that runs so long without a word is there; it has nothing to say
_UNWANTED_S = 300.0  # a watch ends when nobody asked for so long
_NAMES_S = 60.0
_PAUSES_S = (0.2, 5.0)
_REFUSED_PAUSE_S = 60.0
_KINDS = ("deployments.apps", "pods")


@dataclass
class WatchedScope:
    """A scope that is watched. `up` are the kinds whose watch runs; `denied` those that may not be listed."""

    picture: Picture = field(default_factory=Picture)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    listed_at: float | None = None
    asked_at: float = 0.0
    why: str = ""
    up: set[str] = field(default_factory=set)
    denied: set[str] = field(default_factory=set)
    meanwhile: list[Event] | None = None

    @property
    def hides_deployments(self) -> bool:
        """Whether deployments may not be listed here."""
        return _KINDS[0] in self.denied

    @property
    def lost(self) -> bool:
        """Whether not even its deployments are known."""
        return bool(self.why) and (not self.denied or self.hides_deployments)


class WatchedScopes:
    """All scopes. `refs` are what those who ask call a deployment, by context and by namespace and name."""

    def __init__(self, kubectl: Kubectl, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._kubectl = kubectl
        self._monotonic = monotonic
        self._watched_scopes: dict[ClusterScope, WatchedScope] = {}
        self._names: dict[str, tuple[float, tuple[str, str]]] = {}
        self.refs: dict[tuple[str, Key], set[str]] = {}
        self.wanted = asyncio.Event()
        self._tell_hub: Callable[[ServiceEvent], None] | None = None

    def why_lost(self) -> str:
        """Say why nothing at all can be seen, empty where something can."""
        watched_scopes = list(self._watched_scopes.values())
        return (
            watched_scopes[0].why
            if watched_scopes and all(watched_scope.lost for watched_scope in watched_scopes)
            else ""
        )

    def drop(self, scope: ClusterScope) -> None:
        """Look there no more."""
        self._watched_scopes.pop(scope, None)

    def list_anew(self) -> None:
        """Trust no listing any more, because something was done."""
        for watched_scope in self._watched_scopes.values():
            watched_scope.listed_at = None

    async def names_of(self, context: str) -> tuple[str, str]:
        """Return the context (the one in use where none is named) and its own namespace."""
        known = self._names.get(context)
        if known is None or self._monotonic() - known[0] > _NAMES_S:
            known = self._names[context] = (self._monotonic(), await self._kubectl.own_namespace(context))
        return known[1]

    async def probe(self, scope: ClusterScope) -> WatchedScope:
        """Return what is known of a scope, asked for now unless it is known well enough."""
        watched_scope = self._watched_scopes.setdefault(scope, WatchedScope())
        watched_scope.asked_at = self._monotonic()
        if (wide := self._covering(scope)) is not None:
            scope, watched_scope = ClusterScope(scope.context), wide
        async with watched_scope.lock:
            watched = watched_scope.up >= set(_KINDS) - watched_scope.denied
            age = None if watched_scope.listed_at is None else self._monotonic() - watched_scope.listed_at
            fresh = _FAILED_S if watched_scope.lost else _WATCHED_S if watched else _FRESH_S
            if age is None or age > fresh:
                await self._list(scope, watched_scope)
        self.wanted.set()
        return watched_scope

    def _covering(self, scope: ClusterScope) -> WatchedScope | None:
        """Return the sight of all namespaces where its watch runs: one of a single namespace would only repeat it."""
        wide = self._watched_scopes.get(ClusterScope(scope.context)) if scope.namespace else None
        if wide is None or wide.lost or wide.listed_at is None or not wide.up >= set(_KINDS) - wide.denied:
            return None
        return wide

    async def _list(self, scope: ClusterScope, watched_scope: WatchedScope) -> None:
        watched_scope.meanwhile = []
        answer = await self._kubectl.run(("get", ",".join(_KINDS), *scope.words(), "-o", "json"))
        meanwhile, watched_scope.meanwhile = watched_scope.meanwhile, None
        watched_scope.why, watched_scope.listed_at = answer.why, self._monotonic()
        # what may be listed is there even if kubectl ends with an error over the rest
        watched_scope.denied = {kind for kind in _KINDS if f"may not list {kind.split('.')[0]} " in answer.why}
        if watched_scope.lost:
            return
        try:
            happened = watched_scope.picture.replace(read_list(answer.output))
        except ValueError:
            watched_scope.why, watched_scope.denied = "kubectl answered what cannot be read", set()
            return
        for event in meanwhile:  # what was told while the listing was on its way is newer than it
            happened += watched_scope.picture.apply(event)
        for one in happened:
            self._tell(scope, one)

    async def watch(self, tell: Callable[[ServiceEvent], None]) -> None:
        """Tell what happens in each scope that somebody asked for."""
        running: dict[ClusterScope, asyncio.Task[None]] = {}
        self._tell_hub = tell
        try:
            while True:
                for scope in [scope for scope, task in running.items() if task.done()]:
                    running.pop(scope).result()  # raises: what nobody foresaw ends the watch, which begins anew
                for scope, watched_scope in list(self._watched_scopes.items()):
                    if scope not in running and self._covering(scope) is None and not self._kubectl.missing():
                        running[scope] = asyncio.create_task(self._follow(scope, watched_scope))
                        running[scope].add_done_callback(lambda _: self.wanted.set())
                    elif scope in running and self._monotonic() - watched_scope.asked_at > _UNWANTED_S:
                        del self._watched_scopes[scope]
                for scope in list(running):
                    if scope not in self._watched_scopes or self._covering(scope) is not None:
                        running.pop(scope).cancel()
                self.wanted.clear()
                try:
                    async with asyncio.timeout(_NAMES_S):
                        await self.wanted.wait()
                except TimeoutError:
                    continue
        finally:
            self._tell_hub = None
            for task in running.values():
                task.cancel()
            await asyncio.gather(*running.values(), return_exceptions=True)

    async def _follow(self, scope: ClusterScope, watched_scope: WatchedScope) -> None:
        async with asyncio.TaskGroup() as both:  # which waits for both to have ended, unlike `gather`
            for kind in _KINDS:
                both.create_task(self._follow_kind(scope, watched_scope, kind))

    async def _follow_kind(self, scope: ClusterScope, watched_scope: WatchedScope, kind: str) -> None:
        words = ("get", kind, *scope.words(), "--watch", "--output-watch-events", "-o", "json")
        pause = _PAUSES_S[0]

        def connected() -> None:
            if kind not in watched_scope.up:
                watched_scope.up.add(kind)
                watched_scope.listed_at = None
                self._say(ServiceEvent(_KIND, "", listing=True))

        def take(line: bytes) -> None:
            connected()
            if (event := read_event(line)) is None:
                return
            if watched_scope.meanwhile is not None:
                watched_scope.meanwhile.append(event)
            for one in watched_scope.picture.apply(event):
                self._tell(scope, one)

        while True:
            began = self._monotonic()
            silent = asyncio.get_running_loop().call_later(_SILENT_S, connected)
            try:
                why = await self._kubectl.follow(words, take)
            finally:
                silent.cancel()
                watched_scope.up.discard(kind)
            if self._monotonic() - began > _PAUSES_S[1]:
                pause = _PAUSES_S[0]
            await asyncio.sleep(_REFUSED_PAUSE_S if " may not " in why else pause)
            pause = min(2 * pause, _PAUSES_S[1])

    def _tell(self, scope: ClusterScope, one: Happened) -> None:
        context = self._names[scope.context][1][0] if scope.context in self._names else scope.context
        refs = self.refs.get((context, one.key), {f"{one.key[0]}/{one.key[1]}"})
        for ref in sorted(refs):
            self._say(
                ServiceEvent(
                    _KIND, ref, one.what, one.text, one.status, one.at, observation=one.observation, listing=one.listing
                )
            )

    def _say(self, told: ServiceEvent) -> None:
        if self._tell_hub is not None:
            self._tell_hub(told)
