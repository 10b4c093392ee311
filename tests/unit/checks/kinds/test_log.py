"""`log` over looks in a row: what came, what came before, rotations, truncations, and a green that stays away."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from switchover_checks.api import ProbeError, Result, Status
from switchover_checks.kinds.files import log_following
from switchover_checks.kinds.files.log import LogConfig
from switchover_checks.runtime.config import ConfigError, build_config
from switchover_checks.runtime.probe_ports import ProbeMemory, ProbePorts

Probe = Callable[..., Awaitable[Result]]
Look = Callable[..., Awaitable[Result]]


def stamp(ago_s: float = 0.0) -> str:
    return (datetime.now(UTC) - timedelta(seconds=ago_s)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "app.log"
    path.write_text(f"{stamp()} begins\n")
    return path


@pytest.fixture
def look(probe: Probe, path: Path) -> Look:
    memory = ProbeMemory()

    async def once(**keys: Any) -> Result:
        return await probe("log", ports=ProbePorts(memory=memory), **{"path": path.name, "deny": "ERROR", **keys})

    return once


def add(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.write("".join(f"{line}\n" for line in lines))


async def test_a_line_that_may_not_come_is_red_and_stays_so_for_its_time(look: Look, path: Path) -> None:
    assert (await look()).status is Status.OK
    add(path, "all is well", "ERROR the disk is full")
    first, second = await look(), await look()
    assert (first.status, second.status) == (Status.CRIT, Status.CRIT)
    assert first.findings[0].observed == "1 lines, the last: ERROR the disk is full"
    assert second.findings[0].observed == first.findings[0].observed
    assert [m.value for m in second.metrics if m.name == "lines"] == [0]


async def test_what_is_older_than_its_time_does_not_count(look: Look, path: Path) -> None:
    add(path, f"{stamp(900)} ERROR long ago", f"{stamp(30)} fine")
    assert (await look()).status is Status.OK
    add(path, f"{stamp(900)} ERROR written late")
    assert (await look()).status is Status.OK
    add(path, f"{stamp(10)} ERROR now")
    assert (await look()).status is Status.CRIT


async def test_a_new_line_counts_though_its_clock_is_of_another_zone(look: Look, path: Path) -> None:
    assert (await look()).status is Status.OK
    add(path, f"{stamp(7200).rstrip('Z')} ERROR now, in the time of another zone")
    assert (await look()).status is Status.CRIT


async def test_what_is_ignored_is_passed_over(look: Look, path: Path) -> None:
    add(path, "ERROR client went away")
    assert (await look(ignore="client went away")).status is Status.OK


async def test_a_line_counts_once_whatever_is_written_in_pieces(look: Look, path: Path) -> None:
    await look()
    with path.open("a") as file:
        file.write("ERR")
    assert (await look()).status is Status.OK
    add(path, "OR in two pieces", "ERROR again")
    assert (await look()).findings[0].observed.startswith("2 lines")


def write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def rotate(path: Path) -> None:
    path.rename(path.with_name("app.log.1"))


async def test_a_rotated_log_is_read_to_its_end_before_the_new_one(look: Look, path: Path) -> None:
    await look()
    add(path, "ERROR in the old one")
    with path.open("a") as file:
        file.write("ERROR without an end")
    rotate(path)
    add(path, "ERROR in the new one")
    assert (await look()).findings[0].observed.startswith("3 lines")


async def test_a_log_that_was_rotated_away_is_said_to_be_lost(look: Look, path: Path) -> None:
    await look()
    other = path.with_name("other")
    other.write_text("fine\n")
    other.replace(path)
    result = await look()
    assert (result.status, result.findings[0].what) == (Status.UNKNOWN, "rotation")
    assert (await look()).status is Status.OK


@pytest.mark.parametrize("text", ["", "ERROR x\n", f"{'longer than before ' * 20}\nERROR x\n"])
async def test_a_log_that_was_emptied_in_place_is_read_from_its_beginning(look: Look, path: Path, text: str) -> None:
    await look()
    write(path, text.encode())
    assert (await look()).status is (Status.CRIT if text else Status.OK)


@pytest.mark.parametrize(
    ("lines", "keys", "status"),
    [
        (["done"], {"require": "done"}, Status.OK),
        ([], {"require": "done"}, Status.CRIT),
        (["slow"] * 3, {"count": "slow", "most": 3}, Status.OK),
        (["slow"] * 4, {"count": "slow", "most": 3}, Status.CRIT),
        (["slow"] * 2, {"count": "slow", "least": 3}, Status.CRIT),
        (["slow"] * 3, {"count": "slow", "least": 3}, Status.OK),
        (["x"] * 3, {"expect": "lines == 4"}, Status.OK),
        ([], {"expect": "quiet < 1m"}, Status.OK),
        ([], {"expect": "rate < 5"}, Status.UNKNOWN),
    ],
)
async def test_each_demand_on_a_log_that_was_read_whole(
    look: Look, path: Path, lines: list[str], keys: dict[str, Any], status: Status
) -> None:
    add(path, *lines)
    result = await look(**keys)
    assert result.status is status, result


async def test_what_must_come_is_unknown_before_it_was_watched_long_enough(
    look: Look, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_following, "FIRST_BYTES", 4)
    add(path, "nothing")
    assert (await look(require="done")).status is Status.UNKNOWN
    assert (await look(count="done", least=1)).status is Status.UNKNOWN
    add(path, "done")
    assert (await look(require="done")).status is Status.OK


async def test_a_log_without_line_ends_and_with_nonsense_is_read(look: Look, path: Path) -> None:
    await look()
    write(path, b"begins\n" + b"\xff\x00" * 100_000 + b"\nERROR\n")
    assert (await look()).status is Status.CRIT


async def test_a_log_that_is_not_there_is_unknown(look: Look, path: Path) -> None:
    rotate(path)
    with pytest.raises(ProbeError) as gone:
        await look()
    assert gone.value.status is Status.UNKNOWN


async def test_of_a_pattern_the_newest_file_is_read(look: Look, path: Path) -> None:
    os.utime(path, (time.time() - 100, time.time() - 100))
    (path.parent / "app-2.log").write_text("ERROR\n")
    assert (await look(path="app*.log")).status is Status.CRIT


@pytest.mark.parametrize(
    "keys", [{}, {"most": 1}, {"count": "x"}, {"deny": "("}, {"deny": "x", "last": "10ms"}, {"deny": ["(a+)+b"]}]
)
def test_demands_that_say_nothing_are_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        build_config(LogConfig, {"path": "x", **keys})


async def test_a_first_look_goes_back_as_far_as_its_time_asks(
    look: Look, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_following, "FIRST_BYTES", 200)
    add(path, f"{stamp(300)} ERROR the disk is full", *(f"{stamp(200 - n)} all is well" for n in range(100)))
    assert (await look(last="10m")).status is Status.CRIT


async def test_a_first_look_that_cannot_go_back_far_enough_says_so(
    look: Look, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_following, "FIRST_BYTES", 200)
    monkeypatch.setattr(log_following, "_MOST_BYTES", 400)
    add(path, f"{stamp(300)} ERROR the disk is full", *(f"{stamp(200 - n)} all is well" for n in range(100)))
    first, second = await look(last="10m"), await look(last="10m")
    assert first.status is Status.UNKNOWN
    assert "the first look read its last 800 B" in first.summary
    assert second.status is Status.OK


async def test_a_first_look_at_lines_without_a_time_says_how_much_it_read(
    look: Look, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_following, "FIRST_BYTES", 200)
    add(path, *("all is well" for _ in range(100)))
    first, second = await look(), await look()
    assert first.summary.endswith("the first look at its last 200 B")
    assert "first look" not in second.summary
