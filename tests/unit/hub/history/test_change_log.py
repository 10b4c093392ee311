from __future__ import annotations

from dataclasses import replace

from switchover.hub.history.change_log import ChangeLog
from switchover.services.inventory import ServiceState, follow
from switchover.services.provider_api import Observation, ProcessState, ServiceEvent
from switchover_checks.api import Status

LISTED = Observation(ProcessState.STOPPED, Status.PENDING, "exited, exit 137")
ASKED = Observation(ProcessState.STOPPED, Status.CRIT, "exited, exit 137, out of memory", since=400.0)


def seen(*looks: tuple[float, Observation]) -> tuple[ServiceState, ServiceState]:
    state = before = ServiceState()
    for at, probe in looks:
        before, state = state, follow(state, probe, "", at=at, mono=at)
    return before, state


def told(*looks: tuple[float, Observation]) -> list[str]:
    changes = ChangeLog()
    changes.saw("pg", *seen(*looks), about="docker:pg")
    return [row.text for row in changes.rows]


def test_what_ended_long_ago_is_no_news_when_more_becomes_known_of_it() -> None:
    assert told((1000.0, LISTED), (1001.0, ASKED)) == []


def test_what_ends_now_is_news_however_well_it_was_known() -> None:
    now = replace(ASKED, since=1000.5)
    assert told((1000.0, LISTED), (1001.0, now)) == ["pg crit: exited, exit 137, out of memory"]
    runs = Observation(ProcessState.RUNNING, Status.OK)
    assert told((1000.0, runs), (1001.0, now)) == ["pg stopped: exited, exit 137, out of memory"]


def test_what_happened_to_one_is_not_counted_with_its_namesake() -> None:
    changes = ChangeLog()
    for about in ("docker:one-db", "docker:two-db", "docker:one-db"):
        changes.say(100.0, "change", "db", "restarted", about=about)
    assert [(row.text, row.about) for row in changes.rows] == [
        ("db restarted", ("docker:one-db",)),
        ("db restarted", ("docker:two-db",)),
        ("db restarted", ("docker:one-db",)),
    ]


def test_how_something_feels_is_told_in_its_words_and_is_no_change() -> None:
    changes = ChangeLog()
    for said in ("unhealthy", "healthy"):
        changes.hear("pg", ServiceEvent("docker", "pg", "health", said, Status.CRIT, 100.0), 100.0)
    changes.hear("pg", ServiceEvent("docker", "pg", "died", "died: exit 3", None, 100.0), 100.0)
    changes.hear("pg", ServiceEvent("docker", "pg", "image", "pg image changed: 1 -> 2", None, 100.0), 100.0)
    assert [(row.kind, row.text) for row in changes.rows] == [
        ("service", "pg unhealthy"),
        ("service", "pg healthy"),
        ("change", "pg died: exit 3"),
        ("change", "pg image changed: 1 -> 2"),
    ]
