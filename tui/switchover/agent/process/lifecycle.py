"""Find, start, replace and stop the agent of a workspace. Plain blocking calls: a screen runs them in a thread."""

from __future__ import annotations

import hashlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from switchover import __version__
from switchover.agent.process.agent_record import find_socket, process_state, read_record, start_ticks
from switchover.agent.process.logind import escape_prefix, read_logind
from switchover.agent.wire.protocol import CLIENT_LINE_LIMIT, WIRE, AgentInfo, ErrorInfo, Incoming, error_from_wire
from switchover.errors import AgentError, NotTrustedError, SwitchoverError, VersionMismatchError
from switchover.locations import Workspace, ensure_private_dir
from switchover.settings import VARIABLE

__all__ = ["StartReport", "ask", "call", "changed_since_trusted", "ensure_agent", "start", "stop", "why_silent"]

_START_WITHIN_S = 30.0
_ANSWER_WITHIN_S = 5.0
_END_WITHIN_S = 10.0


class StartReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a starting agent says to its starter: that it is ready, or why not."""

    pid: int = 0
    error: ErrorInfo | None = None
    already: bool = False


def ensure_agent(
    workspace: Workspace,
    plan: Path | None,
    *,
    read_only: bool = False,
    replace: bool = True,
    version: str = __version__,
    command: Sequence[str] | None = None,
    digest: str = "",
) -> AgentInfo:
    """Return the agent that answers for the workspace, started or replaced where needed.

    An agent is replaced only while nothing is under way. That holds for one of another version, with an older plan or
    modules, or with too few rights. Without `replace` one of another version stays: else two screens of two versions
    would end each other's for ever. With `digest`, raise `NotTrustedError` where the file has another content now and
    no run is open. Raise `PlanError` for a plan that cannot be used. Raise `VersionMismatchError` where a step forbids
    to replace the agent, and `AgentError` where none comes up.
    """
    ensure_private_dir(workspace.directory)
    deadline = time.monotonic() + _START_WITHIN_S
    while time.monotonic() < deadline:
        info = ask(workspace)
        started = False
        if info is None:
            started = not start(workspace, plan, read_only=read_only, command=command, digest=digest).already
            info = _await_answer(workspace)
        if info is None:
            continue  # another starter was faster, but its agent did not come up
        if started and not _is_version(info, version):
            raise VersionMismatchError(
                f"the agent that starts here is version {_version(info)}, this program is version {version}",
                "switchover was upgraded meanwhile: quit and start it again",
            )
        if plan is not None and digest and not info.run_open and _digest(plan) != digest.partition("+")[0]:
            raise changed_since_trusted(plan.name)
        if not replace and not _is_version(info, version):
            raise VersionMismatchError(
                f"the agent is version {_version(info)} now, this screen is version {version}",
                "a newer screen has replaced it: quit and start switchover again",
            )
        if not _must_be_replaced(info, plan, version, read_only=read_only):
            return info
        stop(workspace, only_if_idle=True)
    raise AgentError("the agent does not answer", f"its log may say why: {workspace.agent_log}")


def changed_since_trusted(name: str) -> NotTrustedError:
    """Return what is said where a plan has another content than the one that was trusted."""
    return NotTrustedError(f"{name} has changed since it was trusted just now", "look at it again, then start again")


def _is_version(info: AgentInfo, version: str) -> bool:
    return info.version == version and info.wire == WIRE


def _version(info: AgentInfo) -> str:
    """Return its version; with that of its line where only that is another."""
    return info.version if info.wire == WIRE else f"{info.version} (line {info.wire}, here {WIRE})"


def _must_be_replaced(info: AgentInfo, plan: Path | None, version: str, *, read_only: bool) -> bool:
    if not _is_version(info, version):
        if info.busy:
            raise VersionMismatchError(
                f"the agent is version {_version(info)}, this program {version}, and it is at work: {info.busy}",
                "wait until that has ended and start again; it cannot be replaced before",
            )
        return not read_only or _refuse_to_replace(info, version)
    if info.busy or read_only:
        return False
    if any(_digest(Path(path)) != known for path, known in info.modules.items()):
        return True  # it executes none of a changed one
    if info.run_open:
        return False
    if any(_digest(Path(path)) != known for path, known in info.parts.items()):
        return True  # it watches by a file that the plan includes as it was
    return info.read_only or (plan is not None and _digest(plan) != info.plan_digest)


def _refuse_to_replace(info: AgentInfo, version: str) -> bool:
    raise VersionMismatchError(
        f"the agent is version {_version(info)}, this program is version {version}",
        "a screen that only watches does not replace it: start once without --read-only",
    )


def start(
    workspace: Workspace,
    plan: Path | None,
    *,
    read_only: bool = False,
    command: Sequence[str] | None = None,
    prefix: Sequence[str] | None = None,
    digest: str = "",
) -> StartReport:
    """Start an agent in a session of its own and wait until it is ready. Raise what kept it from starting.

    `prefix` goes before the command; by default it keeps logind from ending the agent. Where that does not work, the
    agent starts without it. `already` in the report: another one was faster.
    """
    # -P keeps modules that lie in the current directory out of the agent.
    words = [*(command or (sys.executable, "-P", "-m", "switchover")), "agent", "start", "--format", "json"]
    words += ["--state", str(workspace.root)] + (["--read-only"] if read_only else [])
    words += ["--digest", digest] if digest else []
    words += ["--", str(plan)] if plan is not None else []
    if prefix is None:
        prefix = escape_prefix(read_logind())
    # Through the environment: a password in the journal's address is nobody else's to read.
    journal = workspace.shared
    environ = {**os.environ, VARIABLE: journal.with_name if journal is not None else "sqlite"}
    report = _run_starter([*prefix, *words], environ) if prefix else None
    report = report or _run_starter(words, environ)
    if report is None:
        raise AgentError("the agent did not start", f"its log may say why: {workspace.agent_log}")
    if report.error is not None:
        raise error_from_wire(report.error)
    return report


def _run_starter(words: Sequence[str], environ: Mapping[str, str]) -> StartReport | None:
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd="/",
            timeout=_START_WITHIN_S,
            check=False,
            env=environ,
        )
        return msgspec.json.decode(done.stdout, type=StartReport)
    except (OSError, subprocess.TimeoutExpired, msgspec.MsgspecError):
        return None


def ask(workspace: Workspace) -> AgentInfo | None:
    """Return who answers for the workspace, or None where nobody does. Raise `AgentError` for one that hangs."""
    try:
        reply = call(find_socket(workspace), "agent.status", {})
    except (FileNotFoundError, ConnectionError):
        return None
    except OSError as error:
        raise AgentError(f"the agent cannot be reached: {error.strerror}", "see `switchover doctor`") from error
    return msgspec.convert(reply, type=AgentInfo)


def call(path: Path, method: str, params: dict[str, Any], within_s: float = _ANSWER_WITHIN_S) -> Any:
    """Make one request over a line of its own and return the result. Raise the agent's error, or `OSError`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(within_s)
        try:
            line.connect(str(path))
            line.sendall(msgspec.json.encode({"id": 1, "method": method, "params": params}) + b"\n")
            with line.makefile("rb") as file:
                answer = file.readline(CLIENT_LINE_LIMIT)
            incoming = msgspec.json.decode(answer, type=Incoming) if answer else None
        except TimeoutError as error:
            raise AgentError(
                f"the agent at {path} does not answer", "it may be stopped or overloaded: `switchover agent status`"
            ) from error
        except msgspec.MsgspecError as error:
            raise AgentError(f"what answers at {path} is no agent of this program") from error
    if incoming is None:
        raise ConnectionResetError(f"the agent at {path} closed the line")
    if incoming.error is not None:
        raise error_from_wire(incoming.error)
    return incoming.result


