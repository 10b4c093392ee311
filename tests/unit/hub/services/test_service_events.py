from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from tests.unit.health.health_fakes import StillClock
from tests.unit.hub.fake_source import DOWN, UP, FakeSource, Host, until
from tests.unit.hub.hub_fakes import stage

from switchover.services.inventory import Inventory
from switchover.services.provider_api import Capability, Found, Observation, ProcessState, ServiceTarget
from switchover.snapshot import ServiceRow, Snapshot
from switchover.snapshot.tiers import ACTIONS
from switchover_checks.api import Status

PLAN = "services: {api: {kind: docker, container: api, every: 1h}}\n"


def service(snapshot: Snapshot, name: str = "api") -> ServiceRow:
    return next(row for row in snapshot.services if row.name == name)


class HangingSource(FakeSource):
    """Answers nothing, ever."""

    kind: ClassVar[str] = "systemd"

    async def inspect(self, targets: Sequence[ServiceTarget]) -> Mapping[str, Observation]:
        await asyncio.Event().wait()
        return {}

    async def discover(self) -> Sequence[Found]:
        await asyncio.Event().wait()
        return ()


async def test_what_a_source_tells_is_published_without_being_asked_for(tmp_path: Path) -> None:
    source = FakeSource("api")
    async with stage(PLAN, tmp_path, providers=(source,)) as live:
        await live.until(lambda s: service(s).state == "running")
        await source.watching.wait()
        source.tell("api", "died", DOWN)
        stopped = await live.until(lambda s: service(s).state == "stopped")
        assert [(p.subject, p.status) for p in stopped.problems] == [("api", "crit")]
        assert stopped.timeline[0].text == "api stopped: exit 137"


async def test_what_no_plan_names_is_judged_as_its_source_says(tmp_path: Path) -> None:
    source = FakeSource("job")
    async with Host(tmp_path, source) as host:
        host.hub.note_viewer("screen")
        await host.until(lambda s: bool(s.found))
        ended = replace(DOWN, detail="exited, exit 0")
        source.tell("job", "died", observation=ended, unplanned=replace(ended, health=Status.SKIPPED))
        snapshot = await host.until(lambda s: s.found[0].state == "stopped")
        assert snapshot.found[0].health == "skipped"


async def test_what_a_source_tells_in_part_is_shown_at_once_and_looked_at_all_the_same(tmp_path: Path) -> None:
    source = FakeSource("api")
    async with stage(PLAN, tmp_path, providers=(source,)) as live:
        await live.until(lambda s: service(s).state == "running")
        await source.watching.wait()
        source.things["api"] = replace(DOWN, detail="restarting, exit 137")
        source.hang = asyncio.Event()
        source.tell("api", "died", DOWN, partial=True)
        assert service(await live.until(lambda s: service(s).state == "stopped")).detail == "exit 137"
        source.hang.set()
        await live.until(lambda s: service(s).detail == "restarting, exit 137")


async def test_what_is_told_without_details_is_looked_at_at_once(tmp_path: Path) -> None:
    source = FakeSource("api")
    async with stage(PLAN, tmp_path, providers=(source,)) as live:
        await live.until(lambda s: service(s).state == "running")
        await source.watching.wait()
        source.things["api"] = DOWN
        source.tell("api", "died")
        await live.until(lambda s: service(s).state == "stopped")


async def test_what_is_told_a_hundred_times_during_a_look_is_looked_at_once_more(tmp_path: Path) -> None:
    source = FakeSource("api")
    async with stage(PLAN, tmp_path, providers=(source,)) as live:
        await live.until(lambda s: service(s).state == "running")
        await source.watching.wait()
        source.tell("api")
        await until(lambda: not live.hub._services.sources._kinds["docker"].in_flight)
        source.hang = asyncio.Event()
        before = len(source.note_viewer)
        source.tell("api")
        await until(lambda: len(source.note_viewer) == before + 1)
        for _ in range(100):
            source.tell("api")
        source.things["api"] = DOWN
        source.hang.set()
        await live.until(lambda s: service(s).state == "stopped")
        await until(lambda: not live.hub._services.sources._kinds["docker"].in_flight)
        assert len(source.note_viewer) == before + 2


