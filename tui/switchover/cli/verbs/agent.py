"""`switchover agent status|start|stop|run`: the processes that watch and act in the background."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from switchover.cli.output import emit_json, emit_text
from switchover.cli.plan_file import workspace_of
from switchover.errors import AgentError, SwitchoverError, UsageError
from switchover.locations import Workspace, state_root

if TYPE_CHECKING:
    from switchover.agent.process.daemon import Report
    from switchover.agent.wire.protocol import AgentInfo

__all__ = ["add_arguments", "run"]

VERB = "agent"
RANK = 200
SUMMARY = "start, stop or look at the agents that work in the background"

_READY_WITHIN_S = 25.0
_LOOKS_WITHIN_S = 15.0
_AT_ONCE = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.description = "The agent watches a plan and carries it on in the background; a screen only looks at it."
    parser.add_argument(
        "action",
        choices=("status", "start", "stop", "run"),
        help="status: list the agents, exit code 1 where one does not answer or none runs; "
        "start: start one in the background; stop: end it, running steps go on; "
        "run: be one, in the foreground",
    )
    parser.add_argument("plan", nargs="?", metavar="PLAN", help="whose agent; without one all (status) or the host's")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how to answer (default: table)")
    parser.add_argument("--read-only", action="store_true", help="start, run: watch only, refuse everything else")
    parser.add_argument(
        "--group",
        metavar="NAME",
        help="start, run: let members of this group give a second person's word (`switchover confirm`); '' ends it",
    )
    parser.add_argument(
        "--digest", metavar="SHA256", default="", help="start, run: refuse any other content of the plan"
    )
    parser.add_argument(
        "--api",
        metavar="127.0.0.1:PORT",
        help="start, run: serve the HTTP API on this port too, to whoever has its token",
    )
    parser.add_argument("--all", action="store_true", help="stop: every agent of the state directory")
    parser.add_argument("--host", action="store_true", help="stop: the one that watches this host, without a plan")


def run(args: argparse.Namespace) -> int:
    """Do it and return the exit code."""
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "status": _status,
        "start": _start,
        "stop": _stop,
        "run": _run,
    }
    return actions[args.action](args)


# -- status


def _status(args: argparse.Namespace) -> int:
    from switchover.agent.process.agent_record import recorded_workspaces

    root = state_root(args.state)
    workspaces = [workspace_of(args)] if args.plan is not None else recorded_workspaces(root)
    rows = _look_at_all(workspaces)
    if args.format == "json":
        emit_json({"agents": rows})
    elif not rows:
        emit_text("no agent runs" + (f" for {args.plan}" if args.plan else f" with its state in {root}"))
    else:
        for row in rows:
            _tell(row)
    return 0 if rows and not any(row["trouble"] for row in rows) else 1


def _look_at_all(workspaces: Sequence[Workspace]) -> list[dict[str, object]]:
    """Look at all at once, so that those that hang cost the time of one."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(len(workspaces), _AT_ONCE) or 1) as pool:
        return [row for row in pool.map(_look, workspaces) if row is not None]


def _look(workspace: Workspace) -> dict[str, object] | None:
    from switchover.agent.process.agent_record import find_socket, read_record, start_ticks
    from switchover.agent.process.lifecycle import ask, why_silent

    record = read_record(workspace)
    try:
        info = ask(workspace)
        why = ""
    except SwitchoverError as error:
        info, why = None, error.title
    alive = record is not None and start_ticks(record.pid) == record.start_ticks
    if info is None and not why and not alive:
        return None
    plan = info.plan if info is not None else record.plan if record is not None else str(workspace.plan or "")
    row: dict[str, object] = {"plan": plan or None, "workspace": str(workspace.directory), "answers": info is not None}
    if info is None:
        pid = record.pid if record is not None and alive else None
        why = (why or "it does not answer") + (why_silent(pid) if pid is not None else "")
        return row | {"pid": pid, "trouble": why}
    return row | _facts(info) | {"socket": str(find_socket(workspace))}


