"""Steps as they are really executed: what they get, how their ends are told apart, what is left of them."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, BEN, Bench, Secrets, open_bench

from switchover.errors import JournalError, LockedError, RefusedError, StateError
from switchover.migration.journal.sqlite_journal import Journal


def _plan(*steps: str, head: str = "") -> str:
    lines = "\n".join(f"          - {step}" for step in steps)
    return f"""
    {head}
    phases:
      - id: a
        steps:
{lines}
    """


async def _run(directory: Path, *steps: str, head: str = "", **more: object) -> Bench:
    bench = open_bench(directory, _plan(*steps, head=head), **more)  # type: ignore[arg-type]
    await bench.engine.drive(ANA)
    await bench.engine.aclose()
    return bench


def _is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


async def _appears(path: Path) -> str:
    """Wait for a file that a step writes."""

    def look() -> str | None:
        return path.read_text() if path.exists() else None

    async with asyncio.timeout(20):
        while (text := look()) is None:  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.005)
    return text


async def test_a_step_gets_its_environment_and_a_closed_standard_input(tmp_path: Path) -> None:
    step = (
        "{id: s, run: 'cat; echo \"$A|$SWITCHOVER_RUN_ID|$SWITCHOVER_STEP|$SWITCHOVER_ATTEMPT\" > seen; pwd >> seen', "
        "env: {A: '{{ id }} $HOME `x`'}, cwd: sub, effect: read}"
    )
    (tmp_path / "sub").mkdir()
    bench = await _run(tmp_path, step)
    assert bench.stage("s") == "done"
    assert (tmp_path / "sub" / "seen").read_text() == f"p $HOME `x`|1|s|1\n{tmp_path}/sub\n"


async def test_a_script_ends_at_its_first_failing_line(tmp_path: Path) -> None:
    bench = await _run(tmp_path, '{id: s, run: "echo one >> log\\nfalse\\necho two >> log", effect: read}')
    assert bench.log == ["one"]
    assert bench.stage("s") == "failed"


@pytest.mark.parametrize(
    ("step", "code", "reason"),
    [
        ("run: 'exit 3'", 3, "failed with exit code 3"),
        ("run: nosuchcommand", 127, "a command was not found (exit 127)"),
        ("run: ./plan.yaml", 126, "the command cannot be executed (exit 126)"),
        ("run: 'true', cwd: not/there", None, "cannot enter the working directory"),
        ("run: 'kill -SEGV $$'", -signal.SIGSEGV, "was killed by SIGSEGV"),
    ],
)
async def test_each_kind_of_failure_is_told_apart(tmp_path: Path, step: str, code: int | None, reason: str) -> None:
    bench = await _run(tmp_path, f"{{id: s, {step}, effect: read}}")
    unit = bench.engine.state.unit("s")
    assert unit.stage == "failed"
    assert unit.last is not None
    assert unit.last.exit_code == code
    assert reason in unit.reason


async def test_an_environment_that_is_too_long_is_a_clear_failure(tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_text("x")
    bench = open_bench(
        tmp_path,
        _plan(
            "{id: s, run: 'true', env: {A: '{{ secret.big }}'}, effect: read}", head="secrets: {big: {ref: 'file:big'}}"
        ),
        secrets=Secrets({"big": "x" * 200_000}),
    )
    await bench.engine.drive(ANA)
    assert "too long" in bench.engine.state.unit("s").reason
    await bench.engine.aclose()


async def test_the_last_matching_line_of_standard_output_is_captured_and_feeds_a_variable(tmp_path: Path) -> None:
    bench = await _run(
        tmp_path,
        "{id: s, run: 'echo IP=10.0.0.1; echo IP=10.9.9.9 >&2; printf IP=10.0.0.2', effect: read, "
        "outputs: {ip: 'stdout:/^IP=(\\S+)$/'}}",
        "{id: t, run: 'echo $IP > log', env: {IP: '{{ ip }}'}, effect: read}",
        head="vars: {ip: {type: ip, default: '{{ step.s.ip }}'}}",
    )
    assert bench.log == ["10.0.0.2"]
    assert bench.engine.scope().values["ip"] == "10.0.0.2"


async def test_a_value_that_was_not_captured_is_asked_for_and_then_frozen(tmp_path: Path) -> None:
    bench = open_bench(
        tmp_path,
        _plan(
            "{id: s, run: 'true', effect: read, outputs: {ip: 'stdout:/^IP=(\\S+)$/'}}",
            "{id: t, run: 'echo $IP > log', env: {IP: '{{ ip }}'}, effect: read}",
            head="vars: {ip: {type: ip, default: '{{ step.s.ip }}'}}",
        ),
    )
    with pytest.raises(RefusedError, match="'ip' is not known") as refused:
        await bench.engine.drive(ANA)
    assert "--var ip=VALUE" in refused.value.hint
    outcome = await bench.engine.drive(ANA, variables={"ip": "10.0.0.3"})
    assert (outcome.kind, bench.log) == ("done", ["10.0.0.3"])
    await bench.engine.aclose()


async def test_secrets_reach_the_command_and_nothing_else(tmp_path: Path) -> None:
    canary = "canary-0f3c8a"
    bench = await _run(
        tmp_path,
        "{id: s, run: 'echo $PW; echo $PW | base64; printf %s ${PW} | cut -c1-7; test $PW = canary-0f3c8a || exit 9; "
        "echo V=$PW', env: {PW: '{{ secret.pw }}'}, effect: read, outputs: {v: 'stdout:/^V=(.*)$/'}}",
        head="secrets: {pw: {ref: 'file:unused'}}",
        secrets=Secrets({"pw": canary}),
    )
    unit = bench.engine.state.unit("s")
    assert unit.last is not None
    # The command compares the plan's literal text, so this very test's plan holds the canary: look everywhere else.
    assert unit.stage == "done"
    assert unit.outputs["v"] == "(secret pw)"
    for path in (tmp_path / "state").rglob("out-*"):
        text = path.read_bytes()
        assert canary.encode() not in text
        assert b"Y2FuYXJ5LTBmM2M4" not in text
        assert text.count(b"(secret pw)") >= 3
    for path in (tmp_path / "state").rglob("*.json"):
        assert canary.encode() not in path.read_bytes()


async def test_a_step_that_fills_the_world_with_output_stays_bounded(tmp_path: Path) -> None:
    bench = await _run(
        tmp_path,
        "{id: s, run: 'echo first; head -c 64000000 /dev/zero; printf \"\\033]0;t\\007\\377last\\n\"', effect: read, "
        "max_output: 400000}",
    )
    unit = bench.engine.state.unit("s")
    assert unit.stage == "done"
    assert unit.last is not None
    assert unit.last.output_bytes > 64_000_000
    kept = sum(path.stat().st_size for path in (tmp_path / "state").rglob("out-*"))
    assert kept <= 400_000
    bench = open_bench(tmp_path)
    assert bench.engine.view().output[-1] == "\ufffdlast"
    text, offset, complete = bench.engine.read_output("s", 1, 0, 10_000_000)
    assert text.startswith("first\n")
    rest, end, complete = bench.engine.read_output("s", 1, offset, 10_000_000)
    assert "bytes were not kept" in rest
    assert rest.endswith("\ufffdlast\n")
    assert (end, complete) == (unit.last.output_bytes, True)
    await bench.engine.aclose()


async def test_a_timeout_leaves_no_process_wherever_it_fled(tmp_path: Path) -> None:
    script = tmp_path / "flee.sh"
    script.write_text(
        "trap '' TERM\n"
        "setsid sh -c 'trap \"\" TERM; echo $$ > pid1; while :; do sleep 60; done' &\n"
        "(setsid sh -c 'trap \"\" TERM; (echo $$ > pid2; exec sleep 600) & exec sleep 600' &)\n"
        "nohup sh -c 'echo $$ > pid3; exec sleep 600' > /dev/null 2>&1 &\n"
        "while ! [ -s pid1 ] || ! [ -s pid2 ] || ! [ -s pid3 ]; do sleep 0.01; done\n"
        "echo $$ > pid0; while :; do sleep 60; done\n"
    )
    bench = await _run(tmp_path, "{id: s, run: 'exec sh flee.sh', timeout: 1500ms, effect: read}", grace_s=0.2)
    unit = bench.engine.state.unit("s")
    assert unit.last is not None
    assert (unit.stage, unit.last.outcome) == ("failed", "timeout")
    assert "could not be ended" not in unit.reason
    pids = [int((tmp_path / f"pid{n}").read_text()) for n in range(4)]
    assert [pid for pid in pids if not _is_gone(pid)] == []


async def test_term_comes_first_and_is_waited_for(tmp_path: Path) -> None:
    bench = open_bench(
        tmp_path,
        _plan(
            "{id: s, effect: read, "
            "run: 'trap \"echo tidy > log; exit 0\" TERM; echo > up; while :; do sleep 0.05; done'}"
        ),
        grace_s=30,
    )
    running = asyncio.ensure_future(bench.engine.drive(ANA))
    await _appears(tmp_path / "up")
    await bench.engine.abort(BEN, "wrong host")
    outcome = await running
    assert outcome.kind == "failed"
    assert bench.log == ["tidy"]
    unit = bench.engine.state.unit("s")
    assert unit.last is not None
    assert (unit.last.outcome, unit.reason) == ("aborted", "stopped by ben: wrong host")
    await bench.engine.aclose()


async def test_a_service_that_a_step_starts_lives_on_and_keeps_writing(tmp_path: Path) -> None:
    service = "while ! [ -e stop ]; do echo alive || exit 1; sleep 0.01; done; echo survived > end"
    bench = await _run(tmp_path, f"{{id: s, run: \"sh -c '{service}' & echo $! > pid\", effect: creates}}")
    assert bench.stage("s") == "done"
    pid = int((tmp_path / "pid").read_text())
    assert not _is_gone(pid)
    (tmp_path / "stop").touch()
    assert await _appears(tmp_path / "end") == "survived\n"


async def test_rollback_breaks_into_a_running_step(tmp_path: Path) -> None:
    bench = open_bench(
        tmp_path,
        _plan(
            "{id: one, run: 'echo one >> log', effect: changes, rollback: {run: 'echo undo-one >> log'}}",
            "{id: two, run: 'echo two >> log; touch up; sleep 600', effect: changes, "
            "rollback: {run: 'echo undo-two >> log'}}",
        ),
    )
    running = asyncio.ensure_future(bench.engine.drive(ANA))
    await _appears(tmp_path / "up")
    await bench.engine.rollback(None, ANA)
    await running
    assert bench.log == ["one", "two", "undo-two", "undo-one"]
    assert bench.engine.state.stage == "rolled_back"
    assert (bench.stage("one"), bench.stage("two")) == ("rolled_back", "rolled_back")
    await bench.engine.aclose()


async def test_the_second_operator_is_told_who_drives(tmp_path: Path) -> None:
    first = open_bench(
        tmp_path, _plan("{id: s, run: 'touch up; while ! [ -e go ]; do sleep 0.01; done', effect: read}")
    )
    running = asyncio.ensure_future(first.engine.drive(ANA))
    await _appears(tmp_path / "up")
    second = open_bench(tmp_path)
    with pytest.raises(LockedError, match=f"ana@bastion, pts/1, pid {os.getpid()}") as locked:
        await second.engine.drive(BEN)
    assert locked.value.exit_code == 5
    with pytest.raises(LockedError):
        await second.engine.rollback(None, BEN)
    holder = second.engine.holder()
    assert holder is not None
    assert holder.who == "ana"
    assert second.engine.view().state == "running"
    (tmp_path / "go").touch()
    await running
    assert await second.engine.refresh()
    assert second.engine.holder() is None
    assert second.engine.state.stage == "done"
    await first.engine.aclose()
    await second.engine.aclose()


async def test_two_plans_for_one_target_do_not_run_at_once(tmp_path: Path) -> None:
    plans = [tmp_path / "one", tmp_path / "two"]
    for plan in plans:
        plan.mkdir()
        (plan / "state").symlink_to(tmp_path)
    benches = [
        open_bench(p, "target: prod\n" + "phases: [{id: a, steps: [{id: s, run: 'true', effect: read}]}]")
        for p in plans
    ]
    async with benches[0].engine.hold(ANA):
        with pytest.raises(LockedError, match="the target prod is driven by ana"):
            await benches[1].engine.drive(BEN)
    assert (await benches[1].engine.drive(BEN)).kind == "done"
    for bench in benches:
        await bench.engine.aclose()


async def test_children_do_not_inherit_the_lock(tmp_path: Path) -> None:
    bench = await _run(tmp_path, "{id: s, run: 'sleep 600 > /dev/null 2>&1 & echo $! > pid', effect: creates}")
    pid = int((tmp_path / "pid").read_text())
    try:
        assert bench.engine.holder() is None
    finally:
        os.kill(pid, signal.SIGKILL)


async def test_read_only_refuses_every_action(tmp_path: Path) -> None:
    bench = open_bench(tmp_path, _plan("{id: s, run: 'touch ran', effect: read}"), read_only=True)
    for action in (
        bench.engine.start(ANA),
        bench.engine.drive(ANA),
        bench.engine.abort(ANA),
        bench.engine.rollback(None, ANA),
    ):
        with pytest.raises(RefusedError, match="read-only"):
            await action
    assert not (tmp_path / "state").exists()
    await bench.engine.aclose()


async def test_a_failed_commit_stops_the_run_and_nothing_is_shown_as_done(tmp_path: Path) -> None:
    bench = open_bench(
        tmp_path, _plan("{id: s, run: 'echo x >> log', effect: read}", "{id: t, run: 'echo y >> log', effect: read}")
    )
    shown: list[str] = []

    def fail_commits_from_here(point: str) -> None:
        journal = bench.engine.run_store.journal
        if point == "before StepEnded" and isinstance(journal, Journal):
            journal._connection.execute("PRAGMA query_only = ON")

    tools = bench.engine.run_store.tools
    object.__setattr__(tools, "barrier", fail_commits_from_here)
    object.__setattr__(tools, "on_change", lambda: shown.append(bench.stage("s")))
    with pytest.raises(JournalError, match="cannot be written"):
        await bench.engine.drive(ANA)
    assert "done" not in shown
    assert bench.log == ["x"]
    await bench.engine.aclose()
    again = open_bench(tmp_path)
    await again.engine.drive(ANA)
    assert again.log == ["x", "y"]
    assert again.stage("t") == "done"
    await again.engine.aclose()


async def test_no_step_starts_where_its_records_have_no_room(tmp_path: Path) -> None:
    bench = open_bench(tmp_path, _plan("{id: s, run: 'touch ran', effect: read}"))
    await bench.engine.start(ANA)
    runs = bench.engine.run_store.workspace.run_directory("1")
    runs.parent.mkdir(parents=True, exist_ok=True)
    runs.write_text("a file is in the way of the directory")
    with pytest.raises(StateError, match="was not started"):
        await bench.engine.run_step("s", ANA)
    assert not (tmp_path / "ran").exists()
    assert bench.stage("s") == "pending"
    await bench.engine.aclose()


async def test_an_edited_plan_is_flagged_and_the_run_goes_by_the_frozen_one(tmp_path: Path) -> None:
    bench = open_bench(
        tmp_path,
        _plan("{id: s, run: 'echo old >> log', effect: read}", "{id: t, run: 'echo old >> log', effect: read}"),
    )
    await bench.engine.start(ANA)
    await bench.engine.run_step("s", ANA)
    await bench.engine.aclose()
    path = tmp_path / "plan.yaml"
    path.write_text(path.read_text().replace("echo old", "echo new"))
    again = open_bench(tmp_path)
    assert again.engine.plan_edited
    await again.engine.drive(ANA)
    assert again.log == ["old", "old"]
    await again.engine.drive(ANA, new=True)
    assert not again.engine.plan_edited
    assert again.log == ["old", "old", "new", "new"]
    await again.engine.aclose()


@pytest.mark.parametrize("end", ["exit 3", "sleep 600"])
async def test_a_step_that_failed_keeps_what_it_gave_for_what_undoes_it(tmp_path: Path, end: str) -> None:
    """What it made before it failed has a name, and only its output tells which."""
    bench = open_bench(
        tmp_path,
        _plan(
            f"{{id: make, run: 'echo ID=i-17; {end}', effect: creates, timeout: 2s, "
            "outputs: {id: 'stdout:/^ID=(\\S+)$/'}, "
            "rollback: {run: 'echo drop $ID >> log', env: {ID: '{{ machine }}'}}}",
            head="vars: {machine: {type: str, default: '{{ step.make.id }}'}}",
        ),
    )
    assert (await bench.engine.drive(ANA)).kind == "failed"
    assert bench.engine.state.unit("make").outputs == {"id": "i-17"}
    await bench.engine.rollback(None, ANA)
    assert bench.log == ["drop", "i-17"]
    await bench.engine.aclose()