async def test_a_storm_of_news_is_published_in_few_snapshots(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(300)]
    source = FakeSource(*names)
    async with Host(tmp_path, source) as host:
        await host.until(lambda s: len(s.found) == 300)
        await source.watching.wait()
        before = host.hub.snapshot.seq
        for name in names:
            source.tell(name, "died", DOWN)
        after = await host.until(lambda s: all(row.state == "stopped" for row in s.found))
        assert after.seq - before < 10


async def test_a_watch_that_ends_is_begun_again_and_everything_looked_at(tmp_path: Path) -> None:
    source = FakeSource("api")
    async with stage(PLAN, tmp_path, providers=(source,)) as live:
        await live.until(lambda s: service(s).state == "running")
        await source.watching.wait()
        source.things["api"] = DOWN
        source.break_watch()
        await live.until(lambda s: service(s).state == "stopped")
        assert source.watches == 2


async def test_what_is_told_during_a_look_is_newer_than_what_the_look_saw(tmp_path: Path) -> None:
    source = FakeSource("api")
    async with stage(PLAN, tmp_path, providers=(source,)) as live:
        await live.until(lambda s: service(s).state == "running")
        await source.watching.wait()
        await until(lambda: not live.hub._services.sources._kinds["docker"].in_flight)
        source.hang = asyncio.Event()
        looks = len(source.note_viewer)
        source.tell("api")
        await until(lambda: len(source.note_viewer) > looks)
        source.tell("api", "died", DOWN)
        source.hang.set()
        await until(lambda: not live.hub._services.sources._kinds["docker"].in_flight)
        assert live.inventory.states["api"].observation == DOWN


async def test_a_source_that_hangs_holds_up_no_other(tmp_path: Path) -> None:
    text = PLAN + "  # the other one\n"
    source = FakeSource("api")
    async with stage(text, tmp_path, providers=(HangingSource(), source)) as live:
        await live.until(lambda s: service(s).state == "running")
    async with Host(tmp_path, HangingSource(), source) as host:
        await host.row("docker:api")
        await source.watching.wait()
        source.tell("api", "died", DOWN)
        await host.row("docker:api", "stopped")


async def test_what_needs_a_service_is_looked_at_when_it_is_told_to_be_fine_again(tmp_path: Path) -> None:
    text = PLAN + "checks: {a: {kind: tcp, port: 1, every: 1h, needs: [api]}}\n"
    source = FakeSource(api=DOWN)
    async with stage(text, tmp_path, providers=(source,)) as live:
        await live.until(lambda s: s.checks[0].status == "skipped")
        await source.watching.wait()
        source.tell("api", "started", UP)
        await live.until(lambda s: s.checks[0].status == "ok")


@pytest.mark.parametrize("every", [0.2, 3600.0])
async def test_a_line_that_is_lost_makes_its_rows_unknown_in_time_and_one_that_is_there_does_not(
    tmp_path: Path, every: float
) -> None:
    clock = StillClock()
    source = FakeSource("api")
    text = PLAN.replace("1h", f"{int(every * 1000)}ms")
    live = stage(text, tmp_path, providers=(source,), clock=clock)
    sources, inventory = live.hub._services.sources, live.inventory
    await inventory.probe(["api"])
    clock.advance(12.0)
    if every < 1:
        assert sources.is_late("docker", inventory.states["api"], every)  # nobody tells, and nobody asked
    sources._kinds["docker"].line.connected = True
    assert not sources.is_late("docker", inventory.states["api"], every)
    clock.advance(40.0)
    assert sources.is_late("docker", inventory.states["api"], every)  # not even the slow look came: the line is dead
    await inventory.probe(["api"])
    source.why_off = "no daemon"
    sources._lose(sources._kinds["docker"].line)
    assert not sources.is_late("docker", inventory.states["api"], every)
    clock.advance(3 * every + 5.1)
    assert sources.is_late("docker", inventory.states["api"], every)


