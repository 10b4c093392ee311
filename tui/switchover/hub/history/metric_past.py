"""Keeps what is measured on disk, and gives it back after a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path

from switchover.clock import Clock
from switchover.metrics.history.history import Column, History
from switchover.metrics.sampler import Sampler, Track

__all__ = ["MetricPast"]

_KEEP_EVERY_S = 10.0
_POINTS = 1000


class MetricPast:
    """The past of all metrics of one hub. `trouble` says why nothing is kept, where that is so."""

    def __init__(self, path: Path, sampler: Sampler, clock: Clock) -> None:
        self._history = History(path)
        self._sampler = sampler
        self._clock = clock

    @property
    def trouble(self) -> str:
        """Why nothing is kept; empty where all is well."""
        return self._history.trouble

    async def keep(self) -> None:
        """Put what is measured on disk every ten seconds, until cancelled; then once more."""
        await self._restore()
        try:
            while True:
                await asyncio.sleep(_KEEP_EVERY_S)
                await self._flush()
        finally:
            await asyncio.shield(asyncio.ensure_future(self._end()))

    async def columns(self, name: str, since: float, until: float, count: int) -> list[Column]:
        """Return a span of a metric in columns. Raise `KeyError` for one that there is not."""
        track = self._sampler.tracks[name]
        self._take(track)
        return await asyncio.to_thread(self._history.columns, _key(track), since, until, count)

    async def points(self, name: str, since: float, until: float) -> list[tuple[float, float]]:
        """Return the points of a metric; NaN is a gap. Raise `KeyError` for one that there is not."""
        track = self._sampler.tracks[name]
        self._take(track)
        return await asyncio.to_thread(self._history.newest, _key(track), since, until)

    # Inside

    async def _restore(self) -> None:
        """Fill what is empty with what was measured before this process began."""
        now, mono = self._clock.now(), self._clock.monotonic()
        for track in list(self._sampler.tracks.values()):
            since = now - _POINTS * track.series.step_s
            points = await asyncio.to_thread(self._history.newest, _key(track), since, now)
            track.series.restore(points[-_POINTS:], now=now, mono=mono)
            track.version += 1

    def _take(self, track: Track) -> None:
        fresh, track.fresh = track.fresh, track.fresh.__class__(maxlen=track.fresh.maxlen)
        self._history.add(_key(track), fresh)

    async def _flush(self) -> None:
        for track in list(self._sampler.tracks.values()):
            self._take(track)
        await asyncio.to_thread(self._history.flush, self._clock.now())

    async def _end(self) -> None:
        await self._flush()
        await asyncio.to_thread(self._history.close)


def _key(track: Track) -> tuple[str, float]:
    return track.name, track.series.step_s
