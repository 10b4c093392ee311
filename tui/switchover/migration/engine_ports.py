"""What the engine asks of its neighbours; `switchover.health` provides it, tests fake it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from switchover_checks.api import Result, Status

__all__ = ["CheckEvaluator", "CheckReading", "Secrets", "Wait"]

Wait = Callable[[float], Awaitable[None]]


class CheckReading(Protocol):
    """One check, probed just now."""

    @property
    def status(self) -> Status:
        """The status after needs were considered: SKIPPED where a need is not OK."""

    @property
    def result(self) -> Result:
        """Expected against observed."""

    @property
    def observed_at(self) -> float:
        """Epoch seconds at which it was probed."""

    @property
    def duration_s(self) -> float:
        """The seconds that the probe took; 0 where it was not probed."""


class CheckEvaluator(Protocol):
    """Looks at checks of the plan, now, never from memory."""

    async def evaluate(self, names: Sequence[str]) -> Mapping[str, CheckReading]:
        """Return a fresh reading of each of `names`; a name without a reading counts as UNKNOWN."""


class Secrets(Protocol):
    """Where secrets come from, and which have been fetched (these are kept out of all that is written)."""

    def get(self, name: str) -> str:
        """Return the secret's value. Raise `SwitchoverError` where it cannot be had."""

    @property
    def fetched(self) -> Mapping[str, str]:
        """The values that were fetched so far, by name."""
