"""Files of steps: what is executed is frozen with the plan, what is left is kept with the run."""

import os
from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, Bench, Secrets, open_bench

from switchover.errors import RefusedError
from switchover.migration.facts.run_state import Stage

PLAN = """
phases:
  - id: a
    steps:
      - {id: first, argv: [sh, bin/first.sh], effect: read, files: [bin/first.sh]}
      - {id: look, checklist: [look]}
      - {id: second, argv: [sh, bin/second.sh], effect: read, files: [bin/*.sh]}
"""


async def _at_the_checklist(directory: Path) -> Bench:
    (directory / "bin").mkdir()
    for name in ("first", "second"):
        (directory / "bin" / f"{name}.sh").write_text(f"echo {name} >> log\n")
    bench = open_bench(directory, PLAN)
    await bench.engine.drive(ANA)
    return bench


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda folder: (folder / "second.sh").write_text("echo other >> log\n"), "bin/second.sh was changed"),
        (lambda folder: (folder / "second.sh").unlink(), "bin/second.sh was removed"),
        (lambda folder: (folder / "more.sh").write_text(""), "bin/more.sh was added"),
    ],
)
async def test_an_edited_script_is_named_and_runs_only_once_it_was_adopted(
    tmp_path: Path, edit: object, said: str
) -> None:
    bench = await _at_the_checklist(tmp_path)
    assert (await bench.engine.difference()).same
    edit(tmp_path / "bin")  # type: ignore[operator]
    with pytest.raises(RefusedError, match=said):
        await bench.engine.drive(ANA, ticks={"look.1": ""})
    assert bench.log == ["first"]
    difference = await bench.engine.difference()
    assert [f"{c.name} was {c.kind}" for c in difference.changes] == [said]
    changes = await bench.engine.rebase(ANA, reason="mended")
    assert changes == ("file {} {}".format(*said.split(" was ")),)
    after = open_bench(tmp_path)
    assert after.engine.state.impossible == ()
    await after.engine.run_next(ANA)
    assert after.engine.state.unit("second").attempts != ()


async def test_a_script_of_a_step_that_is_over_may_be_edited(tmp_path: Path) -> None:
    bench = await _at_the_checklist(tmp_path)
    (tmp_path / "bin" / "first.sh").write_text("echo mended\n")
    difference = await bench.engine.difference()
    assert [c.name for c in difference.changes] == ["bin/first.sh"], "the second step executes it too"


KEEP = """
secrets: {pw: {ref: 'file:unused'}}
phases:
  - id: a
    steps:
      - id: s
        run: 'mkdir -p results; echo good > results/a.xml; echo "$PW" > results/b.xml; exit 3'
        env: {PW: '{{ secret.pw }}'}
        effect: read
        keep: [results/*.xml]
"""


async def test_what_a_step_leaves_is_kept_with_its_digest_also_where_it_fails(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    old = tmp_path / "results" / "old.xml"
    old.write_text("of last week")
    os.utime(old, (1, 1))
    bench = open_bench(tmp_path, KEEP, secrets=Secrets({"pw": "Kq7ZtPwJ3vNx-9Lm"}))
    await bench.engine.drive(ANA)
    unit = bench.engine.state.unit("s")
    assert (unit.stage, unit.last is not None and [f.name for f in unit.last.kept]) == (Stage.FAILED, ["a.xml"])
    assert "results/old.xml is older than this attempt, and was not kept" in unit.reason
    assert "b.xml holds a secret" in unit.reason
    assert unit.last is not None
    copy = bench.engine.run_store.workspace.run_directory("1") / unit.last.kept[0].kept
    assert copy.read_text() == "good\n"


MADE = """
phases:
  - id: a
    steps:
      - id: s
        run: 'printf Kq7ZtPwJ; printf 3vNx-9Lm > half; cat half; echo; (printf Kq7ZtPwJ; cat half) > left.txt'
        effect: read
        outputs: {pw: {from: 'stdout:/(.+)/', secret: true}}
        keep: [left.txt]
"""


async def test_what_a_step_leaves_is_not_kept_where_it_holds_the_secret_that_this_step_made(tmp_path: Path) -> None:
    bench = open_bench(tmp_path, MADE)
    await bench.engine.drive(ANA)
    unit = bench.engine.state.unit("s")
    assert unit.stage is Stage.DONE
    assert unit.last is not None
    assert (unit.last.kept, "left.txt holds a secret" in unit.reason) == ((), True)
    folder = bench.engine.run_store.workspace.run_directory("1")
    assert not [f for f in folder.rglob("*") if f.is_file() and b"Kq7ZtPwJ3vNx-9Lm" in f.read_bytes()]
