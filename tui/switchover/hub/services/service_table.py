"""The rows of all services as they stand, each made anew only when something of it is another."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from switchover.clock import Clock
from switchover.hub.hub_ports import Redacting, UnderWay
from switchover.hub.services.service_rows import ExpectedState, Offers, Stance, actions_of, found_row, service_row
from switchover.hub.services.service_watch import ServiceWatch
from switchover.plan.model import Service
from switchover.services.discovery import FoundState
from switchover.services.inventory import ServiceState
from switchover.services.service_kind import service_kind
from switchover.snapshot import ServiceRow

__all__ = ["ServiceRowCache"]

_SAID = ("detail", "group", "image", "user", "url")
_SAID_FOUND = ("name", *_SAID)  # a plan's own names are what it is asked for by
_Key = tuple[object, ...]


class ServiceRowCache:
    """Makes rows, without secrets in what others say: a health check's output, a process's name for itself."""

    def __init__(
        self,
        services: ServiceWatch,
        clock: Clock,
        under_way: UnderWay,
        hub: Redacting,
        *,
        read_only: bool,
    ) -> None:
        self._services = services
        self._inventory = services.inventory
        self._discovery = services.discovery
        self._sources = services.sources
        self._clock = clock
        self._under_way = under_way
        self._redact = hub.redact
        providers = self._inventory.providers
        self._offers = {kind: Offers.of(provider, read_only=read_only) for kind, provider in providers.items()}
        self._planned: dict[str, tuple[_Key, ServiceRow]] = {}
        self._found: dict[str, tuple[tuple[FoundState, _Key], ServiceRow]] = {}
        self._found_rows: tuple[ServiceRow, ...] = ()
        self._made_of: tuple[object, ...] = ()
        self._next_late = math.inf
        self._was_busy = False
        self._resting: Mapping[str, str] = {}

    def planned(self, expectation: ExpectedState, resting: Mapping[str, str]) -> tuple[ServiceRow, ...]:
        """Return the rows of the plan's services, in its order. `resting` says why one need not run now."""
        self._resting = resting
        return tuple(
            self._planned_row(name, service, expectation, resting.get(name, ""))
            for name, service in self._inventory.services.items()
        )

    def found(self) -> tuple[ServiceRow, ...]:
        """Return the rows of what was found and is in no plan; none while nobody wants them."""
        if not self._sources.wanted:
            return ()
        mono = self._clock.monotonic()
        limits = {kind: self._limit(kind) for kind in self._discovery.providers}
        made_of = (self._discovery.version, self._inventory.index_version, tuple(limits.values()))
        if made_of == self._made_of and mono < self._next_late and not self._is_busy():
            return self._found_rows
        self._made_of, self._next_late = made_of, math.inf
        planned = self._inventory.refs
        rows = []
        for name, known in self._discovery.found.items():
            target = known.found.target
            if (target.kind, target.ref) in planned:
                continue
            limit, floor = limits[target.kind]
            late_at = max(known.state.observed_mono or 0.0, floor) + limit
            late = mono > late_at
            if not late:
                self._next_late = min(self._next_late, late_at)
            key = (late, limit, self._under_way.doing(target.kind, target.ref))
            cached = self._found.get(name)
            if cached is None or cached[0][1] != key or not _is_same(cached[0][0], known, cached[1], limit):
                cached = self._found[name] = ((known, key), self._found_row(known, key[2], late=late, limit=limit))
            elif cached[0][0] is not known:
                cached = self._found[name] = ((known, key), cached[1])
            rows.append(cached[1])
        if len(rows) != len(self._found_rows) or any(map(operator.is_not, rows, self._found_rows)):
            self._found_rows = tuple(rows)
            if len(self._found) > len(self._discovery.found):
                self._found = {name: self._found[name] for name in self._discovery.found if name in self._found}
        return self._found_rows

    def found_now(self, name: str) -> ServiceRow | None:
        """Return the row of this id as `found` last returned it."""
        cached = self._found.get(name)
        return cached[1] if cached is not None else None

    def _is_busy(self) -> bool:
        """Say whether something is being done to anything, or was until just now: then rows say so, with its age."""
        before, self._was_busy = self._was_busy, self._under_way.busy()
        return before or self._was_busy

    def row(self, name: str, expectation: ExpectedState) -> ServiceRow | None:
        """Return the row with this id as it stands now, None where there is none."""
        service = self._inventory.services.get(name)
        if service is not None:
            return self._planned_row(name, service, expectation, self._resting.get(name, ""))
        known = self._discovery.found.get(name)
        if known is None:
            return None
        kind = known.found.target.kind
        limit, floor = self._limit(kind)
        late = self._clock.monotonic() - max(known.state.observed_mono or 0.0, floor) > limit
        return self._found_row(known, "", late=late, limit=limit)

    def _limit(self, kind: str) -> tuple[float, float]:
        """Return after how many seconds a kind's rows are late, and since when at the earliest that is counted.

        What a source showed before it went away is late at once: nobody knows whether it is still so.
        """
        if kind in self._discovery.away:
            return 0.0, 0.0
        line = self._sources.lines().get(kind)
        floor = line.lost_mono if line is not None and not self._sources.emits(kind) else 0.0
        return self._sources.late_after(kind, service_kind(kind).list_every_s), floor

    def _planned_row(self, name: str, service: Service, expectation: ExpectedState, resting: str) -> ServiceRow:
        state: ServiceState = self._inventory.states[name]
        late = self._services.is_late(name)
        limit = self._sources.late_after(service.kind, service.every)
        ref = self._inventory.ref_of(name)
        doing = self._under_way.doing(service.kind, ref)
        known = self._discovery.found.get(f"{service.kind}:{ref}") if ref else None
        found = known.found if known is not None else None
        group = found.group if found is not None else ""
        needs = self._ids(service.kind, found.needs) if found is not None else ()
        key: _Key = (late, limit, doing, resting, expectation, group, needs)
        cached = self._planned.get(name)
        if cached is not None and cached[0][0] is state and cached[0][1] == key:
            return cached[1]
        actions = actions_of(self._offers.get(service.kind, Offers()), state, late=late)
        stance = Stance(late, limit, doing, actions, group, needs)
        row = self._clean(service_row(name, service, state, expectation, stance, resting=resting), _SAID)
        self._planned[name] = ((state, key), row)
        return row

    def _found_row(self, known: FoundState, doing: str, *, late: bool, limit: float) -> ServiceRow:
        kind = known.found.target.kind
        actions = actions_of(self._offers[kind], known.state, late=late)
        needs = self._ids(kind, known.found.needs)
        return self._clean(found_row(known, Stance(late, limit, doing, actions, known.found.group, needs)), _SAID_FOUND)

    def _clean(self, row: ServiceRow, said: tuple[str, ...]) -> ServiceRow:
        """Take secrets and control sequences out of what others say."""
        changes: dict[str, Any] = {}
        for name in said:
            text = getattr(row, name)
            if text and (clean := self._redact(text)) != text:
                changes[name] = clean
        if row.ports and (ports := tuple(map(self._redact, row.ports))) != row.ports:
            changes["ports"] = ports
        return replace(row, **changes) if changes else row

    def _ids(self, kind: str, refs: tuple[str, ...]) -> tuple[str, ...]:
        """Return the ids of what a provider names by refs: the plan's names where it has them."""
        ids: list[str] = []
        for ref in refs:
            other, _, rest = ref.partition(":")
            known = (other, rest) if other in self._offers and not rest.startswith("//") else (kind, ref)
            ids += self._inventory.names_of(*known) or (":".join(known),)
        return tuple(ids)


def _is_same(before: FoundState, now: FoundState, row: ServiceRow, limit: float) -> bool:
    """Say whether a row still shows the newest observation.

    Repeated observations are published now and then, well in time.
    """
    if before is now:
        return True
    old, new = before.state, now.state
    seen_at, told_at = new.observed_at or 0.0, row.observed_at or 0.0
    return (
        abs(seen_at - told_at) < limit / 2  # also where the clock was set back meanwhile
        and new.observation == old.observation
        and new.changed_at == old.changed_at
        and new.wrong == old.wrong
        and new.restarts == old.restarts
        and (now.found.title, now.found.group, now.found.needs)
        == (before.found.title, before.found.group, before.found.needs)
    )
