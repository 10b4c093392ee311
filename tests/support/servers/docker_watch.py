"""A provider that is being told, and waiting for what it is told or for how something is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from switchover.services.compose.compose_provider import ComposeProvider
from switchover.services.docker.docker_provider import DockerProvider
from switchover.services.provider_api import Observation, ServiceEvent, ServiceTarget

__all__ = ["Watched", "target", "watching"]

_LIMIT_S = 15.0


def target(name: str, host: str = "") -> ServiceTarget:
    ref = f"{host}/{name}" if host else name
    return ServiceTarget(name, "docker", ref, container=name, docker_host=host)


class Watched:
    """A provider, and all that it told."""

    def __init__(self, provider: DockerProvider | ComposeProvider) -> None:
        self.provider = provider
        self.told: list[ServiceEvent] = []
        self._news = asyncio.Event()

    def tell(self, told: ServiceEvent) -> None:
        self.told.append(told)
        self._news.set()

    async def until_told(self, *whats: str, ref: str = "") -> list[ServiceEvent]:
        """Wait until these were told, in this order, of `ref` (all where none is given); return them."""

        def found() -> list[ServiceEvent]:
            rest = list(whats)
            kept = []
            for told in self.told:
                if rest and told.what == rest[0] and (not ref or told.ref == ref):
                    kept.append(told)
                    rest.pop(0)
            return [] if rest else kept

        await self._until(lambda: bool(found()), lambda: f"{whats} of {ref!r}; was told {self.told}")
        return found()

    async def until_links(self, count: int) -> None:
        """Wait until the link to the daemon was made `count` times."""

        def made() -> int:
            return sum(told.listing and not told.ref and told.what == "note" for told in self.told)

        await self._until(lambda: made() >= count, lambda: f"{count} links; was told {self.told}")

    async def until_seen(self, wanted: ServiceTarget, true: Callable[[Observation], bool]) -> Observation:
        """Look until `true` of what is seen."""
        limit = time.monotonic() + _LIMIT_S
        while True:
            seen = (await self.provider.inspect([wanted]))[wanted.name]
            if true(seen):
                return seen
            if time.monotonic() > limit:
                pytest.fail(f"not seen in time; is {seen}", pytrace=False)
            await asyncio.sleep(0.02)

    async def _until(self, true: Callable[[], bool], what: Callable[[], str]) -> None:
        limit = time.monotonic() + _LIMIT_S
        while not true():
            self._news.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), 0.5)
            if time.monotonic() > limit:
                pytest.fail(f"not told in time: {what()}", pytrace=False)


@asynccontextmanager
async def watching(provider: DockerProvider | ComposeProvider) -> AsyncIterator[Watched]:
    """Have `provider` watch, from when it is connected on."""
    watched = Watched(provider)
    task = asyncio.ensure_future(provider.watch(watched.tell))
    try:
        await watched.until_links(1)
        yield watched
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await provider.aclose()
