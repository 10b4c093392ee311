"""A command without a shell: its arguments arrive as they are, whatever stands in them."""

import shlex
from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, open_bench

from switchover.errors import RefusedError
from switchover.migration.facts.run_state import Stage

NASTY = "a  b'c\"; $(touch hacked) `touch hacked` *"
PLAN = """
vars: {words: {ask: which?}, taken: {default: "{{ step.two.token }}"}}
phases:
  - id: a
    steps:
      - id: one
        argv: [/bin/sh, -c, 'printf "%s|" "$@" >> log', sh, "{{ words }}", -1, 'x {{ words }}']
        effect: changes
        rollback: {cwd: ., argv: [/bin/sh, -c, 'printf "undo %s" "$1" >> log', sh, "{{ words }}"]}
      - {id: two, argv: [echo, "token=12345678abc"], effect: read, outputs: {token: 'stdout:/token=(.*)/'}}
      - {id: three, argv: [./no/such/program], effect: read}
      - {id: four, argv: [echo, "{{ taken }}"], effect: read}
rollbacks: {back: {title: Back, steps: [{argv: [/bin/sh, -c, 'printf "back %s" "$1" >> log', sh, "{{ words }}"]}]}}
"""


async def test_arguments_arrive_as_they_are_and_are_on_record(tmp_path: Path) -> None:
    bench = open_bench(tmp_path, PLAN)
    await bench.engine.drive(ANA, variables={"words": NASTY})
    assert (tmp_path / "log").read_text() == f"{NASTY}|-1|x {NASTY}|"
    assert not (tmp_path / "hacked").exists()
    first = bench.engine.state.unit("one").last
    assert first is not None
    assert first.argv[3:] == ("sh", NASTY, "-1", f"x {NASTY}")
    assert shlex.split(bench.engine.view_step("one").command) == list(first.argv)


async def test_a_program_that_is_not_there_fails_and_says_so(tmp_path: Path) -> None:
    bench = open_bench(tmp_path, PLAN)
    await bench.engine.drive(ANA, variables={"words": "w"})
    three = bench.engine.state.unit("three")
    assert (three.stage, three.reason) == (Stage.FAILED, "cannot execute ./no/such/program: No such file or directory")


@pytest.mark.parametrize(("name", "wrote"), [(None, "undo"), ("back", "back")])
async def test_a_way_back_takes_its_arguments_too(tmp_path: Path, name: str | None, wrote: str) -> None:
    bench = open_bench(tmp_path, PLAN)
    await bench.engine.drive(ANA, variables={"words": NASTY})
    rehearsal = await bench.engine.rehearse(name)
    assert rehearsal.actions[0].argv[0] == "/bin/sh"
    await bench.engine.rollback(name, ANA)
    assert (tmp_path / "log").read_text().endswith(f"|{wrote} {NASTY}")
    assert bench.engine.state.stage == "rolled_back"


async def test_a_captured_secret_is_never_an_argument(tmp_path: Path) -> None:
    bench = open_bench(tmp_path, PLAN.replace("      - {id: three, argv: [./no/such/program], effect: read}\n", ""))
    with pytest.raises(RefusedError, match="would show in `ps`"):
        await bench.engine.drive(ANA, variables={"words": "w"})
    assert bench.engine.state.unit("four").attempts == ()
