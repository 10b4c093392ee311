from __future__ import annotations

from typing import Any

import pytest
from tests.unit.services.docker.docker_answers import STARTED, attributes, summary

from switchover.services.docker.docker_observation import (
    config_digest,
    fingerprint,
    name_of,
    observation_from_attributes,
    observation_from_summary,
)
from switchover.services.provider_api import Capability, ProcessState
from switchover_checks.api import Status

STARTED_AT = 1769868151.042123


@pytest.mark.parametrize(
    ("health", "status"),
    [(None, Status.OK), ("healthy", Status.OK), ("starting", Status.PENDING), ("unhealthy", Status.CRIT)],
)
def test_a_running_container_is_as_healthy_as_it_says(health: str | None, status: Status) -> None:
    check: dict[str, Any] = {"Health": {"Status": health}} if health else {}
    seen = observation_from_attributes(attributes(restarts=2, Pid=42, **check))
    assert (seen.state, seen.health, seen.pid, seen.restarts) == (ProcessState.RUNNING, status, 42, 2)
    assert seen.started_at == pytest.approx(STARTED_AT)


def test_an_unhealthy_container_says_what_its_check_said_last() -> None:
    log = [{"Output": "fine"}, {"Output": "\nconnecting…\nno answer on 5432\n\n"}]
    seen = observation_from_attributes(attributes(Health={"Status": "unhealthy", "FailingStreak": 3, "Log": log}))
    assert seen.detail == "unhealthy after 3 failures: no answer on 5432"


@pytest.mark.parametrize(
    ("state", "detail"),
    [
        ({"ExitCode": 137, "OOMKilled": True}, "exited, exit 137, out of memory"),
        ({"ExitCode": 137}, "exited, exit 137 (SIGKILL)"),
        (
            {"ExitCode": 127, "Error": "exec: nope: not found"},
            "exited, exit 127 (its command was not found), exec: nope: not found",
        ),
        ({"ExitCode": 1}, "exited, exit 1"),
        ({"ExitCode": 255}, "exited, exit 255"),
    ],
)
def test_a_container_that_ended_says_how(state: dict[str, Any], detail: str) -> None:
    seen = observation_from_attributes(attributes("exited", **state))
    assert (seen.state, seen.health, seen.detail) == (ProcessState.STOPPED, Status.CRIT, detail)


def test_a_crash_loop_is_said_while_it_waits_and_while_it_has_just_been_started_again() -> None:
    waiting = observation_from_attributes(attributes("restarting", restarts=7, ExitCode=1))
    assert (waiting.state, waiting.detail) == (ProcessState.STOPPED, "restarting, exit 1, 7 times")
    again = observation_from_attributes(attributes(restarts=7), now=STARTED_AT + 3, last_exit=1)
    assert (again.health, again.detail) == (Status.WARN, "restarted 7 times, last exit 1, up for less than 10 s")
    assert observation_from_attributes(attributes(restarts=7), now=STARTED_AT + 60).health is Status.OK


def test_a_paused_container_is_there_and_does_nothing() -> None:
    seen = observation_from_attributes(attributes("paused", Pid=42))
    assert (seen.state, seen.health, seen.detail) == (ProcessState.RUNNING, Status.CRIT, "paused")
    assert Capability.START in seen.can
    assert Capability.EXEC not in seen.can


def test_a_state_that_a_newer_daemon_invents_is_unknown() -> None:
    assert observation_from_attributes(attributes("dreaming")).state is ProcessState.UNKNOWN
    assert observation_from_summary(summary("dreaming")).state is ProcessState.UNKNOWN


@pytest.mark.parametrize(
    ("state", "may", "may_not"),
    [
        ("running", "stop restart pause kill exec logs remove", "start scale"),
        ("exited", "start logs remove", "stop restart pause kill exec"),
        ("created", "start remove", "stop kill exec"),
        ("restarting", "stop remove logs", "start pause exec kill"),
        ("removing", "inspect", "start stop remove"),
    ],
)
def test_what_may_be_asked_of_a_container_depends_on_its_state(state: str, may: str, may_not: str) -> None:
    for seen in (observation_from_attributes(attributes(state)), observation_from_summary(summary(state))):
        assert {Capability(word) for word in may.split()} <= seen.can
        assert not {Capability(word) for word in may_not.split()} & seen.can


@pytest.mark.parametrize(
    ("state", "status", "detail", "health"),
    [
        ("running", "Up 3 hours", "", Status.OK),
        ("running", "Up 3 hours (healthy)", "healthy", Status.OK),
        ("running", "Up 3 seconds (health: starting)", "starting", Status.PENDING),
        ("running", "Up 3 hours (unhealthy)", "unhealthy", Status.CRIT),
        ("paused", "Up 3 hours (Paused)", "paused", Status.CRIT),
        ("exited", "Exited (137) 2 hours ago", "exited, exit 137 (SIGKILL)", Status.CRIT),
        ("restarting", "Restarting (1) 2 seconds ago", "restarting, exit 1", Status.CRIT),
        ("created", "Created", "created", Status.CRIT),
    ],
)
def test_the_list_says_the_state_the_health_and_the_exit_code(
    state: str, status: str, detail: str, health: Status
) -> None:
    seen = observation_from_summary(summary(state, status=status))
    assert (seen.detail, seen.health) == (detail, health)


