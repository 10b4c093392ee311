from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from switchover.clouds.cloud_errors import CloudError, CloudTrouble
from switchover.services.polling_cache import CloudItem, CloudNews, Group, PollingCache
from switchover.services.provider_api import Observation, ProcessState, ServiceEvent, ServiceTarget
from switchover_checks.api import Status

GROUP = Group("rds", "eu-west-1")
DB = ServiceTarget("db", "aws", "rds/shop", resource="rds", id="shop")


class Sky:
    """A cloud with one database in it."""

    def __init__(self) -> None:
        self.items: dict[str, CloudItem] = {}
        self.happened: list[CloudNews] = []
        self.error: Exception | None = None
        self.fetched = 0
        self.asked = 0
        self.put()

    def put(self, state: ProcessState = ProcessState.RUNNING, *, moving: bool = False, **more: str) -> None:
        self.items = {"shop": CloudItem("shop", "shop", Observation(state, Status.OK, **more), moving)}  # type: ignore[arg-type]

    async def fetch(self, group: Group) -> Mapping[str, CloudItem]:
        self.fetched += 1
        if self.error is not None:
            raise self.error
        return dict(self.items)

    async def news(self, group: Group, since: float) -> Sequence[CloudNews]:
        self.asked += 1
        return [one for one in self.happened if one.at is None or one.at >= since]


class Clock:
    def __init__(self) -> None:
        self.now = 10_000.0

    def __call__(self) -> float:
        return self.now


def polling_cache(sky: Sky, clock: Clock) -> PollingCache:
    return PollingCache("aws", "AWS", sky, monotonic=clock, wall=clock, every=0.005)


async def watched(made: PollingCache, clock: Clock, told: list[ServiceEvent], wanted: int) -> None:
    """Go round until so much was told."""
    watching = asyncio.create_task(made.watch(lambda one: told.append(one) if one.ref else None))
    async with asyncio.timeout(20):
        while len(told) < wanted:
            clock.now += 60
            await made.inspect([(DB, GROUP)])
            await asyncio.sleep(0.001)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_what_is_on_its_way_is_looked_at_again_sooner_than_what_rests() -> None:
    sky, clock = Sky(), Clock()
    made = polling_cache(sky, clock)
    for moving, after, fetched in ((False, 10.0, 1), (True, 16.0, 2), (True, 4.0, 3), (False, 4.0, 4), (False, 4.0, 4)):
        sky.put(moving=moving)
        clock.now += after
        await made.inspect([(DB, GROUP)])
        assert sky.fetched == fetched


async def test_a_cloud_that_asks_for_patience_gets_it() -> None:
    sky, clock = Sky(), Clock()
    made = polling_cache(sky, clock)
    sky.error = CloudError(CloudTrouble.THROTTLED, "AWS rds: asked too often")
    assert (await made.inspect([(DB, GROUP)]))["db"].detail == "AWS rds: asked too often"
    sky.error = None
    clock.now += 59
    assert (await made.inspect([(DB, GROUP)]))["db"].state is ProcessState.UNKNOWN
    clock.now += 2
    assert (await made.inspect([(DB, GROUP)]))["db"].state is ProcessState.RUNNING
    assert made.off() == ""


async def test_an_answer_that_cannot_be_read_is_unknown_and_raises_nothing() -> None:
    sky = Sky()
    sky.error = KeyError("DBInstances")
    seen = await polling_cache(sky, Clock()).inspect([(DB, GROUP)])
    assert seen["db"].detail == "AWS: rds: it failed (KeyError)"


async def test_a_change_is_told_with_the_state_now() -> None:
    sky, clock = Sky(), Clock()
    made = polling_cache(sky, clock)
    await made.inspect([(DB, GROUP)])
    told: list[ServiceEvent] = []
    sky.put(ProcessState.STOPPED)
    await watched(made, clock, told, 1)
    assert [(one.ref, one.what) for one in told] == [("rds/shop", "stopped")]
    assert told[0].observation is not None
    assert told[0].observation.state is ProcessState.STOPPED


async def test_what_is_gone_is_told_and_listed_anew() -> None:
    sky, clock = Sky(), Clock()
    made = polling_cache(sky, clock)
    await made.inspect([(DB, GROUP)])
    told: list[ServiceEvent] = []
    sky.items = {}
    await watched(made, clock, told, 1)
    assert [(one.what, one.listing) for one in told] == [("removed", True)]


async def test_news_are_told_once_even_when_they_come_late() -> None:
    sky, clock = Sky(), Clock()
    made = polling_cache(sky, clock)
    await made.inspect([(DB, GROUP)])
    told: list[ServiceEvent] = []
    sky.happened = [CloudNews("shop", "restarted", "failover", Status.WARN, clock.now - 200)]
    watching = asyncio.create_task(made.watch(lambda one: told.append(one) if one.ref else None))
    async with asyncio.timeout(20):
        while not told:  # noqa: ASYNC110 - rounds are made by time
            await asyncio.sleep(0.001)
        sky.happened.insert(0, CloudNews("shop", "note", "told late", None, clock.now - 300))
        sky.happened.append(CloudNews("other", "note", "not asked for", None, clock.now))
        rounds_so_far = sky.asked
        while sky.asked < rounds_so_far + 4:  # noqa: ASYNC110 - rounds are made by time
            await asyncio.sleep(0.001)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert [(one.text, one.at) for one in told] == [("failover", 9800.0), ("told late", 9700.0)]


async def test_what_came_and_went_is_not_remembered_for_ever() -> None:
    sky, clock = Sky(), Clock()
    made = polling_cache(sky, clock)
    told: list[ServiceEvent] = []
    watching = asyncio.create_task(made.watch(told.append))
    try:
        async with asyncio.timeout(20):
            for number in range(30):
                sky.items = {f"i-{number}": CloudItem(f"i-{number}", "", Observation(ProcessState.RUNNING, Status.OK))}
                clock.now += 60
                await made.discover([GROUP], lambda group, name, ref: ServiceTarget(ref, "aws", ref, id=name))
                while number and not any(  # noqa: ASYNC110 - nobody tells of it
                    one.ref == f"rds/i-{number - 1}" and one.what == "removed" for one in told
                ):
                    await asyncio.sleep(0.001)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    assert len(made._refs) <= 2


async def test_a_clock_that_was_set_back_hides_no_news() -> None:
    sky, clock = Sky(), Clock()
    told: list[ServiceEvent] = []
    made = PollingCache("aws", "AWS", sky, monotonic=clock, wall=lambda: wall[0], every=0.005)
    wall = [2_000_000.0]
    made._tell = told.append
    await made.inspect([(DB, GROUP)])
    await made.go_round(GROUP)
    wall[0] = 1_000_000.0  # it was two weeks ahead
    sky.happened = [CloudNews("shop", "restarted", "it was restarted", at=999_990.0)]
    await made.go_round(GROUP)
    assert [one.text for one in told] == ["it was restarted"]