async def test_while_a_source_tells_it_is_hardly_asked(tmp_path: Path) -> None:
    source = FakeSource("api", "db")
    text = """
services: {api: {kind: docker, container: api, every: 100ms}, b: {kind: docker, container: db, every: 100ms}}
checks: {a: {kind: tcp, port: 1, every: 100ms}}
"""
    async with stage(text, tmp_path, providers=(source,)) as live:
        await live.until(lambda s: service(s).state == "running")
        await until(lambda: live.hub._services.sources.emits("docker"))
        await until(lambda: not live.hub._services.sources._kinds["docker"].in_flight)
        probed = len(source.note_viewer)
        polling_cache = len(live.runner.asked)
        await until(lambda: len(live.runner.asked) > polling_cache + 10)
        assert len(source.note_viewer) == probed
        source.why_off = "the daemon went away"
        await until(lambda: len(source.note_viewer) > probed)


async def test_restarts_images_and_configurations_are_on_the_timeline_as_changes(tmp_path: Path) -> None:
    one = replace(UP, image="shop:1", config="aa", restarts=0)
    source = FakeSource(api=one)
    async with stage(PLAN, tmp_path, providers=(source,)) as live:
        await live.until(lambda s: service(s).state == "running")
        await source.watching.wait()
        source.tell("api", "started", replace(one, identity="two", image="shop:2", config="bb", pid=8))
        told = await live.until(lambda s: service(s).identity == "two")
        assert [(r.kind, r.text) for r in told.timeline] == [
            ("change", "api restarted: now pid 8"),
            ("change", "api image changed: shop:1 → shop:2"),
        ]
        source.tell("api", "note", replace(one, identity="two", image="shop:2", config="cc", pid=8))
        told = await live.until(lambda s: len(s.timeline) == 3)
        assert (told.timeline[0].kind, told.timeline[0].text) == ("change", "api configuration changed")


async def test_what_a_source_tells_of_the_past_stands_there_with_its_own_time_and_once(tmp_path: Path) -> None:
    source = FakeSource("api")
    async with stage(PLAN, tmp_path, providers=(source,)) as live:
        await live.until(lambda s: service(s).state == "running")
        await source.watching.wait()
        at = service(live.hub.snapshot).observed_at
        assert at is not None
        source.things["api"] = DOWN
        source.tell("api", "oom", text="api ran out of memory: killed 'python'", at=at - 1.0, status=Status.CRIT)
        source.tell("api", "died", DOWN, text="exited with 137", at=at)
        told = await live.until(lambda s: service(s).state == "stopped")
        assert [(r.at, r.kind, r.text, r.status) for r in told.timeline] == [
            (at, "change", "api died: exited with 137", "crit"),
            (at - 1.0, "change", "api ran out of memory: killed 'python'", "crit"),
        ]


async def test_a_crash_loop_takes_few_rows_of_the_timeline(tmp_path: Path) -> None:
    source = FakeSource("api")
    async with stage(PLAN, tmp_path, providers=(source,)) as live:
        await live.until(lambda s: service(s).state == "running")
        await source.watching.wait()
        for number in range(14):
            source.tell("api", "died", replace(DOWN, restarts=number))
            source.tell("api", "started", replace(UP, identity=f"i{number}", restarts=number))
        told = await live.until(lambda s: service(s).restarts == 13)
        assert len(told.timeline) <= 8
        assert any(r.text.startswith("api stopped 14 times in ") for r in told.timeline)


async def test_a_configuration_file_that_is_another_is_told_and_nothing_of_what_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "api.yml"
    path.write_text("secret: before\n")
    text = "services: {api: {kind: docker, container: api, every: 1h, config: [api.yml]}}\n"
    async with stage(text, tmp_path, providers=(FakeSource("api"),)) as live:
        await live.until(lambda s: service(s).state == "running")
        files = live.hub._services.config_files
        assert files is not None
        await until(lambda: bool(files._digests))
        path.write_text("secret: after\n")
        told = await live.until(lambda s: any(r.kind == "change" for r in s.timeline))
        assert str(path) in told.timeline[0].text
        assert "after" not in told.timeline[0].text


