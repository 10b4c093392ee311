"""Whatever a probe does costs only its own result: commands, hanging work, modules of a plan."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from switchover_checks.api import Result, Status
from switchover_checks.runtime import registry as registry_module
from switchover_checks.runtime.runner import Outcome, ProbeSpec, Runner

Run = Callable[..., Awaitable[Result]]
MakeRunner = Callable[..., Runner]

HEAD = """
import os, sys, time, signal, subprocess, threading
from dataclasses import dataclass
from switchover_checks.api import Context, Finding, ProbeError, Result, Status

@dataclass(frozen=True)
class Config:
    most: int = 100

class LocalCheck:
    kind = "local"
    effect = "read"
    config = Config

    async def probe(self, cfg: Config, ctx: Context) -> Result:
"""
FINE = "        return Result.of([Finding.compare('value', f'<= {cfg.most}', 5, cfg.most >= 5)])\n"


@pytest.fixture
def module(tmp_path: Path) -> Callable[[str], Path]:
    def write(body: str, before: str = "", name: str = "local_check.py") -> Path:
        path = tmp_path / name
        path.write_text(before + HEAD + "".join(f"        {line}\n" for line in body.splitlines()) + FINE)
        return path

    return write


async def outcome_of(runner: Runner, timeout_s: float = 20.0, **config: object) -> Outcome:
    return await runner.run(ProbeSpec("it", "local", config, timeout_s))


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


def read_pid(path: Path) -> int:
    """Wait until a process has written its pid there."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if path.exists() and (text := path.read_text().strip()):
            return int(text)
        os.sched_yield()
    raise AssertionError(f"{path} was never written")


async def test_a_kind_beside_the_plan_works(make_runner: MakeRunner, module: Callable[[str], Path]) -> None:
    runner = make_runner(module(""))
    fine, bad = await outcome_of(runner), await outcome_of(runner, most=3)
    assert (fine.result.status, bad.result.status) == (Status.OK, Status.CRIT)
    assert bad.result.summary == "value: expected <= 3, observed 5"


async def test_a_kind_of_an_installed_package_works(
    make_runner: MakeRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    (site / "queue_kinds-1.dist-info").mkdir(parents=True)
    (site / "queue_kinds-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: queue-kinds\nVersion: 1\n")
    (site / "queue_kinds-1.dist-info" / "entry_points.txt").write_text(
        f"[{registry_module.GROUP}]\nlocal = queue_kinds:LocalCheck\n"
    )
    (site / "queue_kinds.py").write_text(HEAD + FINE)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))
    outcome = await outcome_of(make_runner())
    assert outcome.result.status is Status.OK, outcome
    assert "queue_kinds" not in sys.modules


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise ValueError('no luck')", "the check itself failed: ValueError: no luck"),
        ("raise SystemExit(0)", "called exit(0)"),
        ("sys.exit('bye')", "called exit('bye')"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("os._exit(0)", "ended without an answer (exit code 0)"),
        ("os._exit(7)", "ended without an answer (exit code 7)"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "ended without an answer (signal 11)"),
        ("return None", "returned None, not a Result"),
        ("return 'ok'", "returned 'ok', not a Result"),
        ("return Result(Status.OK, 'trust me')", "shows nothing that it looked at"),
        ("return Result(Status.SKIPPED, 'later')", "only the engine may say"),
        ("return Result(42, 'x', (Finding('a', 'b', 'c', Status.OK),))", "does not exist"),
        ("return Result.of([Finding('a', 1, 2, Status.OK)], metrics=[5])", "AttributeError"),
        ("raise RecursionError", "RecursionError"),
        ("import no_such_module", "No module named 'no_such_module'"),
        (
            "for fd in range(3, 1024):\n    try: os.write(fd, b'{\"result\": 5}\\n')\n    except OSError: pass",
            "nonsense",
        ),
        (
            "for fd in range(3, 1024):\n    try: os.write(fd, b'\\xff\\xfe junk\\n')\n    except OSError: pass",
            "nonsense",
        ),
        (
            "for fd in range(3, 1024):\n    try: os.write(fd, b'x' * 9_000_000)\n    except OSError: pass",
            "is longer than",
        ),
    ],
)
async def test_a_module_that_misbehaves_is_unknown_and_says_how(
    make_runner: MakeRunner, module: Callable[[str], Path], body: str, said: str
) -> None:
    outcome = await outcome_of(make_runner(module(body)))
    assert outcome.result.status is Status.UNKNOWN, outcome
    assert said in outcome.result.summary, outcome


