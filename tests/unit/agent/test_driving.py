"""Several people at one agent: one drives, the others watch and may ask; over a clock that is set by hand."""

from collections.abc import Iterator

import pytest
from tests.unit.migration.harness import HandClock

from switchover.agent.server.operator_lease import ANSWER_WITHIN_S, AWAY_S, LeaseView, OperatorLease, OperatorSession
from switchover.errors import LockedError, RefusedError
from switchover.migration.facts import events as ev
from switchover.migration.facts.operator import Operator

ANA = OperatorSession(Operator("ana", "bastion", "pts/1", 1000), 101)
BEN = OperatorSession(Operator("ben", "bastion", "pts/2", 1000), 102)
CLEO = OperatorSession(Operator("cleo", "bastion", "pts/3", 1000), 103)


class Room:
    """Who drives, with what was journalled and shown."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.noted: list[ev.Event] = []
        self.shown: list[LeaseView] = []
        self.lease = OperatorLease(self.clock, lambda _, event: self.noted.append(event), self.shown.append)
        for session in (ANA, BEN):
            self.lease.attach(session)

    @property
    def driver(self) -> str:
        holder = self.lease.view.driver
        return holder.who if holder is not None else ""

    @property
    def asking(self) -> str:
        holder = self.lease.view.asking
        return holder.who if holder is not None else ""


@pytest.fixture
def room() -> Iterator[Room]:
    room = Room()
    yield room
    room.lease.close()


def test_the_first_who_acts_drives_and_the_others_are_told_who_does(room: Room) -> None:
    assert room.driver == ""
    room.lease.admit(ANA, stays=True)
    room.lease.admit(ANA, stays=True)
    assert room.driver == "ana"
    with pytest.raises(LockedError, match=r"ana@bastion \(pts/1\) drives; you watch"):
        room.lease.admit(BEN, stays=True)


def test_a_command_of_one_shot_takes_no_seat(room: Room) -> None:
    room.lease.admit(BEN, stays=False)
    assert room.driver == ""
    room.lease.admit(ANA, stays=True)
    with pytest.raises(LockedError):
        room.lease.admit(BEN, stays=False)


def test_the_one_who_drives_may_give_a_command_in_another_terminal(room: Room) -> None:
    room.lease.admit(ANA, stays=True)
    elsewhere = Operator("ana", "bastion", "pts/9", 1000)
    room.lease.admit(OperatorSession(elsewhere, 999), stays=False)
    with pytest.raises(LockedError):
        room.lease.admit(OperatorSession(elsewhere, 999), stays=True)
    with pytest.raises(LockedError):
        room.lease.admit(OperatorSession(Operator("ana", "bastion", "pts/9", 1001), 999), stays=False)


async def test_a_request_is_shown_with_who_and_when_and_may_be_granted(room: Room) -> None:
    room.lease.admit(ANA, stays=True)
    assert room.lease.ask(BEN) == "asked"
    view = room.shown[-1]
    assert view.asking is not None
    assert (view.asking.who, view.asking.since) == ("ben", room.clock.now())
    assert view.asking_until == room.clock.now() + ANSWER_WITHIN_S
    room.lease.answer(ANA, yes=True)
    assert (room.driver, room.asking) == ("ben", "")
    with pytest.raises(LockedError):
        room.lease.admit(ANA, stays=True)
    assert [type(event).__name__ for event in room.noted] == ["TakeoverAsked", "TakeoverAnswered", "DriverChanged"]


async def test_a_request_may_be_refused_and_only_by_the_one_who_drives(room: Room) -> None:
    room.lease.admit(ANA, stays=True)
    room.lease.ask(BEN)
    with pytest.raises(RefusedError, match="only the one who drives"):
        room.lease.answer(BEN, yes=True)
    room.lease.answer(ANA, yes=False, why="in the middle of it")
    assert (room.driver, room.asking) == ("ana", "")
    answer = room.noted[-1]
    assert isinstance(answer, ev.TakeoverAnswered)
    assert (answer.granted, answer.why) == (False, "in the middle of it")


async def test_no_answer_is_a_refusal(room: Room) -> None:
    room.lease.admit(ANA, stays=True)
    room.lease.ask(BEN)
    room.lease.expire()
    assert (room.driver, room.asking) == ("ana", "")
    answer = room.noted[-1]
    assert isinstance(answer, ev.TakeoverAnswered)
    assert not answer.granted
    assert "no answer within" in answer.why
    assert room.lease.ask(BEN) == "asked"


async def test_a_second_asker_is_told_who_asked_before(room: Room) -> None:
    room.lease.attach(CLEO)
    room.lease.admit(ANA, stays=True)
    room.lease.ask(BEN)
    with pytest.raises(RefusedError, match="ben@bastion"):
        room.lease.ask(CLEO)
    room.lease.detach(BEN)
    assert room.asking == ""
    assert room.lease.ask(CLEO) == "asked"


async def test_one_who_has_gone_is_taken_over_at_once(room: Room) -> None:
    room.lease.admit(ANA, stays=True)
    room.lease.detach(ANA)
    assert room.lease.ask(BEN) == "granted"
    assert room.driver == "ben"
    change = room.noted[-1]
    assert isinstance(change, ev.DriverChanged)
    assert (change.by.who, change.before, change.why) == ("ben", ANA.operator, "ana has gone")


async def test_one_who_goes_while_asked_hands_over_by_that(room: Room) -> None:
    room.lease.admit(ANA, stays=True)
    room.lease.ask(BEN)
    room.lease.detach(ANA)
    assert (room.driver, room.asking) == ("ben", "")


async def test_nobody_drives_by_accident_while_the_driver_may_come_back(room: Room) -> None:
    room.lease.admit(ANA, stays=True)
    room.lease.detach(ANA)
    room.clock.advance(AWAY_S - 1)
    with pytest.raises(LockedError, match="screen went away 29 s ago"):
        room.lease.admit(BEN, stays=True)
    room.lease.attach(OperatorSession(ANA.operator, 555))
    room.clock.advance(AWAY_S)
    with pytest.raises(LockedError):
        room.lease.admit(BEN, stays=True)
    assert room.lease.view.driver is not None
    assert room.lease.view.driver.pid == 555


async def test_one_who_stays_away_is_followed_by_whoever_acts_next(room: Room) -> None:
    room.lease.admit(ANA, stays=True)
    room.lease.detach(ANA)
    room.clock.advance(AWAY_S + 1)
    room.clock.wall -= 100_000
    room.lease.admit(BEN, stays=True)
    assert room.driver == "ben"


async def test_one_who_stays_away_is_not_said_to_drive_and_every_screen_hears_of_it(room: Room) -> None:
    room.lease.admit(ANA, stays=True)
    room.lease.detach(ANA)
    assert room.driver == "ana"
    room.clock.advance(AWAY_S + 1)
    room.lease.forget()
    assert room.shown[-1].driver is None
    room.lease.attach(ANA)
    assert room.driver == "ana"
