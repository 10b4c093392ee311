"""An event loop whose time jumps to whatever is due next: minutes of waiting take no time and come out the same."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from switchover.clock import SystemClock

T = TypeVar("T")

_LONGEST_REAL_WAIT_S = 10.0


class _Jumping(selectors.DefaultSelector):
    """Waits for nothing real while something is due: the time is moved instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            ready = super().select(_LONGEST_REAL_WAIT_S)
            assert ready, "everything waits and nothing is due"
            return ready
        ready = super().select(0)
        if not ready and timeout > 0:
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """See above."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


class VirtualClock(SystemClock):
    """The clock of the loop that runs."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def now(self) -> float:
        return 1_800_000_000.0 + self.monotonic()


def run_virtually(story: Coroutine[Any, Any, T]) -> T:
    """Run `story` to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(story)
