"""A step on another machine: it outlives its line and runs once there, as a step does here."""

from __future__ import annotations

from pathlib import Path

from tests.support.far_host import FarHost
from tests.unit.migration.harness import ANA, Bench, Secrets, open_bench

PLAN = """
hosts: {{db: {{ssh: far}}}}
secrets: {{pw: {{ref: "env:PW"}}}}
phases:
  - id: a
    steps:
      - id: there
        run: '{run}'
        run_on: db
        effect: {effect}
        on_unknown: {policy}
        timeout: {timeout}
        {more}
"""


def bench_of(
    tmp_path: Path,
    far: FarHost,
    run: str,
    *,
    effect: str = "changes",
    policy: str = "ask",
    timeout: str = "60s",
    more: str = "",
    secrets: Secrets | None = None,
) -> Bench:
    text = PLAN.format(run=run.replace("'", "''"), effect=effect, policy=policy, timeout=timeout, more=more)
    return open_bench(tmp_path, text, hosts=far.lines(), secrets=secrets)


def output_of(bench: Bench, unit: str = "there", attempt: int = 1) -> str:
    return bench.engine.read_output(unit, attempt, 0, 1 << 20)[0]


async def test_a_step_runs_there_with_its_variables_and_what_it_writes_is_here(tmp_path: Path, far: FarHost) -> None:
    bench = bench_of(tmp_path, far, "pwd; echo $SWITCHOVER_STEP $NAME; echo bad >&2; exit 3", more="env: {NAME: ana}")
    await bench.engine.drive(ANA)
    assert bench.stage("there") == "failed"
    assert output_of(bench).splitlines() == [str(far.home), "there ana", "bad"]
    assert "failed with exit code 3" in bench.engine.state.unit("there").reason
    started = bench.engine.state.unit("there").last
    assert started is not None
    assert started.far is not None
    assert (started.far.host, started.far.ssh) == ("db", "far")


async def test_its_folder_there_is_gone_once_its_end_is_on_record(tmp_path: Path, far: FarHost) -> None:
    bench = bench_of(tmp_path, far, "ls -d ~/.switchover-far/*/*")
    await bench.engine.drive(ANA)
    assert bench.stage("there") == "done"
    assert "there.1" in output_of(bench)
    await bench.engine.aclose()
    assert far.attempts == []
    assert not (far.home / ".switchover-far").exists()
