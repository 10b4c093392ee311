"""Silences and acknowledgements as people make and end them. On the disk before anybody relies on them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

from switchover.alerts.alert_store import AlertStore, StoreInUseError
from switchover.alerts.outbox import Outbox
from switchover.alerts.rules.alert_engine import AlertEngine
from switchover.alerts.rules.silences import parse_matchers
from switchover.clock import Clock
from switchover.errors import RefusedError
from switchover.hub.core.watcher import PlanWatcher
from switchover.snapshot import SilenceRecord
from switchover_checks.language.units import format_duration

__all__ = ["Silencing"]


class Silencing:
    """Keeps them in the outbox's file and hands them to the engine."""

    def __init__(self, engine: AlertEngine, outbox: Outbox, watcher: PlanWatcher, clock: Clock) -> None:
        self._engine, self._outbox, self._watcher, self._clock = engine, outbox, watcher, clock

    async def load(self) -> None:
        """Take over those that are kept."""
        now = self._clock.now()
        self._engine.silences = await self._outbox.ask(lambda kept: kept.silences(now), self._engine.silences)

    async def load_once(self) -> None:
        """Take them over and let go of the file. Raise `StateError` where another process has it."""
        await self._outbox.open()
        await self.load()
        await self._outbox.aclose()

    async def all(self) -> tuple[SilenceRecord, ...]:
        """Return those that are not over."""
        now = self._clock.now()
        await self._opened()
        await self.load()
        return tuple(silence for silence in self._engine.silences if silence.until > now)

    async def silence(self, matchers: Sequence[str], seconds: float, who: str, why: str) -> SilenceRecord:
        """Silence what matches. Raise `UsageError` for what is no matcher."""
        made = self._made(parse_matchers(matchers), seconds, who, why, ack=False)
        await self._keep(made, f"{who} silences {' '.join(made.matchers)} for {format_duration(seconds)}")
        return made

    async def acknowledge(self, alert: str, seconds: float, who: str, why: str) -> SilenceRecord:
        """Acknowledge an alert that fires, by its name or id. Raise `RefusedError` where none does."""
        firing = [one for one in self._engine.firing if alert in (one.key, one.rule.name, one.rule.text)]
        if not firing:
            names = ", ".join(sorted({one.rule.name for one in self._engine.firing})) or "none"
            raise RefusedError(f"no alert {alert!r} fires", f"what fires: {names}")
        made = [self._made((one.key,), seconds, who, why, ack=True) for one in firing]
        for one in made:
            await self._keep(one, f"{who} acknowledges alert {firing[0].rule.name}")
        return made[0]

    async def end(self, identity: str, who: str) -> SilenceRecord:
        """End one now. Raise `RefusedError` where there is none."""
        found = next((one for one in await self.all() if one.id == identity), None)
        if found is None:
            raise RefusedError(f"there is no silence {identity!r}", "`switchover silence` lists them")
        ended = replace(found, until=self._clock.now())
        await self._keep(ended, f"{who} ends the silence of {' '.join(found.matchers)}")
        return ended

    def _made(self, matchers: tuple[str, ...], seconds: float, who: str, why: str, *, ack: bool) -> SilenceRecord:
        now = self._clock.now()
        return SilenceRecord(secrets.token_hex(4), matchers, now, now + seconds, who, why[:500], ack=ack)

    async def _keep(self, silence: SilenceRecord, said: str) -> None:
        await self._opened()

        def keep(store: AlertStore) -> bool:
            store.add_silence(silence)
            return True

        if not await self._outbox.ask(keep, otherwise=False):
            raise RefusedError("it cannot be written down, so it would not hold", self._outbox.trouble)
        self._engine.silences = [one for one in self._engine.silences if one.id != silence.id]
        self._engine.silences.append(silence)
        self._watcher.remember("alert", said + (f": {silence.why}" if silence.why else ""), "")

    async def _opened(self) -> None:
        try:
            await self._outbox.open()
        except StoreInUseError:
            raise RefusedError("another process of this plan notifies", "ask that one: is its agent running?") from None
