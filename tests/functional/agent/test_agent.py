"""The agent as it is started, attached to, killed and found again, with a real plan and real processes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pty
import shutil
import signal
import stat
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from tests.functional.agent.conftest import Desk, kill_steps, step, wait_for_end

from switchover import __version__
from switchover.agent.process.agent_record import find_socket
from switchover.agent.process.lifecycle import ask, start, stop
from switchover.errors import AgentError, PlanError, RefusedError, VersionMismatchError
from switchover.locations import workspace_for


async def test_a_step_asked_for_over_the_line_is_carried_out_and_seen(desk: Desk) -> None:
    await asyncio.to_thread(desk.ensure)
    client = await desk.client()
    await client.request("run.start")
    assert await client.request("run.next") == "accepted"
    await desk.see(client, lambda s: step(s, "wait").state == "running")
    await asyncio.to_thread(desk.let_step_end, "world")
    seen = await desk.see(client, lambda s: step(s, "wait").state == "done")
    assert step(seen, "wait").exit_code == 0
    assert seen.header.agent_pid == (await client.request("agent.status"))["pid"]
    output = await client.request("output.read", step="wait", attempt=1)
    assert (output["text"], output["complete"]) == ("begun\nheard world\n", True)


async def test_a_killed_agent_loses_nothing_and_runs_nothing_twice(desk: Desk) -> None:
    """The step ends while no agent lives; the next one records that end, once."""
    await asyncio.to_thread(desk.ensure)
    client = await desk.client()
    await client.request("run.start")
    await client.request("run.next")
    seen = client.snapshots()
    await desk.see(client, lambda s: step(s, "wait").state == "running")
    await asyncio.to_thread(desk.kill_agent)
    with pytest.raises(AgentError):
        async for _ in seen:
            pass
    await asyncio.to_thread(desk.let_step_end)
    await asyncio.to_thread(desk.ensure)
    second = await desk.client()
    await desk.see(second, lambda s: step(s, "wait").state == "done")
    ends = [data for kind, data in desk.events() if kind == "StepEnded"]
    assert len(ends) == 1
    assert desk.times_run() == 1


async def test_a_new_agent_attaches_to_the_step_that_a_killed_one_left_running(desk: Desk) -> None:
    await asyncio.to_thread(desk.ensure)
    client = await desk.client()
    await client.request("run.start")
    await client.request("run.next")
    await desk.see(client, lambda s: step(s, "wait").state == "running")
    await asyncio.to_thread(desk.kill_agent)
    info = await asyncio.to_thread(desk.ensure)
    second = await desk.client()
    await desk.see(second, lambda s: step(s, "wait").state == "running")
    with pytest.raises(RefusedError):
        await second.request("run.next")
    assert (await second.request("agent.status"))["pid"] == info.pid
    await asyncio.to_thread(desk.let_step_end)
    await desk.see(second, lambda s: step(s, "wait").state == "done")
    assert [kind for kind, _ in desk.events()].count("StepEnded") == 1
    assert desk.times_run() == 1


async def test_an_agent_that_is_stopped_leaves_its_step_running(desk: Desk) -> None:
    await asyncio.to_thread(desk.ensure)
    client = await desk.client()
    await client.request("run.start")
    await client.request("run.next")
    await desk.see(client, lambda s: step(s, "wait").state == "running")
    done = await asyncio.to_thread(desk.run, "agent", "stop", str(desk.plan))
    assert done.returncode == 0
    assert "step wait goes on by itself" in done.stdout
    await asyncio.to_thread(desk.let_step_end)
    await asyncio.to_thread(desk.ensure)
    await desk.see(await desk.client(), lambda s: step(s, "wait").state == "done")
    assert [kind for kind, _ in desk.events()].count("StepEnded") == 1


async def test_of_several_agents_that_of_the_host_can_be_stopped_alone(desk: Desk) -> None:
    mine = await asyncio.to_thread(desk.ensure)
    assert (await asyncio.to_thread(desk.run, "agent", "start")).returncode == 0
    unclear = await asyncio.to_thread(desk.run, "agent", "stop")
    assert (unclear.returncode, "--host" in unclear.stderr) == (2, True)
    done = await asyncio.to_thread(desk.run, "agent", "stop", "--host")
    assert (done.returncode, done.stdout) == (0, "stopped the agent of this host\n")
    info = await asyncio.to_thread(ask, desk.workspace)
    assert info is not None
    assert info.pid == mine.pid


async def test_the_agent_outlives_the_terminal_that_started_it(desk: Desk) -> None:
    """A starter in a terminal of its own; the terminal goes away at once, as when a line drops."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(desk.folder)
        words = ["agent", "start", str(desk.plan), "--state", str(desk.workspace.root)]
        os.execv(sys.executable, [sys.executable, "-P", "-m", "switchover", *words])
    heard = b""
    while b"started the agent" not in heard:
        heard += await asyncio.to_thread(os.read, terminal, 1000)
    os.close(terminal)
    await asyncio.to_thread(os.waitpid, pid, 0)
    info = await asyncio.to_thread(ask, desk.workspace)
    assert info is not None
    assert os.getsid(info.pid) != pid
    status = (Path("/proc") / str(info.pid) / "stat").read_text().rpartition(")")[2].split()
    assert status[4] == "0", "it has no terminal"


