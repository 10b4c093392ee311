"""Carries notifications to the notifiers of a plan: each by itself, in time, and again where one failed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from switchover.alerts.notifier_api import Notification, Notifier, NotSentError
from switchover.plan.kind_calls import KindCalls, UnavailableError
from switchover.plan.model import NotifierSpec
from switchover.plan.named_kinds import NOTIFIERS
from switchover_checks.api import Context
from switchover_checks.language.declared import load_declared

__all__ = ["Deliveries"]


class Deliveries:
    """Sends in tasks of its own, so a slow receiver delays nobody. `failures` says what reached nobody, until read."""

    def __init__(self, notifiers: Mapping[str, NotifierSpec], calls: KindCalls) -> None:
        self._specs = notifiers
        self._calls = calls
        self._tasks: set[asyncio.Task[None]] = set()
        self.failures: list[str] = []

    def _spec(self, name: str) -> NotifierSpec:
        return self._specs.get(name) or NotifierSpec(kind=name)

    def _notifier(self, name: str) -> Notifier[Any]:
        notifier: Notifier[Any] = load_declared(NOTIFIERS, self._spec(name).kind)()
        return notifier

    def rings(self, names: Sequence[str]) -> bool:
        """Tell whether the screens ring for one of these."""
        return any(self._notifier(name).rings for name in names)

    def send(self, names: Sequence[str], notification: Notification) -> None:
        """Begin to deliver to each of these notifiers."""
        for name in names:
            task = asyncio.get_running_loop().create_task(self._deliver(name, notification), name=f"notify {name}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _deliver(self, name: str, notification: Notification) -> None:
        notifier, keys = self._notifier(name), self._spec(name).config

        async def work(cfg: Any, ctx: Context) -> None:
            await notifier.send(notification, cfg, ctx)

        for pause in (*notifier.pauses_s, None):
            try:
                await self._calls.call(notifier.config, keys, notifier.timeout_s, work)
            except UnavailableError as error:
                refused = isinstance(error, NotSentError) and not error.again
                if pause is None or refused:
                    self.failures.append(f"{name} was not told: {error}")
                    return
                wanted = error.retry_after_s if isinstance(error, NotSentError) else 0.0
                await asyncio.sleep(max(pause, wanted))
            else:
                return

    async def aclose(self) -> None:
        """Give up what is under way, and close the connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._calls.aclose()
