"""Two people at one run: a screen and a screen, a screen and a `switchover run`, and two accounts of the machine."""

from __future__ import annotations

import asyncio
import grp
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.conftest import missing
from tests.functional.agent.conftest import Desk, desk, step

from switchover.agent.process.agent_record import find_socket
from switchover.agent.wire.client import AgentClient
from switchover.errors import LockedError
from switchover.snapshot import Snapshot

__all__ = ["desk"]


async def _sit(desk: Desk, who: str, tty: str) -> AgentClient:
    client = AgentClient()
    desk.clients.append(client)
    await client.connect(find_socket(desk.workspace))
    await client.hello({"who": who, "host": "bastion", "tty": tty})
    await client.request("subscribe")
    return client


def _drives(who: str) -> Callable[[Snapshot], bool]:
    return lambda s: s.header.driver is not None and s.header.driver.who == who


def _asks(who: str) -> Callable[[Snapshot], bool]:
    return lambda s: s.header.asking is not None and s.header.asking.who == who


async def test_the_second_watches_live_and_is_told_who_drives(desk: Desk) -> None:
    desk.ensure()
    ana, ben = await _sit(desk, "ana", "pts/1"), await _sit(desk, "ben", "pts/2")
    await ana.request("run.start")
    await ana.request("run.next")
    seen = await desk.see(ben, lambda s: _drives("ana")(s) and step(s, "wait").state == "running")
    assert seen.header.driver is not None
    assert (seen.header.driver.host, seen.header.driver.tty) == ("bastion", "pts/1")
    with pytest.raises(LockedError, match="ana@bastion"):
        await ben.request("run.abort", reason="let me")
    desk.let_step_end()
    await desk.see(ben, lambda s: step(s, "wait").state == "done")


async def test_a_request_is_seen_and_the_run_handed_over_or_not_and_all_of_it_is_on_record(desk: Desk) -> None:
    desk.ensure()
    ana, ben = await _sit(desk, "ana", "pts/1"), await _sit(desk, "ben", "pts/2")
    await ana.request("run.start")
    assert await ben.request("lease.ask") == "asked"
    seen = await desk.see(ana, _asks("ben"))
    assert seen.header.asking_until is not None
    await ana.request("lease.answer", yes=False, why="in the middle of it")
    with pytest.raises(LockedError):
        await ben.request("run.next")
    await ben.request("lease.ask")
    await ana.request("lease.answer", yes=True)
    await desk.see(ana, _drives("ben"))
    await ben.request("run.next")
    with pytest.raises(LockedError, match="ben@bastion"):
        await ana.request("run.abort")
    desk.let_step_end()
    await desk.see(ben, lambda s: step(s, "wait").state == "done")
    kinds = [kind for kind, _ in desk.events() if kind.startswith(("Takeover", "Driver"))]
    assert kinds == ["TakeoverAsked", "TakeoverAnswered", "TakeoverAsked", "TakeoverAnswered", "DriverChanged"]


async def test_one_whose_screen_died_is_taken_over_at_once_and_the_step_goes_on(desk: Desk) -> None:
    desk.ensure()
    ana, ben = await _sit(desk, "ana", "pts/1"), await _sit(desk, "ben", "pts/2")
    await ana.request("run.start")
    await ana.request("run.next")
    await desk.see(ben, _drives("ana"))
    await ana.aclose()
    while True:  # the agent hears of it in an instant, not in none
        if await ben.request("lease.ask") == "granted":
            break
        await desk.see(ben, lambda s: s.header.asking is None)
        break
    await desk.see(ben, _drives("ben"))
    desk.let_step_end()
    await desk.see(ben, lambda s: step(s, "wait").state == "done")
    assert desk.times_run() == 1
    assert "DriverChanged" in [kind for kind, _ in desk.events()]


