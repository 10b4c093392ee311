"""Planted secrets are found nowhere: not in the state directory, an argument vector, a log, an answer or a report."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.functional.secrets.canary import VALUES, assert_clean, assert_nothing_below

from switchover.agent.process.agent_record import find_socket
from switchover.agent.process.lifecycle import ensure_agent, stop
from switchover.agent.wire.client import AgentClient
from switchover.cli.parser import main
from switchover.errors import SwitchoverError
from switchover.locations import Workspace, workspace_for
from switchover.snapshot import Snapshot

HERE = Path(__file__).parent
PLAN = f"""\
schema: 1
id: canary
title: Canary
check_modules: [leaky_check.py]
secrets:
  from_env: {{ref: "env:CANARY"}}
  from_file: {{ref: "file:canary-file"}}
  from_cmd: {{ref: "cmd:cat canary-cmd"}}
checks:
  raises: {{kind: leaky, which: from_file, every: 1s, since: run}}
  crashes: {{kind: leaky, which: from_env, how: crash, every: 1s, since: run}}
  finds: {{kind: leaky, which: from_cmd, how: find, every: 1s, since: run}}
  commands:
    kind: command
    command: "{sys.executable} leak.py fail A B C; echo \\"$A$B$C\\" >&2; exit 3"
    env: {{A: "{{{{ secret.from_env }}}}", B: "{{{{ secret.from_file }}}}", C: "{{{{ secret.from_cmd }}}}"}}
    expect: ["exit == 3", "stdout == 'x'"]
    every: 1s
    since: run
  refused:
    kind: http
    url: "http://127.0.0.1:9/"
    headers: {{X-Key: "{{{{ secret.from_env }}}}"}}
    bearer: "{{{{ secret.from_cmd }}}}"
    every: 1s
    since: run
  fine: {{kind: file, path: plan.yaml, every: 1s, since: run}}
phases:
  - id: one
    steps:
      - id: prints
        run: {sys.executable} leak.py ok A B C
        env: &all {{A: "{{{{ secret.from_env }}}}", B: "{{{{ secret.from_file }}}}", C: "{{{{ secret.from_cmd }}}}"}}
        effect: read
        outputs: {{a: "stdout:/^OUT_A=(.*)$/", b: "stdout:/^OUT_B=(.*)$/", c: "stdout:/^OUT_C=(.*)$/"}}
      - {{id: look, checklist: [{{text: Look, evidence: text}}]}}
      - id: raises_too
        run: {sys.executable} leak.py raise A B C
        env: *all
        effect: changes
        rollback: {{run: "{sys.executable} leak.py ok A B C", env: *all}}
    gate: {{require: [finds, raises, crashes, commands, refused], within: 1s, every: 1s}}
troubleshooting:
  - {{symptom: It leaks, diagnose: ["printenv CANARY; cat canary-file canary-cmd"]}}
