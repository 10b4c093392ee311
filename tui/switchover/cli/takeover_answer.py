"""How a `switchover run` answers a request to take over: it says so, and a person decides."""

from __future__ import annotations

import asyncio
import os
import sys
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from switchover.cli import diagnostics
from switchover.errors import SwitchoverError
from switchover.migration.facts import events as ev
from switchover.migration.run.takeover_mailbox import TakeoverMailbox, TakeoverQuestion

if TYPE_CHECKING:
    from switchover.migration.facts.operator import Operator
    from switchover.migration.run.engine import Engine

__all__ = ["answering"]

_LOOK_EVERY_S = 0.5


@asynccontextmanager
async def answering(engine: Engine, operator: Operator) -> AsyncIterator[None]:
    """While it drives, listen for others who want to; what runs is never disturbed by that."""
    watch = asyncio.ensure_future(_Listener(engine, operator).run())
    try:
        yield
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


class _Listener:
    def __init__(self, engine: Engine, operator: Operator) -> None:
        self._engine = engine
        self._operator = operator
        self._box = TakeoverMailbox(engine.run_store.workspace.directory)
        self._typed: asyncio.Queue[str] = asyncio.Queue()

    async def run(self) -> None:
        """Look for questions until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            question = self._box.question(self._engine.run_store.tools.clock.now())
            if question is not None and self._engine.run_store.lock.held:
                await self._put(question)

    async def _put(self, question: TakeoverQuestion) -> None:
        await self._note(ev.TakeoverAsked(question.by, str(self._operator)))
        listens = _is_our_terminal()
        how = "type y and enter to hand over, n and enter to refuse" if listens else "`switchover takeover` answers"
        diagnostics.say(f"{question.by} asks to take over: {how}; no answer within a minute refuses")
        loop = asyncio.get_running_loop()
        if listens:
            self._forget_typed()
            loop.add_reader(0, self._read_line)
        try:
            granted, why = await self._decided(question)
        finally:
            if listens:
                loop.remove_reader(0)
        await self._note(ev.TakeoverAnswered(self._operator, question.by, granted, why))
        if granted:
            diagnostics.say(f"handing over to {question.by}: what runs goes on to its end, nothing more is begun here")
            self._engine.hand_over(f"handed over to {question.by}")
        else:
            diagnostics.say(f"{question.by} goes on watching")
        self._box.answer(question, granted=granted, why=why)

    async def _decided(self, question: TakeoverQuestion) -> tuple[bool, str]:
        while self._engine.run_store.tools.clock.now() < question.until:
            word = self._box.said(question)
            if word is not None:
                return word.granted, word.why
            try:
                typed = await asyncio.wait_for(self._typed.get(), _LOOK_EVERY_S)
            except TimeoutError:
                continue
            if typed.strip().lower() in ("y", "n"):
                granted = typed.strip().lower() == "y"
                return granted, "handed over" if granted else "refused"
        return False, "no answer within a minute"

    def _forget_typed(self) -> None:
        """Throw away what was typed before the question could be read: it is no answer to it."""
        with suppress(OSError, termios.error):
            termios.tcflush(0, termios.TCIFLUSH)
        while not self._typed.empty():
            self._typed.get_nowait()

    def _read_line(self) -> None:
        self._typed.put_nowait(os.read(0, 4096).decode(errors="replace"))

    async def _note(self, event: ev.Event) -> None:
        try:
            await self._engine.note(self._operator, event)
        except SwitchoverError as error:
            diagnostics.say(f"not on record: {error.title}")


def _is_our_terminal() -> bool:
    """Whether somebody can type here: a terminal, with this process in its foreground."""
    if sys.stdin is None or not os.isatty(0):
        return False
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False
