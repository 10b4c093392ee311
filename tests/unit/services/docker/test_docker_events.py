from __future__ import annotations

import asyncio
import queue
from collections.abc import Iterator
from typing import Any

import pytest
from tests.unit.services.docker.docker_answers import StandInApi, attributes, connecting

from switchover.services.docker.docker_events import read_event, service_event_of
from switchover.services.docker.docker_provider import DockerProvider
from switchover.services.provider_api import ProcessState, ServiceEvent
from switchover_checks.api import Status


def message(action: str, name: str = "pg", **more: str) -> dict[str, Any]:
    """Return what the daemon sends."""
    return {
        "Type": "container",
        "Action": action,
        "Actor": {"ID": f"{name}-id", "Attributes": {"name": name, "image": "postgres", **more}},
        "timeNano": 1_769_868_151_500_000_000,
    }


def told(action: str, sent: str = "", **more: str) -> list[ServiceEvent]:
    event = read_event(message(action, **more))
    assert event is not None
    return list(service_event_of("docker", event, lambda name: name, sent))


@pytest.mark.parametrize(
    "data",
    [
        message("exec_create: /bin/sh -c true"),
        message("exec_die"),
        message("attach"),
        {**message("pull"), "Type": "image"},
        {},
    ],
)
def test_what_concerns_no_containers_state_is_passed_over(data: dict[str, Any]) -> None:
    assert read_event(data) is None


@pytest.mark.parametrize(
    ("action", "what", "text", "status", "listing"),
    [
        ("create", "created", "", None, True),
        ("start", "started", "", None, False),
        ("restart", "restarted", "", None, False),
        ("pause", "paused", "", None, False),
        ("unpause", "unpaused", "", None, False),
        ("stop", "stopped", "", None, False),
        ("oom", "oom", "out of memory: the kernel ended a process of it", Status.CRIT, False),
        ("health_status: unhealthy", "health", "unhealthy", Status.CRIT, False),
        ("health_status: healthy", "health", "healthy", Status.OK, False),
        ("update", "config", "", None, False),
        ("destroy", "removed", "", None, True),
    ],
)
def test_events_are_told_in_one_word(action: str, what: str, text: str, status: Status | None, listing: bool) -> None:
    assert told(action) == [ServiceEvent("docker", "pg", what, text, status, 1_769_868_151.5, listing=listing)]


def test_a_death_is_told_with_its_exit_code_and_the_signal_that_was_sent_before() -> None:
    (one,) = told("die", exitCode="0")
    assert (one.text, one.status) == ("exit 0", Status.OK)
    (one,) = told("die", sent="SIGKILL", exitCode="137")
    assert (one.text, one.status) == ("exit 137, after SIGKILL was sent to it", Status.CRIT)
    assert told("kill", signal="9") == []


def test_another_name_is_told_of_both() -> None:
    both = told("rename", oldName="/pg_old")
    assert [(one.ref, one.text, one.listing) for one in both] == [
        ("pg", "pg_old is called pg now", True),
        ("pg_old", "pg_old is called pg now", True),
    ]


class Talking(StandInApi):
    """A daemon that says what it is told to say."""

    def __init__(self, *known: dict[str, Any]) -> None:
        super().__init__(*known)
        self.says: queue.Queue[dict[str, Any] | None] = queue.Queue()

    def events(self, **_: Any) -> Iterator[dict[str, Any]]:
        return iter(self.says.get, None)


def _let_no_time_pass(provider: DockerProvider) -> None:
    """Stop the clock of the usual daemon: what it has answered stays fresh, however slow the machine is."""
    daemon = provider.fleet.daemon("")
    now = daemon._monotonic()
    daemon._monotonic = lambda: now


async def test_nothing_is_asked_again_until_something_happens() -> None:
    api = Talking(attributes(name="pg"), attributes(name="web"))
    provider = DockerProvider(connecting(api))
    _let_no_time_pass(provider)
    heard: asyncio.Queue[ServiceEvent] = asyncio.Queue()
    watch = asyncio.ensure_future(provider.watch(heard.put_nowait))
    try:
        assert (await heard.get()).listing
        found = await provider.discover()
        told = [await heard.get(), await heard.get()]  # what the list does not say was read
        assert [(one.ref, one.listing) for one in told] == [("pg", False), ("web", False)]
        api.calls.clear()
        await provider.discover()
        await provider.inspect([one.target for one in found])
        assert api.calls == []  # not even whether it is still there: it has just answered
        daemon = provider.fleet.daemon("")
        later = daemon._monotonic() + 5.0
        daemon._monotonic = lambda: later
        await provider.inspect([one.target for one in found])
        assert api.calls == ["ping"]
        api.known["pg"] = attributes("exited", name="pg", ExitCode=1)
        api.says.put(message("die", exitCode="1"))
        assert (await heard.get()).what == "died"
        seen = await provider.inspect([one.target for one in found])
        assert seen["docker:pg"].detail == "exited, exit 1"
        assert api.calls[1:] == ["inspect pg"]
    finally:
        watch.cancel()
        api.says.put(None)
        await provider.aclose()


