"""Who may have what done, and until when: judged before anything of it happens."""

from __future__ import annotations

import os
from typing import Any

from switchover.agent.server.busy import run_is_open
from switchover.agent.server.client_session import ClientSession
from switchover.agent.server.operator_lease import OperatorLease
from switchover.clock import Clock
from switchover.commands.command import Command, CommandTarget, Who
from switchover.errors import LockedError, RefusedError

__all__ = ["Admission"]

_LATE_AFTER_S = 15.0  # an order is not carried out later than that: whoever gave it may have gone


class Admission:
    """Lets through what changes something, from those who may. Raises `RefusedError` or `LockedError` for the rest."""

    def __init__(self, target: CommandTarget, lease: OperatorLease, clock: Clock, *, read_only: bool) -> None:
        self._target = target
        self._lease = lease
        self._clock = clock
        self._read_only = read_only

    def admit(self, session: ClientSession, command: Command[Any], asked: float) -> None:
        """Judge a command that was asked for at `asked` of the client's clock."""
        if self._read_only:
            raise RefusedError(
                "this agent only watches: it was started with --read-only", "stop it and start it without"
            )
        if session.read_only:
            raise RefusedError("this screen only watches: it was opened with --read-only", "open it again without")
        self._refuse_late(session, asked)
        self._refuse_other_driver(session, command)

    def _refuse_late(self, session: ClientSession, asked: float) -> None:
        """Refuse what was asked long ago, before this process was stopped and let go on."""
        if session.clock_ahead is None or not asked:
            return
        late = self._clock.monotonic() - session.clock_ahead - asked
        if late > _LATE_AFTER_S:
            raise RefusedError(f"this was asked {late:.0f} s ago and reached the agent only now", "ask again")

    def _refuse_other_driver(self, session: ClientSession, command: Command[Any]) -> None:
        """Refuse what only the one who drives may do, where that is somebody else."""
        engine, asking = self._target.engine, session.operator_session
        if asking is None or command.who is Who.ANYONE:
            return
        if command.who is Who.DRIVER_OF_RUN:
            if engine is None or not run_is_open(engine.view()):
                return
            holder = engine.holder()
            if holder is not None and holder.pid != os.getpid():
                raise LockedError(
                    f"{holder.who} drives the run on {holder.host}, and nobody else acts on services meanwhile",
                    "T asks to take over",
                )
        self._lease.admit(asking, stays=session.streaming is not None)