async def test_two_starters_at_once_make_one_agent(desk: Desk) -> None:
    infos = await asyncio.gather(*(asyncio.to_thread(desk.ensure) for _ in range(4)))
    assert len({info.pid for info in infos}) == 1


async def test_only_its_owner_can_reach_the_agent(desk: Desk) -> None:
    await asyncio.to_thread(desk.ensure)
    path = find_socket(desk.workspace)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for name in ("agent.log", "agent.json", "agent.lock"):
        assert stat.S_IMODE((desk.workspace.directory / name).stat().st_mode) == 0o600


async def test_a_socket_left_by_a_killed_agent_is_replaced(desk: Desk) -> None:
    first = await asyncio.to_thread(desk.ensure)
    await asyncio.to_thread(desk.kill_agent)
    assert find_socket(desk.workspace).exists()
    second = await asyncio.to_thread(desk.ensure)
    assert second.pid != first.pid


async def test_a_crash_below_python_is_found_in_the_log_of_the_next_agent(desk: Desk) -> None:
    info = await asyncio.to_thread(desk.ensure)
    handle = os.pidfd_open(info.pid)
    os.kill(info.pid, signal.SIGSEGV)
    await asyncio.to_thread(wait_for_end, handle)
    await asyncio.to_thread(desk.ensure)
    log = desk.workspace.agent_log.read_text()
    assert "the agent before this one crashed" in log
    assert "Segmentation fault" in log


async def test_an_agent_ignores_the_hangup_and_ends_on_sigterm(desk: Desk) -> None:
    info = await asyncio.to_thread(desk.ensure)
    handle = os.pidfd_open(info.pid)
    os.kill(info.pid, signal.SIGHUP)
    assert await asyncio.to_thread(ask, desk.workspace) is not None
    os.kill(info.pid, signal.SIGTERM)
    await asyncio.to_thread(wait_for_end, handle)
    assert not desk.workspace.agent_record.exists()
    assert not desk.workspace.socket.exists()


async def test_the_socket_is_made_again_when_its_folder_goes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    runtime = tmp_path / "r"
    runtime.mkdir(mode=0o700)
    if len(os.fsencode(runtime)) > 60:
        runtime = Path(f"/tmp/so-{os.getpid()}")
        runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    info = await asyncio.to_thread(desk.ensure)
    path = find_socket(desk.workspace)
    assert path.is_relative_to(runtime)
    shutil.rmtree(runtime)
    async with asyncio.timeout(20):
        while (now := await asyncio.to_thread(ask, desk.workspace)) is None:  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.05)
    assert now.pid == info.pid


async def test_a_plan_that_cannot_be_used_is_told_whole_to_whoever_starts(desk: Desk) -> None:
    desk.plan.write_text("schema: 1\nid: small\ntitle: T\nphazes: []\nownr: x\n")
    with pytest.raises(PlanError) as caught:
        await asyncio.to_thread(desk.ensure)
    assert len(caught.value.problems) == 2
    assert caught.value.problems[0].line == 4
    done = await asyncio.to_thread(desk.run, "agent", "start", str(desk.plan))
    assert done.returncode == 2
    assert f"{desk.plan}:4:1" in done.stderr
    assert "2 problems in the plan" in done.stderr
    assert await asyncio.to_thread(ask, desk.workspace) is None


