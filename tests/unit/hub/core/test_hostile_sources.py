"""Sources that raise, answer late, or answer nonsense: each costs its own rows only, and not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from tests.unit.health.health_fakes import StillClock
from tests.unit.hub.fake_source import DOWN, UP, FakeSource, Host, until
from tests.unit.hub.hub_fakes import stage

from switchover.hub.history.change_log import ChangeLog
from switchover.services.inventory import ServiceState
from switchover.services.provider_api import Observation, ServiceTarget
from switchover.snapshot import ServiceRow, Snapshot

PLAN = "services: {api: {kind: docker, container: api, every: 1h}}\n"


def service(snapshot: Snapshot, name: str = "api") -> ServiceRow:
    return next(row for row in snapshot.services if row.name == name)


class SlowSource(FakeSource):
    """Takes the answer down at once, and hands it out when its gate for that look is opened."""

    def __init__(self, *names: str) -> None:
        super().__init__(*names)
        self.gates: list[asyncio.Event] = []

    async def inspect(self, targets: Sequence[ServiceTarget]) -> Mapping[str, Observation]:
        seen = await super().inspect(targets)
        gate = asyncio.Event()
        self.gates.append(gate)
        await gate.wait()
        return seen


class RaisingSource(FakeSource):
    """Raises what nobody foresaw."""

    raises = False

    async def inspect(self, targets: Sequence[ServiceTarget]) -> Mapping[str, Observation]:
        if self.raises:
            raise TypeError("int() argument must be a string, not 'NoneType'")
        return await super().inspect(targets)


async def test_an_answer_that_comes_late_never_replaces_that_of_a_later_look(tmp_path: Path) -> None:
    source = SlowSource("api")
    async with stage(PLAN, tmp_path, providers=(source,)) as live:
        await until(lambda: bool(source.gates))
        early, source.things["api"] = source.gates[0], DOWN
        source.tell("api")
        await until(lambda: len(source.gates) > 1)
        for gate in source.gates[1:]:
            gate.set()
        await live.until(lambda s: service(s).state == "stopped")
        early.set()
        for _ in range(20):
            await asyncio.sleep(0)
        assert service(live.hub.snapshot).state == "stopped"
        assert live.hub._inventory.states["api"].observation == DOWN


async def test_a_late_listing_or_look_never_replaces_what_was_found_out_since(tmp_path: Path) -> None:
    source = SlowSource("job")
    async with Host(tmp_path, source) as host:
        await host.row("docker:job")
        source.tell("job")
        await until(lambda: len(source.gates) == 1)
        source.things["job"] = DOWN
        listed = source.listings
        source.tell("", "note", listing=True)
        await until(lambda: source.listings > listed)
        await host.row("docker:job", "stopped")
        source.gates[0].set()
        for _ in range(20):
            await asyncio.sleep(0)
        assert host.hub._services.discovery.found["docker:job"].state.observation == DOWN


async def test_a_source_that_raises_has_its_services_unknown_at_once_and_says_why(tmp_path: Path) -> None:
    source = RaisingSource("api")
    async with stage(PLAN, tmp_path, providers=(source,)) as live:
        await live.until(lambda s: service(s).state == "running")
        source.raises = True
        source.tell("api")
        unknown = await live.until(lambda s: service(s).state == "unknown")
        assert "TypeError" in service(unknown).detail
        source.raises = False
        source.tell("api")
        await live.until(lambda s: service(s).state == "running")


async def test_what_goes_wrong_in_telling_of_a_change_keeps_nothing_from_being_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = FakeSource("api")
    async with stage(PLAN, tmp_path, providers=(source,)) as live:
        await live.until(lambda s: service(s).state == "running")
        failed: list[str] = []

        def fails(_: ChangeLog, name: str, before: ServiceState, after: ServiceState, about: str = "") -> None:
            failed.append(name)
            raise ValueError(name, before, after, about)

        monkeypatch.setattr(ChangeLog, "saw", fails)
        source.things["api"] = DOWN
        source.tell("api")
        await until(lambda: bool(failed))
        monkeypatch.undo()
        source.things["api"] = UP
        source.tell("api")
        looks = len(source.note_viewer)
        await until(lambda: len(source.note_viewer) > looks)
        await live.until(lambda s: service(s).state == "running")


async def test_what_goes_wrong_in_keeping_an_incident_keeps_no_screen_from_being_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = FakeSource("api")
    async with Host(tmp_path, source) as host:
        await host.row("docker:api")

        def fails(snapshot: Snapshot) -> None:
            raise LookupError(snapshot.seq)

        monkeypatch.setattr(host.hub.triage, "follow", fails)
        watches = source.watches
        for state, seen in (("stopped", DOWN), ("running", UP), ("stopped", DOWN)):
            source.tell("api", "note", seen)
            await host.row("docker:api", state)
        assert source.watches == watches


async def test_a_clock_that_was_set_back_leaves_no_row_with_a_time_that_is_still_to_come(tmp_path: Path) -> None:
    clock = StillClock()
    source = FakeSource("api")
    async with Host(tmp_path, source, clock=clock) as host:
        first = await host.row("docker:api")
        assert first.observed_at is not None
        clock.at -= 3600.0
        clock.mono += 1.0
        source.tell("api", "note", UP)
        seen = await host.until(lambda s: s.found[0].observed_at != first.observed_at)
        assert seen.found[0].observed_at == clock.at
