"""Since when a service is not fine: as its source says, else since it was first observed so."""

from __future__ import annotations

from dataclasses import dataclass, replace

from switchover.services.provider_api import Observation
from switchover_checks.api import Status

__all__ = ["FINE", "Wrong", "wrong_after"]

_BAD = frozenset({Status.WARN, Status.CRIT, Status.UNKNOWN})
_RECOVERED_S = 60.0  # what its supervisor starts again and again is not well between two falls


@dataclass(frozen=True, slots=True)
class Wrong:
    """`since` (epoch seconds) is None for what is fine; `or_before` says that this is only the latest it can be.

    `well_since` is set while what has been restarted looks fine, but may fall again any moment.
    """

    since: float | None = None
    or_before: bool = False
    well_since: float | None = None


FINE = Wrong()


def wrong_after(before: Wrong, seen: Observation, at: float, *, first: bool) -> Wrong:
    """Return since when it is wrong after one more look at `at`. `first`: nothing was known of it before."""
    again = bool(seen.restarts)
    if seen.health not in _BAD:
        if before.since is None or not again:
            return FINE
        well = before.well_since if before.well_since is not None else at
        return FINE if at - well > _RECOVERED_S else replace(before, well_since=well)
    told = min(seen.since, at) if seen.since is not None else None
    recovered = before.well_since is not None and (not again or at - before.well_since > _RECOVERED_S)
    if before.since is None or recovered:
        if told is None:
            return Wrong(at, or_before=first)
        return Wrong(told, seen.since_or_before and first)
    if before.or_before and told is not None and told <= before.since:  # the source knows more of the past
        return Wrong(told, seen.since_or_before)
    return before if before.well_since is None else replace(before, well_since=None)
