"""After an action its object is inspected at once, and again while it is not well."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from switchover.health.probing import Evaluator
from switchover.hub.services.service_watch import ServiceWatch
from switchover_checks.api import Status

__all__ = ["FollowUp"]

_log = logging.getLogger("switchover.hub")

_PAUSES_S = (2.0, 5.0)  # what was started takes a moment to be well


class Resting(Protocol):
    """Knows which checks are not watched now."""

    def resting(self, name: str) -> str:
        """Say why a check is not watched now; empty when it is."""
        ...


class FollowUp:
    """Looks at services and checks by their names, but at none that is not watched now."""

    def __init__(
        self,
        evaluator: Evaluator | None,
        services: ServiceWatch,
        watcher: Resting,
        *,
        pauses: Sequence[float] = _PAUSES_S,
    ) -> None:
        self._evaluator = evaluator
        self._services = services
        self._watcher = watcher
        self._pauses = tuple(pauses)
        self._under_way: set[asyncio.Task[None]] = set()

    def begin(self, subjects: Iterable[str], *, only_checks: bool = False) -> None:
        """Look at services (by name or id), at checks, and at the checks that watch those services. Does not wait.

        With `only_checks` somebody else looks at the services.
        """
        names = frozenset(name for name in subjects if name)
        services = frozenset[str]() if only_checks else names
        task = asyncio.get_running_loop().create_task(self._probe(self._checks_of(names), services), name="follow up")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def aclose(self) -> None:
        """Look no more."""
        tasks = list(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _probe(self, checks: Collection[str], services: Collection[str]) -> None:
        try:
            for pause in (0.0, *self._pauses):
                await asyncio.sleep(pause)
                await self._services.look_again(services)
                checks = await self._not_well(checks)
                if not checks:
                    return
        except Exception:  # the boundary: they are looked at in their rhythm anyway
            _log.exception("what was done could not be looked at")

    async def _not_well(self, checks: Collection[str]) -> list[str]:
        if self._evaluator is None or not checks:
            return []
        readings = await self._evaluator.evaluate_items(checks)
        return [name for name in checks if readings[name].status is not Status.OK]

    def _checks_of(self, names: Collection[str]) -> list[str]:
        items = self._evaluator.catalog.items.values() if self._evaluator is not None else ()
        about = ((item.name, {item.name, item.base, item.service, *item.needs}) for item in items)
        return [name for name, subjects in about if subjects.intersection(names) and not self._watcher.resting(name)]
