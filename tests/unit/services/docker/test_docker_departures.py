from __future__ import annotations

from typing import Any

import pytest

from switchover.services.docker.docker_departures import Departures
from switchover.services.docker.docker_events import DockerEvent
from switchover.services.provider_api import Observation

TERMINAL = {"Config": {"Tty": True, "OpenStdin": True}}


def event(action: str, at: float, **attributes: str) -> DockerEvent:
    return DockerEvent("id-1", "import", action, at=at, attributes=attributes)


def end(
    code: str = "1", *, sent: str = "", removed_at: float = 1.0, known: Any = None, between: str = ""
) -> Observation | None:
    departures = Departures()
    assert departures.follow(event("die", 0.5, exitCode=code), sent, known) is None
    if between:
        departures.follow(event(between, 0.6), "", known)
    return departures.follow(event("destroy", removed_at, image="shop/import"), "", known)


def test_a_container_that_failed_and_was_removed_at_once_is_told_with_how_it_ended() -> None:
    failed = end("137")
    assert failed is not None
    assert (failed.detail, failed.identity, failed.image, failed.since) == (
        "exited, exit 137 (SIGKILL)",
        "id-1",
        "shop/import",
        0.5,
    )


@pytest.mark.parametrize(
    "otherwise",
    [
        {"code": "0"},
        {"code": "143"},
        {"sent": "SIGKILL", "code": "137"},
        {"removed_at": 60.0},
        {"known": TERMINAL},
        {"between": "start"},
    ],
)
def test_one_that_ended_well_or_was_asked_to_or_stayed_for_a_while_is_not(otherwise: dict[str, Any]) -> None:
    assert end(**otherwise) is None


def test_one_that_was_never_known_is_told_and_its_memory_is_bounded() -> None:
    departures = Departures()
    for number in range(1000):
        departures.follow(DockerEvent(f"id-{number}", "x", "die", at=0.0, attributes={"exitCode": "2"}), "", None)
    assert departures.follow(DockerEvent("id-1", "x", "destroy", at=0.1), "", None) is None
    assert departures.follow(DockerEvent("id-999", "x", "destroy", at=0.1), "", None) is not None
