"""Acts on services: only on what is as the person saw it, only what its tier allows, and recorded first."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from switchover.clock import Clock
from switchover.errors import RefusedError, SwitchoverError
from switchover.hub.history.operations import Operations
from switchover.hub.hub_ports import ActingHub
from switchover.hub.services.check_rows import clock_text
from switchover.hub.services.service_watch import ServiceWatch
from switchover.migration.facts.operator import Operator
from switchover.services.provider_api import Acts, Capability, ServiceTarget
from switchover.snapshot import ServiceRow
from switchover.snapshot.tiers import ACTIONS, Tier, tier_of
from switchover_checks.language.units import format_duration

__all__ = ["Asked", "ServiceActor"]

Asked = tuple[str, str, float | None]  # id, identity, when it was seen

_LONGEST_S = 180.0
_AT_ONCE = 16
_MOST_ITEMS = 200
_MOST_REPLICAS = 1000
_ING = {
    "start": "starting",
    "stop": "stopping",
    "restart": "restarting",
    "reload": "reloading",
    "pause": "pausing",
    "scale": "scaling",
    "kill": "killing",
    "remove": "removing",
}


@dataclass(frozen=True, slots=True)
class _UnderWay:
    action: str
    by: Operator
    since_mono: float


class ServiceActor:
    """Acts for operators."""

    def __init__(
        self,
        services: ServiceWatch,
        operations: Operations,
        clock: Clock,
        hub: ActingHub,
    ) -> None:
        self._services = services
        self._operations = operations
        self._clock = clock
        self._hub = hub
        self._under_way: dict[tuple[str, str], list[_UnderWay]] = {}
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    def doing(self, kind: str, ref: str) -> str:
        """Say what is being done to a thing now; empty where nothing is."""
        if not self._under_way or not (now := self._under_way.get((kind, ref))):
            return ""
        newest = now[-1]
        ago = format_duration(max(int(self._clock.monotonic() - newest.since_mono), 0))
        return f"{_ING[newest.action]}, asked by {newest.by.who} {ago} ago"

    def busy(self) -> bool:
        """Say whether anything is being done now."""
        return bool(self._under_way)

    async def act(
        self, items: Sequence[Asked], action: str, argument: str, confirmation: str, operator: Operator
    ) -> list[dict[str, Any]]:
        """Do it to each item, side by side; return for each `id`, `ok` and `text`.

        Raise `RefusedError` where all of it is refused: there is no such action, or the text was not typed.
        """
        if action not in ACTIONS:
            raise RefusedError(f"there is no action {action!r}", f"there are {', '.join(ACTIONS)}")
        unique = list({item[0]: item for item in items}.values())
        if not 0 < len(unique) <= _MOST_ITEMS:
            raise RefusedError(f"an action is for 1 to {_MOST_ITEMS} services, not for {len(unique)}")
        argument = _replicas(argument) if action == "scale" else ""
        if tier_of(action, argument) is Tier.TYPED:
            self._check_typed(unique, action, confirmation)
        done = await asyncio.gather(*(self._act_on(item, action, argument, operator) for item in unique))
        return [{"id": item[0], "ok": ok, "text": text} for item, (ok, text) in zip(unique, done, strict=True)]

    def _check_typed(self, items: Sequence[Asked], action: str, confirmation: str) -> None:
        if len(items) == 1:
            row = self._hub.row(items[0][0])
            wanted = row.name if row is not None else ""
        else:
            wanted = f"{action} {len(items)}"
        if not wanted:
            raise RefusedError(f"{items[0][0]} is gone")
        if confirmation.strip() != wanted:
            raise RefusedError(f"{action} needs a confirmation", f"type {wanted!r} exactly")

    async def _act_on(self, item: Asked, action: str, argument: str, operator: Operator) -> tuple[bool, str]:
        try:
            row, target = self._admit(item, action)
        except SwitchoverError as error:
            return False, _words(error)
        key, mine = (target.kind, target.ref), _UnderWay(action, operator, self._clock.monotonic())
        self._under_way.setdefault(key, []).append(mine)
        self._hub.publish_now()
        try:
            async with self._at_once:
                text = await self._perform(row, target, action, argument, operator)
        except SwitchoverError as error:
            return False, self._hub.redact(_words(error))
        except Exception as error:  # the boundary: a provider that raises fails its own item only
            return False, self._hub.redact(f"{type(error).__name__}: {error}")[:200]
        else:
            return True, text
        finally:
            self._under_way[key].remove(mine)
            if not self._under_way[key]:
                del self._under_way[key]
            self._services.sources.probe_soon(*key)
            self._hub.follow_up([item[0]], only_checks=True)
            self._hub.publish_now()

    def _admit(self, item: Asked, action: str) -> tuple[ServiceRow, ServiceTarget]:
        """Return the row as it stands, and whom to act on. Raise `RefusedError` where it is not what was seen."""
        name, identity, seen_at = item
        row = self._hub.row(name)
        if row is None:
            raise RefusedError("it is gone")
        if row.state == "unknown":
            raise RefusedError(f"nothing is done to what was not seen: {row.detail}", "wait until it is seen again")
        if seen_at is None or self._clock.now() - seen_at > row.stale_after_s:
            seen = f"as it was at {clock_text(seen_at)}" if seen_at is not None else "never"
            raise RefusedError(f"it was seen {seen}, which is too old to act on", "look again")
        if identity != row.identity:
            raise RefusedError("another one has taken its place since it was seen", "look again")
        target = self._target(name)
        for other in self._under_way.get((target.kind, target.ref), ()):
            if other.action == action or action != "kill":
                ago = format_duration(max(int(self._clock.monotonic() - other.since_mono), 0))
                raise RefusedError(f"it is {_ING[other.action]} already, asked by {other.by.who} {ago} ago")
        if action not in row.actions:
            possible = [word for word in row.actions if word in ACTIONS]
            hint = f"it can be asked to {', '.join(possible)}" if possible else ""
            raise RefusedError(f"{action} is not possible while it is {row.state}", hint)
        return row, replace(target, identity=row.identity)

    def _target(self, name: str) -> ServiceTarget:
        inventory = self._services.inventory
        if name in inventory.services:
            target = inventory.target(name)
            if isinstance(target, str):
                raise RefusedError(target)
            return target
        return self._services.discovery.found[name].found.target

    async def _perform(
        self, row: ServiceRow, target: ServiceTarget, action: str, argument: str, operator: Operator
    ) -> str:
        provider = self._services.inventory.providers[target.kind]
        assert isinstance(provider, Acts)
        what = Capability(action)

        async def work() -> str:
            try:
                async with asyncio.timeout(_LONGEST_S):
                    said = await provider.act(target, what, argument)
            except TimeoutError as error:
                late = f"no answer within {format_duration(_LONGEST_S)}: whether it happened is not known"
                raise SwitchoverError(late, "look at it before asking again") from error
            return self._hub.redact(said).strip()[:500] or "done"

        try:
            command = " ".join(provider.command_line(target, what, argument))
        except SwitchoverError:
            command = ""
        subject = row.name if row.id == row.name else f"{row.name} ({row.id})"
        return await self._operations.perform(
            operator, action, subject, work, kind=row.kind, identity=row.identity, argument=argument, command=command
        )


def _replicas(argument: str) -> str:
    """Return the number to scale to, as it is written everywhere. Raise `RefusedError`."""
    text = argument.strip()
    if not (text.isascii() and text.isdigit()) or int(text) > _MOST_REPLICAS:
        raise RefusedError(f"to scale takes a number from 0 to {_MOST_REPLICAS}, not {argument!r}")
    return str(int(text))


def _words(error: SwitchoverError) -> str:
    return f"{error.title}; {error.hint}" if error.hint else error.title
