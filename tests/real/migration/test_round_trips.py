"""What a shared journal costs over a long line: how often is asked and waited, counted, not timed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.real.conftest import Postgres
from tests.real.migration.line import Line, line_to
from tests.unit.migration.harness import ANA, BEN, OPENED, open_bench

from switchover.settings import JournalAddress

PLAN = """
phases:
  - id: a
    steps:
      - {id: one, run: 'true', effect: changes}
      - {id: two, run: 'true', effect: changes}
"""
LOGIN = 2  # whether the line is to be encrypted, and who is there; after that one question opens and reads all


@pytest.fixture
def line(postgres: Postgres) -> Iterator[Line]:
    with line_to(postgres.port) as line:
        yield line


@pytest.fixture
def address(postgres: Postgres, line: Line) -> JournalAddress:
    return JournalAddress(line.url(postgres.create()))


@pytest.fixture(autouse=True)
def engines_are_closed() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().engine.run_store.close()


async def test_a_record_costs_one_round_trip_and_a_step_two(
    tmp_path: Path, address: JournalAddress, line: Line
) -> None:
    bench = open_bench(tmp_path, PLAN, shared=address)
    await bench.engine.start(ANA)
    async with bench.engine.hold(ANA):
        before = line.trips
        await bench.engine.run_step("one", ANA)
        assert line.trips - before == 2  # that it begins, before it does; and how it ended
        before = line.trips
        await bench.engine.run_step("two", ANA)
        assert line.trips - before == 3  # and the end of the run


async def test_a_look_costs_one_round_trip_after_the_login(tmp_path: Path, address: JournalAddress, line: Line) -> None:
    first = open_bench(tmp_path, PLAN, shared=address)
    await first.engine.drive(ANA)
    await first.engine.aclose()
    before = line.trips
    bench = open_bench(tmp_path, shared=address)
    assert bench.engine.view().state == "done"
    assert len(bench.engine.records()) == 6
    assert bench.engine.head_hash()
    assert bench.engine.timeline()
    assert bench.engine.holder() is None
    assert line.trips - before == LOGIN + 1


async def test_a_run_costs_one_for_what_is_there_one_to_hold_it_one_for_each_record_and_one_to_leave_it(
    tmp_path: Path, address: JournalAddress, line: Line
) -> None:
    registry = tmp_path / "other" / "registry"
    registry.mkdir(0o700, parents=True)  # what another host knows
    other = open_bench(tmp_path / "other", PLAN, shared=JournalAddress(address.url, "another"), registry=registry)
    await other.engine.start(ANA)  # makes the tables
    await other.engine.aclose()
    before = line.trips
    bench = open_bench(tmp_path, PLAN.replace("{id: two", "{id: second"), shared=address)
    outcome = await bench.engine.drive(BEN)
    assert outcome.kind == "done"
    records = len(bench.engine.records())
    opening = 2 * (LOGIN + 1) + 1  # there was none yet: looked, opened anew, and made one of that name
    assert line.trips - before == opening + 1 + records + 1


async def test_a_run_that_goes_on_costs_one_for_what_is_there(
    tmp_path: Path, address: JournalAddress, line: Line
) -> None:
    first = open_bench(tmp_path, PLAN, shared=address)
    await first.engine.start(ANA)
    await first.engine.aclose()
    before = line.trips
    bench = open_bench(tmp_path, shared=address)
    assert (await bench.engine.drive(BEN)).kind == "done"
    assert line.trips - before == LOGIN + 1 + 1 + 5 + 1  # look, hold, five records, leave


async def test_what_another_host_recorded_is_seen_after_one_round_trip(
    tmp_path: Path, address: JournalAddress, line: Line
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    first = open_bench(tmp_path / "a", PLAN, shared=address)
    await first.engine.start(ANA)
    second = open_bench(tmp_path / "b", PLAN, shared=address)
    await first.engine.run_step("one", ANA)
    before = line.trips
    assert await second.engine.refresh()
    assert line.trips - before == 1
    assert second.stage("one") == "done"
