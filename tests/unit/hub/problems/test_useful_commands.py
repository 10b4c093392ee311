"""The useful commands of a plan: bounded, asked about where they change something, on record, safe from values."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.support.quiet_hub import QuietHub
from tests.unit.health.health_fakes import plan, scope_of
from tests.unit.hub.problems.test_solve import ANA, until

from switchover.clock import SystemClock
from switchover.errors import PlanError, RefusedError
from switchover.hub.history.operations import Operations
from switchover.hub.problems.cases import Cases
from switchover.hub.problems.diagnosis import Diagnosis
from switchover.hub.problems.known_issues import KnownIssues
from switchover.hub.problems.useful_commands import UsefulCommands, command_views
from switchover.plan.loader.load import load_plan_text
from switchover.snapshot import UsefulCommandView

PLAN = """
vars: {word: {default: "x; touch hacked"}}
commands:
  look: {key: l, argv: [echo, "{{ word }}"], cwd: below, effect: read}
  ends: {run: "echo begins; sleep 60", timeout: 100ms, effect: read}
  waits: {run: "until test -e go; do sleep 0.01; done; echo went", effect: changes}
  fails: {run: "echo $WORD >&2; exit 3", env: {WORD: "{{ word }}"}, effect: read}
"""


class Bench:
    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        (folder / "below").mkdir()
        loaded = plan(PLAN)
        self.operations = Operations(folder / "operations.sqlite", SystemClock(), lambda text: text)
        cases = Cases(
            loaded,
            KnownIssues(loaded, SystemClock()),
            QuietHub(lambda: scope_of(loaded, {"word": "x; touch hacked"})),
        )
        diagnosis = Diagnosis(cases, folder, QuietHub(), read_only=read_only)
        self.commands = UsefulCommands(cases, self.operations, diagnosis)

    async def look(self, name: str) -> tuple[str, int, str]:
        (ended,) = await self.commands.run(name, "", ANA, only_reads=True)
        return ended


async def test_one_that_reads_runs_at_once_in_its_folder_and_no_shell_reads_its_values(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    assert await bench.look("look") == ("echo 'x; touch hacked'", 0, "x; touch hacked\n")
    assert await bench.look("fails") == ("echo $WORD >&2; exit 3", 3, "x; touch hacked\n")
    assert not any((tmp_path / place / "hacked").exists() for place in (".", "below"))
    told = [row.text for row in bench.operations.timeline]
    assert [any(name in text and end in text for text in told) for name, end in (("look", "done"), ("fails", "exit 3"))]


async def test_one_that_does_not_end_is_ended(tmp_path: Path) -> None:
    _, code, text = await Bench(tmp_path).look("ends")
    assert (code, text.splitlines()[0], "cut off after 100 ms" in text) == (124, "begins", True)


async def test_one_that_changes_something_is_confirmed_and_never_runs_twice_at_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with pytest.raises(RefusedError, match="does more than read"):
        await bench.look("waits")
    with pytest.raises(RefusedError, match="was not confirmed"):
        await bench.commands.run("waits", "", ANA, only_reads=False)
    first = asyncio.ensure_future(bench.commands.run("waits", "yes", ANA, only_reads=False))
    await until(lambda: any("waits" in row.text for row in bench.operations.timeline))
    with pytest.raises(RefusedError, match="runs already"):
        await bench.commands.run("waits", "yes", ANA, only_reads=False)
    (tmp_path / "go").touch()
    assert (await first)[0][1:] == (0, "went\n")


async def test_none_is_run_where_nobody_may_act_and_none_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="commands are not run here"):
        await Bench(tmp_path, read_only=True).look("look")
    (tmp_path / "b").mkdir()
    with pytest.raises(RefusedError, match="no command 'lok'; did you mean 'look'"):
        await Bench(tmp_path / "b").look("lok")


def test_they_are_listed_for_a_screen() -> None:
    views = command_views(plan(PLAN).plan.commands)
    assert views[0] == UsefulCommandView("look", "look", "l", 'echo "{{ word }}"'.replace('"', ""), "read", "")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{key: l, effect: read}", "commands.a: a command is either `run`"),
        ("{run: a, argv: [a], effect: read}", "commands.a: a command is either `run`"),
        ("{run: a, effect: destroys}", "commands.a.effect: what destroys is a step of the plan"),
        ("{run: a, key: ll}", "commands.a.key: "),
        ("{run: a, run_on: db}", "commands.a.run_on: there is no host in `hosts` 'db'"),
        ("{run: 'echo {{ id }}'}", "commands.a.run: a template inside shell text"),
        ("{run: a, env: {A: '{{ secret.no }}'}}", "names a secret that the plan does not have"),
        ("{run: 'PASSWORD=hunter2 a'}", "commands.a.run: a literal secret"),
        ("{run: a, key: k}, b: {run: b, key: k}", "commands.b.key: 'k' is the key of 'a' already"),
    ],
)
def test_what_is_none_is_refused(tmp_path: Path, written: str, said: str) -> None:
    with pytest.raises(PlanError) as wrong:
        load_plan_text(f"schema: 1\nid: a\ntitle: A\ncommands: {{a: {written}}}\n", tmp_path / "p")
    assert any(said in str(problem) for problem in wrong.value.problems), wrong.value.problems
