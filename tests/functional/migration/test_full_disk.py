"""A disk that is really full, as a small file system of its own."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.conftest import missing
from tests.unit.migration.harness import ANA, open_bench

from switchover.errors import StateError


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount 1 MiB at `state`, where the run keeps its journal and records."""
    place = tmp_path / "state"
    place.mkdir()
    if (
        os.geteuid()
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], check=False).returncode
    ):
        missing("the right to mount a small file system")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def _exit_record(disk: Path) -> str:
    (record,) = disk.glob("workspaces/*/runs/1/fill.1/exit.json")
    return record.read_text()


def _fill(disk: Path) -> None:
    with suppress(OSError), (disk / "filler").open("ab", buffering=0) as file:
        while True:
            file.write(b"\0" * 512)


PLAN = """
phases:
  - id: a
    steps:
      - {id: fill, run: 'echo fill >> log; echo said; cat /dev/zero > state/filler || true; echo more', effect: changes}
      - {id: next, run: 'echo next >> log', effect: changes}
"""


async def test_a_step_that_ends_on_a_full_disk_keeps_its_end_and_no_other_starts(
    tmp_path: Path, small_disk: Path
) -> None:
    bench = open_bench(tmp_path, PLAN)
    with pytest.raises(StateError):
        await bench.engine.drive(ANA)
    assert bench.log == ["fill"]
    assert bench.stage("fill") != "failed"
    assert '"exit_code": 0' in _exit_record(small_disk)
    await bench.engine.aclose()

    _fill(small_disk)  # closing the journal made some room
    still_full = open_bench(tmp_path)
    with pytest.raises(StateError):
        await still_full.engine.drive(ANA)
    assert still_full.log == ["fill"]
    await still_full.engine.aclose()

    (small_disk / "filler").unlink()
    freed = open_bench(tmp_path)
    assert (await freed.engine.drive(ANA)).kind == "done"
    assert freed.log == ["fill", "next"]
    await freed.engine.aclose()
