"""Verbs and agents on a shared journal, as real processes: who is told what, and that no password gets anywhere."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.real.conftest import Postgres, PostgresServer
from tests.support.warm_program import run_switchover

from switchover.agent.process.agent_record import find_socket, recorded_workspaces
from switchover.agent.process.lifecycle import ensure_agent, stop
from switchover.agent.wire.client import AgentClient
from switchover.locations import workspace_for
from switchover.settings import JournalAddress
from switchover.snapshot import Snapshot

PLAN = """\
schema: 1
id: small
title: Small
phases:
  - id: one
    steps:
      - {id: look, run: "env > seen", effect: read}
      - {id: wait, run: ": > begun; read line < gate", effect: changes, timeout: 60s}
"""
CANARY = "pw-canary-71"


@dataclass
class Host:
    """A folder with the plan, and a state directory, as one host of a team has them."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def plan(self) -> Path:
        return self.folder / "small.yaml"

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, **self.environ}
        return run_switchover(*words, "--state", self.folder / "state", cwd=self.folder, env=environ, timeout=60)

    async def let_go_on(self, running: asyncio.Future[subprocess.CompletedProcess[str]]) -> None:
        """Let the step of a run that goes on hear a word; fail where the run has ended without it."""
        gate = self.folder / "gate"
        writing = asyncio.ensure_future(asyncio.to_thread(gate.write_text, "go\n"))
        both: set[asyncio.Future[Any]] = {writing, running}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not writing.done():
            reader = os.open(gate, os.O_RDONLY | os.O_NONBLOCK)  # lets the writer go
            await writing
            os.close(reader)
            raise AssertionError(running.result().stderr)


@pytest.fixture
async def hosts(tmp_path: Path) -> AsyncIterator[tuple[Host, Host]]:
    made = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "small.yaml").write_text(PLAN)
        os.mkfifo(folder / "gate")
        made.append(Host(folder))
    yield made[0], made[1]
    for host in made:
        for workspace in recorded_workspaces(host.folder / "state"):
            await asyncio.to_thread(stop, workspace)


async def test_verbs_on_two_hosts_share_the_run(postgres: Postgres, hosts: tuple[Host, Host]) -> None:
    first, second = hosts
    option = f"--journal={postgres.create()}"
    running = asyncio.ensure_future(asyncio.to_thread(first.run, "run", str(first.plan), option))
    async with asyncio.timeout(60):
        while not (first.folder / "begun").exists():  # noqa: ASYNC110 - the step makes it
            await asyncio.sleep(0.01)
    for verb in ("run", "takeover"):
        refused = await asyncio.to_thread(second.run, verb, str(second.plan), option)
        assert refused.returncode == 5, refused.stdout
        assert "driven by" in refused.stderr
        assert os.uname().nodename in refused.stderr
    await first.let_go_on(running)
    done = await running
    assert (done.returncode, done.stderr) == (0, "")
    status = second.run("status", str(second.plan), option, "--format", "json")
    assert json.loads(status.stdout)["run"]["state"] == "done"
    assert "wait" in second.run("report", str(second.plan), option).stdout
    again = second.run("run", option, str(second.plan))  # in any order, as with every option
    assert (again.returncode, again.stdout.splitlines()[0]) == (0, "run 1 is done")
    audit = second.run("audit", "verify", str(second.plan), option)
    assert audit.returncode == 0, audit.stderr
    assert "whole. 6 records of 1 run" in audit.stdout
    alone = json.loads(second.run("status", str(second.plan), "--format", "json").stdout)
    assert alone["run"]["id"] is None
    assert not list(first.folder.glob("state/workspaces/*/journal.sqlite"))


async def test_a_run_on_the_command_line_says_that_the_journal_is_away_and_comes_through(
    own_postgres: PostgresServer, hosts: tuple[Host, Host]
) -> None:
    host, _ = hosts
    words = ["-P", "-m", "switchover", "run", str(host.plan), "--state", str(host.folder / "state")]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *words,
        "--journal",
        own_postgres.url,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    async with asyncio.timeout(90):
        while not (host.folder / "begun").exists():  # noqa: ASYNC110 - the step makes it
            await asyncio.sleep(0.01)
        own_postgres.stop()
        said = (await process.stderr.readline()).decode()
        assert "the journal is away since " in said
        assert "wait is not disturbed, its end is recorded when it is back" in said
        await asyncio.to_thread((host.folder / "gate").write_text, "go\n")
        own_postgres.start()
        assert await process.stderr.readline() == b"switchover: the journal is back\n"
        out, _ = await process.communicate()
    assert process.returncode == 0
    assert b"run 1 is done" in out


