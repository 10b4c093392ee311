from __future__ import annotations

from typing import Any

import pytest
from tests.unit.services.docker.docker_answers import attributes

from switchover.services.docker.docker_event_details import details_after
from switchover.services.docker.docker_events import DockerEvent
from switchover.services.docker.docker_observation import observation_from_attributes
from switchover.services.provider_api import ProcessState
from switchover_checks.api import Status

BEFORE = attributes(Pid=77, Health={"Status": "healthy", "Log": [{"Output": "fine"}]})


def event(action: str, said: str = "", **more: str) -> DockerEvent:
    return DockerEvent("pg-id", "pg", action, said, 1.0, more)


def after(*events: DockerEvent, before: dict[str, Any] = BEFORE) -> Any:
    data: Any = before
    for one in events:
        data = details_after(data, one)
    return observation_from_attributes(data)


@pytest.mark.parametrize(
    ("events", "state", "health", "detail"),
    [
        ([event("die", exitCode="1")], ProcessState.STOPPED, Status.CRIT, "exited, exit 1"),
        ([event("kill"), event("die", exitCode="137"), event("stop")], *(ProcessState.STOPPED, Status.CRIT),
         "exited, exit 137 (SIGKILL)"),
        ([event("oom"), event("die", exitCode="137")], *(ProcessState.STOPPED, Status.CRIT),
         "exited, exit 137, out of memory"),
        ([event("pause")], ProcessState.RUNNING, Status.CRIT, "paused"),
        ([event("pause"), event("unpause")], ProcessState.RUNNING, Status.OK, "healthy"),
        ([event("health_status", "unhealthy")], ProcessState.RUNNING, Status.CRIT, "unhealthy"),
    ],
)  # fmt: skip
def test_an_event_says_how_a_container_is_now(
    events: list[DockerEvent], state: ProcessState, health: Status, detail: str
) -> None:
    seen = after(*events)
    assert (seen.state, seen.health, seen.detail) == (state, health, detail)


def test_it_ended_when_the_event_says_and_not_when_it_did_the_last_time() -> None:
    before = attributes(Pid=77, FinishedAt="2001-02-03T04:05:06Z")
    assert after(event("die", exitCode="1"), before=before).since == 1.0


def test_what_the_container_is_does_not_change_by_its_end() -> None:
    was, now = observation_from_attributes(BEFORE), after(event("die", exitCode="0"))
    assert (now.identity, now.image, now.config) == (was.identity, was.image, was.config)
    assert now.pid is None
    assert now.can != was.can


@pytest.mark.parametrize("action", ["start", "restart", "rename", "update", "create", "destroy"])
def test_what_an_event_leaves_open_is_not_made_up(action: str) -> None:
    assert details_after(BEFORE, event(action)) is None


def test_an_end_without_an_exit_code_is_looked_at() -> None:
    assert details_after(BEFORE, event("die")) is None