def stop(workspace: Workspace, *, only_if_idle: bool = False) -> str | None:
    """End the agent and wait until it has gone. Return what was under way (it goes on by itself), None where none ran.

    Raise `RefusedError` with `only_if_idle` where it is at work, `AgentError` where it does not end.
    """
    record = read_record(workspace)
    try:
        info = ask(workspace)
    except SwitchoverError:
        info = None
        if only_if_idle or record is None:
            raise
    if info is None:
        if record is None or start_ticks(record.pid) != record.start_ticks:
            return None
        pid, busy = record.pid, ""
    else:
        pid, busy = info.pid, info.busy
    handle = _open_process(pid)
    if handle is None:
        return busy
    try:
        if info is None:
            signal.pidfd_send_signal(handle, signal.SIGTERM)
            signal.pidfd_send_signal(handle, signal.SIGCONT)  # one that was stopped hears of it only then
        else:
            with suppress(ConnectionError, FileNotFoundError):  # it has gone meanwhile
                call(find_socket(workspace), "agent.stop", {"if_idle": only_if_idle})
        if not select.select([handle], [], [], _END_WITHIN_S)[0]:
            raise AgentError(
                f"the agent (process {pid}) does not end{why_silent(pid)}", f"end it: `kill -9 {pid}`; its steps go on"
            )
    finally:
        os.close(handle)
    return busy


def why_silent(pid: int) -> str:
    """Say why a process may not answer, as the kernel sees it: `: it is stopped …`. Empty if unknown."""
    state = process_state(pid)
    if state in {"T", "t"}:
        return f": its process is stopped, `kill -CONT {pid}` lets it go on"
    if state == "D":
        return ": its process hangs in the kernel (a dead disk or network mount?)"
    return ""


def _await_answer(workspace: Workspace) -> AgentInfo | None:
    deadline = time.monotonic() + _ANSWER_WITHIN_S
    while time.monotonic() < deadline:
        info = ask(workspace)
        if info is not None:
            return info
        time.sleep(0.05)
    return None


def _open_process(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


def _digest(plan: Path) -> str:
    try:
        return hashlib.sha256(plan.read_bytes()).hexdigest()
    except OSError:
        return ""
