"""A step at work on another host: where its line is cut, nobody knows what goes on there, so nothing begins again."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.servers.sshd import run_sshd
from tests.unit.migration.harness import ANA, OPENED, Bench, open_bench

from switchover.errors import RefusedError

PLAN = """
phases:
  - id: a
    steps:
      - {{id: hang, run: '{run}', effect: {effect}, on_unknown: {policy}, timeout: {timeout}}}
"""


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """How to call ssh so that it reaches a real server here."""
    folder = tmp_path_factory.mktemp("sshd")
    with run_sshd(folder, {}) as server:
        (folder / "client").write_text(server.client_configuration("far"))
        yield f"ssh -F {folder}/client far"


@pytest.fixture(autouse=True)
def engines_are_closed() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().engine.run_store.close()


def _plan(run: str, *, effect: str = "changes", policy: str = "ask", timeout: str = "60s") -> str:
    return PLAN.format(run=run.replace("'", "''"), effect=effect, policy=policy, timeout=timeout)


async def _appears(folder: Path, pattern: str) -> Path:
    """Wait for a file that another process makes; return it."""

    def find() -> Path | None:
        return next(folder.glob(pattern), None)

    async with asyncio.timeout(60):
        while (found := find()) is None:  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.01)
    return found


def _far(ssh: str, folder: Path, then: str = "exec sleep 600") -> str:
    """Return a command on the other host that says it is there, then does something."""
    return f"{ssh} 'echo $$ > {folder}/there; {then}'"


def _end_there(folder: Path) -> None:
    """End what still goes on on the other host: nobody else does."""
    os.kill(int((folder / "there").read_text()), signal.SIGKILL)


async def _unknown(bench: Bench) -> None:
    """Look whether the outcome is unknown, and whether only a person lets it begin again."""
    engine = bench.engine
    unit = engine.state.unit("hang")
    assert unit.stage == "unknown", unit.reason
    assert "ssh was in it: what that began elsewhere may still go on" in unit.reason
    again = await engine.drive(ANA, retry=("hang",))
    assert again.kind == "unknown"
    assert len(engine.state.unit("hang").attempts) == 1
    with pytest.raises(RefusedError, match="has not failed"):
        await engine.retry("hang", ANA)
    await engine.resolve("hang", "retry", "I ended it there", ANA)
    assert engine.action.kind == "step"


@pytest.mark.parametrize("policy", ["ask", "rerun"])
async def test_a_timeout_leaves_it_unknown_whatever_the_plan_allows(tmp_path: Path, ssh: str, policy: str) -> None:
    text = _plan(_far(ssh, tmp_path), effect="creates", policy=policy, timeout="3s")
    bench = open_bench(tmp_path, text)
    await bench.engine.drive(ANA)
    await _appears(tmp_path, "there")
    _end_there(tmp_path)
    await _unknown(bench)


async def test_a_person_who_stops_it_leaves_it_unknown(tmp_path: Path, ssh: str) -> None:
    bench = open_bench(tmp_path, _plan(_far(ssh, tmp_path)))
    await bench.engine.start(ANA)
    running = await bench.engine.submit(bench.engine.run_step("hang", ANA))
    await _appears(tmp_path, "there")
    await bench.engine.abort(ANA, "not now")
    await running
    assert "stopped by ana: not now" in bench.engine.state.unit("hang").reason
    _end_there(tmp_path)
    await _unknown(bench)


@pytest.mark.parametrize("wrap", ["{}", "{} | cat; exit 143", "./deploy"])
async def test_a_line_that_breaks_leaves_it_unknown(tmp_path: Path, ssh: str, wrap: str) -> None:
    far = _far(ssh, tmp_path, "exec sleep 600 & kill -KILL $PPID")
    (tmp_path / "deploy").write_text(f"#!/bin/sh\n{far}\n")
    (tmp_path / "deploy").chmod(0o755)
    bench = open_bench(tmp_path, _plan(wrap.format(far)))
    await bench.engine.drive(ANA)
    await _unknown(bench)


async def test_a_watcher_that_is_killed_leaves_it_unknown_whatever_the_plan_allows(tmp_path: Path, ssh: str) -> None:
    bench = open_bench(tmp_path, _plan(_far(ssh, tmp_path), effect="creates", policy="rerun"))
    await bench.engine.start(ANA)
    running = await bench.engine.submit(bench.engine.run_step("hang", ANA))
    await _appears(tmp_path, "there")
    attempt = (await _appears(tmp_path, "state/**/hang.1/remote.json")).parent
    os.kill(json.loads((attempt / "claim").read_bytes())["shim"], signal.SIGKILL)
    os.kill(json.loads((attempt / "started.json").read_bytes())["pid"], signal.SIGKILL)
    await running
    _end_there(tmp_path)
    await _unknown(bench)


async def test_an_end_that_came_from_there_is_known(tmp_path: Path, ssh: str) -> None:
    bench = open_bench(tmp_path, _plan(f"{ssh} 'exit 3'"))
    await bench.engine.drive(ANA)
    assert bench.stage("hang") == "failed"
    assert "failed with exit code 3" in bench.engine.state.unit("hang").reason


@pytest.mark.parametrize(
    ("name", "call", "shown"),
    [
        ("docker", "docker -H tcp://far:2375 ps", "docker on another host"),
        ("kubectl", "kubectl exec pod -- migrate", "kubectl exec"),
        ("mosh-client", "mosh-client 10.0.0.1", "mosh-client"),
        ("psql", "psql -c 'UPDATE t SET a = 1'", "psql"),
    ],
)
async def test_its_brothers_leave_it_unknown_too(tmp_path: Path, name: str, call: str, shown: str) -> None:
    (tmp_path / name).write_text("#!/bin/sh\nsleep 600\n")
    (tmp_path / name).chmod(0o755)
    bench = open_bench(tmp_path, _plan(f"PATH=.:$PATH; {call}", timeout="1s"))
    await bench.engine.drive(ANA)
    assert bench.stage("hang") == "unknown"
    assert f"{shown} was in it" in bench.engine.state.unit("hang").reason


async def test_one_too_short_to_be_seen_is_known_by_its_name(tmp_path: Path) -> None:
    bench = open_bench(tmp_path, _plan("ssh -F none -p 1 far true || exit 255"))
    await bench.engine.drive(ANA)
    assert bench.stage("hang") == "unknown"


async def test_without_any_of_them_a_timeout_and_255_are_failures(tmp_path: Path) -> None:
    for run in ("sleep 60", "exit 255"):
        folder = tmp_path / run.split()[0]
        folder.mkdir()
        registry = folder / "registry"
        registry.mkdir(0o700)
        bench = open_bench(folder, _plan(run, timeout="1s"), registry=registry)
        await bench.engine.drive(ANA)
        assert bench.stage("hang") == "failed"
