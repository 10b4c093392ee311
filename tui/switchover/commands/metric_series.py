"""Read what was measured: from memory and from disk, as one."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from switchover.commands.command import CommandContext, Question
from switchover.errors import RefusedError

__all__ = ["ReadSeries", "SeriesPart"]

_MOST_COLUMNS = 2_000
_LONGEST_S = 31 * 86_400.0


class SeriesPart(msgspec.Struct, frozen=True):
    """Columns of equal width: when each begins (epoch seconds), its mean, least and most; None for a gap."""

    since: float = 0.0
    until: float = 0.0
    columns: tuple[tuple[float, float | None, float | None, float | None], ...] = ()


class ReadSeries(Question[SeriesPart], frozen=True):
    """Read a span of a metric. Times in epoch seconds; `until` 0 is now."""

    name: ClassVar[str] = "series.read"
    metric: str
    since: float
    until: float = 0.0
    count: int = 240

    async def apply(self, at: CommandContext) -> SeriesPart:
        hub = at.hub
        until = self.until or hub.snapshot.at
        since = max(self.since, until - _LONGEST_S)
        if not since < until:
            raise RefusedError("a span begins before it ends")
        try:
            count = max(1, min(self.count, _MOST_COLUMNS))
            columns = await hub.past.columns(self.metric, since, until, count)
        except KeyError:
            names = [row.name for row in hub.snapshot.metrics]
            raise RefusedError(f"there is no metric {self.metric!r}", f"there are: {', '.join(names)}") from None
        return SeriesPart(since, until, tuple(columns))