def _facts(info: AgentInfo) -> dict[str, object]:
    from switchover.clock import iso_utc

    return {
        "pid": info.pid,
        "version": info.version,
        "since": iso_utc(info.since),
        "clients": info.clients,
        "busy": info.busy or None,
        "run_open": info.run_open,
        "read_only": info.read_only,
        "warning": info.warning or None,
        "trouble": f"it has not looked at anything for {info.snapshot_age_s:.0f} s; its log may say why"
        if info.snapshot_age_s > _LOOKS_WITHIN_S
        else None,
    }


def _tell(row: dict[str, object]) -> None:
    emit_text(str(row["plan"] or "this host (no plan)"))
    if not row["answers"]:
        process = f"process {row['pid']}: " if row["pid"] is not None else ""
        emit_text(f"  {process}{row['trouble']}; `switchover agent stop` ends it")
        return
    doing = f"at work: {row['busy']}" if row["busy"] else "a run is open" if row["run_open"] else "no run is open"
    rights = ", watches only" if row["read_only"] else ""
    emit_text(f"  process {row['pid']}, version {row['version']}, since {row['since']}{rights}")
    emit_text(f"  {doing}; {row['clients']} screen{'' if row['clients'] == 1 else 's'} attached")
    for note in filter(None, (row["trouble"], row["warning"])):
        emit_text(f"  {note}")


# -- stop


def _stop(args: argparse.Namespace) -> int:
    from switchover.agent.process.agent_record import recorded_workspaces
    from switchover.agent.process.lifecycle import stop

    root = state_root(args.state)
    running = [w for w in recorded_workspaces(root) if _look(w) is not None]
    if args.plan is not None:
        chosen: Iterable[Workspace] = [workspace_of(args)]
    elif args.host:
        chosen = [w for w in running if w.plan is None]
    elif args.all or len(running) <= 1:
        chosen = running
    else:
        plans = ", ".join(str(w.plan or "host") for w in running)
        raise UsageError(f"{len(running)} agents run: {plans}", "name the plan, or use --host or --all")
    ended = []
    for workspace in chosen:
        screens = (_look(workspace) or {}).get("clients", 0)
        busy = stop(workspace)
        if busy is not None:
            plan = str(workspace.plan) if workspace.plan else None
            ended.append({"plan": plan, "left_running": busy or None, "screens": screens})
    if args.format == "json":
        emit_json({"stopped": ended})
    elif not ended:
        emit_text("no agent runs")
    for entry in ended if args.format != "json" else ():
        emit_text(f"stopped the agent of {entry['plan'] or 'this host'}")
        if entry["left_running"]:
            emit_text(f"  {entry['left_running']} goes on by itself; its end is recorded when an agent runs again")
        if entry["screens"]:
            one = entry["screens"] == 1
            who, do, does = (
                ("1 screen", "it says so", "does") if one else (f"{entry['screens']} screens", "they say so", "do")
            )
            emit_text(f"  {who} attached: {do} and {does} not start it again")
    return 0


# -- start and run


def _start(args: argparse.Namespace) -> int:
    import msgspec

    from switchover.agent.process.daemon import detach
    from switchover.agent.process.lifecycle import StartReport
    from switchover.agent.wire.protocol import error_from_wire, error_to_wire

    workspace, plan = workspace_of(args), _plan(args)
    _choose_group(workspace, args.group)
    report = detach(lambda tell: _work(workspace, plan, args, tell), _READY_WITHIN_S)
    if report is None:
        error: SwitchoverError = AgentError("the agent did not come up", f"its log may say why: {workspace.agent_log}")
        report = StartReport(error=error_to_wire(error))
    if args.format == "json":
        emit_json(msgspec.to_builtins(report), indent=None)
    if report.error is not None:
        error = error_from_wire(report.error)
        if args.format == "json":
            return error.exit_code
        raise error
    if args.format == "json":
        return 0
    if report.already:
        emit_text(f"an agent runs already{f' (process {report.pid})' if report.pid else ''}")
    else:
        emit_text(f"started the agent as process {report.pid}; its log is {workspace.agent_log}")
    return 0


def _choose_group(workspace: Workspace, name: str | None) -> None:
    from switchover.agent.server.group_socket import choose_group
    from switchover.locations import ensure_private_dir

    if name is not None:
        ensure_private_dir(workspace.directory)
        choose_group(workspace, name)


def _plan(args: argparse.Namespace) -> Path | None:
    if args.plan is None:
        return None
    path = Path(args.plan).absolute()
    if not path.is_file():
        raise UsageError(f"there is no plan file {args.plan}", "name a plan's YAML file")
    return path


