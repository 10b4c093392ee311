"""Deployments of Kubernetes through `kubectl`, where one is installed and configured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar

from switchover.errors import RefusedError
from switchover.services.kubernetes.kubectl import ClusterScope, Kubectl
from switchover.services.kubernetes.kubernetes_kind import KubernetesKind
from switchover.services.kubernetes.kubernetes_watch import WatchedScopes
from switchover.services.provider_api import (
    Capability,
    Found,
    LogSource,
    LogSpan,
    Observation,
    ProcessState,
    ServiceEvent,
    ServiceTarget,
)
from switchover_checks.api import Status

__all__ = ["KubernetesProvider"]

_OWN_ONLY_S = 300.0  # how long it is not tried again to list all namespaces


class KubernetesProvider:
    """Looks at deployments and their pods. While a watch runs, a look costs nothing.

    A deployment is known by (context, namespace, name); `ref` is what whoever asked for it calls it.
    """

    kind: ClassVar[str] = KubernetesKind.kind
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
        self._watched_scopes = WatchedScopes(self._kubectl, monotonic)
        self._own_only: float | None = None

    def off(self) -> str:
        """Say why no deployment can be seen. Where only one cluster is away, its services themselves say so."""
        lost = self._watched_scopes.why_lost()
        return self._kubectl.missing() or (f"Kubernetes: {lost}" if lost else "")

    async def aclose(self) -> None:
        """Nothing is held but what `watch` runs, which ends with it."""

    async def inspect(self, targets: Sequence[ServiceTarget]) -> Mapping[str, Observation]:
        """Look at these deployments; those of one namespace cost one call."""
        if why := self._kubectl.missing():
            return {target.name: Observation(ProcessState.UNKNOWN, Status.UNKNOWN, why) for target in targets}
        return dict(await asyncio.gather(*(self._one(target) for target in targets)))

    async def _one(self, target: ServiceTarget) -> tuple[str, Observation]:
        context, namespace = await self._place(target)
        key = (namespace, target.deployment)
        self._watched_scopes.refs.setdefault((context, key), set()).add(target.ref)
        watched_scope = await self._watched_scopes.probe(ClusterScope(target.context, namespace))
        seen = watched_scope.picture.observation(key)
        if watched_scope.lost:
            return target.name, Observation(ProcessState.UNKNOWN, Status.UNKNOWN, watched_scope.why)
        if seen is None:
            missing = f"no deployment {target.deployment} in namespace {namespace}"
            return target.name, Observation(ProcessState.STOPPED, Status.CRIT, missing)
        return target.name, replace(seen, detail=f"{seen.detail}; {watched_scope.why}") if watched_scope.why else seen

    async def discover(self) -> Sequence[Found]:
        """Find the deployments of all namespaces, or of the context's own where not all may be listed."""
        if self._kubectl.missing():
            return []
        context, namespace = await self._watched_scopes.names_of("")
        scope = ClusterScope("", "")
        if self._own_only is not None and self._monotonic() - self._own_only < _OWN_ONLY_S:
            scope = ClusterScope("", namespace)
        watched_scope = await self._watched_scopes.probe(scope)
        if not scope.namespace and watched_scope.hides_deployments:
            self._own_only = self._monotonic()
            self._watched_scopes.drop(scope)
            watched_scope = await self._watched_scopes.probe(ClusterScope("", namespace))
        found: list[Found] = []
        if watched_scope.lost:
            return found
        for key in sorted(watched_scope.picture):
            seen = watched_scope.picture.observation(key)
            if seen is not None:
                plain = f"{key[0]}/{key[1]}"
                # by the name that a plan has for it, so that it is not taken for another one
                ref = next(
                    (ref for ref in sorted(self._watched_scopes.refs.get((context, key), ())) if ref != plain), plain
                )
                target = ServiceTarget(f"{self.kind}:{ref}", self.kind, ref, deployment=key[1], namespace=key[0])
                found.append(Found(target, seen, key[1], key[0]))
        return found

    async def _place(self, target: ServiceTarget) -> tuple[str, str]:
        context, own = await self._watched_scopes.names_of(target.context)
        return context, target.namespace or own

    async def watch(self, tell: Callable[[ServiceEvent], None]) -> None:
        """Tell what happens in each namespace that somebody asked for."""
        await self._watched_scopes.watch(tell)

    async def act(self, target: ServiceTarget, action: Capability, argument: str = "") -> str:
        """Restart or scale a deployment. To scale it to 0 is to stop it."""
        if why := self._kubectl.missing():
            raise RefusedError(why)
        if not (words := self.command_line(target, action, argument)):
            raise RefusedError(f"a deployment has no {action.value}")
        answer = await self._kubectl.run(words[1:])
        self._watched_scopes.list_anew()
        if answer.why.startswith("kubectl did not answer"):
            raise RefusedError(answer.why, "whether it was done is not known: look at it before you try again")
        if answer.why:
            raise RefusedError(answer.why)
        if action is Capability.RESTART:
            return "its pods are replaced one after the other"
        return f"scaled to {argument.strip()}"

    def command_line(self, target: ServiceTarget, action: Capability, argument: str = "") -> tuple[str, ...]:
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

    async def log_source(self, target: ServiceTarget, span: LogSpan) -> LogSource | str:
        """Return the command that reads the logs of all its pods; those that come later are not in it."""
        if why := self._kubectl.missing():
            return why
        _, namespace = await self._place(target)
        watched_scope = await self._watched_scopes.probe(ClusterScope(target.context, namespace))
        deployment = watched_scope.picture.get((namespace, target.deployment))
        if deployment is None:
            return watched_scope.why or f"no deployment {target.deployment} in namespace {namespace}"
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

    def shell(self, target: ServiceTarget) -> tuple[str, ...] | str:
        """Return the argv of a shell in one of its pods."""
        if why := self._kubectl.missing():
            return why
        start = "command -v bash >/dev/null && exec bash || exec sh"
        return (*_to(target), "exec", "-it", f"deployment/{target.deployment}", "--", "sh", "-c", start)


def _to(target: ServiceTarget) -> tuple[str, ...]:
    context = (f"--context={target.context}",) if target.context else ()
    return ("kubectl", *context, *((f"--namespace={target.namespace}",) if target.namespace else ()))
