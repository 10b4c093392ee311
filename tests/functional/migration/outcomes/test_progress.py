"""What a running step says of how far it is reaches the view, for each of those that run side by side."""

import asyncio
from pathlib import Path

from tests.unit.migration.harness import ANA, Bench, open_bench

PLAN = """
phases:
  - id: a
    steps:
      - {id: one, run: 'echo progress: 40 %; until [ -e go ]; do sleep 0.01; done', effect: read, parallel: both}
      - {id: two, run: 'echo "{\\"progress\\": 0.75}"; until [ -e go ]; do sleep 0.01; done', effect: read,
         parallel: both}
      - {id: three, run: 'true', effect: read}
"""


async def _told(bench: Bench, wanted: list[float | None]) -> None:
    async with asyncio.timeout(60):
        while [bench.engine.view_step(step).progress for step in ("one", "two", "three")] != wanted:  # noqa: ASYNC110 - the file is another process's
            await asyncio.sleep(0.01)


async def test_each_running_step_tells_how_far_it_is_and_none_that_ended(tmp_path: Path) -> None:
    bench = open_bench(tmp_path, PLAN)
    driving = asyncio.ensure_future(bench.engine.drive(ANA))
    await _told(bench, [0.4, 0.75, None])
    (tmp_path / "go").touch()
    await driving
    await _told(bench, [None, None, None])
