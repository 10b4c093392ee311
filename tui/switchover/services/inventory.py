"""All services of a plan: looks at them through their providers and remembers what changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from switchover.clock import Clock
from switchover.plan.model import Service
from switchover.services.not_fine_since import FINE, Wrong, wrong_after
from switchover.services.provider_api import Observation, ProcessState, Provider, ServiceTarget
from switchover_checks.api import Status

__all__ = ["DEADLINE_S", "Inventory", "ServiceState", "follow", "probe_targets", "unreadable"]

DEADLINE_S = 15.0  # for one look; providers give up earlier by themselves
_CPU_HISTORY = 30
_UNSEEN = Observation(ProcessState.UNKNOWN, Status.PENDING, "not looked at yet")


@dataclass(frozen=True, slots=True)
class ServiceState:
    """A service up to now. `ever_ran` says that it was seen running since the watch began.

    `last_identity`, `last_image` and `last_config` are the last that were known: what it is compared with. `wrong` says
    since when it is not fine.
    """

    observation: Observation = _UNSEEN
    url: str = ""
    link: str = ""
    observed_at: float | None = None
    observed_mono: float | None = None
    changed_at: float | None = None
    restarts: int = 0
    ever_ran: bool = False
    last_identity: str = ""
    last_image: str = ""
    last_config: str = ""
    cpu_history: tuple[float, ...] = ()
    wrong: Wrong = FINE


class Inventory:
    """Keeps the state of every service. `targets` fills in a service's keys now, or says which variable is missing."""

    def __init__(
        self,
        services: Mapping[str, Service],
        providers: Iterable[Provider],
        targets: Callable[[str], ServiceTarget | str],
        clock: Clock,
    ) -> None:
        self.services = services
        self.providers = {provider.kind: provider for provider in providers}
        self._targets = targets
        self._clock = clock
        self.states: dict[str, ServiceState] = {name: ServiceState() for name in services}
        self._looks = 0
        self._newest: dict[str, int] = {}  # which look, or telling, each state is of
        self._refs: dict[str, tuple[str, str]] = {}
        self._by_ref: dict[tuple[str, str], tuple[str, ...]] = {}
        self.index_version = 0

    def take_over(self, before: Inventory) -> None:
        """Keep what another one has seen of the services that are the same here."""
        for name, service in self.services.items():
            if before.services.get(name) == service:
                self.states[name] = before.states[name]

    async def statuses(self, names: Collection[str]) -> Mapping[str, Status]:
        """Look at the named services now and return the health of each."""
        await self.probe(names)
        return {name: self.states[name].observation.health for name in names}

    def detail(self, name: str) -> str:
        """Say in words how a service was when it was last looked at."""
        seen = self.states[name].observation
        return f"{seen.state.value}: {seen.detail}" if seen.detail else seen.state.value

    def target(self, name: str) -> ServiceTarget | str:
        """Return what a service's provider is asked for, or in words what it waits for."""
        return self._targets(name)

    def names_of(self, kind: str, ref: str) -> tuple[str, ...]:
        """Return the services that are what a provider calls `ref`, as far as they were observed."""
        return self._by_ref.get((kind, ref), ())

    def ref_of(self, name: str) -> str:
        """Return the provider's name of a service; empty before it was observed."""
        return self._refs.get(name, ("", ""))[1]

    @property
    def refs(self) -> Collection[tuple[str, str]]:
        """All (kind, ref) that the plan's services are."""
        return self._by_ref.keys()

    async def probe(self, names: Collection[str]) -> None:
        """Look at the named services now; those of one kind are asked together."""
        by_kind: dict[str, list[ServiceTarget]] = {}
        for name in names:
            target = self._targets(name)
            if isinstance(target, str):
                self._note(name, Observation(ProcessState.UNKNOWN, Status.PENDING, target), "")
            else:
                self._index(target)
                by_kind.setdefault(target.kind, []).append(target)
        asked = (self._ask(kind, targets) for kind, targets in by_kind.items())
        for failed in await asyncio.gather(*asked, return_exceptions=True):
            if failed is not None:
                raise failed

    def adopt(self, name: str, seen: Observation) -> None:
        """Take an event of a source about a service."""
        self._looks += 1
        self._newest[name] = self._looks
        self._note(name, seen, self.states[name].url)

    def _index(self, target: ServiceTarget) -> None:
        before, now = self._refs.get(target.name), (target.kind, target.ref)
        if before == now:
            return
        self.index_version += 1
        if before is not None:
            self._by_ref[before] = tuple(n for n in self._by_ref[before] if n != target.name)
            if not self._by_ref[before]:
                del self._by_ref[before]
        self._refs[target.name] = now
        self._by_ref[now] = (*self._by_ref.get(now, ()), target.name)

    async def _ask(self, kind: str, targets: list[ServiceTarget]) -> None:
        provider = self.providers.get(kind)
        self._looks += 1
        mine = self._looks
        failed: Exception | None = None
        seen: Mapping[str, Observation] = {}
        try:
            seen = {} if provider is None else await probe_targets(provider, targets)
        except Exception as error:  # raised again below, once nobody takes what was seen before for the truth
            failed = error
            seen = {target.name: unreadable(error) for target in targets}
        nothing = Observation(
            ProcessState.UNKNOWN,
            Status.UNKNOWN,
            f"nothing here looks at services of kind {kind}: is it switched off in the settings?",
        )
        for target in targets:
            if self._newest.get(target.name, 0) < mine:  # else what was told or looked at meanwhile is newer
                self._newest[target.name] = mine
                self.states[target.name] = replace(self.states[target.name], link=target.link)
                self._note(target.name, seen.get(target.name, nothing), target.url)
        if failed is not None:
            raise failed

    def _note(self, name: str, seen: Observation, url: str) -> None:
        self.states[name] = follow(self.states[name], seen, url, at=self._clock.now(), mono=self._clock.monotonic())

    def notes(self) -> dict[str, str]:
        """Return the providers that are off with the reason."""
        return {kind: why for kind, provider in self.providers.items() if (why := provider.off())}

    async def aclose(self) -> None:
        """Let the providers go."""
        await asyncio.gather(*(provider.aclose() for provider in self.providers.values()))