# What is found by itself


async def test_what_runs_here_is_listed_without_a_plan_and_what_comes_and_goes_is_told(tmp_path: Path) -> None:
    source = FakeSource("api", "db")
    source.groups["api"] = "shop"
    source.needs["api"] = ("db",)
    async with Host(tmp_path, source) as host:
        row = await host.row("docker:api")
        assert (row.name, row.group, row.needs, row.identity) == ("api", "shop", ("docker:db",), "one")
        source.things["cache"] = UP
        source.tell("cache", "created")
        await host.row("docker:cache")
        del source.things["db"]
        source.tell("db", "removed", listing=True)
        await host.until(lambda s: all(r.id != "docker:db" for r in s.found))


async def test_what_the_plan_names_is_not_found_again_and_is_told_what_was_found_out(tmp_path: Path) -> None:
    source = FakeSource("api", "db")
    source.groups["api"] = "shop"
    source.needs["api"] = ("db",)
    async with stage(PLAN, tmp_path, providers=(source,)) as live:
        await live.until(lambda s: service(s).state == "running")
        assert source.listings == 0  # nobody wants to know
        live.hub.note_viewer("screen", found=True)
        snapshot = await live.until(lambda s: bool(s.found))
        assert [row.id for row in snapshot.found] == ["docker:db"]
        await live.until(lambda s: service(s).group == "shop" and service(s).needs == ("docker:db",))
        live.hub.note_viewer("screen", found=False)
        await live.until(lambda s: s.found == ())


async def test_what_was_found_stays_but_is_unknown_at_once_when_its_source_went_away(tmp_path: Path) -> None:
    source = FakeSource("api")
    async with Host(tmp_path, source) as host:
        await host.row("docker:api")
        await source.watching.wait()
        source.things.clear()
        source.why_off = "the daemon does not answer"
        source.tell("", listing=True)
        await until(lambda: source.listings >= 2)
        off = await host.until(
            lambda s: bool(s.sources) and s.found[0].state == "unknown"
        )  # the list has been taken in
        assert [(n.name, n.state, n.why) for n in off.sources] == [("docker", "off", "the daemon does not answer")]
        assert [(row.id, row.state, row.health) for row in off.found] == [("docker:api", "unknown", "unknown")]
        assert not set(off.found[0].actions) & set(ACTIONS)
        source.why_off = ""
        source.things["api"] = UP
        source.tell("", listing=True)
        back = await host.until(lambda s: s.found[0].state != "unknown")
        assert (back.found[0].state, back.found[0].health) == ("running", "ok")


async def test_sources_that_nobody_asked_for_are_off_without_a_word_outside_of_the_list(tmp_path: Path) -> None:
    class FakeCloud(FakeSource):
        kind: ClassVar[str] = "aws"

    cloud = FakeCloud()
    cloud.why_off = "no credentials found"
    async with Host(tmp_path, cloud, FakeSource("api")) as host:
        snapshot = await host.until(lambda s: bool(s.found))
        assert snapshot.sources == ()
        assert [(s.name, s.state) for s in host.hub.sources()] == [("aws", "unused"), ("docker", "on")]


async def test_rows_that_did_not_change_stay_the_same_objects(tmp_path: Path) -> None:
    source = FakeSource(*(f"c{number}" for number in range(20)))
    async with Host(tmp_path, source) as host:
        before = (await host.until(lambda s: len(s.found) == 20)).found
        await source.watching.wait()
        await until(lambda: not host.hub._services.sources._kinds["docker"].in_flight)
        before = host.hub.snapshot.found
        source.tell("c7", "died", DOWN)
        after = (await host.until(lambda s: s.found[7].state == "stopped")).found
        assert [a is b for a, b in zip(before, after, strict=True)].count(False) == 1


