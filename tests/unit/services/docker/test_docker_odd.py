"""Daemons that say nothing of one container, or what nobody foresaw: it costs that container's row only."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import requests
from tests.unit.services.docker.docker_answers import StandInApi, attributes, connecting
from tests.unit.services.docker.test_docker_events import Talking

from switchover.services.docker.docker_events import DockerEvent, sent_before
from switchover.services.docker.docker_fleet import Fleet
from switchover.services.docker.docker_provider import DockerProvider
from switchover.services.provider_api import ProcessState, ServiceEvent, ServiceTarget
from switchover_checks.api import Status


def target(container: str) -> ServiceTarget:
    return ServiceTarget(container, "docker", container, container=container)


class Stuck(StandInApi):
    """A daemon that never answers about the container `stuck`, whose disk hangs."""

    def inspect_container(self, name: str) -> dict[str, Any]:
        found = super().inspect_container(name)
        if name == "stuck":
            raise requests.exceptions.ReadTimeout
        return found


class Hanging(Stuck):
    """The whole daemon hangs."""

    def ping(self) -> str:
        raise requests.exceptions.ReadTimeout


async def test_a_container_of_which_the_daemon_says_nothing_hides_no_other() -> None:
    api = Stuck(*(attributes(name=name) for name in ("pg", "stuck", "web")))
    provider = DockerProvider(connecting(api))
    for _ in range(3):
        seen = await provider.inspect([target("pg"), target("stuck"), target("web")])
        assert [seen[name].state for name in ("pg", "web")] == [ProcessState.RUNNING, ProcessState.RUNNING]
        assert (seen["stuck"].state, seen["stuck"].health) == (ProcessState.UNKNOWN, Status.UNKNOWN)
        assert "says nothing of this one" in seen["stuck"].detail
        assert provider.off() == ""
    assert api.calls.count("inspect stuck") == 1  # each time takes the daemon's whole time limit
    assert seen["stuck"].config == ""  # nothing is known of how it is set up, so nothing has changed either


async def test_a_daemon_that_hangs_as_a_whole_is_away_as_a_whole() -> None:
    provider = DockerProvider(connecting(Hanging(attributes(name="stuck"), attributes(name="pg"))))
    seen = await provider.inspect([target("stuck"), target("pg")])
    assert [one.state for one in seen.values()] == [ProcessState.UNKNOWN, ProcessState.UNKNOWN]
    assert "does not answer" in provider.off()


async def test_hundreds_of_containers_are_not_all_read_within_one_time_limit() -> None:
    names = [f"c{number}" for number in range(120)]
    provider = DockerProvider(connecting(StandInApi(*(attributes(name=name) for name in names))))
    daemon = provider.fleet.daemon("")
    calls = 0
    call = daemon.call

    def counting(work: Any, seconds: float = 5.0) -> Any:
        nonlocal calls
        calls += 1
        return call(work, seconds)

    daemon.call = counting  # type: ignore[method-assign]
    seen = await provider.inspect([target(name) for name in names])
    assert {one.state for one in seen.values()} == {ProcessState.RUNNING}
    assert calls == 3


@pytest.mark.parametrize(
    "odd",
    [
        {"RestartCount": None},
        {"State": {"Status": "running", "Pid": None}},
        {"State": {"Status": "running", "Health": {"Status": "unhealthy", "Log": [None]}}},
        {"NetworkSettings": {"Ports": {"80/tcp": [None]}}},
        {"Config": []},
    ],
)
async def test_an_answer_that_nobody_foresaw_hides_no_other_container(odd: dict[str, Any]) -> None:
    api = StandInApi(attributes(name="pg"), {**attributes(name="odd"), **odd})
    seen = await DockerProvider(connecting(api)).inspect([target("pg"), target("odd")])
    assert seen["pg"].state is ProcessState.RUNNING
    assert seen["odd"].state in (ProcessState.RUNNING, ProcessState.UNKNOWN)


def test_a_signal_of_last_week_is_not_to_blame_for_a_death_of_today() -> None:
    died = DockerEvent("pg-id", "pg", "die", at=1_000_000.0)
    assert sent_before(died, ("SIGTERM", 1_000_000.0 - 10.0)) == "SIGTERM"
    assert sent_before(died, ("SIGHUP", 1_000_000.0 - 7 * 86_400.0)) == ""
    assert sent_before(died, ("SIGKILL", None)) == "SIGKILL"
    assert sent_before(died, None) == ""


async def test_containers_that_went_while_nobody_listened_are_forgotten() -> None:
    daemon = Fleet(connecting(StandInApi(attributes(name="pg")))).daemon("")
    for container in ("pg-id", "gone-id"):
        daemon.last_exits[container] = 1
        daemon.signals[container] = "SIGHUP", 5.0
        daemon.overtaken[container] = {}
    await daemon.listed()
    assert [set(book) for book in (daemon.last_exits, daemon.signals, daemon.overtaken)] == [{"pg-id"}] * 3


async def test_nothing_is_kept_of_containers_that_are_made_and_removed_all_day() -> None:
    api = Talking(attributes(name="pg"))
    provider = DockerProvider(connecting(api))
    heard: asyncio.Queue[ServiceEvent] = asyncio.Queue()
    watch = asyncio.ensure_future(provider.watch(heard.put_nowait))
    try:
        assert (await heard.get()).listing
        for number in range(20):
            name = f"job-{number}"
            api.known[name] = attributes(name=name)
            await provider.inspect([target(name)])
            del api.known[name]
            for action in ("die", "destroy"):
                attributes_of = {"name": name, "exitCode": "0"}
                api.says.put(
                    {"Type": "container", "Action": action, "Actor": {"ID": f"{name}-id", "Attributes": attributes_of}}
                )
            while (await heard.get()).what != "removed":
                pass
        daemon = provider.fleet.daemon("")
        kept = (provider._made, daemon._known, daemon.overtaken, daemon.last_exits, daemon.signals)
        assert [len(book) for book in kept] == [0] * 5
    finally:
        watch.cancel()
        api.says.put(None)
        await provider.aclose()
