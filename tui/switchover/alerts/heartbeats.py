"""Beats for as long as the agent watches: a watchdog elsewhere hears of an agent that is dead or stuck."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from switchover.alerts.notifier_api import Notification, Notifier
from switchover.plan.kind_calls import KindCalls, UnavailableError
from switchover.plan.model import NotifierSpec
from switchover.plan.named_kinds import NOTIFIERS
from switchover_checks.api import Context
from switchover_checks.language.declared import load_declared

__all__ = ["Heartbeats"]

_UNKNOWN_PAUSE_S = 60.0


class Heartbeats:
    """One task a heartbeat. `fresh` says whether the agent watches: without news of its own it does not beat."""

    def __init__(self, notifiers: Mapping[str, NotifierSpec], calls: KindCalls) -> None:
        self._calls = calls
        self._specs = {name: spec for name, spec in notifiers.items() if spec.kind == "heartbeat"}
        self._tasks: list[asyncio.Task[None]] = []
        self.fresh: Callable[[], bool] = lambda: True
        self.failing: dict[str, str] = {}

    def start(self, beat: Notification) -> None:
        """Begin to beat."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._beat(name, beat), name=f"beat {name}") for name in self._specs]

    async def _beat(self, name: str, beat: Notification) -> None:
        spec = self._specs[name]
        notifier: Notifier[Any] = load_declared(NOTIFIERS, spec.kind)()
        pause = _UNKNOWN_PAUSE_S

        async def work(cfg: Any, ctx: Context) -> None:
            nonlocal pause
            pause = max(cfg.every, 1.0)
            await notifier.send(beat, cfg, ctx)

        while True:
            if self.fresh():
                try:
                    await self._calls.call(notifier.config, spec.config, notifier.timeout_s, work)
                    self.failing.pop(name, None)
                except UnavailableError as error:
                    self.failing[name] = str(error)
            await asyncio.sleep(pause)

    async def aclose(self) -> None:
        """Stop."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
