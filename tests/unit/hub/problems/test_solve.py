from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.support.quiet_hub import QuietHub
from tests.unit.health.health_fakes import plan, scope_of

from switchover.clock import SystemClock
from switchover.errors import RefusedError
from switchover.hub.history.operations import Operations
from switchover.hub.problems.cases import Cases
from switchover.hub.problems.diagnosis import Diagnosis
from switchover.hub.problems.known_issues import KnownIssues
from switchover.hub.problems.problems import ProblemInputs, find_problems
from switchover.hub.problems.solver import Solver
from switchover.migration.facts.operator import Operator
from switchover.plan.loader.load import LoadedPlan
from switchover.snapshot import CheckRow, ServiceRow
from switchover_checks.api import Status

ANA = Operator("ana", "bastion", "pts/1")
PLAN = """
troubleshooting:
  - symptom: it is down
    when: a == CRIT
    diagnose: ["echo looked at $SERVICE"]
    solutions:
      - {text: look again, run: "echo $WORD", env: {WORD: "fine {{ id }}"}, effect: read}
      - {text: mend it, run: "echo mended > mended; exit 3", effect: changes}
      - {text: throw it away, run: "touch gone", effect: destroys,
         confirm: {text: "destroy {{ id }}", require: [a]}}
      - {text: call somebody}
"""


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(1000):
        if holds():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it did not come to that in time")


class HeldClock(SystemClock):
    """A clock that stands at `at`."""

    at = 1000.0

    def now(self) -> float:
        return self.at


class Bench:
    """Entries over a service and a check that are both wrong."""

    def __init__(self, folder: Path, loaded: LoadedPlan | None = None, *, read_only: bool = False) -> None:
        self.folder = folder
        self.clock = HeldClock()
        self.statuses: dict[str, Status] = {}
        self.acted: list[tuple[Any, ...]] = []
        self.known_issues = KnownIssues(loaded, SystemClock())
        self.service = ServiceRow(
            "web", "", "docker", "stopped", "crit", "exited, exit 1, out of memory",
            id="docker:web", identity="abc", observed_at=1000.0, actions=("start", "logs"),
        )  # fmt: skip
        self.check = CheckRow("a", "http", "crit", "a is down")
        self.operations = Operations(folder / "operations.sqlite", SystemClock(), lambda text: text)
        scope = lambda: scope_of(loaded, {}) if loaded is not None else pytest.fail("no scope")  # noqa: E731
        self.hub = QuietHub(scope, self.statuses.get)
        self.cases = Cases(loaded, self.known_issues, self.hub)
        self.diagnosis = Diagnosis(self.cases, folder, self.hub, read_only=read_only)
        self.solver = Solver(self.cases, self.operations, self.act, folder, self.hub, self.clock, read_only=read_only)
        self.see()

    def see(self) -> None:
        views = self.known_issues.of_plan(lambda _: Status.CRIT if self.check.status == "crit" else Status.OK)
        facts = ProblemInputs(
            (self.check,), found=(self.service,), known_issues=views, entry_subjects=self.known_issues.subjects
        )
        self.known_issues.all_of(views, find_problems(facts, self.known_issues.recognise), facts)

    async def act(
        self,
        items: Sequence[tuple[str, str, float | None]],
        action: str,
        argument: str,
        confirmation: str,
        operator: Operator,
    ) -> Sequence[Mapping[str, Any]]:
        self.acted.append((*items, action, confirmation))
        return [{"id": items[0][0], "ok": True, "text": "it runs"}]

    async def told(self) -> list[str]:
        return [row.text for row in self.operations.timeline]


