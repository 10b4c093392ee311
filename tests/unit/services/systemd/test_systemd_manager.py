"""What is known of systemd's units when looking fails, and for weeks on end."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from switchover.services.systemd.systemd_bus import BusError, path_of_unit
from switchover.services.systemd.systemd_manager import SystemdManager
from switchover.services.systemd.systemd_observation import why_failed
from switchover.services.systemd.systemd_provider import SystemdProvider

RUNS = {"LoadState": "loaded", "ActiveState": "active", "SubState": "running", "Result": "success", "MainPID": 7}


class StandInBus:
    """Says what it is told to say of every unit."""

    connected = True

    def __init__(self) -> None:
        self.says: dict[str, Any] | BusError = RUNS
        self.asked = 0

    async def properties(self, unit: str) -> dict[str, Any]:
        self.asked += 1
        if isinstance(self.says, BusError):
            raise self.says
        return self.says

    async def aclose(self) -> None:
        """Nothing is held."""


@pytest.fixture
def bus() -> StandInBus:
    return StandInBus()


@pytest.fixture
def manager(bus: StandInBus) -> SystemdManager:
    made = SystemdManager("unix:path=/nowhere", lambda: 100.0)
    made.bus = bus  # type: ignore[assignment]
    made._follows = True
    return made


def moved(manager: SystemdManager, unit: str) -> None:
    said(manager, unit, {"ActiveState": "failed"})


def said(manager: SystemdManager, unit: str, words: dict[str, Any]) -> None:
    changed = {key: SimpleNamespace(value=value) for key, value in words.items()}
    manager._signal("org.freedesktop.DBus.Properties", "PropertiesChanged", path_of_unit(unit), ["", changed])


async def settled(manager: SystemdManager) -> None:
    async with asyncio.timeout(10):
        while manager._followers:
            await asyncio.gather(*manager._followers.values())


async def test_a_unit_that_changed_and_could_not_be_looked_at_is_not_taken_to_be_as_it_was(
    manager: SystemdManager, bus: StandInBus
) -> None:
    assert (await manager.probe("api.service")).active == "active"
    bus.says = BusError("systemd does not answer")
    moved(manager, "api.service")
    await settled(manager)
    with pytest.raises(BusError):
        await manager.probe("api.service")
    bus.says = {**RUNS, "ActiveState": "failed", "SubState": "failed"}
    assert (await manager.probe("api.service")).active == "failed"


async def test_units_that_were_made_for_one_run_are_forgotten_when_systemd_forgets_them(bus: StandInBus) -> None:
    provider = SystemdProvider(lambda: 100.0, address="unix:path=/nowhere")
    manager = provider._managers[""]
    manager.bus = bus  # type: ignore[assignment]
    provider._tell = lambda _: None
    bus.says = {**RUNS, "CPUUsageNSec": 5}
    for number in range(20):
        name = f"run-r{number}.service"
        moved(manager, name)
        await settled(manager)
        assert name in provider._ran
        manager._signal("org.freedesktop.systemd1.Manager", "UnitRemoved", "", [name, path_of_unit(name)])
    assert (provider._ran, manager.units, manager.flaps._seen, provider._usage._used) == (set(), {}, {}, {})


async def test_a_job_of_the_systemd_before_is_not_taken_for_one_of_the_systemd_that_took_its_place(
    manager: SystemdManager,
) -> None:
    manager._signal("org.freedesktop.systemd1.Manager", "JobRemoved", "", [1, "/job/1", "api.service", "done"])
    manager._signal("org.freedesktop.DBus", "NameOwnerChanged", "", ["org.freedesktop.systemd1", ":1.0", ":1.7"])
    assert list(manager._done) == []
    await settled(manager)


async def test_a_unit_that_failed_and_was_forgotten_at_once_is_told_with_how_it_ended(
    manager: SystemdManager, bus: StandInBus
) -> None:
    told: list[tuple[str, str]] = []
    manager.changed = lambda _, unit: told.append((unit.active, why_failed(unit)))
    bus.says = {"LoadState": "not-found", "ActiveState": "inactive", "SubState": "dead"}
    for words in ({"Result": "exit-code", "ExecMainCode": 1, "ExecMainStatus": 3}, {"ActiveState": "failed"}):
        said(manager, "run-r7.service", words)
    said(manager, "run-r7.service", {"ActiveState": "inactive"})
    await settled(manager)
    assert told[0] == ("failed", "exit 3")
    assert manager._told == {}