async def test_only_what_can_be_done_now_is_offered(tmp_path: Path) -> None:
    async with Host(tmp_path, FakeSource("api", db=DOWN)) as host:
        assert (await host.row("docker:api")).actions == (
            "restart", "stop", "scale", "kill", "logs", "exec", "inspect",
        )  # fmt: skip
        assert (await host.row("docker:db", "stopped")).actions == ("start", "logs", "inspect")
    async with Host(tmp_path, FakeSource("api"), read_only=True) as host:
        assert (await host.row("docker:api")).actions == ("logs", "inspect")
    unknown = Observation(ProcessState.UNKNOWN, Status.UNKNOWN, "no daemon", can=frozenset({Capability.STOP}))
    async with Host(tmp_path, FakeSource(api=unknown)) as host:
        assert (await host.row("docker:api", "unknown")).actions == ("logs", "inspect")


async def test_a_provider_that_does_not_answer_costs_its_rows_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("switchover.services.inventory.DEADLINE_S", 0.05)
    source = FakeSource("api")
    source.hang = asyncio.Event()
    live = stage(PLAN, tmp_path, providers=(source,))
    assert isinstance(live.inventory, Inventory)
    await live.inventory.probe(["api"])
    seen = live.inventory.states["api"].observation
    assert (seen.state, seen.detail) == (ProcessState.UNKNOWN, "no answer within 0 s")


async def test_since_when_something_is_wrong_is_what_the_source_says(tmp_path: Path) -> None:
    source = FakeSource("api")
    async with stage(PLAN, tmp_path, providers=(source,)) as live:
        at = service(await live.until(lambda s: service(s).state == "running")).observed_at
        assert at is not None
        await source.watching.wait()
        source.tell("api", "died", replace(DOWN, since=at - 7.0))
        stopped = await live.until(lambda s: service(s).state == "stopped")
        assert (service(stopped).changed_at, stopped.timeline[0].at) == (at - 7.0, at - 7.0)
        source.tell("api", "started", replace(UP, since=at + 1000.0))  # its clock is wrong
        back = await live.until(lambda s: service(s).state == "running")
        changed = service(back).changed_at
        assert changed is not None
        assert changed < at + 900.0


async def test_what_tells_is_asked_now_and_then_all_the_same_and_what_does_not_as_the_plan_says(tmp_path: Path) -> None:
    clock = StillClock()
    live = stage(PLAN, tmp_path, providers=(FakeSource("api"),), clock=clock)
    sources, inventory = live.hub._services.sources, live.inventory
    await inventory.probe(["api"])
    assert [every for name, every, _ in live.hub._services.jobs() if name.startswith("services")] == [30.0]
    clock.advance(26.0)
    assert sources.rests("docker", inventory.states["api"], 3600.0)
    sources._kinds["docker"].line.connected = True
    assert not sources.rests("docker", inventory.states["api"], 3600.0)


async def test_a_configuration_file_whose_name_is_known_later_is_watched_from_then_on(tmp_path: Path) -> None:
    path = tmp_path / "api.yml"
    path.write_text("before\n")
    text = """
vars: {where: {ask: where}}
services: {api: {kind: docker, container: api, every: 1h, config: ["{{ where }}.yml"]}}
"""
    async with stage(text, tmp_path, providers=(FakeSource("api"),)) as live:
        files = live.hub._services.config_files
        assert files is not None
        await until(lambda: bool(files._pending))
        live.engine.values["where"] = "api"
        await files.add_known()
        path.write_text("after\n")
        await live.until(lambda s: any(str(path) in r.text for r in s.timeline))


async def test_what_is_told_of_things_that_nobody_shows_costs_no_look_and_no_snapshot(tmp_path: Path) -> None:
    source = FakeSource("api", "other")
    async with stage(PLAN, tmp_path, providers=(source,)) as live:
        await live.until(lambda s: service(s).state == "running")
        await source.watching.wait()
        await until(lambda: not live.hub._services.sources._kinds["docker"].in_flight)
        live.hub._publish_event.clear()
        for _ in range(100):
            source.tell("other", "died", DOWN)
            source.tell("other", "died")
        assert not live.hub._publish_event.is_set()
        assert not live.hub._services.sources._kinds["docker"].pending
        assert all("other" not in probe for probe in source.note_viewer)
