"""One schedule for everything that is asked again and again, without a herd and without overlaps."""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from typing import Generic, TypeVar

__all__ = ["Schedule"]

KeyT = TypeVar("KeyT", bound=Hashable)

_FIRST_ROUND_S = 2.0
_GOLDEN = 0.618_033_988_749_895
_GRAIN_S = 0.01


class Schedule(Generic[KeyT]):
    """Says what is due when. Times are monotonic seconds.

    The first round is spread over at most two seconds, so that a screen fills soon. The second is spread over the whole
    period, so that things of one period do not stay together. A beat that was missed is left out, not caught up with.
    """

    def __init__(self) -> None:
        self._period: dict[KeyT, float] = {}
        self._due: dict[KeyT, float] = {}
        self._second_round: dict[KeyT, float] = {}
        self._heap: list[tuple[float, int, KeyT]] = []
        self._order = 0

    def __len__(self) -> int:
        return len(self._period)

    def add(self, key: KeyT, period_s: float, now: float) -> None:
        """Let `key` be due soon, and from then on every `period_s` seconds."""
        share = (len(self._period) * _GOLDEN) % 1.0
        first = now + share * min(period_s, _FIRST_ROUND_S)
        self._period[key] = period_s
        self._second_round[key] = period_s * (1.0 - share / 2)
        self._set(key, first)

    def soon(self, key: KeyT, at: float) -> None:
        """Let `key` be due at `at`, if that is earlier than it would be anyway."""
        if key in self._due and at < self._due[key]:
            self._set(key, at)

    def due(self, now: float) -> list[KeyT]:
        """Return what is due by `now`, and set when each is due again."""
        ready: list[KeyT] = []
        while self._heap and self._heap[0][0] <= now + _GRAIN_S:
            at, _, key = heapq.heappop(self._heap)
            if self._due.get(key) != at:
                continue  # set anew since
            ready.append(key)
            step = self._second_round.pop(key, self._period[key])
            following = at + step
            if following <= now:
                following = now + step
            self._set(key, following)
        return ready

    def wait(self, now: float) -> float | None:
        """Return the seconds until something is due; None when there is nothing at all."""
        while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return max(0.0, self._heap[0][0] - now) if self._heap else None

    def _set(self, key: KeyT, at: float) -> None:
        self._due[key] = at
        self._order += 1
        heapq.heappush(self._heap, (at, self._order, key))
