"""The agent's life: it listens, watches, learns what became of earlier steps, and ends when asked to."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

from switchover.agent.http.api_server import ApiServer
from switchover.agent.process.agent_record import AgentLock, AgentRecord, start_ticks, write_record
from switchover.agent.server.group_socket import chosen_group, make_group_socket_folder
from switchover.agent.server.server import AgentServer, Identity
from switchover.commands.command import CommandTarget
from switchover.errors import SwitchoverError
from switchover.locations import Workspace

__all__ = ["serve"]

log = logging.getLogger("switchover.agent")

_LOOK_EVERY_S = 2.0
_KEEP_GATES_EVERY_S = 1.0
_PAUSE_AFTER_CRASH_S = 1.0


async def serve(
    target: CommandTarget,
    identity: Identity,
    workspace: Workspace,
    lock: AgentLock,
    *,
    ready: Callable[[], None] = lambda: None,
    let_go: Callable[[], Awaitable[None]] | None = None,
    api: ApiServer | None = None,
) -> None:
    """Serve until SIGTERM, SIGINT or a client's stop. `ready` is called once clients can connect, `let_go` at the end.

    Without `api` no application can tell anything. Raise `StateError` where the socket or the record cannot be made.
    """
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    server = AgentServer(target, identity, stop=stopping.set)

    def told_to_end(name: str) -> None:
        server.say_stopped(name)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_end, number.name)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    loop.set_exception_handler(_log_forgotten)
    tasks: list[asyncio.Task[Any]] = []
    try:
        await _announce(server, identity, workspace)
        group = await _open_group_socket(server, workspace, "")
        tasks.append(loop.create_task(_keep_group_socket(server, workspace, group)))
        if api is not None:
            tasks.append(loop.create_task(_keep_api(api)))
        tasks.append(loop.create_task(_keep_watching(target)))
        tasks.append(loop.create_task(_keep_reachable(server, identity, workspace, lock, stopping)))
        if target.engine is not None:
            server.begin("recovery", _recover(target))
            tasks.append(loop.create_task(_keep_up(target)))
            tasks.append(loop.create_task(_keep_gates(target, server)))
            tasks.append(loop.create_task(_keep_appointments(target, server)))
        log.info("agent %s started as process %d", identity.version, os.getpid())
        if identity.warning:
            log.warning("%s", identity.warning)
        ready()
        await stopping.wait()
        log.info("agent ends")
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if api is not None:
            await api.aclose()
        await server.close()
        if let_go is not None:
            await let_go()
        if lock.is_ours:
            workspace.agent_record.unlink(missing_ok=True)


async def _announce(server: AgentServer, identity: Identity, workspace: Workspace) -> None:
    path = workspace.socket
    await server.listen(path)
    pid = os.getpid()
    write_record(
        workspace,
        AgentRecord(
            pid,
            start_ticks(pid) or 0,
            identity.version,
            str(path),
            identity.plan,
            identity.since,
            workspace.shared.shown if workspace.shared is not None else "",
            str(workspace.directory),
        ),
    )


async def _keep_watching(target: CommandTarget) -> None:
    while True:
        try:
            await target.hub.run()
        except Exception:  # the boundary: a defect of the watching must not end the acting
            log.exception("the hub ended unexpectedly and is started again")
        await asyncio.sleep(_PAUSE_AFTER_CRASH_S)


async def _keep_reachable(
    server: AgentServer, identity: Identity, workspace: Workspace, lock: AgentLock, stopping: asyncio.Event
) -> None:
    """Move the socket when its folder goes (logind removes the runtime directory); end when the state has gone."""
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        if not lock.is_ours:
            log.error("the state directory has gone or belongs to another agent")
            stopping.set()
            return
        if not server.is_reachable:
            try:
                await _announce(server, identity, workspace)
                log.info("the socket had gone and was made again")
            except SwitchoverError as error:
                log.warning("%s", error.title)


async def _keep_api(api: ApiServer) -> None:
    """Keep the API reachable, and measure how the agent fares. Without it everything else goes on."""
    watch = asyncio.create_task(api.watch_health())
    trouble = ""
    try:
        while True:
            try:
                if not api.is_reachable:
                    await api.aclose()
                    api.listen()
                trouble = ""
            except SwitchoverError as error:
                if error.title != trouble:
                    log.warning("the API is not served: %s", error.title)
                trouble = error.title
            await asyncio.sleep(_LOOK_EVERY_S)
    finally:
        watch.cancel()


async def _open_group_socket(server: AgentServer, workspace: Workspace, before: str) -> str:
    """Open the group socket for the chosen group, if any, and return it. Without it everything else goes on."""
    group = chosen_group(workspace)
    if group != before:
        await server.close_group_socket()
        try:
            if group:
                await server.open_group_socket(*make_group_socket_folder(workspace, group))
        except (SwitchoverError, OSError) as error:
            log.warning("there is no door for the group %s: %s", group, error)
    return group


async def _keep_group_socket(server: AgentServer, workspace: Workspace, group: str) -> None:
    """Follow the choice of the group while the agent lives."""
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        group = await _open_group_socket(server, workspace, group)


async def _keep_gates(target: CommandTarget, server: AgentServer) -> None:
    """Watch a gate on whose watcher died, wherever that was. Nobody reports a death, so check now and then."""
    engine, trouble = target.run, ""
    while True:
        await asyncio.sleep(_KEEP_GATES_EVERY_S)
        try:
            if engine.unwatched_gate:
                await asyncio.shield(server.begin("gate", engine.watch_on()))
            trouble = ""
        except SwitchoverError as error:
            if error.title != trouble:
                log.warning("the gate is not watched: %s", error.title)
            trouble = error.title
        except Exception:  # the boundary: a gate that cannot be watched must not end the agent's other work
            log.exception("the gate is not watched")


async def _keep_appointments(target: CommandTarget, server: AgentServer) -> None:
    """Go on with the run at the time until which a person put it off. The clock may be set, so look now and then."""
    while True:
        await asyncio.sleep(_KEEP_GATES_EVERY_S)
        try:
            if target.run.appointment_due:
                await asyncio.shield(server.begin("run", target.run.keep_appointment()))
        except Exception:  # the boundary: what cannot be begun must not end the agent's other work
            log.exception("what was put off is not done")


async def _keep_up(target: CommandTarget) -> None:
    """Take in what others (`switchover run`, an agent on another host) write into the same journal."""
    engine, trouble = target.run, ""
    while True:
        told = await engine.news()
        try:
            moved = await engine.refresh()
        except SwitchoverError as error:
            if error.title != trouble:
                log.warning("the journal cannot be read: %s", error.title)
            trouble, moved = error.title, True
        else:
            back, trouble = bool(trouble), ""
            if (told or back) and not engine.busy:
                await _recover(target)  # what ended while a shared journal was away is still owed to it
        if moved or told:
            target.hub.engine_changed()


async def _recover(target: CommandTarget) -> None:
    try:
        await target.run.recover()
    except SwitchoverError as error:
        log.error("recovery: %s", error.title)  # noqa: TRY400 - an expected refusal needs no traceback
    except Exception:  # the boundary: what cannot be recovered now stays as the journal has it
        log.exception("recovery failed")


def _log_forgotten(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    log.error("%s", context.get("message", "an error in the background"), exc_info=context.get("exception"))
