"""Another home or account that looks at a plan is told who holds it, and where that lies, before it tries to run it."""

import json
import shlex
from pathlib import Path

from tests.support.warm_program import run_switchover
from tests.unit.migration.harness import ANA, BEN, Bench, open_bench

from switchover.clock import SystemClock
from switchover.migration.run.other_runs.forget import forget

PLAN = """
phases:
  - id: a
    steps:
      - {id: one, run: 'echo one >> log', effect: changes}
      - {id: two, checklist: [look]}
"""


def _home(tmp_path: Path, name: str, text: str | None = PLAN) -> Bench:
    (tmp_path / name).mkdir(exist_ok=True)
    return open_bench(tmp_path / name, text)


def _status(bench: Bench, tmp_path: Path, form: str) -> str:
    plan = str(bench.engine.loaded.path)
    done = run_switchover("status", plan, "--state", tmp_path / "s", "--format", form)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_who_holds_the_target_elsewhere_is_told_until_it_is_over(tmp_path: Path) -> None:
    first = _home(tmp_path, "ana")
    assert (await first.engine.drive(ANA)).kind == "waiting"
    second = _home(tmp_path, "ben")
    view = second.engine.view()
    assert "the plan p is held by run 1 of p, which ana@bastion drove last" in view.held_elsewhere
    assert str(first.engine.run_store.workspace.directory) in view.held_elsewhere
    assert (view.action.kind, view.action.text) == ("none", view.held_elsewhere)
    assert first.engine.view().held_elsewhere == ""
    assert not await second.engine.refresh(), "nothing is new"
    await first.engine.drive(ANA, ticks={"two": "seen"})
    assert await second.engine.refresh()
    assert (second.engine.view().held_elsewhere, second.engine.view().action.kind) == ("", "start")


async def test_who_drives_it_now_is_named(tmp_path: Path) -> None:
    first, second = _home(tmp_path, "ana"), _home(tmp_path, "ben")
    async with first.engine.hold(ANA):
        assert await second.engine.refresh()
        assert "the plan p is driven by ana@bastion" in second.engine.view().held_elsewhere
        await first.engine.start(ANA)
        assert await second.engine.refresh()
        assert "pts/1" in second.engine.view().held_elsewhere
    assert "drives it now" in second.engine.view().held_elsewhere
    assert await second.engine.refresh()
    assert "drives it now" not in second.engine.view().held_elsewhere


async def test_status_names_it_with_a_command_that_works(tmp_path: Path) -> None:
    first = _home(tmp_path, "ana's")
    await first.engine.drive(ANA)
    second = _home(tmp_path, "ben")
    told = _status(second, tmp_path, "text").splitlines()
    assert told[0] == "no run here yet"
    assert "is held by run 1 of p" in told[1]
    program, *words = shlex.split(told[1].split("`")[1])
    assert program == "switchover"
    assert run_switchover(*words).stdout.startswith("run 1: waiting")
    assert "is held by run 1 of p" in json.loads(_status(second, tmp_path, "json"))["held_elsewhere"]
    assert json.loads(_status(first, tmp_path / "other", "json"))["held_elsewhere"]


async def test_a_run_that_is_over_elsewhere_is_told_by_status(tmp_path: Path) -> None:
    first = _home(tmp_path, "ana")
    await first.engine.drive(ANA, ticks={"two": "seen"})
    told = _status(_home(tmp_path, "ben"), tmp_path, "text")
    assert "run 1 of p is over already: ana drove it" in told


async def test_one_who_has_given_it_up_is_told_no_more(tmp_path: Path) -> None:
    first = _home(tmp_path, "ana")
    await first.engine.drive(ANA)
    second = _home(tmp_path, "ben")
    await forget(second.engine.run_store.workspace, second.engine.loaded.plan, SystemClock(), BEN, "her laptop is gone")
    assert await second.engine.refresh()
    assert second.engine.view().held_elsewhere == ""
