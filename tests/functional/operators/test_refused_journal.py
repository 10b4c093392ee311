"""A journal that is refused closes no screen: all else is watched, and it is said loudly why nothing can be done."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, Bench, Checks, Secrets, open_bench

from switchover import app
from switchover.clock import SystemClock
from switchover.errors import JournalError
from switchover.locations import Workspace
from switchover.migration.run.engine import Engine
from switchover.snapshot import MigrationView

PLAN = """
checks: {there: {kind: file, path: plan.yaml, every: 1s}}
phases:
  - id: a
    steps:
      - {id: one, run: 'echo one >> log', effect: changes, rollback: {run: 'echo undo >> log'}}
      - {id: two, checklist: [look]}
"""


def _lost(workspace: Workspace) -> None:
    for file in workspace.directory.glob("journal.sqlite*"):
        file.unlink()


def _made_anew(workspace: Workspace) -> None:
    _lost(workspace)
    workspace.journal.write_bytes(b"no journal at all, but something")


async def _waiting(tmp_path: Path) -> Bench:
    bench = open_bench(tmp_path, PLAN)
    assert (await bench.engine.drive(ANA)).kind == "waiting"
    return bench


def _judge(view: MigrationView, workspace: Workspace) -> None:
    assert (view.state, view.action.kind) == ("unknown", "none")
    assert {step.state for step in view.phases[0].steps} == ({"done", "waiting"} if view.run_id else {"unknown"})
    assert "the journal is refused since 20" in view.journal_refused
    assert f"`{workspace.command('audit verify')}` shows more" in view.journal_refused
    assert "PLAN" not in view.journal_refused


def _open(bench: Bench) -> Engine:
    loaded, workspace = bench.engine.loaded, bench.engine.run_store.workspace
    clock = SystemClock()
    return Engine.open(loaded, workspace, Checks(clock), clock, secrets=Secrets(), even_refused=True)


@pytest.mark.parametrize("harm", [_lost, _made_anew])
async def test_it_opens_tells_why_and_refuses_what_acts_until_a_copy_is_brought_back(
    tmp_path: Path, harm: Callable[[Workspace], None]
) -> None:
    bench = await _waiting(tmp_path)
    await bench.engine.aclose()
    workspace = bench.engine.run_store.workspace
    shutil.copy(workspace.journal, tmp_path / "copy")
    harm(workspace)
    with pytest.raises(JournalError):
        open_bench(tmp_path)
    engine = _open(bench)
    _judge(engine.view(), workspace)
    for acts in (engine.drive(ANA), engine.abort(ANA, "why"), engine.tick("two", 0, ANA, "seen"), engine.start(ANA)):
        with pytest.raises(JournalError):
            await acts
    assert bench.log == ["one"]
    shutil.copy(tmp_path / "copy", workspace.journal)
    assert await engine.refresh()
    assert (engine.view().journal_refused, engine.view().action.kind) == ("", "checklist")
    await engine.aclose()


@pytest.mark.parametrize("harm", [_lost, _made_anew])
async def test_a_journal_lost_while_it_is_open_is_told_with_the_next_look(
    tmp_path: Path, harm: Callable[[Workspace], None]
) -> None:
    bench = await _waiting(tmp_path)
    harm(bench.engine.run_store.workspace)
    for _ in range(2):
        with pytest.raises(JournalError):
            await bench.engine.refresh()
        _judge(bench.engine.view(), bench.engine.run_store.workspace)
    with pytest.raises(JournalError):
        await bench.engine.drive(ANA, ticks={"two": "seen"})
    await bench.engine.aclose()


async def test_what_is_watched_goes_on_while_the_journal_is_refused(tmp_path: Path) -> None:
    bench = await _waiting(tmp_path)
    await bench.engine.aclose()
    workspace = bench.engine.run_store.workspace
    _lost(workspace)
    parts = app.build(app.load(tmp_path / "plan.yaml"), workspace, even_refused=True)
    watching = asyncio.ensure_future(parts.hub.run())
    try:
        async with asyncio.timeout(60):
            while [row.status for row in parts.hub.snapshot.checks] != ["ok"]:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        _judge(parts.hub.snapshot.migration, workspace)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await parts.aclose()
