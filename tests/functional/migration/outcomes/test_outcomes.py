"""What the end of a step counts as, as its plan says; what it puts out, and of which kind."""

from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, Bench, open_bench

from switchover.errors import RefusedError
from switchover.migration.facts.run_state import Stage


def _bench(directory: Path, run: str, more: str = "") -> Bench:
    steps = f"[{{id: s, run: '{run}', effect: changes{more}}}, {{id: t, run: echo t >> log, effect: read}}]"
    return open_bench(directory, f"phases: [{{id: a, steps: {steps}}}]")


@pytest.mark.parametrize(
    ("run", "more", "stage", "said"),
    [
        ("exit 2", "", Stage.FAILED, "failed with exit code 2"),
        ("exit 2", ", ok: [0, 2]", Stage.DONE, ""),
        ("exit 0", ", ok: [2]", Stage.FAILED, "failed with exit code 0"),
        ("exit 3", ", unknown: [3]", Stage.UNKNOWN, "ended with exit code 3, which leaves open what it did"),
        ("exit 255 # ssh", "", Stage.UNKNOWN, "may still go on"),
        ("exit 255 # ssh", ", unknown: []", Stage.FAILED, "failed with exit code 255"),
        ("exit 255 # ssh", ", ok: [0, 255]", Stage.DONE, ""),
        ("sleep 60", ", timeout: 1ms", Stage.FAILED, "took longer than its timeout"),
        ("sleep 60", ", timeout: 1ms, timeout_means: unknown", Stage.UNKNOWN, "the plan says that this leaves open"),
        ("sleep 60 # ssh", ", timeout: 1ms, timeout_means: failed", Stage.FAILED, "took longer than its timeout"),
    ],
)
async def test_an_end_counts_as_the_plan_says(tmp_path: Path, run: str, more: str, stage: Stage, said: str) -> None:
    bench = _bench(tmp_path, run, more)
    await bench.engine.drive(ANA)
    unit = bench.engine.state.unit("s")
    assert unit.stage is stage
    assert said in unit.reason
    assert bench.log == (["t"] if stage is Stage.DONE else [])


OUTPUTS = "{one: 'json:.a.b[1]', rows: {from: 'json:.rows', type: int}, all: 'json:.a', none: 'json:.no'}"


async def test_values_are_taken_from_json_with_their_kind(tmp_path: Path) -> None:
    (tmp_path / "out.json").write_text('{"a": {"b": ["x", "y z"]}, "rows": 7}\n')
    bench = _bench(tmp_path, "cat out.json", f", outputs: {OUTPUTS}")
    await bench.engine.drive(ANA)
    unit = bench.engine.state.unit("s")
    assert unit.outputs == {"one": "y z", "rows": "7", "all": '{"b":["x","y z"]}'}
    assert (unit.stage, unit.reason) == (Stage.DONE, "nothing in its output gave none")


async def test_the_last_line_is_taken_where_not_all_is_json_and_a_failure_keeps_what_came(tmp_path: Path) -> None:
    (tmp_path / "out.json").write_text('began\n{"progress": 0.5}\n{"rows": "many"}\n{"progress": 1}\n')
    outputs = "{raw: 'json:.rows', rows: {from: 'json:.rows', type: int}}"
    bench = _bench(tmp_path, "cat out.json; exit 4", f", outputs: {outputs}")
    await bench.engine.drive(ANA)
    unit = bench.engine.state.unit("s")
    assert (unit.stage, unit.outputs) == (Stage.FAILED, {"raw": "many"})
    assert unit.reason == "failed with exit code 4; output rows: 'many' is not a whole number"


AGAIN = """
phases:
  - id: a
    steps: [{id: s, run: echo s >> log, effect: changes, again: true}, {id: t, run: echo t >> log, effect: read}]
  - {id: b, steps: [{id: u, run: echo u >> log, effect: read}, {id: v, checklist: [look]}]}
"""


async def test_a_step_that_may_be_repeated_runs_again_after_its_phase(tmp_path: Path) -> None:
    bench = open_bench(tmp_path, AGAIN)
    await bench.engine.drive(ANA)
    assert bench.engine.view_step("s").choices == ("retry",)
    with pytest.raises(RefusedError, match="t has not failed"):
        await bench.engine.retry("t", ANA)
    await bench.engine.retry("s", ANA)
    assert bench.log == ["s", "t", "u", "s"]
    assert bench.engine.action.unit == "v"
    reopened = open_bench(tmp_path)
    assert (reopened.engine.state.impossible, reopened.engine.action.unit) == ((), "v")