async def test_a_run_in_another_terminal_is_asked_and_hands_over_when_its_step_has_ended(desk: Desk) -> None:
    desk.ensure()
    ben = await _sit(desk, "ben", "pts/2")
    words = [sys.executable, "-P", "-m", "switchover", "run", str(desk.plan), "--state", str(desk.workspace.root)]
    run = await asyncio.create_subprocess_exec(
        *words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    seen = await desk.see(ben, lambda s: s.header.holder is not None and step(s, "wait").state == "running")
    assert seen.header.holder is not None
    assert seen.header.holder.pid == run.pid
    with pytest.raises(LockedError):
        await ben.request("run.abort")
    assert await ben.request("lease.ask") == "asked"
    await desk.see(ben, _asks("ben"))
    done = await asyncio.to_thread(desk.run, "takeover", str(desk.plan), "--hand-over")
    assert done.returncode == 0, done.stderr
    await desk.see(ben, _drives("ben"))
    assert run.returncode is None
    desk.let_step_end()
    _, said = await run.communicate()
    assert run.returncode == 5
    assert "ben@bastion (pts/2) asks to take over" in said.decode()
    await desk.see(ben, lambda s: s.header.holder is None and step(s, "wait").state == "done")
    await ben.request("run.next")
    await desk.see(ben, lambda s: step(s, "mark").state == "done")
    kinds = [kind for kind, _ in desk.events()]
    assert kinds.count("TakeoverAsked") == kinds.count("TakeoverAnswered") == 1
    assert desk.times_run() == 1


async def test_a_waiver_is_given_while_the_agent_watches_the_gate(desk: Desk) -> None:
    text = desk.plan.read_text().replace("gate: {require: [marked]}", "gate: {require: [gone], within: 1h, every: 1h}")
    desk.plan.write_text(text.replace("phases:", "  gone: {kind: file, path: nowhere}\nphases:"))
    desk.ensure()
    ana = await _sit(desk, "ana", "")
    await ana.request("run.start")
    await ana.request("run.next")
    await asyncio.to_thread(desk.let_step_end)
    await desk.see(ana, lambda s: s.migration.action.target == "mark")
    await ana.request("run.next")
    await desk.see(ana, lambda s: s.migration.action.kind == "gate")
    await ana.request("run.next")
    seen = await desk.see(
        ana, lambda s: bool(s.migration.phases[0].gate and s.migration.phases[0].gate.requirements[0].can)
    )
    assert seen.migration.action.kind == "wait"
    await ana.request("gate.waive", check="gone", reason="it is not needed", for_s=3600)
    await desk.see(ana, lambda s: s.migration.state == "done")
    report = await asyncio.to_thread(desk.run, "report", str(desk.plan))
    assert "it is not needed" in report.stdout
    assert "ana" in report.stdout


PLAN = """\
schema: 1
id: pair
title: Two people
phases:
  - id: end
    steps:
      - id: drop
        run: echo dropped > dropped
        effect: changes
        confirm: {text: "drop it", persons: 2}
"""


class Pair:
    """Two accounts of this machine in one group, a plan that both can read, and the first one's state."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plan = folder / "pair.yaml"
        self.group = f"swpair{os.getpid()}"
        self.users = (f"swana{os.getpid()}", f"swben{os.getpid()}")

    def make(self) -> None:
        subprocess.run(["groupadd", self.group], check=True)
        for user in self.users:
            subprocess.run(["useradd", "--no-create-home", "--groups", self.group, user], check=True)
        first = pwd.getpwnam(self.users[0])
        self.folder.chmod(0o755)
        self.plan.write_text(PLAN)
        os.chown(self.folder, first.pw_uid, first.pw_gid)
        registry = self.folder / "registry"
        registry.mkdir()
        registry.chmod(0o1777)
        settings = self.folder / ".config" / "switchover"
        settings.mkdir(parents=True)
        (settings / "settings.toml").write_text(f'registry = "{registry}"\n')

    @property
    def python_is_everybodys(self) -> bool:
        """Whether any account may start this Python (one in root's home may not be)."""
        become = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", 'test -x "$0"']
        return subprocess.run([*become, sys.executable], check=False).returncode == 0

    def remove(self) -> None:
        for user in self.users:
            subprocess.run(["userdel", user], check=False, capture_output=True)
        subprocess.run(["groupdel", self.group], check=False, capture_output=True)

    def run(self, user: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the command line under an account, the way its own login would."""
        account = pwd.getpwnam(user)
        groups = [account.pw_gid, grp.getgrnam(self.group).gr_gid]
        state = str(self.folder / f"state-{user}")
        become = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", f"--groups={','.join(map(str, groups))}"]
        if user == self.users[0] and not self.python_is_everybodys:
            become += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
        return subprocess.run(
            ["setpriv", *become, sys.executable, "-P", "-m", "switchover", *words, "--state", state],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "LOGNAME": user, "USER": user},
        )


@pytest.fixture
def pair() -> Iterator[Pair]:
    if os.geteuid() != 0 or not all(map(shutil.which, ("useradd", "userdel", "groupadd", "setpriv"))):
        missing("root with useradd and setpriv, to be two people")
    with tempfile.TemporaryDirectory(prefix="swpair") as folder:
        pair = Pair(Path(folder))
        try:
            pair.make()
            yield pair
        finally:
            pair.run(pair.users[0], "agent", "stop", str(pair.plan))
            pair.remove()


def test_two_people_are_two_accounts_and_the_kernel_says_who_they_are(pair: Pair) -> None:
    ana, ben = pair.users
    plan = str(pair.plan)
    started = pair.run(ana, "agent", "start", plan, "--group", pair.group)
    if started.returncode and "Permission denied" in started.stderr:
        missing(f"a Python that other accounts may run ({sys.executable})")
    assert started.returncode == 0, started.stderr
    alone = pair.run(ana, "run", plan, "--confirm", "drop=drop it")
    assert alone.returncode != 0
    assert "nobody vouches for who" in alone.stderr
    assert "agent start" in alone.stderr
    first = pair.run(ana, "confirm", plan, "drop", "--text", "drop it")
    assert first.returncode == 0, first.stderr
    again = pair.run(ana, "confirm", plan, "drop", "--text", "drop it")
    assert again.returncode == 1
    assert "has confirmed it already" in again.stderr
    wrong = pair.run(ben, "confirm", plan, "drop", "--with", ana, "--text", "drop")
    assert wrong.returncode == 1
    second = pair.run(ben, "confirm", plan, "drop", "--with", ana, "--text", "drop it")
    assert second.returncode == 0, second.stderr
    assert not (pair.folder / "dropped").exists()
    done = pair.run(ana, "run", plan, "--confirm", "drop=drop it")
    assert done.returncode == 0, done.stderr
    assert (pair.folder / "dropped").exists()


def test_a_stranger_to_the_group_finds_no_door(pair: Pair) -> None:
    ana, ben = pair.users
    plan = str(pair.plan)
    pair.run(ana, "agent", "start", plan)
    refused = pair.run(ben, "confirm", plan, "drop", "--with", ana, "--text", "drop it")
    assert refused.returncode == 1
    assert "has no door open for you" in refused.stderr


async def test_a_hold_goes_on_by_itself_after_the_agent_was_killed(desk: Desk) -> None:
    text = desk.plan.read_text().replace("gate: {require: [marked]}", "gate: {require: [marked], hold: 24h}")
    desk.plan.write_text(text)
    desk.ensure()
    ana = await _sit(desk, "ana", "pts/1")
    await ana.request("run.start")
    await ana.request("run.next")
    await asyncio.to_thread(desk.let_step_end)
    await desk.see(ana, lambda s: s.migration.action.target == "mark")
    await ana.request("run.next")
    await desk.see(ana, lambda s: s.migration.action.kind == "gate")
    await ana.request("run.next")
    await desk.see(ana, _holds)
    before = await asyncio.to_thread(desk.run, "status", str(desk.plan))
    assert "holding" in before.stdout
    await asyncio.to_thread(desk.kill_agent)
    desk.ensure()
    ben = await _sit(desk, "ben", "pts/2")
    seen = await desk.see(ben, _holds)
    assert seen.migration.action.kind == "wait"
    await ben.request("run.abort", reason="enough held")
    await desk.see(ben, lambda s: s.migration.action.kind == "gate")
    kinds = [kind for kind, _ in desk.events()]
    assert kinds.count("GateOpened") == kinds.count("GateGreen") == 1


def _holds(snapshot: Snapshot) -> bool:
    gate = snapshot.migration.phases[0].gate
    return gate is not None and gate.state == "holding" and snapshot.migration.action.kind == "wait"
