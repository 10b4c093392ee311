"""Asks a `switchover run` in another process to hand over its run."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

from switchover.agent.server.operator_lease import ANSWER_WITHIN_S, OperatorLease, OperatorSession
from switchover.clock import Clock
from switchover.commands.command import CommandTarget
from switchover.errors import RefusedError
from switchover.migration.run.takeover_mailbox import TakeoverMailbox
from switchover.snapshot import Holder

__all__ = ["RunRequests"]

_LOOK_FOR_ANSWER_S = 0.5


class RunRequests:
    """At most one asks at a time. `workspace` is the folder in which the question lies."""

    def __init__(self, target: CommandTarget, lease: OperatorLease, workspace: Path, clock: Clock) -> None:
        self._target = target
        self._lease = lease
        self._workspace = workspace
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def ask(self, session: OperatorSession) -> str:
        """Ask whoever drives, at another screen or in another process. Raise `RefusedError` where nobody can be."""
        holder = self._target.engine.holder() if self._target.engine is not None else None
        if holder is None or holder.pid == os.getpid():
            return self._lease.ask(session)
        if holder.host != socket.gethostname():
            raise RefusedError(
                f"{holder.who} drives on {holder.host}, and can only be asked there", f"speak to {holder.who}"
            )
        if self._task is not None:
            raise RefusedError("somebody has asked already", "wait for the answer")
        self._task = asyncio.create_task(self._ask_process(session, holder))
        return "asked"

    def answer(self, session: OperatorSession, *, yes: bool, why: str) -> None:
        """Answer one who asks. Raise `RefusedError` where nobody does."""
        self._lease.answer(session, yes=yes, why=why)

    async def aclose(self) -> None:
        """Ask no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _ask_process(self, session: OperatorSession, holder: Holder) -> None:
        """Ask for the run, and show that on every screen until there is an answer."""
        box, now = TakeoverMailbox(self._workspace), self._clock.now()
        question = box.ask(session.operator, now, ANSWER_WITHIN_S)
        me = Holder(session.operator.who, session.operator.host, session.operator.tty, session.pid, now)
        engine = self._target.engine
        try:
            while self._clock.now() < question.until and engine is not None:
                self._target.hub.drives(holder, me, question.until)
                await asyncio.sleep(_LOOK_FOR_ANSWER_S)
                answer = box.answer_to(question)
                if answer is not None and not answer.granted:
                    break
                if answer is not None or engine.holder() is None:  # a dead process holds nothing
                    self._lease.give_to(session, f"{holder.who} handed over" if answer else f"{holder.who} has gone")
                    break
        finally:
            self._task = None
            view = self._lease.view
            self._target.hub.drives(view.driver, view.asking, view.asking_until)
