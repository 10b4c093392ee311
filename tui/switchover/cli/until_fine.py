"""`check --wait`: look again and again until everything is fine, or the time is over. Never longer than that."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from switchover.cli import diagnostics
from switchover.cli.check_formats.format_api import one_line, overall
from switchover_checks.api import Result, Status
from switchover_checks.language.units import format_duration

if TYPE_CHECKING:
    from switchover.health.probing import CheckObservation

__all__ = ["Patience", "look_until_fine"]

_MOST_NAMED = 4
_Readings = list["CheckObservation"]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, and how long to pause between two looks."""

    wait_s: float
    every_s: float


async def look_until_fine(
    look: Callable[[], Awaitable[_Readings]],
    answered: Mapping[str, CheckObservation],
    names: Sequence[str],
    patience: Patience,
) -> _Readings:
    """Return what was seen last of `names`. `answered` holds the readings of a look as they come in.

    A look that the end cuts off counts where it came to something. What had not answered is not fine.
    """
    end = time.monotonic() + patience.wait_s
    last: dict[str, CheckObservation] = {}
    said = ""
    try:
        while True:
            began = time.monotonic()
            earlier = dict(answered)
            try:
                async with asyncio.timeout(max(0.0, end - began)):
                    readings = await look()
            except TimeoutError:
                fresh = {name: r for name, r in answered.items() if earlier.get(name) is not r}
                return _last_known(names, fresh, last, patience)
            if overall(readings) is Status.OK:
                return readings
            last = {reading.name: reading for reading in readings}
            now = time.monotonic()
            # The last look is to be over in time, so it begins as much earlier as this one took.
            pause = min(patience.every_s, end - now - 1.5 * (now - began))
            if pause <= 0:
                return readings
            said = _tell(readings, end - now, said)
            await asyncio.sleep(pause)
    finally:
        diagnostics.clear_line()


def _last_known(
    names: Sequence[str],
    fresh: Mapping[str, CheckObservation],
    last: Mapping[str, CheckObservation],
    patience: Patience,
) -> _Readings:
    """Return what is known when the end cuts a look off. It is never fine by what only an earlier look saw."""
    known = {**last, **fresh}
    why = f"gave no answer before the {format_duration(patience.wait_s)} of --wait were over"
    unproved = overall(known.get(name) or _nothing(name, why) for name in names) is Status.OK
    readings = []
    for name in names:
        reading = known.get(name) or _nothing(name, why)
        if unproved and name not in fresh:
            reading = replace(reading, status=Status.UNKNOWN, result=Result.unknown(f"{why}; it was ok before"))
        readings.append(reading)
    return readings


def _nothing(name: str, why: str) -> CheckObservation:
    from switchover.health.probing import CheckObservation

    return CheckObservation(name, Status.UNKNOWN, Result.unknown(why), time.time())


def _tell(readings: Iterable[CheckObservation], left_s: float, said: str) -> str:
    """Say what is waited for: on a terminal in one line that changes, else in a line each time."""
    bad = [reading for reading in readings if reading.status is not Status.OK]
    named = ", ".join(f"{reading.name} ({reading.status.label})" for reading in bad[:_MOST_NAMED])
    more = f" and {len(bad) - _MOST_NAMED} more" if len(bad) > _MOST_NAMED else ""
    text = f"waiting for {named}{more}"
    why = one_line(bad[0].result.summary)
    left = f"{format_duration(float(round(left_s)))} left"
    if not diagnostics.say_in_place(f"{text}; {left}; {bad[0].name}: {why}") and text != said:
        diagnostics.say(f"{text}; {left}; {bad[0].name}: {why}")
    return text
