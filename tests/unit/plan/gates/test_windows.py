"""Windows: days, midnight, time zones, and nights on which the clock is changed."""

from datetime import UTC, datetime

import pytest
from tests.unit.plan.conftest import Problems

from switchover.plan.notations import parse_window


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def utc(moment: float | None) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%a %Y-%m-%dT%H:%M") if moment is not None else ""


@pytest.mark.parametrize(
    ("window", "now", "opens", "closes"),
    [
        # over midnight, in winter: 21:00 to 05:00 UTC
        ("Sat 22:00-06:00 Europe/Paris", "2026-11-30T22:00", "Sat 2026-12-05T21:00", "Sun 2026-12-06T05:00"),
        ("Sat 22:00-06:00 Europe/Paris", "2026-07-01T00:00", "Sat 2026-07-04T20:00", "Sun 2026-07-05T04:00"),
        # the clock is put forward in that night (seven hours), and back (nine hours)
        ("Sat 22:00-06:00 Europe/Paris", "2026-03-27T00:00", "Sat 2026-03-28T21:00", "Sun 2026-03-29T04:00"),
        ("Sat 22:00-06:00 Europe/Paris", "2026-10-23T00:00", "Sat 2026-10-24T20:00", "Sun 2026-10-25T05:00"),
        # its ends lie in the hour that is left out, or that comes twice
        ("Sat 22:00-02:30 Europe/Paris", "2026-03-27T00:00", "Sat 2026-03-28T21:00", "Sun 2026-03-29T01:00"),
        ("Sun 02:30-05:00 Europe/Paris", "2026-03-27T00:00", "Sun 2026-03-29T01:00", "Sun 2026-03-29T03:00"),
        ("Sun 02:10-02:50 Europe/Paris", "2026-03-27T00:00", "Sun 2026-04-05T00:10", "Sun 2026-04-05T00:50"),
        ("Mon-Fri 09:00-17:00 UTC", "2026-11-27T18:00", "Mon 2026-11-30T09:00", "Mon 2026-11-30T17:00"),
        ("Fri-Mon 00:00-24:00 UTC", "2026-12-01T00:00", "Fri 2026-12-04T00:00", "Tue 2026-12-08T00:00"),
        ("Sat,Sun 10:00-11:00 UTC", "2026-12-05T10:30", "Sun 2026-12-06T10:00", "Sun 2026-12-06T11:00"),
        ("22:00-06:00 America/New_York", "2026-12-01T00:00", "Tue 2026-12-01T03:00", "Tue 2026-12-01T11:00"),
        ("2026-12-24 22:00-06:00 Asia/Tokyo", "2026-11-30T00:00", "Thu 2026-12-24T13:00", "Thu 2026-12-24T21:00"),
        ("daily 06:00-05:59 UTC", "2026-12-01T05:59", "Tue 2026-12-01T06:00", "Wed 2026-12-02T05:59"),
    ],
)
def test_it_opens_and_closes_when_the_clock_there_says_so(window: str, now: str, opens: str, closes: str) -> None:
    found = parse_window(window)
    opening = found.opens_at(at(now))
    assert utc(opening) == opens
    assert opening is not None
    assert utc(found.closes_at(opening)) == closes
    assert found.is_open(opening)
    assert not found.is_open(opening - 1)


def test_in_the_hour_that_comes_twice_it_is_open_both_times() -> None:
    window = parse_window("Sun 02:10-02:50 Europe/Paris")
    assert [window.is_open(at(f"2026-10-25T{clock}")) for clock in ("00:20", "00:55", "01:20", "01:55")] == [
        True,
        False,
        True,
        False,
    ]
    assert utc(window.opens_at(at("2026-10-25T00:55"))) == "Sun 2026-10-25T01:10"


def test_what_is_shut_has_no_end_and_what_is_over_no_beginning() -> None:
    window = parse_window("2026-01-31 22:00-06:00 UTC")
    assert window.closes_at(at("2026-01-31T21:59")) is None
    assert utc(window.closes_at(at("2026-01-31T22:00"))) == "Sun 2026-02-01T06:00"
    assert window.opens_at(at("2026-02-01T06:00")) is None


_PLAN = "schema: 1\nid: a\ntitle: A\nphases:\n  - id: p\n    WORD\n    gate: {human: ok?}\n"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("window: Sat 22:00-22:00 Europe/Paris", "6:13: phases[0].window: this window never opens: it ends when"),
        ("window: 2026-02-30 22:00-23:00 UTC", "this window never opens: there is no 2026-02-30"),
        ("window: 2020-01-01 22:00-23:00 UTC", "this window is over since 2020-01-01T23:00:00Z"),
        ("window: Sat 22:00-06:00", "this is no window; write such as `Sat 22:00-06:00 Europe/Paris`"),
        (
            "window: Sat 22:00-06:00 Europe/Pariss",
            "there is no time zone 'Europe/Pariss'; did you mean 'Europe/Paris'?",
        ),
        ("window: Sat 25:00-06:00 UTC", "25:00 is no time of a day"),
        ("window: Sat 22:61-06:00 UTC", "22:61 is no time of a day"),
        ("window: [Sat]", "phases[0].window: expected text, found a list"),
        ("due: soon", "phases[0].due: 'soon' is not a duration"),
        ("not_before: tomorrow", "phases[0].not_before: 'tomorrow' is not a moment"),
        ("not_before: phase.q + 1h", "phases[0].not_before: there is no phase 'q'"),
        ("not_before: phase.p + 1h", "phase 'p' has not ended when this phase is reached: it could never start"),
        (
            "not_before: 2999-01-01T00:00Z\n    window: 2998-01-01 10:00-12:00 UTC",
            "this window never comes: it closes before 2999-01-01T00:00Z",
        ),
        (
            "window: Sat 10:00-12:00 UTC\n    steps: [{id: s, checklist: [a], window: Mon 10:00-12:00 UTC}]",
            "phases[0].steps[0].window: this window is never open together with that of its phase",
        ),
    ],
)
def test_a_window_that_never_comes_and_a_time_that_is_none_are_refused_at_load(
    problems: Problems, word: str, said: str
) -> None:
    found = problems(_PLAN.replace("WORD", word))
    assert any(said in line for line in found), found


def test_times_that_fit_together_are_taken(problems: Problems) -> None:
    word = (
        "group: Week 1\n    due: 5d\n    window: Sat 22:00-06:00 Europe/Paris\n    not_before: 2026-12-01T00:00Z\n"
        "    steps: [{id: s, checklist: [a], window: Sun 00:00-08:00 Europe/Paris, due: 2h}]"
    )
    assert problems(_PLAN.replace("WORD", word)) == []


_TWO_PHASES = """\
schema: 1
id: a
title: A
phases:
  - id: p
    steps:
      - {id: s, checklist: [a]}
      - {id: t, checklist: [a], not_before: step.AFTER + 1h}
  - id: q
    not_before: step.t + 1d
    steps: [{id: u, checklist: [a], not_before: step.s + 2d}]
"""


def test_a_step_may_wait_for_one_before_it_in_its_phase_or_an_earlier_one_but_not_for_itself(
    problems: Problems,
) -> None:
    assert problems(_TWO_PHASES.replace("AFTER", "s")) == []
    for later in ("t", "u"):
        (found,) = problems(_TWO_PHASES.replace("AFTER", later))
        assert f"step '{later}' has not ended when this step is reached: it could never start" in found
