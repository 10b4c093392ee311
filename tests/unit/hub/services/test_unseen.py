from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from tests.unit.hub.fake_source import ANA, UP, FakeSource, Host, of_services

from switchover.errors import RefusedError
from switchover.hub.services.unseen import Unseen
from switchover.services.provider_api import LogSource, LogSpan, Observation, ProcessState, ServiceEvent
from switchover.snapshot import ServiceRow
from switchover_checks.api import Status

FAILED = Observation(ProcessState.STOPPED, Status.CRIT, "failed: exit 3", identity="one")
UNIT = ServiceRow("web", "", "systemd", "running", "ok", id="systemd:web.service", identity="w")
SHOP = ServiceRow("shop", "", "process", "running", "ok", id="process:7", identity="7:1", pid=7, ports=("0.0.0.0:80",))
JOB = ServiceRow("job", "", "process", "running", "ok", id="process:9", identity="9:1", pid=9)


class Units(FakeSource):
    kind: ClassVar[str] = "systemd"


def unseen(tmp_path: Path, boot: str = "b", *, writes: bool = True) -> Unseen:
    return Unseen(tmp_path / "unseen.json", boot, writes=writes)


def names(kept: Unseen) -> list[str]:
    return [row.name for row in kept.rows]


def with_losses(tmp_path: Path) -> Unseen:
    kept = unseen(tmp_path)
    for now in (0.0, 100.0):
        kept.follow((SHOP, replace(JOB), UNIT), {}, now)
    kept.hear(ServiceEvent("systemd", "backup.service", "failed", at=90.0, observation=FAILED), "failed: exit 3", 100.0)
    kept.hear(ServiceEvent("docker", "import", "failed", at=91.0, observation=FAILED), "exited, exit 1", 100.0)
    kept.follow((JOB, UNIT), {"systemd:backup.service": ("no space left",)}, 101.0)
    assert len(kept.rows) == 3
    return kept


def test_what_nobody_has_seen_outlives_the_agent_and_what_was_seen_does_not_come_back(tmp_path: Path) -> None:
    first = with_losses(tmp_path)
    first.save()()
    after = unseen(tmp_path)
    after.follow((), {}, 200.0)
    assert after.rows == first.rows
    assert after.lines("failed:systemd:backup.service") == ("no space left",)
    after.seen("failed:systemd:backup.service")
    after.save()()
    last = unseen(tmp_path)
    last.follow((replace(JOB), UNIT), {}, 300.0)
    assert names(last) == ["import", "shop on 0.0.0.0:80"]
    last.hear(ServiceEvent("systemd", "backup.service", "failed", observation=FAILED), "failed: exit 3", 301.0)
    last.follow((replace(JOB), UNIT), {}, 302.0)
    assert len(last.rows) == 2, "the same failure is not told again"


def test_all_of_it_is_seen_at_once(tmp_path: Path) -> None:
    kept = with_losses(tmp_path)
    kept.seen("")
    assert kept.rows == ()
    kept.follow((replace(JOB), UNIT), {}, 102.0)
    assert kept.rows == ()


def test_what_died_between_two_agents_is_told_but_not_what_a_reboot_ended(tmp_path: Path) -> None:
    before = unseen(tmp_path)
    for now in (0.0, 100.0):
        before.follow((SHOP, replace(JOB)), {}, now)
    before.save()()
    cases: tuple[tuple[str, list[str]], ...] = (("b", ["shop on 0.0.0.0:80"]), ("another", []))
    for boot, told in cases:
        after = unseen(tmp_path, boot)
        after.follow((UNIT,), {}, 200.0)
        assert names(after) == [], "processes were not listed yet"
        after.follow((JOB, UNIT), {}, 201.0)
        assert names(after) == told


def test_nothing_is_written_again_while_only_numbers_change_nor_by_who_only_watches(tmp_path: Path) -> None:
    file = tmp_path / "unseen.json"
    watching = unseen(tmp_path, writes=False)
    watching.follow((JOB,), {}, 1.0)
    watching.save()()
    assert not file.exists()
    kept = unseen(tmp_path)
    for now in (0.0, 100.0):
        kept.follow((replace(SHOP, cpu_percent=now), replace(JOB)), {}, now)
    kept.save()()
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.stat().st_ino
    kept.follow((replace(SHOP, cpu_percent=55.0, observed_at=101.0), replace(JOB)), {}, 101.0)
    kept.save()()
    assert file.stat().st_ino == before


@pytest.mark.parametrize("text", ["{", '{"form": 2}', '{"failed": 3}', "\udcff"])
def test_a_file_that_cannot_be_read_is_told_and_left_as_it_is(tmp_path: Path, text: str) -> None:
    file = tmp_path / "unseen.json"
    file.write_bytes(os.fsencode(text))
    kept = with_losses(tmp_path)
    kept.save()()
    assert "cannot be read" in kept.trouble
    assert file.read_bytes() == os.fsencode(text)


def test_a_state_folder_that_takes_nothing_is_told_and_it_is_kept_in_memory(tmp_path: Path) -> None:
    kept = Unseen(tmp_path / "gone" / "unseen.json", "b")
    kept.hear(ServiceEvent("docker", "import", "failed", observation=FAILED), "exited, exit 1", 1.0)
    kept.follow((JOB,), {}, 1.0)
    kept.save()()
    assert "will not know" in kept.trouble
    assert kept.rows


async def test_where_a_listener_wrote_its_log_is_known_after_its_end(tmp_path: Path) -> None:
    kept = unseen(tmp_path)
    for now in (0.0, 100.0):
        kept.follow((SHOP, replace(JOB)), {}, now)

    async def find(names: object, span: LogSpan) -> list[LogSource | tuple[str, str]]:
        assert names == ["process:7"]
        return [LogSource("shop", "file", path="/var/log/shop.log")]

    kept.find = find
    await kept.keep()
    kept.follow((JOB,), {}, 101.0)
    kept.save()()
    after = unseen(tmp_path)
    after.follow((JOB,), {}, 102.0)
    found = after.log_source(after.rows[0], LogSpan())
    assert isinstance(found, LogSource)
    assert found.path == "/var/log/shop.log"


async def test_what_systemd_has_forgotten_shows_what_is_kept_of_it_and_its_journal(tmp_path: Path) -> None:
    source = Units("web")
    async with Host(tmp_path, source) as host:
        host.hub.note_viewer("screen")
        await host.until(lambda s: bool(s.found))
        source.tell("run-r7.service", "failed", FAILED)
        snapshot = await host.until(lambda s: bool(of_services(s)))
        row = next(row for row in snapshot.found if row.id.startswith("failed:"))
        text = await host.hub.inspect(row.id)
        assert "stopped, crit: failed: exit 3; systemd has forgotten it since" in text
        (log,) = await host.hub.log_sources([row.id], LogSpan())
        assert isinstance(log, LogSource)
        assert log.ref == "run-r7.service"
        with pytest.raises(RefusedError):
            await host.hub.command(row.id, "exec", "", ANA)
        source.things["run-r7.service"] = UP
        source.tell("run-r7.service", "started", UP)
        await host.until(lambda s: any("it runs again" in row.detail for row in s.found))
        assert "it runs again" in await host.hub.inspect(row.id)
        host.hub.seen("")
        await host.until(lambda s: not of_services(s))
