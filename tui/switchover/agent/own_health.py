"""How the agent itself fares: processor, memory, lag of its loop, how much it holds."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

__all__ = ["OwnHealth"]

_LOOK_EVERY_S = 0.5
_KEPT = 120  # one minute of lag
_UNWELL_LAG_S = 1.0


@dataclass(slots=True)
class OwnHealth:
    """Figures of this process. `websockets` and `dropped_clients` are kept by the API."""

    websockets: int = 0
    dropped_clients: int = 0
    requests: int = 0
    lags: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT))
    _cpu: tuple[float, float] = (0.0, 0.0)
    cpu_percent: float = 0.0

    async def watch(self) -> None:
        """Measure how late the loop is, until cancelled."""
        loop = asyncio.get_running_loop()
        self._cpu = (time.process_time(), loop.time())
        while True:
            before = loop.time()
            await asyncio.sleep(_LOOK_EVERY_S)
            now = loop.time()
            self.lags.append(max(0.0, now - before - _LOOK_EVERY_S))
            used, since = self._cpu
            if now - since >= 5:
                spent = time.process_time()
                self.cpu_percent = 100 * (spent - used) / (now - since)
                self._cpu = (spent, now)

    @property
    def lag_p99_s(self) -> float:
        """The lag that one look in a hundred exceeds, of the last minute."""
        ordered = sorted(self.lags)
        return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] if ordered else 0.0

    @property
    def trouble(self) -> str:
        """What is wrong, in a few words; empty where nothing is."""
        late = self.lags[-1] if self.lags else 0.0
        return f"the agent is {late:.1f} s behind" if late > _UNWELL_LAG_S else ""

    @property
    def memory_bytes(self) -> int:
        """The memory that this process holds now."""
        import psutil

        return int(psutil.Process().memory_info().rss)

    def document(self) -> dict[str, Any]:
        """Return the figures as JSON data."""
        return {
            "cpu_percent": round(self.cpu_percent, 2),
            "memory_bytes": self.memory_bytes,
            "loop_lag_p99_ms": round(self.lag_p99_s * 1000, 2),
            "connected_websockets": self.websockets,
            "dropped_websockets": self.dropped_clients,
            "api_requests": self.requests,
        }
