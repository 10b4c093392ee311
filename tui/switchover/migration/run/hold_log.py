"""Notes how much of a hold is counted, so that it goes on after its watcher died."""

from __future__ import annotations

from contextlib import suppress

from switchover.errors import JournalAwayError
from switchover.migration.facts import events as ev
from switchover.migration.facts.run_state import RunState, Stage
from switchover.migration.rules.confirmations import elapsed
from switchover.migration.rules.waivers import Judged, judge
from switchover.migration.run.gate_watch import GateObservation
from switchover.migration.run.run_store import RunStore
from switchover.plan.model import Gate

__all__ = ["HoldLog"]

_SHORTEST_NOTE_S = 10.0


class HoldLog:
    """The log of one gate's hold, which goes on from what is on record."""

    def __init__(self, run_store: RunStore, phase: str, gate: Gate) -> None:
        self._run_store = run_store
        self._phase = phase
        self._hold_s = gate.hold
        self._place = f"gate:{phase}"
        past = run_store.state.gate(phase)
        self._last = past.looked if gate.hold and past.green is not None else None
        self.counted_s = past.held_s if self._last is not None else 0.0
        self._told: tuple[frozenset[tuple[str, str]], str] | None = None  # what it waits for, as far as is on record
        self._told_at = 0.0

    @property
    def goes_on(self) -> bool:
        """Whether it was green when an earlier watch ended."""
        return self._last is not None

    async def judge(self, seen: GateObservation) -> Judged:
        """Judge a look, and write down which acknowledgements are over."""
        judged = judge(seen.evidence, self._run_store.state, self._place, self._run_store.moment())
        for check, status in judged.lapsed:
            await self._run_store.record_when_back(
                ev.AcknowledgementEnded(self._place, check, status),
                lambda state, check=check: (self._place, check) in state.acknowledgements,  # type: ignore[misc]
            )
        return judged

    def open_for(self) -> float:
        """Return the seconds since the gate was opened."""
        opened = self._run_store.state.gate(self._phase).opened
        return elapsed(opened, self._run_store.moment()) if opened is not None else 0.0

    def since_last_green(self) -> float | None:
        """Return the seconds since the last green round on record; across a reboot nobody knows."""
        now = self._run_store.moment()
        if self._last is None or self._last.boot_id != now.boot_id:
            return None
        return max(0.0, now.mono - self._last.mono)

    async def green(self) -> None:
        """Write down that the hold begins to count."""
        with suppress(JournalAwayError):  # what is not on record does not count after a restart; nothing else is lost
            await self._run_store.record(ev.GateGreen(self._phase, self._hold_s))

    async def counted(self, held_s: float) -> None:
        """Write down what of it is counted by now."""
        if self._hold_s:
            with suppress(JournalAwayError):
                await self._run_store.record(ev.GateHeld(self._phase, held_s))

    async def broken(self, reason: str, held_s: float, seen: GateObservation) -> None:
        """Write down that the hold is broken; until that is on record, nothing goes on."""

        def is_owed(state: RunState) -> bool:
            return state.gate(self._phase).stage is Stage.RUNNING and state.gate(self._phase).green is not None

        await self._run_store.record_when_back(ev.GateBroken(self._phase, reason, held_s, seen.evidence), is_owed)
        self._told, self._told_at = _told(reason, seen), self._run_store.tools.clock.monotonic()

    async def waits(self, reason: str, left_s: float, seen: GateObservation) -> None:
        """Write down what the gate waits for: at once at first, where that changes less and less often."""
        now, told = self._run_store.tools.clock.monotonic(), _told(reason, seen)
        pause = max(_SHORTEST_NOTE_S, self.open_for() / 10)
        if self._told is not None and (told == self._told or now - self._told_at < pause):
            return
        self._told, self._told_at = told, now
        until = self._run_store.tools.clock.now() + left_s
        with suppress(JournalAwayError):
            await self._run_store.record(ev.GateWaits(self._phase, reason, until, seen.evidence))


def _told(reason: str, seen: GateObservation) -> tuple[frozenset[tuple[str, str]], str]:
    """Return what makes one reason to wait another: which check is not well, not the numbers in its words."""
    bad = frozenset((e.check, e.status) for e in seen.evidence if e.status != "ok")
    return bad, "" if bad else reason
