"""A limit for regular expressions: one that would search for ever is broken off.

`re` looks for signals while it searches. So a timer on this process's own CPU time can end a search.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["TooSlowError", "at_most"]


class TooSlowError(Exception):
    """A search took longer than it may."""


def _ring(_number: int, _frame: Any) -> None:
    raise TooSlowError


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise `TooSlowError` out of the block once it has computed for `seconds`. For the main thread alone."""
    before = signal.signal(signal.SIGVTALRM, _ring)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGVTALRM, before)
