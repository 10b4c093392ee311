"""Which operator drives: the first who acts, until they hand over or are away.

Everybody else watches live, and may ask to take over. All of it is journalled as far as there is a run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from switchover.clock import Clock
from switchover.errors import LockedError, RefusedError
from switchover.migration.facts import events as ev
from switchover.migration.facts.operator import Operator
from switchover.snapshot import Holder
from switchover_checks.language.units import format_duration

__all__ = ["ANSWER_WITHIN_S", "AWAY_S", "LeaseView", "OperatorLease", "OperatorSession"]

AWAY_S = 30.0  # how long the one who drives may be gone (a line that broke) before whoever acts next drives
ANSWER_WITHIN_S = 60.0  # an asker who is not answered in this time is refused


@dataclass(frozen=True, slots=True)
class LeaseView:
    """What every screen says about it."""

    driver: Holder | None = None
    asking: Holder | None = None
    asking_until: float | None = None


@dataclass(frozen=True, slots=True)
class OperatorSession:
    """A person at a terminal, by a process (`pid`). The same person comes back to the same seat after a broken line."""

    operator: Operator
    pid: int

    @property
    def key(self) -> Operator:
        """What tells seats apart: who, where, at which terminal, under which account."""
        return self.operator


@dataclass(slots=True)
class _Asking:
    seat: OperatorSession
    at: float
    until: float
    timer: asyncio.TimerHandle | None = field(default=None)


class OperatorLease:
    """Keeps the seat that drives. `note` journals a fact; `tell` hears of every change."""

    def __init__(
        self, clock: Clock, note: Callable[[Operator, ev.Event], None], tell: Callable[[LeaseView], None]
    ) -> None:
        self._clock = clock
        self._note = note
        self._tell = tell
        self._driver: OperatorSession | None = None
        self._since = 0.0
        self._left: float | None = None  # monotonic; None while the driver's screen is there
        self._seats: list[OperatorSession] = []
        self._asking: _Asking | None = None
        self._forgets: asyncio.TimerHandle | None = None

    @property
    def view(self) -> LeaseView:
        """What every screen says about it. One who stays away drives no longer: whoever acts next does."""
        asking = self._asking
        drives = self._driver is not None and self._away_s() < AWAY_S
        return LeaseView(
            _holder(self._driver, self._since) if self._driver is not None and drives else None,
            _holder(asking.seat, asking.at) if asking is not None else None,
            asking.until if asking is not None else None,
        )

    def close(self) -> None:
        """Forget what is asked."""
        self._settle()
        self._stop_forgetting()

    # Coming and going

    def attach(self, seat: OperatorSession) -> None:
        """Take notice that a screen is there."""
        self._seats.append(seat)
        if self._driver is not None and seat.key == self._driver.key:
            self._driver, self._left = seat, None
            self._stop_forgetting()
            self._tell(self.view)

    def detach(self, seat: OperatorSession) -> None:
        """Take notice that a screen has gone. What it asked is asked no longer; what was asked of it is granted."""
        if seat in self._seats:
            self._seats.remove(seat)
        asking = self._asking
        if asking is not None and not self._is_there(asking.seat):
            self._settle()
        if self._driver is None or self._is_there(self._driver):
            self._tell(self.view)
            return
        self._left = self._clock.monotonic()
        if self._asking is not None:
            self._take(self._asking.seat, f"{self._driver.operator.who} has gone")
        else:
            self._stop_forgetting()
            self._forgets = asyncio.get_running_loop().call_later(AWAY_S + 0.1, self.forget)
        self._tell(self.view)

    def forget(self) -> None:
        """Tell every screen that the one who drove has stayed away."""
        self._tell(self.view)

    def _stop_forgetting(self) -> None:
        if self._forgets is not None:
            self._forgets.cancel()

    def _is_there(self, seat: OperatorSession) -> bool:
        return any(other.key == seat.key for other in self._seats)

    # Acting

    def admit(self, seat: OperatorSession, *, stays: bool) -> None:
        """Let the one who drives act; make whoever acts first the one. Raise `LockedError` for everybody else.

        A session that does not stay (a command of one shot) takes no seat. It may act where nobody drives, or where the
        driver gives it in another terminal.
        """
        driver = self._driver
        if driver is not None and (driver.key == seat.key or (not stays and _same_person(driver, seat))):
            return
        if driver is not None and (self._left is None or self._away_s() < AWAY_S):
            gone = "" if self._left is None else f", whose screen went away {format_duration(self._away_s())} ago"
            raise LockedError(
                f"{driver.operator} drives{gone}; you watch", "ask to take over: T, or `switchover takeover PLAN`"
            )
        if stays:
            why = f"{driver.operator.who} was away for {format_duration(self._away_s())}" if driver else "acted first"
            self._take(seat, why)

    def _away_s(self) -> float:
        return self._clock.monotonic() - self._left if self._left is not None else 0.0

    # Taking over

    def ask(self, seat: OperatorSession) -> str:
        """Ask for the run: return `granted` at once where its driver has gone, else `asked`. Raise `RefusedError`."""
        driver = self._driver
        if driver is not None and driver.key == seat.key:
            raise RefusedError("you drive already")
        if driver is None or self._left is not None:
            self._take(seat, f"{driver.operator.who} has gone" if driver is not None else "nobody drove")
            return "granted"
        if self._asking is not None:
            raise RefusedError(f"{self._asking.seat.operator} has asked already", "wait for the answer")
        now = self._clock.now()
        self._asking = _Asking(seat, now, now + ANSWER_WITHIN_S)
        self._asking.timer = asyncio.get_running_loop().call_later(ANSWER_WITHIN_S, self.expire)
        self._note(seat.operator, ev.TakeoverAsked(seat.operator, str(driver.operator)))
        self._tell(self.view)
        return "asked"

    def answer(self, seat: OperatorSession, *, yes: bool, why: str = "") -> None:
        """Hand over to the one who asks, or refuse. Raise `RefusedError` for anybody but the one who drives."""
        driver, asking = self._driver, self._asking
        if driver is None or driver.key != seat.key:
            raise RefusedError("only the one who drives can hand over")
        if asking is None:
            raise RefusedError("nobody asks to take over")
        self._note(seat.operator, ev.TakeoverAnswered(seat.operator, asking.seat.operator, yes, why or "refused"))
        if yes:
            self._take(asking.seat, f"{driver.operator.who} handed over")
        self._settle()
        self._tell(self.view)

    def expire(self) -> None:
        """Refuse the one who asks: nobody has answered in time."""
        asking, driver = self._asking, self._driver
        if asking is None or driver is None:
            return
        why = f"no answer within {format_duration(ANSWER_WITHIN_S)}"
        self._settle()
        self._note(driver.operator, ev.TakeoverAnswered(driver.operator, asking.seat.operator, False, why))
        self._tell(self.view)

    def seat(self, seat: OperatorSession, why: str) -> None:
        """Let somebody drive to whom another process handed over."""
        self._take(seat, why)

    def _take(self, seat: OperatorSession, why: str) -> None:
        before, self._driver = self._driver, seat
        self._since, self._left = self._clock.now(), None if self._is_there(seat) else self._clock.monotonic()
        self._settle()
        if before is not None:
            self._note(seat.operator, ev.DriverChanged(seat.operator, before.operator, why))
        self._tell(self.view)

    def _settle(self) -> None:
        asking, self._asking = self._asking, None
        if asking is not None and asking.timer is not None:
            asking.timer.cancel()


def _same_person(one: OperatorSession, other: OperatorSession) -> bool:
    a, b = one.operator, other.operator
    return (a.who, a.host, a.uid) == (b.who, b.host, b.uid)


def _holder(seat: OperatorSession, since: float) -> Holder:
    op = seat.operator
    return Holder(op.who, op.host, op.tty, seat.pid, since)