async def test_a_module_that_fails_when_it_is_imported_is_unknown(
    make_runner: MakeRunner, module: Callable[..., Path]
) -> None:
    outcome = await outcome_of(make_runner(module("", before="raise OSError('at import')\n")))
    assert outcome.result.status is Status.UNKNOWN
    assert "at import" in outcome.result.summary


@pytest.mark.parametrize("body", ["print('noise ' * 100_000)", "sys.stderr.write('noise ' * 1_000_000)",
                                  "os.write(1, b'{\"result\": 1}' * 1000)"])  # fmt: skip
async def test_what_a_module_prints_spoils_nothing(
    make_runner: MakeRunner, module: Callable[[str], Path], body: str
) -> None:
    assert (await outcome_of(make_runner(module(body)))).result.status is Status.OK


async def test_modules_that_hang_are_ended_at_their_deadline(
    make_runner: MakeRunner, module: Callable[..., Path], tmp_path: Path
) -> None:
    bodies = (
        "while True: pass",
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(1000)",
        "threading.Event().wait()",
        "os.kill(os.getpid(), signal.SIGSTOP)",
        "import asyncio\nawait asyncio.sleep(1000)",
    )
    paths = [
        module(f"open({str(tmp_path / f'pid{n}')!r}, 'w').write(str(os.getpid()))\n{body}", name=f"local{n}.py")
        for n, body in enumerate(bodies)
    ]
    outcomes = await asyncio.gather(*(outcome_of(make_runner(path), timeout_s=6) for path in paths))
    assert len(outcomes) == len(bodies)
    for number, outcome in enumerate(outcomes):
        assert outcome.result.status is Status.UNKNOWN
        assert outcome.result.summary.startswith("no answer within"), outcome
        assert not alive(read_pid(tmp_path / f"pid{number}"))


async def test_a_module_that_forks_and_never_returns_leaves_nobody_behind(
    make_runner: MakeRunner, module: Callable[[str], Path], tmp_path: Path
) -> None:
    body = f"""
for number in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            open({str(tmp_path)!r} + f'/pid{{number}}', 'w').write(str(os.getpid()))
            while True: time.sleep(1000)
        time.sleep(1000)
open({str(tmp_path)!r} + '/main', 'w').write(str(os.getpid()))
while not all(os.path.exists({str(tmp_path)!r} + f'/pid{{n}}') for n in range(3)): time.sleep(0.01)
"""
    outcome = await outcome_of(make_runner(module(body.strip())))
    assert outcome.result.status is Status.OK
    for name in ("main", "pid0", "pid1", "pid2"):
        assert not alive(read_pid(tmp_path / name)), name


async def test_a_secret_reaches_a_module_only_when_it_asks(
    make_runner: MakeRunner, module: Callable[[str], Path]
) -> None:
    body = """
assert ctx.secret('pg') == 't0p-secret'
assert ctx.side('after')['db'] == 'sqlite:after.db'
assert not any('t0p' in v for v in os.environ.values())
for ask in (ctx.secret, ctx.side):
    try: ask('other')
    except KeyError: pass
    else: raise AssertionError
said = await ctx.run(['cat'], stdin=b'through')
assert said.stdout == 'through', said
"""
    outcome = await outcome_of(make_runner(module(body.strip())))
    assert outcome.result.status is Status.OK, outcome


async def test_a_hanging_module_costs_the_others_nothing(
    make_runner: MakeRunner, module: Callable[[str], Path], run: Run
) -> None:
    runner = make_runner(module("while True: pass"))
    hanging = asyncio.create_task(outcome_of(runner, timeout_s=60))
    others = await asyncio.gather(*(runner.run(ProbeSpec("d", "disk", {"warn": "1B:"})) for _ in range(20)))
    assert not hanging.done()
    assert {o.result.status for o in others} == {Status.OK}
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging


