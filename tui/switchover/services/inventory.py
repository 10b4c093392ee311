"""All services of a plan: looks at them through their providers and remembers what changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from switchover.clock import Clock
from switchover.plan.model import Service
from switchover.services.api import Provider, RunState, Seen, Target
from switchover_checks.api import Status

__all__ = ["Inventory", "ServiceState"]

_CPU_HISTORY = 30
_UNSEEN = Seen(RunState.UNKNOWN, Status.PENDING, "not looked at yet")


@dataclass(frozen=True, slots=True)
class ServiceState:
    """A service up to now. `ever_ran` says that it was seen running since the watch began."""

    seen: Seen = _UNSEEN
    url: str = ""
    observed_at: float | None = None
    observed_mono: float | None = None
    changed_at: float | None = None
    restarts: int = 0
    ever_ran: bool = False
    last_identity: str = ""
    cpu_history: tuple[float, ...] = ()


class Inventory:
    """Keeps the state of every service. `targets` fills in a service's keys now, or says which variable is missing."""

    def __init__(
        self,
        services: Mapping[str, Service],
        providers: Iterable[Provider],
        targets: Callable[[str], Target | str],
        clock: Clock,
    ) -> None:
        self.services = services
        self.providers = {provider.kind: provider for provider in providers}
        self._targets = targets
        self._clock = clock
        self.states: dict[str, ServiceState] = {name: ServiceState() for name in services}

    def take_over(self, before: Inventory) -> None:
        """Keep what another one has seen of the services that are the same here."""
        for name, service in self.services.items():
            if before.services.get(name) == service:
                self.states[name] = before.states[name]

    async def statuses(self, names: Collection[str]) -> Mapping[str, Status]:
        """Look at the named services now and return the health of each."""
        await self.look(names)
        return {name: self.states[name].seen.health for name in names}

    async def look(self, names: Collection[str]) -> None:
        """Look at the named services now; those of one kind are asked together."""
        by_kind: dict[str, list[Target]] = {}
        for name in names:
            target = self._targets(name)
            if isinstance(target, str):
                self._note(name, Seen(RunState.UNKNOWN, Status.PENDING, target), "")
            else:
                by_kind.setdefault(target.kind, []).append(target)
        await asyncio.gather(*(self._ask(kind, targets) for kind, targets in by_kind.items()))

    async def _ask(self, kind: str, targets: list[Target]) -> None:
        provider = self.providers.get(kind)
        seen: Mapping[str, Seen] = {} if provider is None else await provider.inspect(targets)
        nothing = Seen(RunState.UNKNOWN, Status.UNKNOWN, f"nothing here can look at a service of kind {kind}")
        for target in targets:
            self._note(target.name, seen.get(target.name, nothing), target.url)

    def _note(self, name: str, seen: Seen, url: str) -> None:
        self.states[name] = follow(self.states[name], seen, url, at=self._clock.now(), mono=self._clock.monotonic())

    def notes(self) -> dict[str, str]:
        """Return the providers that are off with the reason."""
        return {kind: why for kind, provider in self.providers.items() if (why := provider.off())}

    async def aclose(self) -> None:
        """Let the providers go."""
        await asyncio.gather(*(provider.aclose() for provider in self.providers.values()))


def follow(state: ServiceState, seen: Seen, url: str, *, at: float, mono: float) -> ServiceState:
    """Return the state after one more look. A restart is another identity where one was known before."""
    running = seen.state is RunState.RUNNING
    restarted = bool(running and seen.identity and state.last_identity and seen.identity != state.last_identity)
    changed = seen.state is not state.seen.state or seen.health is not state.seen.health or restarted
    history = state.cpu_history
    if not running or restarted:
        history = ()
    elif seen.cpu_percent is not None:
        history = (*history, round(seen.cpu_percent, 1))[-_CPU_HISTORY:]
    return replace(
        state,
        seen=seen,
        url=url,
        observed_at=at,
        observed_mono=mono,
        changed_at=at if changed else state.changed_at,
        restarts=state.restarts + restarted,
        ever_ran=state.ever_ran or running,
        last_identity=seen.identity if running and seen.identity else state.last_identity,
        cpu_history=history,
    )
