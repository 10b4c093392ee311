"""Machines whose network is cut in mid-step: nothing runs twice, no end is lost, what nobody can know is unknown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.far_net import FarNet, run_far_net
from tests.unit.migration.harness import ANA, Bench, open_bench

PLAN = """
hosts: {{db: {{ssh: net1}}, all: {{ssh: [net1, net2, net3]}}}}
phases:
  - id: a
    steps:
      - id: there
        run: |
          echo $SWITCHOVER_HOST >> {folder}/log
          until test -e {folder}/go; do sleep 0.02; done
          echo last
        run_on: {on}
        effect: changes
        rollback: not_needed
        timeout: {timeout}
        {more}
"""


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FarNet]:
    with run_far_net(tmp_path_factory.mktemp("net"), 3) as network:
        yield network


def _bench(folder: Path, net: FarNet, on: str, timeout: str = "60s", more: str = "") -> Bench:
    text = PLAN.format(folder=folder, on=on, timeout=timeout, more=more)
    return open_bench(folder, text, hosts=net.lines(), grace_s=0.2)


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - other processes make it true
            await asyncio.sleep(0.02)


async def test_a_line_that_is_cut_is_told_and_mended_and_the_end_is_learnt(tmp_path: Path, net: FarNet) -> None:
    bench = _bench(tmp_path, net, "db")
    running = asyncio.ensure_future(bench.engine.drive(ANA))
    await _until(lambda: bench.log == ["db"])
    net.cut(1)
    try:
        await _until(lambda: "cannot be asked just now" in bench.engine.view_step("there").reason)
        (tmp_path / "go").touch()
        assert bench.stage("there") == "running"
    finally:
        net.mend(1)
    await running
    assert (bench.stage("there"), bench.log) == ("done", ["db"])
    assert bench.engine.read_output("there", 1, 0, 1 << 16)[0] == "last\n"


async def test_of_a_group_of_which_one_machine_dies_the_others_end_and_that_one_is_unknown(
    tmp_path: Path, net: FarNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("switchover.migration.run.far.far_work._AFTER_THE_END_S", 0.5)
    bench = _bench(tmp_path, net, "all", timeout="3s", more="serial: 3")
    running = asyncio.ensure_future(bench.engine.drive(ANA))
    await _until(lambda: sorted(bench.log) == ["net1", "net2", "net3"])
    net.cut(2)
    try:
        (tmp_path / "go").touch()
        await running
        stages = [bench.stage(f"there@net{number}") for number in (1, 2, 3)]
        assert stages == ["done", "unknown", "done"]
        assert bench.stage("there") == "unknown"
        assert "net2: net2 cannot be asked" in bench.engine.state.unit("there").reason
    finally:
        net.mend(2)
    await bench.engine.resolve("there", "retry", "I looked: it is done there as well", ANA)
    await bench.engine.drive(ANA)
    assert bench.stage("there") == "done"
    assert sorted(bench.log) == ["net1", "net2", "net2", "net3"]