@pytest.mark.parametrize(
    ("listed", "details"),
    [
        (summary(status="Up 2 hours"), attributes()),
        (summary(status="Up 2 hours (healthy)"), attributes(Health={"Status": "healthy"})),
        (summary("exited", status="Exited (3) 1 second ago"), attributes("exited", ExitCode=3)),
        (summary("paused", status="Up 1 second (Paused)"), attributes("paused")),
    ],
)
def test_details_hold_while_the_list_says_the_same(listed: dict[str, Any], details: dict[str, Any]) -> None:
    assert fingerprint(listed) == fingerprint(details)


@pytest.mark.parametrize(
    ("listed", "details"),
    [
        (summary(status="Up 2 hours (unhealthy)"), attributes(Health={"Status": "healthy"})),
        (summary("exited", status="Exited (3) 1 second ago"), attributes()),
        (summary("exited", status="Exited (3) 1 second ago"), attributes("exited", ExitCode=4)),
        (summary(name="other"), attributes()),
    ],
)
def test_details_do_not_hold_when_the_list_says_otherwise(listed: dict[str, Any], details: dict[str, Any]) -> None:
    assert fingerprint(listed) != fingerprint(details)


def test_the_configuration_is_known_by_a_digest_that_tells_nothing_of_it() -> None:
    before, after = attributes(), attributes()
    after["Config"]["Env"] = ["PASSWORD=0ther"]
    assert config_digest(before, b"k") == config_digest(attributes("exited", restarts=3), b"k")
    assert config_digest(before, b"k") != config_digest(after, b"k")
    assert config_digest(before, b"k") != config_digest(before, b"another")


def test_an_image_is_told_by_its_content_too_since_its_tag_moves() -> None:
    assert (
        observation_from_attributes(attributes()).image
        == observation_from_summary(summary()).image
        == "postgres:15@0123456789ab"
    )
    nameless = summary() | {"Image": "sha256:0123456789abcdef"}
    assert observation_from_summary(nameless).image == "0123456789ab"


def test_ports_are_written_as_docker_does() -> None:
    bound = attributes()
    bound["NetworkSettings"]["Ports"] = {
        "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8080"}],
        "9/udp": None,
        "5432/tcp": [{"HostIp": "127.0.0.1", "HostPort": "5432"}],
    }
    ports = ("127.0.0.1:5432->5432/tcp", "8080->80/tcp", "9/udp")
    assert observation_from_attributes(bound).ports == ports
    listed = summary() | {
        "Ports": [
            {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
            {"PrivatePort": 9, "Type": "udp"},
            {"IP": "127.0.0.1", "PrivatePort": 5432, "PublicPort": 5432, "Type": "tcp"},
        ]
    }
    assert observation_from_summary(listed).ports == ports


def test_a_container_goes_by_its_own_name_not_by_that_of_a_link_to_it() -> None:
    assert name_of(summary() | {"Names": ["/web/db", "/db"]}) == "db"
    assert name_of({"Id": "0123456789abcdef", "Names": None}) == "0123456789ab"


def probe(second: int, code: int = 1) -> dict[str, Any]:
    return {"Start": f"2026-01-31T14:02:{second:02}Z", "ExitCode": code, "Output": "no"}


def test_a_container_says_since_when_it_is_not_well() -> None:

    minute = STARTED_AT - 31.042123
    ended = observation_from_attributes(attributes("exited", ExitCode=1, FinishedAt="2026-01-31T14:02:40.5Z"))
    assert ended.since == pytest.approx(minute + 40.5)
    assert not ended.since_or_before
    own_zone = observation_from_attributes(attributes("exited", ExitCode=1, FinishedAt="2026-01-31T15:02:40.5+01:00"))
    assert own_zone.since == pytest.approx(minute + 40.5)
    fell_once = {"Status": "unhealthy", "FailingStreak": 2, "Log": [probe(35, 0), probe(40), probe(45)]}
    sick = observation_from_attributes(attributes(Health=fell_once))
    assert sick.since == pytest.approx(minute + 40)
    assert not sick.since_or_before
    assert observation_from_attributes(attributes("running", Health={"Status": "unhealthy"})).since is None
    assert observation_from_attributes(attributes("created", FinishedAt="0001-01-01T00:00:00Z")).since is None


def test_failures_that_the_daemon_has_forgotten_are_reckoned_with() -> None:
    data = attributes(Health={"Status": "unhealthy", "FailingStreak": 11, "Log": [probe(30 + n) for n in range(5)]})
    data["Config"]["Healthcheck"] = {"Interval": 5_000_000_000}
    seen = observation_from_attributes(data)
    assert seen.since == pytest.approx(STARTED_AT - 1.042123 - 6 * 5.0)
    assert seen.since_or_before


def test_a_crash_loop_has_gone_on_at_least_since_the_last_fall() -> None:
    loop = observation_from_attributes(attributes("restarting", restarts=7, ExitCode=1, FinishedAt=STARTED))
    assert loop.since == pytest.approx(STARTED_AT)
    assert loop.since_or_before
