from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from switchover.agent.process.agent_record import (
    AgentLock,
    AgentRecord,
    AlreadyRunningError,
    find_socket,
    read_record,
    recorded_workspaces,
    start_ticks,
    write_record,
)
from switchover.errors import StateError
from switchover.locations import Workspace, workspace_for

HOLDER = """
import sys
from pathlib import Path
from switchover.agent.process.agent_record import AgentLock
from switchover.locations import workspace_for
AgentLock.acquire(workspace_for(Path(sys.argv[1]), None))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return workspace_for(tmp_path, None)


def test_only_one_agent_can_be_and_the_other_learns_who_is(workspace: Workspace) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(workspace.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(AlreadyRunningError, match=f"process {holder.pid}"):
            AgentLock.acquire(workspace)
        holder.kill()
        holder.wait()
    lock = AgentLock.acquire(workspace)
    assert lock.is_ours
    assert workspace.agent_lock.read_text() == f"{os.getpid()}\n"
    lock.release()


def test_a_lock_whose_file_was_replaced_is_no_longer_ours(workspace: Workspace) -> None:
    lock = AgentLock.acquire(workspace)
    workspace.agent_lock.unlink()
    assert not lock.is_ours
    workspace.agent_lock.touch()
    assert not lock.is_ours
    lock.release()


def test_the_lock_is_not_handed_to_children(workspace: Workspace) -> None:
    lock = AgentLock.acquire(workspace)
    assert not os.get_inheritable(lock.descriptor)
    lock.release()


def test_a_state_directory_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot use the state directory"):
        AgentLock.acquire(workspace_for(tmp_path / "file", None))


def test_clients_go_where_the_agent_says_it_listens(workspace: Workspace, tmp_path: Path) -> None:
    workspace.directory.mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere.sock"
    record = AgentRecord(1, 2, "1.0", str(elsewhere))
    write_record(workspace, record)
    assert read_record(workspace) == record
    assert find_socket(workspace) == workspace.socket
    elsewhere.touch()
    assert find_socket(workspace) == elsewhere
    assert workspace.agent_record.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"pid": "x"}', b"\xff"])
def test_a_damaged_record_counts_as_none(workspace: Workspace, content: bytes) -> None:
    workspace.directory.mkdir(parents=True)
    workspace.agent_record.write_bytes(content)
    assert read_record(workspace) is None
    assert recorded_workspaces(workspace.root) == []


def test_all_workspaces_with_a_record_are_found(tmp_path: Path) -> None:
    plan = tmp_path / "p.yaml"
    made = [workspace_for(tmp_path, None), workspace_for(tmp_path, plan)]
    for workspace in made:
        workspace.directory.mkdir(parents=True)
        write_record(workspace, AgentRecord(1, 2, "1.0", "", str(workspace.plan or "")))
    assert recorded_workspaces(tmp_path) == made


def test_a_process_is_told_from_a_later_one_with_its_number() -> None:
    ticks = start_ticks(os.getpid())
    assert ticks is not None
    assert ticks > 0
    with subprocess.Popen(["true"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert start_ticks(child.pid) is None, "a zombie lives no more"
    assert start_ticks(child.pid) is None
