"""What runs here and was found by itself: listed through the providers that can list, and followed from then on."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from switchover.clock import Clock
from switchover.services.inventory import DEADLINE_S, ServiceState, follow, probe_targets, unreadable
from switchover.services.provider_api import Found, Lists, Observation, Provider

__all__ = ["Discovery", "DiscoveryChange", "FoundState"]

_MOST = 5000  # of one kind; a host with more shows the first of them


@dataclass(frozen=True, slots=True)
class FoundState:
    """Something that was found, up to now."""

    found: Found
    state: ServiceState


@dataclass(frozen=True, slots=True)
class DiscoveryChange:
    """How something that was found stands now, and before; None where it was not there, or has gone."""

    id: str
    before: FoundState | None
    after: FoundState | None


class Discovery:
    """Keeps what was found, by id (`kind:ref`). `version` grows whenever something of it is another.

    `away` are the kinds whose source said at the last listing that it cannot look.
    """

    def __init__(self, providers: Iterable[Provider], clock: Clock) -> None:
        self.providers: Mapping[str, Provider] = {p.kind: p for p in providers if isinstance(p, Lists)}
        self.found: dict[str, FoundState] = {}
        self.version = 0
        self.left_out: dict[str, int] = {}
        self.away: set[str] = set()
        self._clock = clock
        self._looks = 0
        self._newest: dict[str, int] = {}  # which look, listing or telling each state is of

    async def list_kind(self, kind: str) -> list[DiscoveryChange]:
        """List all there is of a kind, and return what is another now.

        Where the provider cannot look, the earlier findings stay, marked as old.
        """
        provider = self.providers[kind]
        assert isinstance(provider, Lists)
        began = self._begin()
        try:
            async with asyncio.timeout(DEADLINE_S):
                listed = await provider.discover()
        except TimeoutError:
            return []
        if not listed and provider.off():
            self.away.add(kind)
            return []
        self.away.discard(kind)
        self.left_out[kind] = max(len(listed) - _MOST, 0)
        changes: list[DiscoveryChange] = []
        there: set[str] = set()
        for found in listed[:_MOST]:
            there.add(found.target.name)
            changes += self._note(found.target.name, found, found.observation, began)
        prefix = f"{kind}:"
        for name in [n for n in self.found if n not in there and n.startswith(prefix)]:
            changes.append(DiscoveryChange(name, self.found.pop(name), None))
            self._newest.pop(name, None)
        self.version += 1
        return changes

    async def probe(self, names: Collection[str]) -> list[DiscoveryChange]:
        """Look at some of what was found now."""
        by_kind: dict[str, list[Found]] = {}
        for name in names:
            if (known := self.found.get(name)) is not None:
                by_kind.setdefault(known.found.target.kind, []).append(known.found)
        changes: list[DiscoveryChange] = []
        for kind, found in by_kind.items():
            began = self._begin()
            failed: Exception | None = None
            try:
                seen = await probe_targets(self.providers[kind], [one.target for one in found])
            except Exception as error:  # raised again below, as by `Inventory.look`
                failed = error
                seen = {one.target.name: unreadable(error) for one in found}
            for one in found:
                name = one.target.name
                if name in seen and name in self.found:
                    changes += self._note(name, self.found[name].found, seen[name], began)
            if failed is not None:
                raise failed
        return changes

    def adopt(self, name: str, seen: Observation) -> list[DiscoveryChange]:
        """Take an event about something that was discovered."""
        known = self.found.get(name)
        if known is None:
            return []
        return self._note(name, known.found, seen, self._begin())

    def forget(self) -> None:
        """Drop everything: nobody looks at it any more, so it would only get old."""
        if self.found:
            self.found.clear()
            self._newest.clear()
            self.version += 1

    def _begin(self) -> int:
        self._looks += 1
        return self._looks

    def _note(self, name: str, found: Found, seen: Observation, began: int) -> list[DiscoveryChange]:
        """Take an observation, unless something newer came since the inspection `began`."""
        before = self.found.get(name)
        if before is not None and self._newest.get(name, 0) > began:
            return []
        self._newest[name] = began
        state = before.state if before is not None else ServiceState()
        state = follow(state, seen, "", at=self._clock.now(), mono=self._clock.monotonic())
        after = self.found[name] = FoundState(found, state)
        self.version += 1
        return [DiscoveryChange(name, before, after)]
