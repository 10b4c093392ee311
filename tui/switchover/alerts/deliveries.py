"""Carries notifications to the notifiers of a plan: each by itself, durably, and through another one where it fails."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from switchover.alerts.channel import Channel
from switchover.alerts.notifier_api import Notification, Notifier
from switchover.alerts.outbox import Outbox
from switchover.alerts.outbox_records import AlertRecord, Delivery
from switchover.clock import Clock, SystemClock
from switchover.plan.kind_calls import KindCalls
from switchover.plan.model import NotifierSpec
from switchover.plan.named_kinds import NOTIFIERS
from switchover.redaction import sanitize
from switchover_checks.language.declared import declared, load_declared

__all__ = ["Deliveries", "Notice"]

Notice = tuple[Sequence[str], Notification]
"""A notification, and the names of the channels that get it."""
_LAST_MOMENTS_S = 3.0


class Deliveries:
    """Sends in tasks of its own. `failures` says what reached nobody, until read."""

    def __init__(
        self,
        notifiers: Mapping[str, NotifierSpec],
        calls: KindCalls,
        outbox: Outbox | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._specs = notifiers
        self._calls = calls
        self._outbox = outbox or Outbox()
        self._clock = clock or SystemClock()
        self.redact: Callable[[str], str] = sanitize
        self._channels: dict[str, Channel] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.failures: list[str] = []
        self._resent: dict[str, float] = {}  # when each of those that forget was last sent all again

    def _spec(self, name: str) -> NotifierSpec:
        return self._specs.get(name) or NotifierSpec(kind=name)

    def notifier(self, name: str) -> Notifier[Any]:
        """Return the notifier behind a name."""
        notifier: Notifier[Any] = load_declared(NOTIFIERS, self._spec(name).kind)()
        return notifier

    def rings(self, names: Sequence[str]) -> bool:
        """Tell whether the screens ring for one of these."""
        return any(self.notifier(name).rings for name in names)

    def on_desktop(self, names: Sequence[str]) -> bool:
        """Tell whether the screens ask for a desktop notification for one of these."""
        return any(self._spec(name).kind == "desktop" for name in names)

    def joins(self, name: str) -> bool:
        """Tell whether several notices may reach a channel as one."""
        return self.notifier(name).joins(self._spec(name).config)

    def due_again(self) -> list[str]:
        """Return the channels that forget what fires unless it is sent again, and are due for that now."""
        now = self._clock.monotonic()
        names = [name for name, spec in self._specs.items() if spec.kind == "alertmanager"]
        due = [name for name in names if now - self._resent.setdefault(name, now) >= self.notifier(name).resends_s]
        self._resent |= dict.fromkeys(due, now)
        return due

    def resend(self, name: str, notification: Notification) -> None:
        """Send again what was told; unlike news this is not written down, since it is said again soon."""
        channel = self._channel(name)
        if channel.failing_since is None and len(channel.waiting) < channel.notifier.burst:
            now = self._clock.now()
            channel.add([Delivery(secrets.token_hex(8), name, notification, now, now, handed_on=True)])

    @property
    def failing(self) -> list[tuple[str, str, float, int]]:
        """The channels that fail now: name, why, since when, how many notices wait."""
        return [
            (one.name, one.trouble, one.failing_since, len(one.waiting))
            for one in self._channels.values()
            if one.failing_since is not None
        ]

    async def resume(self) -> None:
        """Go on with what an agent before this one did not get through."""
        for delivery in await self._outbox.pending():
            if delivery.channel in self._specs or delivery.channel in declared(NOTIFIERS):
                self._channel(delivery.channel).add([delivery])
            else:
                delivery.error = "the plan has no such notifier any more"
                await self._outbox.finish([delivery], "failed", self._clock.now())
                self._hand_on(delivery, delivery.error, True)

    def send(self, names: Sequence[str], notification: Notification) -> None:
        """Begin to deliver to each of these notifiers."""
        self.begin([(names, notification)])

    def begin(self, notices: Sequence[Notice], alerts: Sequence[AlertRecord] = (), over: Sequence[str] = ()) -> None:
        """Write these down together with the state of the alerts that they come from, then deliver them."""
        now = self._clock.now()
        made = [
            Delivery(
                f"{secrets.token_hex(8)}", name, notification, now, now, siblings=tuple(n for n in names if n != name)
            )
            for names, notification in notices
            for name in dict.fromkeys(names)
        ]
        task = asyncio.get_running_loop().create_task(self._write_and_send(made, alerts, over), name="notify")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write_and_send(
        self, made: Sequence[Delivery], alerts: Sequence[AlertRecord], over: Sequence[str]
    ) -> None:
        await self._outbox.put(made, alerts, over)
        for delivery in made:
            self._channel(delivery.channel).add([delivery])

    def _channel(self, name: str) -> Channel:
        if name not in self._channels:
            made = Channel(name, self.notifier(name), self._spec(name), self._outbox, self._calls, self._clock)
            made.redact, made.gave_up = self.redact, self._hand_on
            self._channels[name] = made
        return self._channels[name]

    def _hand_on(self, delivery: Delivery, why: str, final: bool) -> None:
        """Say that a channel fails, and try the next one that is not told anyway."""
        if final:
            self.failures.append(f"{delivery.channel} was not told: {why}")
            if delivery.handed_on:
                return
        others = (name for name in self._next_after(delivery.channel) if name not in delivery.siblings)
        others = (name for name in others if not self._tells_nobody(name))
        wanted = next((name for name in others if not self._fails(name)), "log")
        if wanted == delivery.channel or wanted in delivery.siblings:
            return
        text = f"{delivery.notification.text} ({delivery.channel} could not be told: {why})"
        told = (*delivery.siblings, delivery.channel)
        passed = replace(delivery.notification, text=text)
        now = self._clock.now()
        further = Delivery(secrets.token_hex(8), wanted, passed, now, now, handed_on=True, siblings=told)
        task = asyncio.get_running_loop().create_task(self._write_and_send([further], (), ()), name="hand on")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _next_after(self, name: str) -> Iterable[str]:
        names = list(self._specs)
        place = names.index(name) + 1 if name in names else 0
        return (*names[place:], *names[: max(place - 1, 0)])

    def _tells_nobody(self, name: str) -> bool:
        """Tell whether nobody would read it there: a heartbeat, or a bell of screens that may be shut."""
        notifier = self.notifier(name)
        return notifier.beats or notifier.rings

    def _fails(self, name: str) -> bool:
        return name in self._channels and self._channels[name].failing_since is not None

    async def settled(self) -> None:
        """Wait until nothing is due any more."""
        while self._tasks or any(not channel.idle.is_set() for channel in self._channels.values()):
            if self._tasks:
                await asyncio.gather(*self._tasks)
            for channel in list(self._channels.values()):
                await channel.idle.wait()

    async def aclose(self) -> None:
        """Give what is under way a last moment; what is left stays in the outbox."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_MOMENTS_S):
                await asyncio.gather(*self._tasks, return_exceptions=True)
                for channel in [one for one in self._channels.values() if one.failing_since is None]:
                    await channel.idle.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for channel in self._channels.values():
            await channel.aclose()
        await self._calls.aclose()
        await self._outbox.aclose()
