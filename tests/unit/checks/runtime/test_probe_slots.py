"""What hangs waits, what is quick goes: in virtual time, so that every figure is exact."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from tests.support.virtual_time import run_virtually

from switchover_checks.runtime.probe_slots import PATIENCE_S, ProbeLimits, ProbeSlots, ProbeSpeed

QUICK, NOT_KNOWN, SLOW = ProbeSpeed
Story = Callable[[ProbeSlots], Coroutine[Any, Any, None]]


class Probes:
    """Probes that take a given time, and what became of them."""

    def __init__(self, slots: ProbeSlots) -> None:
        self.slots = slots
        self.began: dict[str, float] = {}
        self.under_way = 0
        self.most = 0
        self.start = asyncio.get_running_loop().time()

    async def probe(self, name: str, takes: float, pace: ProbeSpeed = QUICK, target: str = "") -> None:
        async with self.slots.hold(target, pace):
            self.began[name] = round(asyncio.get_running_loop().time() - self.start, 6)
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            await asyncio.sleep(takes)
            self.under_way -= 1


def play(limits: ProbeLimits, story: Callable[[Probes], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        await story(Probes(ProbeSlots(limits)))

    run_virtually(run())


def test_no_more_than_may_be_are_under_way() -> None:
    async def story(probes: Probes) -> None:
        await asyncio.gather(*(probes.probe(str(n), 0.5, pace) for n in range(9) for pace in ProbeSpeed))
        assert probes.most == 4

    play(ProbeLimits(4), story)


def test_the_slow_leave_the_reserve_to_the_quick() -> None:
    async def story(probes: Probes) -> None:
        slow = [asyncio.ensure_future(probes.probe(f"slow {n}", 10.0, SLOW)) for n in range(20)]
        await asyncio.sleep(0.1)
        assert probes.under_way == 6
        await asyncio.gather(*(probes.probe(f"quick {n}", 0.01) for n in range(4)))
        assert {probes.began[f"quick {n}"] for n in range(4)} == {0.1}
        await asyncio.gather(*slow)

    play(ProbeLimits(10, reserve=4), story)


def test_the_quick_go_first_then_those_not_known_then_the_slow() -> None:
    async def story(probes: Probes) -> None:
        first = asyncio.ensure_future(probes.probe("first", 1.0))
        await asyncio.sleep(0)
        others = [probes.probe(str(int(pace)), 1.0, pace) for pace in (SLOW, NOT_KNOWN, QUICK)]
        await asyncio.gather(first, *others)
        assert probes.began == {"first": 0.0, "0": 1.0, "1": 2.0, "2": 3.0}

    play(ProbeLimits(1), story)


def test_one_target_that_hangs_takes_its_own_slots_only_and_not_those_of_its_quick() -> None:
    async def story(probes: Probes) -> None:
        tasks = [asyncio.ensure_future(probes.probe(f"a{n}", 30.0, SLOW, "a:80")) for n in range(100)]
        await asyncio.sleep(0)
        tasks += [asyncio.ensure_future(probes.probe(f"b{n}", 0.5, NOT_KNOWN, "b:80")) for n in range(3)]
        tasks.append(asyncio.ensure_future(probes.probe("quick", 0.01, QUICK, "a:80")))
        await asyncio.sleep(1.0)
        assert sum(name.startswith("a") for name in probes.began) == 3
        assert [probes.began[name] for name in ("b0", "b1", "b2", "quick")] == [0.0] * 4
        await asyncio.gather(*tasks)

    play(ProbeLimits(50, to_one_target=3), story)


def test_what_was_quick_and_hangs_now_counts_as_slow_at_its_target() -> None:
    async def story(probes: Probes) -> None:
        tasks = [asyncio.ensure_future(probes.probe(f"turned {n}", 30.0, QUICK, "a:80")) for n in range(3)]
        await asyncio.sleep(PATIENCE_S + 0.5)
        tasks.append(asyncio.ensure_future(probes.probe("slow", 1.0, SLOW, "a:80")))
        await asyncio.gather(*tasks)
        assert probes.began["slow"] == 30.0

    play(ProbeLimits(50, to_one_target=3), story)


def test_few_begin_at_once_and_those_that_only_wait_make_room_for_others_to_begin() -> None:
    async def story(probes: Probes) -> None:
        tasks = [asyncio.ensure_future(probes.probe(f"hangs {n}", 60.0, NOT_KNOWN)) for n in range(9)]
        await asyncio.sleep(0.2)
        assert probes.under_way == 3
        quick = asyncio.ensure_future(probes.probe("quick", 0.1))
        await quick
        assert probes.began["quick"] == 0.2, "one place to begin at is kept for the quick"
        await asyncio.sleep(3.0)
        assert probes.under_way == 9
        await asyncio.gather(*tasks)

    play(ProbeLimits(100, beginning=4), story)


@pytest.mark.parametrize("after", [0.0, 0.5])
def test_a_slot_is_given_back_by_what_is_cancelled_waiting_or_under_way(after: float) -> None:
    async def story(probes: Probes) -> None:
        tasks = [asyncio.ensure_future(probes.probe(str(n), 10.0, SLOW, "a")) for n in range(5)]
        await asyncio.sleep(after)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        began = asyncio.get_running_loop().time()
        await probes.probe("last", 1.0, SLOW, "a")
        assert asyncio.get_running_loop().time() - began == 1.0

    play(ProbeLimits(2, to_one_target=2, beginning=2), story)
