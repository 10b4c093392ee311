"""`--wait` on a clock that the test moves: never longer than asked, and never fine without proof."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from switchover.cli import diagnostics
from switchover.cli.until_fine import Patience, look_until_fine
from switchover.health.probing import CheckObservation
from switchover_checks.api import Result, Status

ROUNDS = list[dict[str, Status]]


class World:
    """Answers round after round; a check without a status in a round hangs."""

    def __init__(self, *rounds: dict[str, Status]) -> None:
        self.rounds = list(rounds)
        self.looked = 0
        self.answered: dict[str, CheckObservation] = {}

    async def look(self) -> list[CheckObservation]:
        now = self.rounds[min(self.looked, len(self.rounds) - 1)]
        self.looked += 1
        for name, status in now.items():
            self.answered[name] = CheckObservation(name, status, Result(status, f"{name} is so"), 0.0)
        if len(now) < len(self.rounds[0]):
            await asyncio.Event().wait()
        return [self.answered[name] for name in now]


def watch(world: World, wait_s: float = 60.0, every_s: float = 0.001) -> dict[str, Status]:
    names = list(world.rounds[0])
    readings = asyncio.run(look_until_fine(world.look, world.answered, names, Patience(wait_s, every_s)))
    return {reading.name: reading.status for reading in readings}


def test_it_ends_with_the_first_look_at_which_all_is_fine() -> None:
    world = World(
        {"a": Status.OK, "b": Status.CRIT}, {"a": Status.WARN, "b": Status.OK}, {"a": Status.OK, "b": Status.OK}
    )
    assert watch(world) == {"a": Status.OK, "b": Status.OK}
    assert world.looked == 3


def test_what_was_bad_and_hangs_when_the_time_is_over_stays_bad() -> None:
    world = World({"a": Status.OK, "b": Status.CRIT}, {"a": Status.OK})
    assert watch(world, 0.2) == {"a": Status.OK, "b": Status.CRIT}


def test_what_was_fine_and_hangs_when_the_time_is_over_is_unknown() -> None:
    world = World({"a": Status.OK, "b": Status.CRIT}, {"b": Status.OK})
    assert watch(world, 0.2) == {"a": Status.UNKNOWN, "b": Status.OK}


def test_what_never_answers_is_unknown_and_the_wait_ends() -> None:
    async def hang() -> list[CheckObservation]:
        await asyncio.Event().wait()
        return []

    look: Callable[[], Awaitable[list[CheckObservation]]] = hang
    (only,) = asyncio.run(look_until_fine(look, {}, ["a"], Patience(0.05, 5.0)))
    assert (only.status, only.result.summary) == (
        Status.UNKNOWN,
        "gave no answer before the 50 ms of --wait were over",
    )


def test_no_look_begins_that_the_end_would_cut_off() -> None:
    world = World({"a": Status.CRIT})
    assert watch(world, 0.05, 3600.0) == {"a": Status.CRIT}
    assert world.looked == 2  # one at once, one just before the end


def test_a_line_is_said_each_time_that_something_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(diagnostics, "say", said.append)
    crit, warn = {"a": Status.CRIT, "b": Status.OK}, {"a": Status.OK, "b": Status.WARN}
    watch(World(crit, crit, warn, warn, {"a": Status.OK, "b": Status.OK}))
    assert [line.split(";")[0] for line in said] == ["waiting for a (crit)", "waiting for b (warn)"]
