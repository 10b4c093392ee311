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
    """A person at a terminal, by a process (`pid`). After a broken line the same person has the same session."""

    operator: Operator
    pid: int

    @property
    def key(self) -> Operator:
        """What distinguishes sessions: who, where, at which terminal, under which account."""
        return self.operator


@dataclass(slots=True)
class _Asking:
    session: OperatorSession
    at: float
    until: float
    timer: asyncio.TimerHandle | None = field(default=None)


class OperatorLease:
    """Keeps the session that drives. `note` journals a fact; `tell` is called with every change."""

    def __init__(
        self, clock: Clock, note: Callable[[Operator, ev.Event], None], tell: Callable[[LeaseView], None]
    ) -> None:
        self._clock = clock
        self._note = note
        self._tell = tell
        self._driver: OperatorSession | None = None
        self._since = 0.0
        self._left: float | None = None  # monotonic; None while the driver's screen is there
        self._sessions: list[OperatorSession] = []
        self._asking: _Asking | None = None
        self._forgets: asyncio.TimerHandle | None = None

    @property
    def view(self) -> LeaseView:
        """What every screen says about it. One who stays away drives no longer: whoever acts next does."""
        asking = self._asking
        drives = self._driver is not None and self._away_s() < AWAY_S
        return LeaseView(
            _holder(self._driver, self._since) if self._driver is not None and drives else None,
            _holder(asking.session, asking.at) if asking is not None else None,
            asking.until if asking is not None else None,
        )

    def close(self) -> None:
        """Forget what is asked."""
        self._settle()
        self._stop_forgetting()

    # Coming and going

    def attach(self, session: OperatorSession) -> None:
        """Take notice that a screen is there."""
        self._sessions.append(session)
        if self._driver is not None and session.key == self._driver.key:
            self._driver, self._left = session, None
            self._stop_forgetting()
            self._tell(self.view)

    def detach(self, session: OperatorSession) -> None:
        """Take notice that a screen has gone. What it asked is asked no longer; what was asked of it is granted."""
        if session in self._sessions:
            self._sessions.remove(session)
        asking = self._asking
        if asking is not None and not self._is_there(asking.session):
            self._settle()
        if self._driver is None or self._is_there(self._driver):
            self._tell(self.view)
            return
        self._left = self._clock.monotonic()
        if self._asking is not None:
            self._take(self._asking.session, f"{self._driver.operator.who} has gone")
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

    def _is_there(self, session: OperatorSession) -> bool:
        return any(other.key == session.key for other in self._sessions)

    # Acting

    def admit(self, session: OperatorSession, *, stays: bool) -> None:
        """Let the one who drives act; make whoever acts first the one. Raise `LockedError` for everybody else.

        A session that does not stay (a command of one shot) never becomes the driver. It may act where nobody drives,
        or where the same person drives in another terminal.
        """
        driver = self._driver
        if driver is not None and (driver.key == session.key or (not stays and _same_person(driver, session))):
            return
        if driver is not None and (self._left is None or self._away_s() < AWAY_S):
            gone = "" if self._left is None else f", whose screen went away {format_duration(self._away_s())} ago"
            raise LockedError(
                f"{driver.operator} drives{gone}; you watch", "ask to take over: T, or `switchover takeover PLAN`"
            )
        if stays:
            why = f"{driver.operator.who} was away for {format_duration(self._away_s())}" if driver else "acted first"
            self._take(session, why)

    def _away_s(self) -> float:
        return self._clock.monotonic() - self._left if self._left is not None else 0.0

    # Taking over

    def ask(self, session: OperatorSession) -> str:
        """Ask for the run: return `granted` at once where its driver has gone, else `asked`. Raise `RefusedError`."""
        driver = self._driver
        if driver is not None and driver.key == session.key:
            raise RefusedError("you drive already")
        if driver is None or self._left is not None:
            self._take(session, f"{driver.operator.who} has gone" if driver is not None else "nobody drove")
            return "granted"
        if self._asking is not None:
            raise RefusedError(f"{self._asking.session.operator} has asked already", "wait for the answer")
        now = self._clock.now()
        self._asking = _Asking(session, now, now + ANSWER_WITHIN_S)
        self._asking.timer = asyncio.get_running_loop().call_later(ANSWER_WITHIN_S, self.expire)
        self._note(session.operator, ev.TakeoverAsked(session.operator, str(driver.operator)))
        self._tell(self.view)
        return "asked"

    def answer(self, session: OperatorSession, *, yes: bool, why: str = "") -> None:
        """Hand over to the one who asks, or refuse. Raise `RefusedError` for anybody but the one who drives."""
        driver, asking = self._driver, self._asking
        if driver is None or driver.key != session.key:
            raise RefusedError("only the one who drives can hand over")
        if asking is None:
            raise RefusedError("nobody asks to take over")
        self._note(
            session.operator, ev.TakeoverAnswered(session.operator, asking.session.operator, yes, why or "refused")
        )
        if yes:
            self._take(asking.session, f"{driver.operator.who} handed over")
        self._settle()
        self._tell(self.view)

    def expire(self) -> None:
        """Refuse the one who asks: nobody has answered in time."""
        asking, driver = self._asking, self._driver
        if asking is None or driver is None:
            return
        why = f"no answer within {format_duration(ANSWER_WITHIN_S)}"
        self._settle()
        self._note(driver.operator, ev.TakeoverAnswered(driver.operator, asking.session.operator, False, why))
        self._tell(self.view)

    def give_to(self, session: OperatorSession, why: str) -> None:
        """Let somebody drive to whom another process handed over."""
        self._take(session, why)

    def _take(self, session: OperatorSession, why: str) -> None:
        before, self._driver = self._driver, session
        self._since, self._left = self._clock.now(), None if self._is_there(session) else self._clock.monotonic()
        self._settle()
        if before is not None:
            self._note(session.operator, ev.DriverChanged(session.operator, before.operator, why))
        self._tell(self.view)

    def _settle(self) -> None:
        asking, self._asking = self._asking, None
        if asking is not None and asking.timer is not None:
            asking.timer.cancel()


def _same_person(one: OperatorSession, other: OperatorSession) -> bool:
    a, b = one.operator, other.operator
    return (a.who, a.host, a.uid) == (b.who, b.host, b.uid)


def _holder(session: OperatorSession, since: float) -> Holder:
    op = session.operator
    return Holder(op.who, op.host, op.tty, session.pid, since)
