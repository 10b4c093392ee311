from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from tests.unit.hub.fake_source import UP, FakeSource, Host, of_services

from switchover.hub.services.kept_failures import KeptFailures
from switchover.services.provider_api import Observation, ProcessState
from switchover.snapshot import ServiceRow, Snapshot
from switchover_checks.api import Status

BACKUP = ServiceRow("backup", "", "systemd", "stopped", "crit", "failed: exit 3", id="systemd:backup", identity="a")
WEB = ServiceRow("web", "", "systemd", "running", "ok", id="systemd:web", identity="w")
FAILED = Observation(ProcessState.STOPPED, Status.CRIT, "failed: exit 3", identity="one")


class Units(FakeSource):
    kind: ClassVar[str] = "systemd"


def failures(snapshot: Snapshot) -> list[tuple[str, str]]:
    return [(problem.subject, problem.cause) for problem in snapshot.problems]


def failed() -> KeptFailures:
    units = KeptFailures()
    assert units.follow((BACKUP, WEB)) == (), "its own row says it"
    return units


@pytest.mark.parametrize(
    ("there", "words", "health"),
    [
        ((), "systemd has forgotten it since", "crit"),
        ((replace(BACKUP, health="ok", detail="not started"),), "its failure was reset since", "crit"),
        ((replace(BACKUP, state="running", health="ok", detail="", identity="b"),), "it runs again", "warn"),
    ],
)
def test_a_failure_is_kept_when_the_unit_is_forgotten_reset_or_restarted(
    there: tuple[ServiceRow, ...], words: str, health: str
) -> None:
    (row,) = failed().follow((*there, WEB))
    assert (row.id, row.detail, row.health) == ("failed:systemd:backup", f"failed: exit 3; {words}", health)
    assert row.actions == ("logs", "inspect"), "what is kept of it"


def test_one_that_a_person_has_seen_goes_and_the_next_failure_of_the_unit_is_kept_again() -> None:
    units = failed()
    assert units.follow((WEB,))
    units.seen("failed:systemd:backup")
    assert units.follow((replace(WEB),)) == () == units.follow((WEB,))
    units.follow((replace(BACKUP, identity="b"), WEB))
    assert units.follow((WEB,))


def test_who_has_looked_at_the_failed_unit_itself_is_not_told_again_once_it_is_reset() -> None:
    units = failed()
    units.seen("systemd:backup")
    assert units.follow((replace(BACKUP), WEB)) == ()
    assert units.follow((WEB,)) == ()


def test_a_list_without_units_says_nothing_about_them() -> None:
    assert failed().follow((replace(WEB, kind="process"),)) == ()


async def test_a_unit_that_systemd_forgot_before_it_was_listed_is_a_problem_until_somebody_has_seen_it(
    tmp_path: Path,
) -> None:
    source = Units("web")
    async with Host(tmp_path, source) as host:
        host.hub.note_viewer("screen")
        await host.until(lambda s: bool(s.found))
        source.tell("run-r7.service", "failed", FAILED)
        snapshot = await host.until(lambda s: bool(of_services(s)))
        (row,) = (row for row in snapshot.found if row.id == "failed:systemd:run-r7.service")
        assert row.detail == "failed: exit 3; systemd has forgotten it since"
        assert of_services(snapshot)[0].subject == "run-r7"
        host.hub.seen(row.id)
        await host.until(lambda s: not of_services(s))


async def test_a_failure_that_was_reset_stays_a_problem_and_one_that_was_looked_at_does_not(
    tmp_path: Path,
) -> None:
    source = Units("web", job=FAILED, other=FAILED)
    async with Host(tmp_path, source) as host:
        host.hub.note_viewer("screen")
        await host.until(lambda s: len(of_services(s)) == 2)
        host.hub.seen("systemd:other")
        for name in ("job", "other"):
            source.things[name] = replace(UP, identity="two")
            source.tell(name, "started", source.things[name])
        snapshot = await host.until(lambda s: sum(row.state == "running" for row in s.found) == 3)
        assert [row.id for row in snapshot.found if row.id.startswith("failed:")] == ["failed:systemd:job"]
