"""An agent's own files: the lock that makes it the only one, and the place of its socket."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec

from switchover.errors import AgentError, StateError
from switchover.locations import Workspace, ensure_private_dir
from switchover.private_files import open_private, read_private, replace_private
from switchover.settings import JournalAddress

__all__ = [
    "AgentLock",
    "AgentRecord",
    "AlreadyRunningError",
    "find_socket",
    "process_state",
    "read_record",
    "recorded_workspaces",
    "start_ticks",
    "write_record",
]


class AlreadyRunningError(AgentError):
    """Another agent of this workspace lives, or starts just now."""


class AgentRecord(msgspec.Struct, frozen=True):
    """Who the agent is and where it listens. Start ticks tell its pid from a later process of the same number."""

    pid: int
    start_ticks: int
    version: str
    socket: str
    plan: str = ""
    since: float = 0.0
    journal: str = ""  # the address of a shared one, without its password
    directory: str = ""  # of the workspace: that of another file where the plan was moved


@dataclass(frozen=True, slots=True)
class AgentLock:
    """The agent's lock. The kernel lets go of it when the agent dies, however it dies."""

    path: Path
    descriptor: int

    @classmethod
    def acquire(cls, workspace: Workspace) -> Self:
        """Become the one agent of the workspace. Raise `AlreadyRunningError` or `StateError`."""
        ensure_private_dir(workspace.directory)
        path = workspace.agent_lock
        try:
            descriptor = open_private(path, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise StateError(f"cannot open {path}: {error.strerror}", "see `switchover doctor`") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 20).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise AlreadyRunningError(
                f"an agent already runs for this plan{f' (process {holder})' if holder else ''}",
                "see `switchover agent status`",
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(path, descriptor)

    @property
    def is_ours(self) -> bool:
        """Tell whether the file at the path is still the one that is locked."""
        try:
            return os.path.samestat(self.path.stat(), os.fstat(self.descriptor))
        except OSError:
            return False

    def release(self) -> None:
        """Let go."""
        os.close(self.descriptor)


def write_record(workspace: Workspace, record: AgentRecord) -> None:
    """Replace the workspace's record as a whole. Raise `StateError`."""
    try:
        replace_private(workspace.agent_record, msgspec.json.encode(record))
    except OSError as error:
        raise StateError(
            f"cannot write {workspace.agent_record}: {error.strerror}", "see `switchover doctor`"
        ) from error


def read_record(workspace: Workspace) -> AgentRecord | None:
    """Return what the last agent wrote about itself, or None."""
    return _read(workspace.agent_record)


def recorded_workspaces(root: Path) -> list[Workspace]:
    """Return the workspaces of a state root in which an agent has left its record."""
    found = []
    for path in sorted((root / "workspaces").glob("*/agent.json")):
        record = _read(path)
        if record is not None:
            shared = JournalAddress.parse(record.journal, str(path)) if record.journal else None
            plan = Path(record.plan) if record.plan else None
            folder = path.parent.name if record.directory == str(path.parent) else ""
            workspace = Workspace(root, plan, shared, folder=folder)
            if workspace.agent_record == path:
                found.append(workspace)
    return found


def _read(path: Path) -> AgentRecord | None:
    try:
        return msgspec.json.decode(read_private(path), type=AgentRecord)
    except (OSError, msgspec.MsgspecError):
        return None


def find_socket(workspace: Workspace) -> Path:
    """Return where the agent listens: where it says, which may differ from where this session would put it."""
    record = read_record(workspace)
    if record is not None and Path(record.socket).exists():
        return Path(record.socket)
    return workspace.socket


def start_ticks(pid: int) -> int | None:
    """Return when a living process was started, in clock ticks since boot; None where there is none."""
    fields = _stat(pid)
    return None if not fields or fields[0] == b"Z" else int(fields[19])


def process_state(pid: int) -> str:
    """Return the kernel's letter for what a process does: `R`, `S`, `D`, `T` (stopped); empty where there is none."""
    fields = _stat(pid)
    return fields[0].decode() if fields else ""


def _stat(pid: int) -> list[bytes]:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return []
    return stat[stat.rindex(b")") + 2 :].split()
