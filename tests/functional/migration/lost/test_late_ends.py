"""An end that comes to light when other runs have begun since is recorded on the run that it belongs to."""

import asyncio
import os
import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, BEN, open_bench

from switchover.migration.facts import events as ev
from switchover.migration.journal.checkpoints import checkpoints_file, read_checkpoints
from switchover.migration.reports.verification import Outputs, verify_journal

PLAN = """
phases:
  - id: a
    steps:
      - {id: s, run: 'echo s >> log; exit %s', effect: changes}
      - {id: t, checklist: [{text: look, evidence: text}]}
"""


def _die_before_its_end_is_on_record(directory: Path) -> None:
    """Drive in a process of its own, which ends without a word when the step is through."""

    def die(point: str) -> None:
        if point == "before StepEnded":
            os._exit(7)

    pid = os.fork()
    if pid == 0:
        bench = open_bench(directory)
        object.__setattr__(bench.engine.run_store.tools, "barrier", die)
        with suppress(BaseException):
            asyncio.run(bench.engine.drive(ANA))
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


@pytest.mark.parametrize(("code", "outcome"), [(0, "done"), (3, "failed")])
@pytest.mark.parametrize("runs_since", [0, 2])
def test_an_end_that_nobody_knew_is_told_of_its_own_run_after_a_restart(
    tmp_path: Path, runs_since: int, code: int, outcome: str
) -> None:
    first = open_bench(tmp_path, PLAN % code)
    place, aside = first.engine.run_store.workspace.run_directory("1") / "s.1", tmp_path / "aside"
    first.engine.run_store.close()
    _die_before_its_end_is_on_record(tmp_path)
    shutil.move(place, aside)
    asyncio.run(_decide_and_go_on(tmp_path, runs_since))
    shutil.move(aside, place)  # brought back

    async def look() -> None:
        again = open_bench(tmp_path)
        for _ in range(2):
            await again.engine.recover(BEN)
        journal = again.engine.run_store.journal
        assert journal is not None
        late = [(r.run_id, r.event) for r in journal.of_type(ev.StepEndedLate)]
        assert [(run, e.unit, e.outcome, e.exit_code) for run, e in late if isinstance(e, ev.StepEndedLate)] == [
            ("1", "s", outcome, code)
        ]
        assert (again.engine.state.run_id, again.log) == (str(runs_since + 1), ["s"])
        workspace = again.engine.run_store.workspace
        heads = read_checkpoints(checkpoints_file(workspace))
        assert not verify_journal(journal.raw_records(), heads, "", Outputs(workspace.run_directory, None)).faults
        await again.engine.aclose()

    asyncio.run(look())


async def _decide_and_go_on(directory: Path, runs_since: int) -> None:
    bench = open_bench(directory)
    assert (await bench.engine.drive(BEN)).kind == "unknown"
    await bench.engine.resolve("s", "done", "looked", BEN)
    await bench.engine.drive(BEN, ticks={"t": "seen"})
    for _ in range(runs_since):
        await bench.engine.start(BEN, new=True)
        await bench.engine.abort(BEN, "not now")
    await bench.engine.aclose()
