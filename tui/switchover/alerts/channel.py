"""One channel: its own queue, tries with growing pauses, a bounded rate with a digest, and how it fares."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from switchover.alerts.alert_values import knowing
from switchover.alerts.digest import MOST_JOINED, digest_of
from switchover.alerts.notifier_api import Notifier, NotSentError
from switchover.alerts.outbox import Outbox
from switchover.alerts.outbox_records import Delivery
from switchover.clock import Clock
from switchover.plan.kind_calls import KindCalls, UnavailableError
from switchover.plan.model import NotifierSpec
from switchover.redaction import sanitize
from switchover_checks.api import Context

__all__ = ["Channel"]

_LONGEST_PAUSE_S = 900.0
_REFILL_S = 6.0
_CLOCK_SET_S = 5.0
_LATEST_TRY_S = 3600.0  # no receiver is left alone for longer
_HANDED_ON_AFTER = 3  # tries


class Channel:
    """Sends what waits for one notifier, in order. A slow or dead receiver delays no other channel.

    `gave_up` is called with a notice that this channel cannot deliver for now, or ever, and why.
    """

    def __init__(
        self,
        name: str,
        notifier: Notifier[Any],
        spec: NotifierSpec,
        outbox: Outbox,
        calls: KindCalls,
        clock: Clock,
    ) -> None:
        self.name = name
        self.notifier = notifier
        self.trouble = ""
        self.failing_since: float | None = None
        self.waiting: list[Delivery] = []
        self._spec, self._outbox, self._calls, self._clock = spec, outbox, calls, clock
        self.redact: Callable[[str], str] = sanitize
        self.gave_up: Callable[[Delivery, str, bool], None] = lambda *_: None
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._tokens = float(notifier.burst)
        self._filled = clock.monotonic()
        self._offset = clock.now() - self._filled
        self.idle = asyncio.Event()
        self.idle.set()

    def add(self, deliveries: Sequence[Delivery]) -> None:
        """Take notices that are written down already, and begin to send."""
        self._go_with_the_clock()  # before: what is new has the new time
        self.waiting.extend(deliveries)
        self.idle.clear()
        self._wake.set()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(), name=f"notify {self.name}")

    async def aclose(self) -> None:
        """Stop; what waits stays in the outbox."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while self.waiting:
            self._wake.clear()
            self._go_with_the_clock()
            pause = max(self.waiting[0].next_at - self._clock.now(), self._until_a_token())
            if pause > 0:
                await self._sleep(min(pause, _LONGEST_PAUSE_S))
                continue
            batch = self._batch()
            self._tokens -= 1
            await self._try(batch)
        self.idle.set()

    def _go_with_the_clock(self) -> None:
        """Move what waits along with a clock that was set: that neither delays a try nor makes it the last."""
        offset = self._clock.now() - self._clock.monotonic()
        moved, self._offset = offset - self._offset, offset
        if abs(moved) >= _CLOCK_SET_S:
            for delivery in self.waiting:
                delivery.made, delivery.next_at = delivery.made + moved, delivery.next_at + moved
        latest = self._clock.now() + _LATEST_TRY_S
        for delivery in self.waiting[:1]:  # it may come from an agent whose clock was wrong
            delivery.next_at = min(delivery.next_at, latest)

    async def _sleep(self, seconds: float) -> None:
        """Wait, but not past news: a notice that is new waits for its turn behind the first all the same."""
        self._wake.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    def _until_a_token(self) -> float:
        now = self._clock.monotonic()
        self._tokens = min(float(self.notifier.burst), self._tokens + (now - self._filled) / _REFILL_S)
        self._filled = now
        return 0.0 if self._tokens >= 1 else (1 - self._tokens) * _REFILL_S

    def _batch(self) -> list[Delivery]:
        """Return the first notice; the first of many where so many came that they go out as one."""
        crowded = self._tokens < 2 or len(self.waiting) > self.notifier.burst or self.waiting[0].tries > 0
        joined = crowded and self.notifier.joins(self._spec.config)
        return self.waiting[: MOST_JOINED if joined else 1]

    async def _try(self, batch: list[Delivery]) -> None:
        for delivery in batch:
            if delivery.trying:  # an agent before this one died in this try
                delivery.notification = replace(delivery.notification, repeated=True)
            delivery.trying, delivery.tries = True, delivery.tries + 1
        await self._outbox.update(batch)
        notification = digest_of(batch)

        async def work(cfg: Any, ctx: Context) -> None:
            await self.notifier.send(notification, cfg, ctx)

        try:
            calls = knowing(self._calls) if self.notifier.fills else self._calls
            await calls.call(self.notifier.config, self._spec.config, self.notifier.timeout_s, work)
        except UnavailableError as error:
            await self._failed(batch, error)
        else:
            self.trouble, self.failing_since = "", None
            await self._over(batch, "sent")

    async def _over(self, batch: Sequence[Delivery], outcome: str) -> None:
        await self._outbox.finish(batch, outcome, self._clock.now())
        done = {delivery.id for delivery in batch}
        self.waiting = [delivery for delivery in self.waiting if delivery.id not in done]

    async def _failed(self, batch: list[Delivery], error: UnavailableError) -> None:
        now, why = self._clock.now(), self.redact(str(error))
        refused = isinstance(error, NotSentError) and not error.again
        self.trouble = why
        self.failing_since = self.failing_since if self.failing_since is not None else now
        wanted = error.retry_after_s if isinstance(error, NotSentError) else 0.0
        lost: list[Delivery] = []
        for delivery in batch:
            delivery.trying, delivery.error = False, why
            pause = self._pause(delivery.tries)
            delivery.next_at = now + max(pause or 0.0, wanted)
            if refused or pause is None or delivery.next_at - delivery.made > self.notifier.tries_for_s:
                lost.append(delivery)
            elif delivery.tries >= _HANDED_ON_AFTER and not delivery.handed_on:
                delivery.handed_on = True
                self.gave_up(delivery, why, False)
        await self._outbox.update(batch)
        if lost:
            await self._over(lost, "failed")
            for delivery in lost:
                self.gave_up(delivery, why, True)

    def _pause(self, tries: int) -> float | None:
        """Return the pause after so many tries; None where there is no further one."""
        pauses = self.notifier.pauses_s
        if not pauses:
            return None
        if tries <= len(pauses):
            return pauses[tries - 1]
        return float(min(_LONGEST_PAUSE_S, pauses[-1] * 2.0 ** min(tries - len(pauses), 30)))