"""


@dataclass
class Watch:
    """Looks at the argument vectors of all processes, again and again, in a thread."""

    seen: set[bytes] = field(default_factory=set)
    looks: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.002):
            self.looks += 1
            for entry in os.scandir("/proc"):
                if entry.name.isdigit():
                    try:
                        self.seen.add(Path(entry.path, "cmdline").read_bytes())
                    except OSError:
                        continue

    def end(self) -> None:
        self._over.set()
        self._thread.join()


@dataclass
class Desk:
    folder: Path
    plan: Path
    workspace: Workspace
    capture: pytest.CaptureFixture[bytes]
    runtime: Path
    said: list[tuple[str, bytes]] = field(default_factory=list)

    def cli(self, *words: str) -> int:
        """Run the program in this process, and keep what it says."""
        code = main([*words, "--state", str(self.workspace.root)])
        written = self.capture.readouterr()
        self.said += [(f"stdout of {words}", written.out), (f"stderr of {words}", written.err)]
        return code

    async def ask(self, client: AgentClient, method: str, **params: Any) -> Any:
        """Ask the agent, once more where the action before is just ending; keep what it answers, refusals too."""
        try:
            answer = await client.request(method, **params)
        except SwitchoverError as error:
            self.said.append((f"refusal of {method}", f"{error.title}\n{error.hint}".encode()))
            if "is going on" in error.title:
                await asyncio.sleep(0.02)
                return await self.ask(client, method, **params)
            return None
        self.said.append((f"answer to {method}", json.dumps(answer).encode() + str(answer).encode()))
        return answer


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Iterator[Desk]:
    folder = tmp_path / "plan"
    folder.mkdir()
    for name in ("leak.py", "leaky_check.py"):
        shutil.copy(HERE / name, folder)
    (folder / "plan.yaml").write_text(PLAN)
    (folder / "canary-file").write_text(f"{VALUES['from_file']}\n")
    (folder / "canary-cmd").write_text(f"{VALUES['from_cmd']}\n")
    run = Path(tempfile.mkdtemp(prefix="sw-"))  # a socket's path has to be short
    monkeypatch.setenv("CANARY", VALUES["from_env"])
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(run))
    monkeypatch.setenv("TMPDIR", str(run))
    monkeypatch.chdir(folder)
    plan = folder / "plan.yaml"
    made = Desk(folder, plan, workspace_for(tmp_path / "state", plan), capfdbinary, run)
    yield made
    stop(made.workspace)
    shutil.rmtree(run)


async def _until(client: AgentClient, desk: Desk, reached: Any) -> Snapshot:
    try:
        async with asyncio.timeout(30):
            async for snapshot in client.snapshots():
                desk.said.append(("snapshot", msgspec.json.encode(snapshot) + repr(snapshot).encode()))
                if reached(snapshot):
                    return snapshot
    except TimeoutError:
        pytest.fail(f"it never came to that; refused was: {[data for where, data in desk.said if 'refusal' in where]}")
    raise AssertionError("the line ended")


def _step(snapshot: Snapshot, name: str) -> str:
    return next(s.state for p in snapshot.migration.phases for s in p.steps if s.id == name)


async def _with_the_agent(desk: Desk) -> None:
    await asyncio.to_thread(ensure_agent, desk.workspace, desk.plan)
    async with AgentClient() as client:
        await client.connect(find_socket(desk.workspace))
        await client.hello({"who": "ann", "host": "h", "tty": "pts/1"})
        await _until(
            client, desk, lambda s: all(c.status not in ("pending", "ok") for c in s.checks if c.name != "fine")
        )
        await desk.ask(client, "check.run", names=[])
        await desk.ask(client, "run.start", variables={}, new=True)
        await desk.ask(client, "run.next")
        await _until(client, desk, lambda s: _step(s, "prints") == "done")
        await desk.ask(client, "output.read", step="prints", attempt=1, offset=0, limit=1 << 20)
        told = " and ".join(VALUES.values())
        await desk.ask(client, "checklist.tick", step="look", item=0, evidence=f"logged in with {told}")
        await _until(client, desk, lambda s: _step(s, "look") == "done" and s.migration.action.kind == "step")
        await desk.ask(client, "run.next")
        await _until(client, desk, lambda s: _step(s, "raises_too") == "failed")
        await desk.ask(client, "output.read", step="raises_too", attempt=1, offset=0, limit=1 << 20)
        await desk.ask(client, "step.resolve", step="raises_too", choice="done", reason=f"it works with {told}")
        await desk.ask(client, "run.next")
        await _until(client, desk, lambda s: bool(s.migration.phases[0].gate and s.migration.phases[0].gate.reason))
        await desk.ask(client, "issue.diagnose", entry="plan:0")
        await desk.ask(client, "run.rollback", name="", dry_run=True)
        await desk.ask(client, "run.rollback", name="", dry_run=False)
        await _until(client, desk, lambda s: s.migration.state in ("rolled_back", "failed", "aborted"))
    await asyncio.to_thread(stop, desk.workspace)


@contextmanager
def _watched(desk: Desk) -> Iterator[None]:
    """Look at all argument vectors meanwhile; then search all that was said and written for canaries."""
    watch = Watch()
    try:
        yield
    finally:
        watch.end()
    assert watch.looks > 50
    steps = b"".join(data for where, data in desk.said if where.startswith(("stdout", "answer")))
    for name in VALUES:  # they were really there
        assert f"(secret {name})".encode() in steps
    for where, data in desk.said:
        assert_clean(data, where)
    for argv in watch.seen:
        assert_clean(argv, "argv")
    names = assert_nothing_below([desk.folder.parent, desk.runtime], but=desk.folder)
    assert {"journal.sqlite", "heads"} <= set(names)


def test_planted_secrets_are_found_nowhere_without_an_agent(desk: Desk) -> None:
    with _watched(desk):
        for form in ("table", "json", "junit"):
            assert desk.cli("check", "plan.yaml", "--format", form) in (2, 3)
        assert desk.cli("run", "plan.yaml") == 4
        desk.cli("run", "plan.yaml", "--dry-run")
        desk.cli("run", "plan.yaml", "--tick", f"look={VALUES['from_cmd']}")
        desk.cli("run", "plan.yaml", "--resolve", "raises_too=done", "--reason", f"seen {VALUES['from_env']}")
        desk.cli("rollback", "plan.yaml")
        for words in (
            *(("status", "plan.yaml", "--format", form) for form in ("text", "json")),
            *(("report", "plan.yaml", "--format", form) for form in ("md", "json", "html")),
            *(("audit", "show", "plan.yaml", "--format", form) for form in ("text", "json")),
            ("audit", "verify", "plan.yaml"),
        ):
            assert desk.cli(*words) == 0, words


def test_planted_secrets_are_found_nowhere_with_an_agent(desk: Desk) -> None:
    with _watched(desk):
        asyncio.run(_with_the_agent(desk))
        assert (desk.workspace.agent_log).exists()