async def test_settings_choose_the_journal_and_a_server_that_is_not_there_is_one_clear_error(
    postgres: Postgres, hosts: tuple[Host, Host]
) -> None:
    host, _ = hosts
    host.environ["XDG_CONFIG_HOME"] = str(host.folder / "config")
    settings = host.folder / "config" / "switchover" / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f'journal = "{postgres.create()}"')
    assert host.run("status", str(host.plan)).stdout.startswith("no run here yet")
    settings.write_text('journal = "postgresql://ops@127.0.0.1:1/none"')
    refused = host.run("run", str(host.plan))
    assert refused.returncode == 1
    assert "switchover: the journal postgresql://ops@127.0.0.1:1/none is away: " in refused.stderr
    assert not (host.folder / "seen").exists()
    settings.write_text("jurnal = 1")
    refused = host.run("run", str(host.plan))
    assert refused.returncode == 2
    assert f"{settings}: jurnal: there is no such setting" in refused.stderr


async def test_a_password_reaches_no_argument_no_file_no_step_and_no_message(
    postgres: Postgres, hosts: tuple[Host, Host]
) -> None:
    host, _ = hosts
    url = postgres.create().replace("postgres@", f"postgres:{CANARY}@")
    refused = host.run("run", str(host.plan), "--journal", url)
    assert refused.returncode == 2
    assert CANARY not in refused.stdout + refused.stderr
    host.environ["SWITCHOVER_JOURNAL"] = url
    started = host.run("agent", "start", str(host.plan), "--format", "json")
    agent = json.loads(started.stdout)["pid"]
    listed = json.loads(host.run("agent", "status", "--format", "json").stdout)["agents"]
    assert [row["pid"] for row in listed] == [agent]  # found again by its record alone
    running = asyncio.ensure_future(asyncio.to_thread(host.run, "run", str(host.plan)))
    await host.let_go_on(running)
    done = await running
    assert done.returncode == 0, done.stderr
    assert not [words for words in _arguments() if CANARY.encode() in words]
    files = [p for p in host.folder.rglob("*") if p.is_file()]
    assert (host.folder / "seen") in files
    assert [p for p in files if CANARY.encode() in p.read_bytes()] == []
    assert CANARY not in started.stdout + started.stderr + done.stdout + done.stderr
    with psycopg.connect(postgres.url) as connection:
        shown = connection.execute("SELECT string_agg(query, ' ') FROM pg_stat_activity").fetchone()
    assert shown is not None
    assert CANARY not in str(shown[0])


async def test_a_screen_sees_at_once_what_another_host_does(postgres: Postgres, hosts: tuple[Host, Host]) -> None:
    first, second = hosts
    url = postgres.create()
    workspace = workspace_for(second.folder / "state", second.plan, JournalAddress(url))
    await asyncio.to_thread(ensure_agent, workspace, second.plan)
    client = AgentClient()
    await client.connect(find_socket(workspace))
    await client.hello({"who": "ben", "host": "b", "tty": "pts/1"})
    try:
        running = asyncio.ensure_future(asyncio.to_thread(first.run, "run", str(first.plan), "--journal", url))
        seen = await _see(client, "running")
        assert seen.header.holder is not None
        await first.let_go_on(running)
        await _see(client, "done")
        assert (await running).returncode == 0
    finally:
        await client.aclose()


async def test_a_screen_shows_that_the_journal_is_away_and_its_agent_records_the_end_afterwards(
    own_postgres: PostgresServer, hosts: tuple[Host, Host]
) -> None:
    host, _ = hosts
    workspace = workspace_for(host.folder / "state", host.plan, JournalAddress(own_postgres.url))
    await asyncio.to_thread(ensure_agent, workspace, host.plan)
    client = AgentClient()
    await client.connect(find_socket(workspace))
    await client.hello({"who": "ana", "host": "a", "tty": "pts/1"})
    try:
        await client.request("run.start")
        await client.request("run.step", step="look")
        await _until(client, lambda s: _step(s, "look") == "done")
        await client.request("run.step", step="wait")
        await _until(client, lambda s: _step(s, "wait") == "running")
        own_postgres.stop()
        away = await _until(client, lambda s: "the journal is away since" in s.migration.action.text)
        assert (away.migration.state, _step(away, "wait")) == ("waiting", "running")
        await asyncio.to_thread((host.folder / "gate").write_text, "go\n")
        own_postgres.start()
        done = await _until(client, lambda s: s.migration.state == "done")
        assert _step(done, "wait") == "done"
    finally:
        await client.aclose()


def _step(snapshot: Snapshot, name: str) -> str:
    return next(s.state for p in snapshot.migration.phases for s in p.steps if s.id == name)


async def _until(client: AgentClient, wanted: Callable[[Snapshot], bool]) -> Snapshot:
    async with asyncio.timeout(60):
        async for snapshot in client.snapshots():
            if wanted(snapshot):
                return snapshot
    raise AssertionError("the line ended")


async def _see(client: AgentClient, state: str) -> Snapshot:
    """Wait until step `wait` stands so; while it runs, until it is also seen who drives."""
    return await _until(
        client, lambda s: _step(s, "wait") == state and (s.header.holder is not None or state == "done")
    )


def _arguments() -> list[bytes]:
    """Return the arguments of every process but this one."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found += [path.read_bytes()] if path.parent.name != str(os.getpid()) else []
    return found