# --- commands --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "status"),
    [
        ({"command": "exit 0"}, Status.OK),
        ({"command": ["false"]}, Status.CRIT),
        ({"command": "exit 3", "expect": "exit == 3"}, Status.OK),
        ({"command": "echo '{\"n\": 4}'", "expect": ["json.n == 4", "stdout contains 'n'"]}, Status.OK),
        ({"command": "echo broken >&2", "expect": "stderr == ''"}, Status.CRIT),
        ({"command": 'test "$A" = "x y"', "env": {"A": "x y"}}, Status.OK),
        ({"command": "echo no json", "expect": "json.n == 4"}, Status.UNKNOWN),
        ({"command": "kill -9 $$"}, Status.CRIT),
        ({"command": "cat"}, Status.OK),
        ({"command": ["/no/such/command"]}, Status.UNKNOWN),
        ({"command": "no-such-command --x"}, Status.UNKNOWN),
        ({"command": ["/etc/passwd"]}, Status.UNKNOWN),
        ({"command": "true", "cwd": "no-such-folder"}, Status.UNKNOWN),
        ({"command": "printf '\\377\\376'; exit 1"}, Status.CRIT),
    ],
)
async def test_a_command_is_judged_by_how_it_ends(run: Run, config: dict[str, object], status: Status) -> None:
    result = await run("command", **config)
    assert result.status is status, result


async def test_a_command_that_is_not_there_is_named(run: Run) -> None:
    assert "'/no/such/command' is not there" in (await run("command", command=["/no/such/command"])).summary
    assert "not found" in (await run("command", command="no-such-command")).summary


async def test_output_without_end_is_capped_and_proves_nothing(run: Run) -> None:
    result = await run("command", command="head -c 50000000 /dev/zero", expect="not (stdout contains 'error')")
    assert result.status is Status.UNKNOWN
    assert "longer than 1.00 MiB" in result.summary


async def test_at_the_deadline_the_whole_tree_ends_also_what_left_its_session(run: Run, tmp_path: Path) -> None:
    command = (
        "trap '' TERM; setsid sh -c 'echo $$ > escaped; exec sleep 1000' & "
        "(setsid sh -c 'echo $$ > orphan; exec sleep 1000' &) ; sleep 1000 & echo $! > child; echo $$ > shell; wait"
    )
    result = await run("command", timeout_s=3, command=command)
    assert (result.status, result.summary) == (Status.UNKNOWN, "no answer within 3.0 s")
    for name in ("escaped", "orphan", "child", "shell"):
        assert not alive(read_pid(tmp_path / name)), name


async def test_a_left_over_child_does_not_hold_up_the_answer(run: Run, tmp_path: Path) -> None:
    result = await run(
        "command", timeout_s=30, command="sleep 1000 & echo $! > child; echo done", expect="stdout contains 'done'"
    )
    assert result.status is Status.OK, result
    assert not alive(read_pid(tmp_path / "child"))


async def test_a_cancelled_probe_ends_its_command(make_runner: MakeRunner, tmp_path: Path) -> None:
    runner = make_runner()
    spec = ProbeSpec("c", "command", {"command": "echo $$ > pid; exec sleep 1000"}, 60)
    task = asyncio.create_task(runner.run(spec))
    pid = await asyncio.to_thread(read_pid, tmp_path / "pid")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not alive(pid)


async def test_a_retry_is_made_only_while_the_answer_is_not_ok(make_runner: MakeRunner, tmp_path: Path) -> None:
    config = {"command": "echo x >> tries; test $(wc -l < tries) -ge 2"}
    outcome = await make_runner().run(ProbeSpec("c", "command", config, attempts=6))
    assert outcome.result.status is Status.OK
    assert (tmp_path / "tries").read_text() == "x\nx\n"


async def test_a_wrong_configuration_or_kind_is_a_result_too(run: Run) -> None:
    assert "did you mean 'port'" in (await run("tcp", prot=1)).summary
    assert "did you mean 'http'" in (await run("htp")).summary


async def test_no_more_than_allowed_run_at_once(make_runner: MakeRunner, tmp_path: Path) -> None:
    runner = make_runner(concurrency=2)
    command = "mkdir -p r; touch r/$$; ls r | wc -l; rm r/$$"
    outcomes = await asyncio.gather(
        *(
            runner.run(ProbeSpec("c", "command", {"command": command, "expect": "number(stdout) <= 2"}))
            for _ in range(12)
        )
    )
    assert {o.result.status for o in outcomes} == {Status.OK}


async def test_a_result_that_is_too_long_is_told_as_that_with_the_name_of_the_check(
    module: Callable[[str], Path], make_runner: MakeRunner
) -> None:
    runner = make_runner(module("return Result(Status.OK, 'x', (Finding('a', 'b', 'x' * (5 << 20), Status.OK),))"))
    outcome = await outcome_of(runner)
    assert outcome.result.status is Status.UNKNOWN
    assert outcome.result.summary == "the result of the check local is longer than 4.00 MiB; let it return less"