async def test_how_a_container_ended_is_told_by_the_event_itself_and_then_looked_at() -> None:
    api = Talking(attributes(name="pg", Pid=7), attributes(name="job", Pid=8))
    provider = DockerProvider(connecting(api))
    _let_no_time_pass(provider)
    heard: asyncio.Queue[ServiceEvent] = asyncio.Queue()
    watch = asyncio.ensure_future(provider.watch(heard.put_nowait))
    try:
        await heard.get()
        await provider.discover()
        assert {(await heard.get()).ref, (await heard.get()).ref} == {"pg", "job"}
        api.calls.clear()
        api.says.put(message("kill", signal="9"))
        api.says.put(message("die", exitCode="137"))
        died = await heard.get()
        assert died.observation is not None
        assert (died.what, died.observation.state, died.observation.detail) == (
            "died",
            ProcessState.STOPPED,
            "exited, exit 137 (SIGKILL)",
        )
        assert (died.observation.identity, died.observation.health, died.partial) == ("pg-id", Status.CRIT, True)
        api.says.put(message("die", name="job", exitCode="0"))
        job = await heard.get()
        assert job.observation is not None
        assert job.unplanned is not None
        assert (job.observation.health, job.unplanned.health) == (Status.CRIT, Status.SKIPPED)
        assert api.calls == []
    finally:
        watch.cancel()
        api.says.put(None)
        await provider.aclose()


async def test_a_container_that_nothing_is_known_of_is_looked_at_instead_of_guessed() -> None:
    api = Talking(attributes(name="pg", Pid=7))
    provider = DockerProvider(connecting(api))
    _let_no_time_pass(provider)
    heard: asyncio.Queue[ServiceEvent] = asyncio.Queue()
    watch = asyncio.ensure_future(provider.watch(heard.put_nowait))
    try:
        await heard.get()
        api.says.put(message("die", exitCode="1"))
        assert (await heard.get()).observation is None
        await provider.discover()
        await heard.get()
        api.says.put(message("start"))
        api.says.put(message("die", exitCode="1"))
        assert [(await heard.get()).observation, (await heard.get()).observation] == [None, None]
    finally:
        watch.cancel()
        api.says.put(None)
        await provider.aclose()


async def test_what_an_ailing_container_said_last_is_kept_until_it_is_read_again() -> None:
    now = 100.0
    sick = attributes(Health={"Status": "unhealthy", "FailingStreak": 1, "Log": [{"Output": "no answer"}]})
    api = Talking(sick)
    provider = DockerProvider(connecting(api))
    provider.fleet.daemon("")._monotonic = lambda: now
    heard: asyncio.Queue[ServiceEvent] = asyncio.Queue()
    watch = asyncio.ensure_future(provider.watch(heard.put_nowait))
    try:
        await heard.get()
        await provider.discover()
        await heard.get()
        check = {"Status": "unhealthy", "FailingStreak": 9, "Log": [{"Output": "no route"}]}
        api.known["pg"] = attributes(Health=check)
        now += 6.0
        (found,) = await provider.discover()
        assert found.observation.detail == "unhealthy after 1 failure: no answer"
        assert (await heard.get()).ref == "pg"
        seen = await provider.inspect([found.target])
        assert seen["docker:pg"].detail == "unhealthy after 9 failures: no route"
        assert api.calls.count("inspect pg") == 2
    finally:
        watch.cancel()
        api.says.put(None)
        await provider.aclose()


async def test_an_error_of_the_listener_ends_the_watch_instead_of_silence() -> None:
    provider = DockerProvider(connecting(Talking(attributes())))

    def broken(told: ServiceEvent) -> None:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup):
        await provider.watch(broken)
    await provider.aclose()
