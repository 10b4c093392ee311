"""An agent and a plan that is edited under it: seen at once, adopted or begun with, and never a restart."""

import asyncio
import os
from functools import partial

import msgspec
import pytest
from tests.functional.agent.conftest import Desk

from switchover.agent.wire.client import AgentClient
from switchover.errors import RefusedError
from switchover.snapshot import PlanDifference, Snapshot

PLAN = """\
schema: 1
id: small
title: Small
checks:
  marked: {kind: file, path: mark, every: 1s}
phases:
  - id: one
    steps:
      - {id: mark, run: "touch mark", effect: creates, rollback: {run: "read line < gate; echo undone >> undone"}}
      - {id: fail, run: "echo ran >> runs; false", effect: changes}
    gate: {require: [marked]}
"""
MENDED = PLAN.replace("; false", "").replace("marked: {", "other: {kind: file, path: runs, every: 1s}\n  marked: {")


def _state(snapshot: Snapshot) -> str:
    return snapshot.migration.state


def _has_ended(name: str, snapshot: Snapshot) -> bool:
    return any(s.id == name and s.state in ("done", "failed") for s in snapshot.migration.phases[0].steps)


def _checks(snapshot: Snapshot) -> dict[str, str]:
    return {check.name: check.status for check in snapshot.checks}


@pytest.fixture
def edited(desk: Desk) -> Desk:
    """A desk with a plan whose second step fails."""
    desk.plan.write_text(PLAN)
    return desk


async def _run_until_it_fails(desk: Desk) -> tuple[int, AgentClient]:
    info = await asyncio.to_thread(desk.ensure)
    client = await desk.client()
    await client.request("run.start")
    for name in ("mark", "fail"):
        await client.request("run.next")
        await desk.see(client, partial(_has_ended, name))
    return info.pid, client


async def test_an_edit_is_seen_adopted_and_watched_by_the_same_agent(edited: Desk) -> None:
    pid, client = await _run_until_it_fails(edited)
    edited.plan.write_text(MENDED)
    await edited.see(client, lambda s: s.header.plan_edited)
    found = msgspec.convert(await client.request("plan.difference"), PlanDifference)
    assert [(c.kind, c.what, c.name) for c in found.changes] == [
        ("changed", "step", "fail"),
        ("added", "check", "other"),
    ]
    await client.request("run.rebase", reason="mended", digest=found.digest)
    now = await edited.see(client, lambda s: _checks(s).get("other") == "ok")
    assert not now.header.plan_edited
    assert now.header.agent_pid == pid
    await client.request("step.retry", step="fail")
    await edited.see(client, lambda s: s.migration.action.kind == "gate")
    await client.request("gate.check", phase="one")
    done = await edited.see(client, lambda s: _state(s) == "done")
    assert done.header.agent_pid == pid


async def test_a_plan_that_was_edited_is_begun_anew_by_the_same_agent(edited: Desk) -> None:
    pid, client = await _run_until_it_fails(edited)
    await client.request("run.abort", reason="enough")
    await edited.see(client, lambda s: _state(s) == "aborted")
    edited.plan.write_text(MENDED)
    await client.request("run.start", new=True)
    now = await edited.see(client, lambda s: s.migration.run_id == "2" and _checks(s).get("other") == "ok")
    assert now.header.agent_pid == pid
    assert now.migration.phases[0].steps[1].command == "echo ran >> runs"


async def test_a_rebase_by_the_command_line_is_followed(edited: Desk) -> None:
    _, client = await _run_until_it_fails(edited)
    edited.plan.write_text(MENDED)
    done = await asyncio.to_thread(edited.run, "rebase", str(edited.plan), "--reason", "mended")
    assert done.returncode == 0, done.stderr
    await edited.see(client, lambda s: _checks(s).get("other") == "ok" and not s.header.plan_edited)


async def test_a_screen_that_only_watches_sees_the_difference_and_cannot_adopt_it(edited: Desk) -> None:
    await _run_until_it_fails(edited)
    edited.plan.write_text(MENDED)
    watcher = await edited.client(read_only=True)
    assert (await watcher.request("plan.difference"))["same"] is False
    assert (await watcher.request("rollback.rehearse", name=None))["actions"][0]["undoes"] == "mark"
    with pytest.raises(RefusedError):
        await watcher.request("run.rebase")


async def test_an_agent_killed_in_mid_rollback_is_found_where_it_stood_and_goes_on(edited: Desk) -> None:
    (edited.folder / "gate").unlink(missing_ok=True)
    os.mkfifo(edited.folder / "gate")
    _, client = await _run_until_it_fails(edited)
    await client.request("run.rollback", name="")
    await edited.see(client, lambda s: s.migration.rollback is not None and s.migration.rollback.state == "running")
    await asyncio.to_thread(edited.kill_agent)
    await asyncio.to_thread(edited.ensure)
    second = await edited.client()
    seen = await edited.see(second, lambda s: s.migration.rollback is not None)
    assert seen.migration.rollback is not None
    assert [a.state for a in seen.migration.rollback.actions] == ["running"]
    await asyncio.to_thread(edited.let_step_end)
    await edited.see(second, lambda s: s.migration.action.text.startswith("go on with the rollback"))
    await second.request("run.next")
    await edited.see(second, lambda s: _state(s) == "rolled_back")
    assert (edited.folder / "undone").read_text().split() == ["undone"], "undone once"