def _run(args: argparse.Namespace) -> int:
    from switchover.cli.diagnostics import say

    def tell(report: object) -> None:  # noqa: ARG001 - in the foreground there is no starter to tell more
        say(f"switchover: the agent is ready; its log is {workspace.agent_log}; Ctrl-C ends it, running steps go on")

    workspace = workspace_of(args)
    _choose_group(workspace, args.group)
    return _serve(workspace, _plan(args), args, tell)


def _work(workspace: Workspace, plan: Path | None, args: argparse.Namespace, tell: Report) -> int:
    """Be the agent of a starter: what keeps it from coming up is reported, and logged where it can be."""
    from switchover.agent.process.agent_record import AlreadyRunningError, read_record
    from switchover.agent.process.lifecycle import StartReport
    from switchover.agent.wire.protocol import ErrorInfo, error_to_wire

    try:
        return _serve(workspace, plan, args, tell)
    except AlreadyRunningError:
        record = read_record(workspace)
        tell(StartReport(already=True, pid=record.pid if record is not None else 0))
        return 0
    except SwitchoverError as error:
        tell(StartReport(error=error_to_wire(error)))
        return error.exit_code
    except OSError as error:  # a full or read-only disk: then there is no log either
        title = f"the agent cannot start in {workspace.directory}: {error.strerror or error}"
        hint = "free space there, make it writable, or choose another place with --state DIR"
        tell(StartReport(error=ErrorInfo("StateError", title, hint)))
        return 1
    except Exception as error:  # the boundary: the starter must hear of it
        import logging

        logging.getLogger("switchover.agent").exception("the agent ended unexpectedly")
        title = f"the agent met an unexpected {type(error).__name__} while starting"
        tell(StartReport(error=ErrorInfo("AgentError", title, f"its details are in {workspace.agent_log}")))
        return 1


def _serve(workspace: Workspace, plan: Path | None, args: argparse.Namespace, tell: Report) -> int:
    import asyncio

    from switchover import app
    from switchover.agent.http.api_server import ApiServer, parse_address
    from switchover.agent.http.api_sources import ApiSources
    from switchover.agent.process import agent_process
    from switchover.agent.process.agent_log import open_log
    from switchover.agent.process.agent_record import AgentLock
    from switchover.agent.process.lifecycle import StartReport
    from switchover.applications.event_file import EventFile
    from switchover.commands.command import CommandTarget

    address = parse_address(args.api) if args.api else None
    read_only = args.read_only
    lock = AgentLock.acquire(workspace)
    secret_words = app.KnownSecrets()
    open_log(workspace.agent_log, secret_words.redact)
    _note_crashes_of_libraries(workspace)
    loaded = app.load(plan, workspace, digest=args.digest) if plan is not None else None

    async def live() -> None:
        parts = app.build(loaded, workspace, read_only=read_only, secret_words=secret_words, even_refused=True)
        secrets = asyncio.create_task(parts.know_secrets(), name="secrets")
        identity = app.identify(parts, read_only=read_only, since=time.time())
        events = EventFile(workspace.applications)
        api = ApiSources(parts.hub, parts.clock, events, secret_words.display, parts.applications, identity.version)
        await agent_process.serve(
            CommandTarget(
                parts.hub, parts.engine, secret_words.values, workspace.directory / "logs", workspace.fill_in
            ),
            identity,
            workspace,
            lock,
            ready=lambda: tell(StartReport(pid=os.getpid())),
            let_go=parts.aclose,
            api=ApiServer(api, workspace.api_socket, workspace.api_token, address),
        )
        secrets.cancel()

    asyncio.run(live())
    return 0


def _note_crashes_of_libraries(workspace: Workspace) -> None:
    """Keep where a crash below Python happened, which leaves no other trace; the next agent takes it into the log."""
    import faulthandler
    import logging

    from switchover.private_files import open_private

    descriptor = open_private(workspace.directory / "agent.crash", os.O_RDWR | os.O_CREAT)
    if trace := os.read(descriptor, 4000).decode("utf-8", "replace"):
        logging.getLogger("switchover.agent").error("the agent before this one crashed:\n%s", trace)
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    faulthandler.enable(descriptor)