async def test_an_entry_that_ships_is_opened_with_what_it_is_about(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    view = bench.cases.view_of(bench.cases.open("out-of-memory", "docker:web"))
    assert view.because == ("web is stopped: exited, exit 1, out of memory",)
    assert any("docker inspect" in command for command in view.diagnose)
    assert not any("systemctl" in command for command in view.diagnose)
    assert [act.command for act in view.acts] == ["", "start web"]  # restart is not possible now, so not offered
    for entry, about in (("out-of-memory", "docker:other"), ("disk-full", "docker:web"), ("plan:0", "a"), ("x", "")):
        with pytest.raises(RefusedError):
            bench.cases.open(entry, about)


async def test_what_is_no_longer_wrong_may_be_looked_at_and_not_acted_on(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.cases.open("out-of-memory", "docker:web")
    bench.known_issues.fits.clear()
    assert bench.cases.reopen("out-of-memory", "docker:web").symptom.startswith("Out of memory")
    with pytest.raises(RefusedError, match="not wrong in that way now"):
        await bench.solver.run("out-of-memory", "docker:web", 1, "yes", ANA)


async def test_an_action_of_the_service_goes_the_way_of_all_actions(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with pytest.raises(RefusedError, match="was not confirmed"):
        await bench.solver.run("out-of-memory", "docker:web", 1, "", ANA)
    assert await bench.solver.run("out-of-memory", "docker:web", 1, "yes", ANA) == ("start web", 0, "it runs")
    assert bench.acted == [(("docker:web", "abc", 1000.0), "start", "")]
    bench.clock.at = 5000.0
    with pytest.raises(RefusedError, match="was last seen"):
        await bench.solver.run("out-of-memory", "docker:web", 1, "yes", ANA)


async def test_commands_get_what_they_are_about_by_their_environment(tmp_path: Path) -> None:
    bench = Bench(tmp_path, plan(PLAN, tmp_path))
    ((command, code, output),) = await bench.diagnosis.run("plan:0", "a")
    assert (command, code, output) == ("echo looked at $SERVICE", 0, "looked at a\n")
    with pytest.raises(RefusedError, match="no command 2"):
        await bench.diagnosis.run("plan:0", "a", 1)


async def test_a_command_that_nobody_looks_at_any_more_is_ended(tmp_path: Path) -> None:
    text = 'troubleshooting: [{symptom: x, diagnose: ["echo $$ > pid; sleep 4321"]}]\n'
    bench = Bench(tmp_path, plan(text, tmp_path))
    running = asyncio.ensure_future(bench.diagnosis.run("plan:0", "", 0, "token"))
    await until(lambda: (tmp_path / "pid").exists() and bool((tmp_path / "pid").read_text()))
    bench.diagnosis.cancel("another")
    assert not running.done()
    bench.diagnosis.cancel("token")
    ((_, code, output),) = await running
    assert (code, output) == (130, "(ended: nobody looks any more)")
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


async def test_solutions_take_what_their_effect_asks_for(tmp_path: Path) -> None:
    bench = Bench(tmp_path, plan(PLAN, tmp_path))

    def run(number: int, typed: str) -> Awaitable[tuple[str, int, str]]:
        return bench.solver.run("plan:0", "a", number, typed, ANA)

    assert (await run(0, ""))[1:] == (0, "fine shop\n")  # it only reads: at once
    with pytest.raises(RefusedError, match="was not confirmed"):
        await run(1, "")
    assert (await run(1, "yes"))[1] == 3
    assert (tmp_path / "mended").exists()
    for typed in ("", "yes", "destroy"):
        with pytest.raises(RefusedError, match="this destroys"):
            await run(2, typed)
    with pytest.raises(RefusedError, match="needs a to be fine first"):
        await run(2, "destroy shop")
    assert not (tmp_path / "gone").exists()
    bench.statuses["a"] = Status.OK
    await run(2, "destroy shop")
    assert (tmp_path / "gone").exists()
    with pytest.raises(RefusedError, match="for a person to do"):
        await run(3, "yes")
    with pytest.raises(RefusedError, match="no solution 5"):
        await run(4, "yes")


async def test_a_solution_of_what_is_over_changes_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path, plan(PLAN, tmp_path))
    bench.check = CheckRow("a", "http", "ok", "fine")
    bench.see()
    with pytest.raises(RefusedError, match="is not so any more"):
        await bench.solver.run("plan:0", "a", 1, "yes", ANA)
    assert not (tmp_path / "mended").exists()
    assert (await bench.solver.run("plan:0", "a", 0, "", ANA))[1] == 0


async def test_what_was_run_is_on_record_with_what_came_of_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path, plan(PLAN, tmp_path))
    await bench.solver.run("plan:0", "a", 0, "", ANA)
    await bench.solver.run("plan:0", "a", 1, "yes", ANA)
    first, second = bench.operations.timeline
    assert first.text.startswith("ana: solution a to look again: done")
    assert (second.text, second.status) == ("ana: solution a to mend it: failed: exit 3", "crit")


async def test_a_service_that_a_solution_starts_goes_on_and_may_still_write(tmp_path: Path) -> None:
    start = "while [ -e go ]; do echo one more line; echo x >> lines; sleep 0.02; done & echo $! > pid"
    text = f"troubleshooting: [{{symptom: x, solutions: [{{text: start it, effect: changes, run: '{start}'}}]}}]\n"
    bench = Bench(tmp_path, plan(text, tmp_path))
    (tmp_path / "go").touch()
    assert (await bench.solver.run("plan:0", "", 0, "yes", ANA))[1] == 0
    service = psutil.Process(int((tmp_path / "pid").read_text()))
    readers = [
        one for one in psutil.process_iter(["name", "cwd"]) if one.info["name"] == "cat" and one.info["cwd"] == "/"
    ]
    before = (tmp_path / "lines").stat().st_size
    await until(lambda: (tmp_path / "lines").stat().st_size > before + 10)
    assert service.is_running()
    (tmp_path / "go").unlink()
    await until(lambda: not service.is_running() and not any(one.is_running() for one in readers))


async def test_a_solution_is_not_run_twice_at_once(tmp_path: Path) -> None:
    text = (
        "troubleshooting: [{symptom: x, solutions: [{text: wait, effect: read, "
        'run: "echo x >> runs; while [ ! -e go ]; do sleep 0.02; done"}]}]\n'
    )
    bench = Bench(tmp_path, plan(text, tmp_path))
    first = asyncio.ensure_future(bench.solver.run("plan:0", "", 0, "", ANA))
    await until((tmp_path / "runs").exists)
    async with asyncio.timeout(10):
        with pytest.raises(RefusedError, match="runs already"):
            await bench.solver.run("plan:0", "", 0, "", ANA)
    (tmp_path / "go").touch()
    assert (await first)[1] == 0
    assert (tmp_path / "runs").read_text() == "x\n"


async def test_nothing_is_run_where_only_is_watched(tmp_path: Path) -> None:
    bench = Bench(tmp_path, plan(PLAN, tmp_path), read_only=True)
    with pytest.raises(RefusedError, match="not run here"):
        await bench.diagnosis.run("plan:0", "a")
    with pytest.raises(RefusedError, match="not run here"):
        await bench.solver.run("plan:0", "a", 0, "", ANA)


async def test_what_has_to_cool_down_is_confirmed_twice_with_that_time_between(tmp_path: Path) -> None:
    text = (
        "troubleshooting: [{symptom: x, solutions: [{text: wipe, effect: destroys, "
        'run: "echo x >> runs", confirm: {text: "wipe it", cooldown: 30s}}]}]\n'
    )
    bench = Bench(tmp_path, plan(text, tmp_path))

    async def wipe(typed: str = "wipe it") -> None:
        await bench.solver.run("plan:0", "", 0, typed, ANA)

    for later in (0, 29):
        bench.clock.at = 1000.0 + later
        with pytest.raises(RefusedError, match="nothing was done yet: it cools down for"):
            await wipe()
    bench.clock.at = 1031.0
    with pytest.raises(RefusedError, match="was not confirmed"):
        await wipe("wipe")
    assert not (tmp_path / "runs").exists()
    await wipe()
    with pytest.raises(RefusedError, match="cools down"):
        await wipe()  # each time anew
    bench.clock.at = 9000.0
    with pytest.raises(RefusedError, match="cools down"):
        await wipe()  # nobody remembers that word
    assert (tmp_path / "runs").read_text() == "x\n"


async def test_what_takes_two_persons_is_said_beforehand_and_not_after_it_was_typed(tmp_path: Path) -> None:
    text = (
        "troubleshooting: [{symptom: x, solutions: [{text: wipe, effect: destroys, "
        'run: "touch gone", confirm: {text: "wipe it", persons: 2}}]}]\n'
    )
    bench = Bench(tmp_path, plan(text, tmp_path))
    (act,) = bench.cases.view_of(bench.cases.open("plan:0", "")).acts
    assert (act.command, act.text) == (
        "",
        "wipe: it takes two persons, as only a step of the plan does. Its command: touch gone",
    )
    with pytest.raises(RefusedError, match="for a person to do"):
        await bench.solver.run("plan:0", "", 0, "wipe it", ANA)
    assert not (tmp_path / "gone").exists()


ASKING = """
vars: {port: {default: "6333"}}
troubleshooting:
  - symptom: the port is taken
    when: a == CRIT
    cwd: below
    env: {PORT: "{{ port }}"}
    diagnose:
      - "echo $PORT; pwd"
      - {argv: [echo, "{{ port }} $PORT; true"], env: {MORE: x}}
      - {argv: [echo, "{{ gone }}"]}
    solutions:
      - {text: stop it, ask: {UNIT: Which unit holds it}, run: 'echo "$UNIT:$PORT" > stopped'}
"""


def _asking(folder: Path) -> Bench:
    (folder / "below").mkdir()
    bench = Bench(folder, plan(ASKING))
    bench.hub.scope = lambda: scope_of(plan(ASKING), {"port": "6333"})  # type: ignore[method-assign]
    return bench


async def test_a_command_that_looks_closer_has_its_arguments_variables_and_folder(tmp_path: Path) -> None:
    found = await _asking(tmp_path).diagnosis.run("plan:0", "a")
    assert found[0][1:] == (0, f"6333\n{tmp_path / 'below'}\n")
    assert found[1] == ("echo '6333 $PORT; true'", 0, "6333 $PORT; true\n")  # no shell reads it
    assert found[2][:2] == ('echo "{{ gone }}"'.replace('"', ""), 126)
    assert "the value of 'gone' is not known yet" in found[2][2]


async def test_what_a_solution_asks_is_answered_before_it_runs_and_is_on_record(tmp_path: Path) -> None:
    bench = _asking(tmp_path)
    assert bench.cases.view_of(bench.cases.open("plan:0", "a")).acts[0].asks == (("UNIT", "Which unit holds it"),)
    for answers, why in (
        ({}, "UNIT is not answered: Which unit holds it"),
        ({"UNIT": "a\nb"}, "UNIT is one line"),
        ({"UNIT": "a", "LD_PRELOAD": "x"}, "nothing asks for 'LD_PRELOAD'"),
    ):
        with pytest.raises(RefusedError, match=why):
            await bench.solver.run("plan:0", "a", 0, "yes", ANA, answers)
    assert not (tmp_path / "below" / "stopped").exists()
    await bench.solver.run("plan:0", "a", 0, "yes", ANA, {"UNIT": "$(touch hacked)"})
    assert (tmp_path / "below" / "stopped").read_text() == "$(touch hacked):6333\n"
    assert not (tmp_path / "below" / "hacked").exists()
    assert any("stop it (UNIT=$(touch hacked))" in text for text in await bench.told())
