"""Deployments of Kubernetes through `kubectl`, where one is installed and configured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import ClassVar

from switchover.errors import RefusedError
from switchover.services.api import Capability, Found, LogSource, LogSpan, RunState, Seen, Target, Told
from switchover.services.kubectl import Kubectl, Scope
from switchover.services.kubernetes_objects import Event, read_event, read_list
from switchover.services.kubernetes_picture import Happened, Key, Picture
from switchover_checks.api import Status

__all__ = ["KubernetesProvider"]

_FRESH_S = 1.0  # how long a listing answers for, so that many questions at once are one
_WATCHED_S = 120.0  # the same while a watch keeps it up to date; kubectl itself notices a line that is dead
_FAILED_S = 5.0  # the same where it could not be had, so that a cluster that hangs holds nobody up for long
_SILENT_S = 2.0  # a watch that runs so long without a word is there; it has nothing to say
_UNWANTED_S = 300.0  # a watch ends when nobody asked for so long
_NAMES_S = 60.0
_OWN_ONLY_S = 300.0  # how long it is not tried again to list all namespaces
_PAUSES_S = (0.2, 5.0)
_REFUSED_PAUSE_S = 60.0
_KINDS = ("deployments.apps", "pods")


@dataclass
class _Sight:
    """A scope that is looked at. `up` are the kinds whose watch runs; `denied` those that may not be listed."""

    picture: Picture = field(default_factory=Picture)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    listed_at: float | None = None
    asked_at: float = 0.0
    why: str = ""
    up: set[str] = field(default_factory=set)
    denied: set[str] = field(default_factory=set)
    meanwhile: list[Event] | None = None

    @property
    def lost(self) -> bool:
        """Whether not even its deployments are known."""
        return bool(self.why) and (not self.denied or _KINDS[0] in self.denied)


class KubernetesProvider:
    """Looks at deployments and their pods. While a watch runs, a look costs nothing.

    A deployment is known by (context, namespace, name); `ref` is what whoever asked for it calls it.
    """

    kind: ClassVar[str] = "kubernetes"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {
            Capability.LIST,
            Capability.INSPECT,
            Capability.WATCH,
            Capability.RESTART,
            Capability.SCALE,
            Capability.LOGS,
            Capability.EXEC,
        }
    )

    def __init__(self, kubectl: Kubectl | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._kubectl = kubectl or Kubectl()
        self._monotonic = monotonic
        self._sights: dict[Scope, _Sight] = {}
        self._names: dict[str, tuple[float, tuple[str, str]]] = {}
        self._refs: dict[tuple[str, Key], set[str]] = {}
        self._wanted = asyncio.Event()
        self._own_only: float | None = None
        self._tell_hub: Callable[[Told], None] | None = None

    def off(self) -> str:
        """Say why no deployment can be seen. Where only one cluster is away, its services themselves say so."""
        sights = list(self._sights.values())
        lost = f"Kubernetes: {sights[0].why}" if sights and all(sight.lost for sight in sights) else ""
        return self._kubectl.missing() or lost

    async def aclose(self) -> None:
        """Nothing is held but what `watch` runs, which ends with it."""

    async def inspect(self, targets: Sequence[Target]) -> Mapping[str, Seen]:
        """Look at these deployments; those of one namespace cost one call."""
        if why := self._kubectl.missing():
            return {target.name: Seen(RunState.UNKNOWN, Status.UNKNOWN, why) for target in targets}
        return dict(await asyncio.gather(*(self._one(target) for target in targets)))

    async def _one(self, target: Target) -> tuple[str, Seen]:
        context, namespace = await self._place(target)
        key = (namespace, target.deployment)
        self._refs.setdefault((context, key), set()).add(target.ref)
        sight = await self._look(Scope(target.context, namespace))
        seen = sight.picture.seen(key)
        if sight.lost:
            return target.name, Seen(RunState.UNKNOWN, Status.UNKNOWN, sight.why)
        if seen is None:
            missing = f"no deployment {target.deployment} in namespace {namespace}"
            return target.name, Seen(RunState.STOPPED, Status.CRIT, missing)
        return target.name, replace(seen, detail=f"{seen.detail}; {sight.why}") if sight.why else seen

    async def discover(self) -> Sequence[Found]:
        """Find the deployments of all namespaces, or of the context's own where not all may be listed."""
        if self._kubectl.missing():
            return []
        context, namespace = await self._names_of("")
        scope = Scope("", "")
        if self._own_only is not None and self._monotonic() - self._own_only < _OWN_ONLY_S:
            scope = Scope("", namespace)
        sight = await self._look(scope)
        if not scope.namespace and _KINDS[0] in sight.denied:
            self._own_only = self._monotonic()
            self._sights.pop(scope, None)
            sight = await self._look(Scope("", namespace))
        found: list[Found] = []
        if sight.lost:
            return found
        for key in sorted(sight.picture):
            seen = sight.picture.seen(key)
            if seen is not None:
                plain = f"{key[0]}/{key[1]}"
                # by the name that a plan has for it, so that it is not taken for another one
                ref = next((ref for ref in sorted(self._refs.get((context, key), ())) if ref != plain), plain)
                target = Target(f"{self.kind}:{ref}", self.kind, ref, deployment=key[1], namespace=key[0])
                found.append(Found(target, seen, key[1], key[0]))
        return found

    async def _place(self, target: Target) -> tuple[str, str]:
        context, own = await self._names_of(target.context)
        return context, target.namespace or own

    async def _names_of(self, context: str) -> tuple[str, str]:
        known = self._names.get(context)
        if known is None or self._monotonic() - known[0] > _NAMES_S:
            known = self._names[context] = (self._monotonic(), await self._kubectl.own_namespace(context))
        return known[1]

    async def _look(self, scope: Scope) -> _Sight:
        sight = self._sights.setdefault(scope, _Sight())
        sight.asked_at = self._monotonic()
        if (wide := self._covering(scope)) is not None:
            scope, sight = Scope(scope.context), wide
        async with sight.lock:
            watched = sight.up >= set(_KINDS) - sight.denied
            age = None if sight.listed_at is None else self._monotonic() - sight.listed_at
            fresh = _FAILED_S if sight.lost else _WATCHED_S if watched else _FRESH_S
            if age is None or age > fresh:
                await self._list(scope, sight)
        self._wanted.set()
        return sight

    def _covering(self, scope: Scope) -> _Sight | None:
        """Return the sight of all namespaces where its watch runs: one of a single namespace would only repeat it."""
        wide = self._sights.get(Scope(scope.context)) if scope.namespace else None
        if wide is None or wide.lost or wide.listed_at is None or not wide.up >= set(_KINDS) - wide.denied:
            return None
        return wide

    async def _list(self, scope: Scope, sight: _Sight) -> None:
        sight.meanwhile = []
        answer = await self._kubectl.run(("get", ",".join(_KINDS), *scope.words(), "-o", "json"))
        meanwhile, sight.meanwhile = sight.meanwhile, None
        sight.why, sight.listed_at = answer.why, self._monotonic()
        # what may be listed is there even if kubectl ends with an error over the rest
        sight.denied = {kind for kind in _KINDS if f"may not list {kind.split('.')[0]} " in answer.why}
        if sight.lost:
            return
        try:
            happened = sight.picture.replace(read_list(answer.output))
        except ValueError:
            sight.why, sight.denied = "kubectl answered what cannot be read", set()
            return
        for event in meanwhile:  # what was told while the listing was on its way is newer than it
            happened += sight.picture.apply(event)
        for one in happened:
            self._tell(scope, one)

    async def watch(self, tell: Callable[[Told], None]) -> None:
        """Tell what happens in each scope that somebody asked for."""
        running: dict[Scope, asyncio.Task[None]] = {}
        self._tell_hub = tell
        try:
            while True:
                for scope, sight in list(self._sights.items()):
                    if scope not in running and self._covering(scope) is None and not self._kubectl.missing():
                        running[scope] = asyncio.create_task(self._follow(scope, sight))
                    elif scope in running and self._monotonic() - sight.asked_at > _UNWANTED_S:
                        del self._sights[scope]
                for scope in list(running):
                    if scope not in self._sights or self._covering(scope) is not None:
                        running.pop(scope).cancel()
                self._wanted.clear()
                try:
                    async with asyncio.timeout(_NAMES_S):
                        await self._wanted.wait()
                except TimeoutError:
                    continue
        finally:
            self._tell_hub = None
            for task in running.values():
                task.cancel()
            await asyncio.gather(*running.values(), return_exceptions=True)

    async def _follow(self, scope: Scope, sight: _Sight) -> None:
        async with asyncio.TaskGroup() as both:  # which waits for both to have ended, unlike `gather`
            for kind in _KINDS:
                both.create_task(self._follow_kind(scope, sight, kind))

    async def _follow_kind(self, scope: Scope, sight: _Sight, kind: str) -> None:
        words = ("get", kind, *scope.words(), "--watch", "--output-watch-events", "-o", "json")
        pause = _PAUSES_S[0]

        def connected() -> None:
            if kind not in sight.up:
                sight.up.add(kind)
                sight.listed_at = None
                self._say(Told(self.kind, "", listing=True))

        def take(line: bytes) -> None:
            connected()
            if (event := read_event(line)) is None:
                return
            if sight.meanwhile is not None:
                sight.meanwhile.append(event)
            for one in sight.picture.apply(event):
                self._tell(scope, one)

        while True:
            began = self._monotonic()
            silent = asyncio.get_running_loop().call_later(_SILENT_S, connected)
            try:
                why = await self._kubectl.follow(words, take)
            finally:
                silent.cancel()
                sight.up.discard(kind)
            if self._monotonic() - began > _PAUSES_S[1]:
                pause = _PAUSES_S[0]
            await asyncio.sleep(_REFUSED_PAUSE_S if " may not " in why else pause)
            pause = min(2 * pause, _PAUSES_S[1])

    def _tell(self, scope: Scope, one: Happened) -> None:
        context = self._names[scope.context][1][0] if scope.context in self._names else scope.context
        refs = self._refs.get((context, one.key), {f"{one.key[0]}/{one.key[1]}"})
        for ref in sorted(refs):
            self._say(Told(self.kind, ref, one.what, one.text, one.status, one.at, one.seen, one.listing))

    def _say(self, told: Told) -> None:
        if self._tell_hub is not None:
            self._tell_hub(told)

    async def act(self, target: Target, action: Capability, argument: str = "") -> str:
        """Restart or scale a deployment. To scale it to 0 is to stop it."""
        if why := self._kubectl.missing():
            raise RefusedError(why)
        if not (words := self.command_line(target, action, argument)):
            raise RefusedError(f"a deployment has no {action.value}")
        answer = await self._kubectl.run(words[1:])
        for sight in self._sights.values():
            sight.listed_at = None
        if answer.why.startswith("kubectl did not answer"):
            raise RefusedError(answer.why, "whether it was done is not known: look at it before you try again")
        if answer.why:
            raise RefusedError(answer.why)
        if action is Capability.RESTART:
            return "its pods are replaced one after the other"
        return f"scaled to {argument.strip()}"

    def command_line(self, target: Target, action: Capability, argument: str = "") -> tuple[str, ...]:
        """Return the command; empty for what Kubernetes has no word for. Raise `RefusedError` for a wrong argument."""
        what = f"deployment/{target.deployment}"
        if action is Capability.RESTART:
            return (*_to(target), "rollout", "restart", what)
        if action is Capability.SCALE:
            count = argument.strip()
            if not (count.isascii() and count.isdigit() and int(count) <= 10_000):
                raise RefusedError(f"{argument!r} is no number of pods", "give a number, such as 3")
            return (*_to(target), "scale", what, f"--replicas={int(count)}")
        return ()

    async def log_source(self, target: Target, span: LogSpan) -> LogSource | str:
        """Return the command that reads the logs of all its pods; those that come later are not in it."""
        if why := self._kubectl.missing():
            return why
        _, namespace = await self._place(target)
        sight = await self._look(Scope(target.context, namespace))
        deployment = sight.picture.get((namespace, target.deployment))
        if deployment is None:
            return sight.why or f"no deployment {target.deployment} in namespace {namespace}"
        labels = deployment.spec.selector.match_labels or {}
        chosen: tuple[str, ...] = (f"deployment/{target.deployment}",)
        if labels and not deployment.spec.selector.match_expressions:
            pairs = ",".join(f"{name}={value}" for name, value in sorted(labels.items()))
            chosen = (f"--selector={pairs}", "--max-log-requests=50", "--ignore-errors")
        words = ["--all-containers", "--prefix", "--timestamps", f"--tail={span.tail}"]
        if span.since is not None:
            words.append(f"--since-time={datetime.fromtimestamp(span.since, UTC):%Y-%m-%dT%H:%M:%SZ}")
        if span.follow:
            words.append("--follow")
        return LogSource(target.name, "command", argv=(*_to(target), "logs", *chosen, *words), parse="kubernetes")

    def shell(self, target: Target) -> tuple[str, ...] | str:
        """Return the argv of a shell in one of its pods."""
        if why := self._kubectl.missing():
            return why
        start = "command -v bash >/dev/null && exec bash || exec sh"
        return (*_to(target), "exec", "-it", f"deployment/{target.deployment}", "--", "sh", "-c", start)


def _to(target: Target) -> tuple[str, ...]:
    context = (f"--context={target.context}",) if target.context else ()
    return ("kubectl", *context, *((f"--namespace={target.namespace}",) if target.namespace else ()))