async def probe_targets(provider: Provider, targets: Sequence[ServiceTarget]) -> Mapping[str, Observation]:
    """Look at targets of one provider. One that does not answer costs its own rows only, and not for ever."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            return await provider.inspect(targets)
    except TimeoutError:
        late = Observation(ProcessState.UNKNOWN, Status.UNKNOWN, f"no answer within {DEADLINE_S:.0f} s")
        return {target.name: late for target in targets}


def unreadable(error: Exception) -> Observation:
    """Return what is known of a service whose provider raised: nothing."""
    return Observation(ProcessState.UNKNOWN, Status.UNKNOWN, f"what came back cannot be read ({type(error).__name__})")


def follow(state: ServiceState, seen: Observation, url: str, *, at: float, mono: float) -> ServiceState:
    """Return the state after one more look. A restart is another identity where one was known before.

    The source says when it changed. A time in this clock's future is replaced by the time of the observation.
    """
    running = seen.state is ProcessState.RUNNING
    restarted = bool(running and seen.identity and state.last_identity and seen.identity != state.last_identity)
    changed = seen.state is not state.observation.state or seen.health is not state.observation.health or restarted
    history = state.cpu_history
    if not running or restarted:
        history = ()
    elif seen.cpu_percent is not None:
        history = (*history, round(seen.cpu_percent, 1))[-_CPU_HISTORY:]
    return replace(
        state,
        observation=seen,
        url=url,
        observed_at=at,
        observed_mono=mono,
        changed_at=_since(state, seen, at) if changed or _is_told_later(state.observation, seen) else state.changed_at,
        restarts=state.restarts + restarted,
        ever_ran=state.ever_ran or running,
        last_identity=seen.identity if running and seen.identity else state.last_identity,
        last_image=seen.image or state.last_image,
        last_config=seen.config or state.last_config,
        cpu_history=history,
        wrong=wrong_after(state.wrong, seen, at, first=state.observed_at is None),
    )


def _is_told_later(before: Observation, now: Observation) -> bool:
    """Say whether a source reports only now since when it is so. A list says less than an inspection."""
    return before.since is None and now.since is not None and not now.since_or_before


def _since(state: ServiceState, seen: Observation, at: float) -> float:
    """Return since when a service is as it is. One that runs well when it is first seen has done so since it began."""
    if seen.since is not None:
        return min(seen.since, at)
    began = state.observed_at is None and seen.health is Status.OK and seen.started_at is not None
    return min(seen.started_at, at) if began and seen.started_at is not None else at