async def test_a_state_directory_that_cannot_be_used_is_told(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    workspace = workspace_for(tmp_path / "file", desk.plan)
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "switchover", "agent", "start", str(desk.plan), "--state", str(workspace.root)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "cannot use the state directory" in done.stderr


async def test_an_idle_agent_of_another_version_is_replaced(desk: Desk) -> None:
    """The agent on disk stays the same here, so the one that comes up is still not the wanted one, and that is said."""
    first = await asyncio.to_thread(desk.ensure)
    with pytest.raises(VersionMismatchError, match="this program is version 9"):
        await asyncio.to_thread(lambda: desk.ensure(version="9.9.9"))
    second = await asyncio.to_thread(ask, desk.workspace)
    assert second is not None
    assert second.pid != first.pid
    assert second.version == __version__


async def test_an_agent_of_another_version_stays_while_a_step_runs(desk: Desk) -> None:
    first = await asyncio.to_thread(desk.ensure)
    client = await desk.client()
    await client.request("run.start")
    await client.request("run.next")
    await desk.see(client, lambda s: step(s, "wait").state == "running")
    with pytest.raises(VersionMismatchError, match="at work: step wait"):
        await asyncio.to_thread(lambda: desk.ensure(version="9.9.9"))
    info = await asyncio.to_thread(ask, desk.workspace)
    assert info is not None
    assert info.pid == first.pid
    await asyncio.to_thread(desk.let_step_end)
    await desk.see(client, lambda s: step(s, "wait").state == "done")


async def test_an_edited_plan_reaches_the_agent_while_no_run_is_open_and_not_later(desk: Desk) -> None:
    first = await asyncio.to_thread(desk.ensure)
    desk.plan.write_text(desk.plan.read_text().replace("title: Small", "title: Other"))
    second = await asyncio.to_thread(desk.ensure)
    assert second.pid != first.pid
    client = await desk.client()
    assert (await desk.see(client, lambda s: True)).header.title == "Other"
    await client.request("run.start")
    desk.plan.write_text(desk.plan.read_text().replace("title: Other", "title: Third"))
    assert (await asyncio.to_thread(desk.ensure)).pid == second.pid


async def test_a_screen_that_only_watches_starts_an_agent_that_only_watches(desk: Desk) -> None:
    first = await asyncio.to_thread(lambda: desk.ensure(read_only=True))
    assert first.read_only
    client = await desk.client()
    with pytest.raises(RefusedError, match="only watches"):
        await client.request("run.start")
    assert not desk.workspace.journal.exists()
    second = await asyncio.to_thread(desk.ensure)
    assert not second.read_only, "whoever may act gets an agent that may act"
    assert (await asyncio.to_thread(lambda: desk.ensure(read_only=True))).pid == second.pid


async def test_what_another_process_does_to_the_run_is_seen(desk: Desk) -> None:
    await asyncio.to_thread(desk.ensure)
    client = await desk.client()
    driver = asyncio.create_task(asyncio.to_thread(desk.run, "run", str(desk.plan)))
    await desk.see(client, lambda s: step(s, "wait").state == "running")
    await asyncio.to_thread(desk.let_step_end)
    await desk.see(client, lambda s: s.migration.state == "done")
    assert (await driver).returncode == 0


async def test_the_agents_are_listed_for_programs(desk: Desk) -> None:
    assert json.loads((await asyncio.to_thread(desk.run, "agent", "status", "--format", "json")).stdout) == {
        "agents": []
    }
    info = await asyncio.to_thread(desk.ensure)
    done = await asyncio.to_thread(desk.run, "agent", "status", "--format", "json")
    (row,) = json.loads(done.stdout)["agents"]
    assert row["pid"] == info.pid
    assert row["plan"] == str(desk.plan)
    assert (row["version"], row["busy"], row["run_open"]) == (__version__, None, False)


async def test_an_agent_that_does_not_answer_is_no_success(desk: Desk) -> None:
    info = await asyncio.to_thread(desk.ensure)
    assert (await asyncio.to_thread(desk.run, "agent", "status", str(desk.plan))).returncode == 0
    os.kill(info.pid, signal.SIGSTOP)
    done = await asyncio.to_thread(desk.run, "agent", "status", "--format", "json")
    assert done.returncode == 1
    (row,) = json.loads(done.stdout)["agents"]
    assert (row["answers"], row["pid"]) == (False, info.pid)
    assert "its process is stopped" in row["trouble"]
    handle = os.pidfd_open(info.pid)
    assert (await asyncio.to_thread(desk.run, "agent", "stop", str(desk.plan))).returncode == 0
    await asyncio.to_thread(wait_for_end, handle)
    for words in (("agent", "status"), ("agent", "status", str(desk.plan))):
        nobody = await asyncio.to_thread(desk.run, *words)
        assert nobody.returncode == 1
        assert "no agent runs" in nobody.stdout


async def test_a_stopped_agent_that_does_not_answer_is_ended_by_its_pid(desk: Desk) -> None:
    info = await asyncio.to_thread(desk.ensure)
    handle = os.pidfd_open(info.pid)
    find_socket(desk.workspace).unlink()
    assert await asyncio.to_thread(stop, desk.workspace) is not None
    await asyncio.to_thread(wait_for_end, handle)


async def test_the_host_alone_can_be_watched(tmp_path: Path) -> None:
    workspace = workspace_for(tmp_path / "state", None)
    host = Desk(tmp_path, tmp_path, workspace)
    try:
        done = await asyncio.to_thread(host.run, "agent", "start")
        assert done.returncode == 0, done.stderr
        client = await host.client()
        seen = await host.see(client, lambda s: bool(s.metrics))
        assert seen.header.plan_id == ""
        with pytest.raises(RefusedError, match="no plan is open"):
            await client.request("run.start")
        await client.aclose()
    finally:
        await asyncio.to_thread(host.run, "agent", "stop")


async def test_secrets_never_reach_the_agents_files(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_PASSWORD", "canary-5up3r-s3cret")
    desk.plan.write_text(
        "schema: 1\nid: small\ntitle: Small\nsecrets: {pw: {ref: 'env:CANARY_PASSWORD'}}\n"
        "phases:\n  - id: one\n    steps:\n"
        "      - {id: say, run: 'echo \"pw=$PW\"; exit 3', env: {PW: '{{ secret.pw }}'}, effect: read}\n"
    )
    await asyncio.to_thread(desk.ensure)
    client = await desk.client()
    await client.request("run.start")
    await client.request("run.next")
    seen = await desk.see(client, lambda s: step(s, "say").state == "failed")
    assert "canary-5up3r-s3cret" not in repr(seen)
    for path in desk.workspace.root.rglob("*"):
        if path.is_file():
            assert b"canary-5up3r-s3cret" not in path.read_bytes(), path


async def test_a_plan_broken_while_its_run_is_open_does_not_keep_anybody_from_the_run(desk: Desk) -> None:
    await asyncio.to_thread(desk.ensure)
    client = await desk.client()
    await client.request("run.start")
    await asyncio.to_thread(stop, desk.workspace)
    desk.plan.write_text("schema: 1\nid: [unfinished")
    info = await asyncio.to_thread(desk.ensure)
    assert "errors now" in info.warning
    seen = await desk.see(await desk.client(), lambda s: True)
    assert seen.header.title == "Small"
    assert step(seen, "wait").state == "pending"


async def test_a_plan_broken_while_its_run_is_open_does_not_keep_the_verbs_from_the_run(desk: Desk) -> None:
    await asyncio.to_thread(desk.ensure)
    client = await desk.client()
    await client.request("run.start")
    desk.plan.write_text("schema: 1\nid: [unfinished")
    for words in (["status"], ["run", "--dry-run"]):
        done = await asyncio.to_thread(desk.run, *words, str(desk.plan))
        assert done.returncode == 0, done.stderr
        assert "the run goes by the plan it was started with" in done.stderr
    done = await asyncio.to_thread(desk.run, "run", str(desk.plan), "--new")
    assert done.returncode != 0
    assert desk.times_run() == 0


async def test_kill_of_screen_agent_and_step_in_turn_loses_nothing_and_runs_nothing_twice(desk: Desk) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        words = [str(desk.plan), "--state", str(desk.workspace.root)]
        os.execv(sys.executable, [sys.executable, "-P", "-m", "switchover", *words])
    reading = asyncio.create_task(asyncio.to_thread(read_to_the_end, terminal))
    await asyncio.to_thread(wait_for_clients, desk, 1)
    client = await desk.client()
    await client.request("run.start")
    await client.request("run.next")
    await desk.see(client, lambda s: step(s, "wait").state == "running")

    os.kill(pid, signal.SIGKILL)
    await asyncio.to_thread(os.waitpid, pid, 0)
    os.close(terminal)
    await reading
    await asyncio.to_thread(wait_for_clients, desk, 1)
    assert step(await desk.see(client, lambda s: True), "wait").state == "running"

    await asyncio.to_thread(desk.kill_agent)
    await asyncio.to_thread(kill_steps, desk)
    await asyncio.to_thread(desk.ensure)
    second = await desk.client()
    await desk.see(second, lambda s: step(s, "wait").state == "unknown")
    with pytest.raises(RefusedError):
        await second.request("run.next")
    assert desk.times_run() == 1

    await second.request("step.resolve", step="wait", choice="retry", reason="it was killed")
    await second.request("run.next")
    await asyncio.to_thread(desk.let_step_end)
    await desk.see(second, lambda s: step(s, "wait").state == "done")
    assert desk.times_run() == 2, "again only because somebody said so"


def read_to_the_end(terminal: int) -> None:
    """Take what a screen writes, so that it never waits for its terminal."""
    with contextlib.suppress(OSError):
        while os.read(terminal, 65536):
            pass


def wait_for_clients(desk: Desk, count: int) -> None:
    """Wait until that many screens are attached."""
    deadline = time.monotonic() + 30
    while (info := ask(desk.workspace)) is None or info.clients != count:
        assert time.monotonic() < deadline, info
        time.sleep(0.05)


async def test_where_systemd_run_does_not_work_the_agent_starts_without_it(desk: Desk) -> None:
    for prefix in (["/bin/false"], ["/not/there"], ["/usr/bin/env", "--"]):
        report = await asyncio.to_thread(partial(start, desk.workspace, desk.plan, prefix=prefix))
        assert report.pid
        await asyncio.to_thread(stop, desk.workspace)
