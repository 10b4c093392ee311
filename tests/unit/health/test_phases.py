from __future__ import annotations

from switchover.health.watched_phases import PhaseMark, not_watched
from switchover.plan.model import CheckSpec


def test_a_check_without_phases_is_always_watched() -> None:
    assert not_watched(CheckSpec(kind="http"), {}) == ""


def test_a_check_is_watched_from_the_start_of_its_phase_on() -> None:
    spec = CheckSpec(kind="http", since="data")
    assert not_watched(spec, {}) == "watched from phase data on"
    assert not_watched(spec, {"data": PhaseMark()}) == "watched from phase data on"
    assert not_watched(spec, {"data": PhaseMark(started=True)}) == ""
    assert not_watched(spec, {"data": PhaseMark(started=True, ended=True)}) == ""


def test_a_check_is_watched_until_its_phase_has_ended() -> None:
    spec = CheckSpec(kind="http", until="data")
    assert not_watched(spec, {}) == ""
    assert not_watched(spec, {"data": PhaseMark(started=True)}) == ""
    assert not_watched(spec, {"data": PhaseMark(started=True, ended=True)}) == "watched until phase data ended"
