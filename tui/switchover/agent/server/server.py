"""The agent's socket: serves each client by itself, so that none can hold up another or the work.

Only this user (and root) may connect. A client that reads slowly misses snapshots, never the newest one. An error that
nobody foresaw ends one request, never the agent.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from switchover.agent.server import group_socket
from switchover.agent.server.admission import Admission
from switchover.agent.server.busy import run_is_open, under_way
from switchover.agent.server.client_session import ClientSession
from switchover.agent.server.operator_lease import LeaseView, OperatorLease, OperatorSession
from switchover.agent.server.run_requests import RunRequests
from switchover.agent.server.sockets import account_name, bind_socket, peer_of
from switchover.agent.server.vouching import vouched_uid
from switchover.agent.wire.protocol import SERVER_LINE_LIMIT, WIRE, AgentInfo, ErrorInfo, Request, error_to_wire
from switchover.agent.wire.sections import SectionEncoder
from switchover.clock import Clock, SystemClock
from switchover.commands.command import Command, CommandContext, CommandTarget, Life
from switchover.commands.command_table import COMMANDS
from switchover.errors import AgentError, AgentStoppedError, RefusedError, SwitchoverError, UsageError
from switchover.migration.facts.events import Event
from switchover.migration.facts.location import this_machine
from switchover.migration.facts.operator import Operator
from switchover.migration.run.engine import Engine
from switchover.snapshot import Snapshot

__all__ = ["AgentServer", "Identity"]

log = logging.getLogger("switchover.agent")

_MOST_CLIENTS = 100
_WRITE_BUFFER = 64 * 1024
_REQUESTS_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Identity:
    """What the agent says about itself."""

    version: str
    workspace: str
    plan: str = ""
    plan_digest: str = ""
    modules: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    read_only: bool = False
    since: float = 0.0
    warning: str = ""


class AgentServer:
    """Serves snapshots and takes requests. `stop` is called when a client ends the agent."""

    def __init__(
        self, target: CommandTarget, identity: Identity, *, stop: Callable[[], None], clock: Clock | None = None
    ) -> None:
        self._target = target
        self._identity = identity
        self._stop = stop
        self._clock = clock or SystemClock()
        self._lease = OperatorLease(self._clock, self._note, self._say_who_drives)
        self._admission = Admission(target, self._lease, self._clock, read_only=identity.read_only)
        self._asking = RunRequests(target, self._lease, Path(identity.workspace), self._clock)
        self._sections = SectionEncoder()
        self._sessions: set[ClientSession] = set()
        self._leaving: set[ClientSession] = set()  # gone, but what was begun for them has not ended yet
        self._actions: dict[asyncio.Task[Any], str] = {}
        self._server: asyncio.Server | None = None
        self._bound: tuple[Path, int] | None = None
        self._group_socket: tuple[asyncio.Server, Path] | None = None

    # -- the socket

    async def listen(self, path: Path) -> None:
        """Serve at `path`, replacing what lies there: the caller holds the agent's lock, so it can only be stale."""
        listener, inode = bind_socket(path)
        old = self._server
        self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=SERVER_LINE_LIMIT)
        self._bound = (path, inode)
        if old is not None:
            old.close()

    async def close_group_socket(self) -> None:
        """Serve the people of the group no more."""
        group_socket, self._group_socket = self._group_socket, None
        if group_socket is not None:
            group_socket[0].close()
            group_socket[1].unlink(missing_ok=True)

    async def open_group_socket(self, path: Path, gid: int) -> None:
        """Serve the people of a group at `path` too: they may give their word for a step, nothing else."""
        listener, _ = bind_socket(path, private=False)
        os.chown(path, -1, gid)
        os.chmod(path, 0o660)  # noqa: PTH101 - it stands beside the chown, and neither blocks
        self._group_socket = (
            await asyncio.start_unix_server(self._serve_second_confirmer, sock=listener, limit=SERVER_LINE_LIMIT),
            path,
        )

    @property
    def is_reachable(self) -> bool:
        """Tell whether the socket still lies where clients look (logind removes it with the runtime directory)."""
        if self._bound is None:
            return False
        path, inode = self._bound
        try:
            return path.stat().st_ino == inode
        except OSError:
            return False

    def _remove_socket(self) -> None:
        if self._bound is not None and self.is_reachable:
            self._bound[0].unlink(missing_ok=True)

    async def close(self) -> None:
        """Stop serving, let go of the clients and cancel the actions; what runs under a shim runs on."""
        if self._server is not None:
            self._server.close()
        self._remove_socket()
        await self.close_group_socket()
        self._lease.close()
        await self._asking.aclose()
        for task in self._actions:
            task.cancel()
        await asyncio.gather(*self._actions, return_exceptions=True)
        await asyncio.gather(*(s.close() for s in (*self._sessions, *self._leaving)), return_exceptions=True)

    def info(self) -> AgentInfo:
        """Return who answers here and what is under way."""
        engine = self._target.engine
        view = engine.view() if engine is not None else None
        doing = engine.busy if engine is not None else ""
        me = self._identity
        return AgentInfo(
            version=me.version,
            pid=os.getpid(),
            workspace=me.workspace,
            plan=me.plan,
            plan_digest=(engine.plan_digest if engine is not None else "") or me.plan_digest,
            modules=dict(me.modules),
            parts=dict(me.parts),
            busy=doing or under_way(view) or next(iter(self._actions.values()), ""),
            run_open=run_is_open(view),
            read_only=me.read_only,
            since=me.since,
            clients=sum(1 for s in self._sessions if s.streaming is not None),
            warning=me.warning,
            snapshot_age_s=round(self._target.hub.snapshot_age_s, 1),
            wire=WIRE,
        )

    def begin(self, name: str, action: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run an action that belongs to the agent, not to whoever asked for it."""
        task = asyncio.get_running_loop().create_task(action)
        self._keep(name, task)
        return task

    def _keep(self, name: str, task: asyncio.Task[Any]) -> None:
        self._actions[task] = name
        task.add_done_callback(lambda done: self._actions.pop(done, None))

    # -- one client

    async def _serve_second_confirmer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._serve(reader, writer, second_confirmer=True)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, second_confirmer: bool = False
    ) -> None:
        session = ClientSession(reader, writer, self._asking, second_confirmer=second_confirmer)
        session.pid, session.uid = peer_of(writer.get_extra_info("socket"))
        writer.transport.set_write_buffer_limits(high=_WRITE_BUFFER)
        self._sessions.add(session)
        try:
            if not second_confirmer and session.uid not in {os.getuid(), 0}:
                session.fail(None, ErrorInfo("RefusedError", "this agent belongs to another user"))
            elif len(self._sessions) > _MOST_CLIENTS:
                session.fail(None, ErrorInfo("RefusedError", f"{_MOST_CLIENTS} clients are connected already"))
            else:
                await self._converse(session)
        except (ConnectionError, asyncio.CancelledError):
            pass
        except Exception:
            log.exception("a client's line broke")
        finally:
            self._sessions.discard(session)
            self._leaving.add(session)
            self._target.hub.note_viewer(session, gone=True)
            if session.operator_session is not None:
                self._lease.detach(session.operator_session)
            await session.close()
            self._leaving.discard(session)

    async def _converse(self, session: ClientSession) -> None:
        while True:
            try:
                line = await session.reader.readuntil(b"\n")
            except asyncio.IncompleteReadError:
                return
            except asyncio.LimitOverrunError:
                session.fail(None, ErrorInfo("UsageError", f"a request is longer than {SERVER_LINE_LIMIT} bytes"))
                return
            try:
                request = msgspec.json.decode(line, type=Request)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                session.fail(None, ErrorInfo("UsageError", "a request is not what this agent understands"))
                return
            if len(session.requests) >= _REQUESTS_AT_ONCE:
                await asyncio.wait(session.requests, return_when=asyncio.FIRST_COMPLETED)
            task = asyncio.create_task(self._answer(session, request))
            session.requests.add(task)
            task.add_done_callback(session.requests.discard)
            await session.writer.drain()

    async def _answer(self, session: ClientSession, request: Request) -> None:
        try:
            session.reply(request.id, await self._perform(session, request))
        except SwitchoverError as error:
            session.fail(request.id, error_to_wire(error, self._target.fill_in))
        except Exception as error:  # the boundary: one request fails, the agent lives
            log.exception("%s failed", request.method)
            session.fail(request.id, _unexpected(error))

    async def _perform(self, session: ClientSession, request: Request) -> Any:
        params = request.params
        if session.second_confirmer and request.method not in group_socket.GUEST_METHODS:
            raise RefusedError("this door is for a second person's word alone", "use `switchover confirm`")
        match request.method:
            case "hello":
                session.clock_ahead = self._clock.monotonic() - request.asked if request.asked else None
                return self._hello(session, params)
            case "agent.status":
                return self.info()
            case "agent.stop":
                return self._stop_for(session, params)
            case "subscribe":
                session.knows_rows = bool(params.get("rows"))
                if session.streaming is None:
                    self._target.hub.note_viewer(session, found=session.wants_found)
                    session.streaming = asyncio.create_task(self._stream(session))
                return "subscribed"
        kind = COMMANDS.get(request.method)
        if kind is None:
            raise UsageError(
                f"the agent has no method {request.method}", "client and agent may be of different versions"
            )
        return await self._act(session, request, kind)

    def _hello(self, session: ClientSession, params: Mapping[str, Any]) -> AgentInfo:
        given = params.get("operator") or {}
        if not isinstance(given, Mapping):
            raise UsageError("hello needs an operator with who, host and tty")
        words = {name: str(given.get(name, ""))[:200] for name in ("who", "host", "tty")}
        words["tty"] = words["tty"].removeprefix("/dev/")
        if session.uid not in {os.getuid(), 0}:  # a guest is who the kernel says, whatever they call themselves
            words["who"] = account_name(session.uid)
        vouched = vouched_uid(session.pid, session.uid)
        session.operator = Operator(
            **words, uid=vouched, machine=this_machine(), account="" if vouched is None else account_name(vouched)
        )
        session.read_only = bool(params.get("read_only", False))
        if session.operator_session is not None:
            self._lease.detach(session.operator_session)
        session.operator_session = None
        if not session.read_only and not session.second_confirmer:
            session.operator_session = OperatorSession(session.operator, session.pid)
            self._lease.attach(session.operator_session)
        return self.info()

    # -- who drives

    def _note(self, operator: Operator, event: Event) -> None:
        if self._target.engine is not None:
            self.begin("note", self._note_down(self._target.engine, operator, event))

    async def _note_down(self, engine: Engine, operator: Operator, event: Event) -> None:
        try:
            await engine.note(operator, event)
        except SwitchoverError as error:  # who drives is no less true where it cannot be journalled now
            log.warning("%s is not on record: %s", type(event).__name__, error.title)

    def _say_who_drives(self, view: LeaseView) -> None:
        self._target.hub.drives(view.driver, view.asking, view.asking_until)

    def _stop_for(self, session: ClientSession, params: Mapping[str, Any]) -> dict[str, str]:
        if session.read_only:
            raise RefusedError("this connection only watches", "open it again without --read-only")
        busy = self.info().busy
        if busy and params.get("if_idle"):
            raise RefusedError(f"the agent is at work: {busy}", "wait until it has ended")
        if not params.get("if_idle"):  # else it makes room for another one
            self.say_stopped(session.operator.who if session.operator is not None else account_name(session.uid))
        asyncio.get_running_loop().call_soon(self._stop)
        return {"busy": busy}

    def say_stopped(self, who: str) -> None:
        """Tell every screen that the agent was stopped on purpose, so that none starts it again by itself."""
        error = error_to_wire(AgentStoppedError(f"stopped by {who}", "`switchover` starts it again"))
        for session in self._sessions:
            if session.streaming is not None:
                session.stopped(error)

    async def _act(self, session: ClientSession, request: Request, kind: type[Command[Any]]) -> Any:
        if session.operator is None:
            raise UsageError("say hello first")
        command = kind.parse(request.params)
        if command.changes_something():
            self._admission.admit(session, command, request.asked)
        work = command.apply(CommandContext(self._target, session.operator, session))
        if command.life is Life.OF_CLIENT:
            return await work
        log.info("%s asks for %s", session.operator, command.name)
        if command.life is Life.OF_AGENT:
            return await asyncio.shield(self.begin(command.doing or command.name, work))
        accepting = self.begin(request.method, self._accept(request.method, work))
        action = await asyncio.shield(accepting)
        if action.done():
            return action.result() or "done"
        action.add_done_callback(lambda done: self._tell_late(session, request, done))
        return "accepted"

    async def _accept(self, name: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        action = await self._target.run.submit(work)
        self._keep(name, action)
        return action

    def _tell_late(self, session: ClientSession, request: Request, action: asyncio.Task[Any]) -> None:
        if action.cancelled() or (error := action.exception()) is None:
            return
        if isinstance(error, SwitchoverError):
            session.action_failed(request.id, error_to_wire(error, self._target.fill_in))
        else:
            log.error("%s failed", request.method, exc_info=error)
            session.action_failed(request.id, _unexpected(error))

    async def _stream(self, session: ClientSession) -> None:
        sent: Snapshot | None = None
        now = self._target.hub.snapshot
        try:
            while True:
                session.send(self._sections.encode(sent, now, rows=session.knows_rows))
                sent = now
                await session.writer.drain()
                now = await self._next_after(sent)
        except ConnectionError:
            pass
        except Exception:  # the boundary: whoever looks must hear of it, else an old picture would look like a new one
            log.exception("a screen cannot be told any more")
            session.writer.close()

    async def _next_after(self, sent: Snapshot) -> Snapshot:
        while True:
            try:
                return await self._target.hub.next_snapshot(sent.seq)
            except Exception:  # the boundary: a defect of the hub must not cut the clients off
                log.exception("the hub gave no snapshot")
                await asyncio.sleep(1.0)


def _unexpected(error: BaseException) -> ErrorInfo:
    return ErrorInfo(
        AgentError.__name__, f"the agent met an unexpected {type(error).__name__}", "its details are in the agent's log"
    )
