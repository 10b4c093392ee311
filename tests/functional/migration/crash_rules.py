"""What holds after any crash whatever: judged from the journal, what lies on the disk, and what the steps wrote."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from switchover.migration.facts import events as ev
from switchover.plan.model import Plan

__all__ = ["Ledger", "Try", "check_promises", "tries"]

Try = tuple[str, int]  # a unit and the number of an attempt at it


@dataclass(frozen=True)
class Ledger:
    """What the steps themselves wrote, a line at a time: `begin NAME ATTEMPT`, `end NAME ATTEMPT`."""

    lines: tuple[str, ...]

    @classmethod
    def read(cls, path: Path) -> Ledger:
        return cls(tuple(path.read_text().splitlines()) if path.exists() else ())

    def of(self, word: str) -> Counter[Try]:
        """Count each attempt that wrote `word`."""
        parts = [line.split() for line in self.lines]
        return Counter((name, int(number)) for said, name, number in parts if said == word)


def check_promises(
    plan: Plan, records: Sequence[ev.Record], ledger: Ledger, directory: Path, *, at_the_end: bool = False
) -> None:
    """Raise `AssertionError` that names the first broken promise."""
    began, ended = (tries(records, ledger, word) for word in ("begin", "end"))
    events = [record.event for record in records]
    _nothing_runs_twice(began, events)
    _written_ahead(began, events)
    _repeated_only_where_allowed(plan, events)
    _done_is_what_was_done(began, ended, events)
    _never_started_means_that(began, events)
    if at_the_end:
        _no_end_is_lost(directory, events)
        _nothing_is_left_open(events)


def tries(records: Sequence[ev.Record], ledger: Ledger, word: str) -> Counter[Try]:
    """Count the attempts that wrote `word`, by the names that the journal has for them."""
    return _renamed(ledger.of(word), _names(records))


def _names(records: Sequence[ev.Record]) -> dict[str, list[str]]:
    """Return which units of a rollback undo which step."""
    names: dict[str, list[str]] = {}
    for record in records:
        if isinstance(record.event, ev.RollbackStarted):
            for item in record.event.items:
                names.setdefault(f"undo-{item.undoes}", []).append(item.unit)
    return names


def _renamed(counted: Counter[Try], names: dict[str, list[str]]) -> Counter[Try]:
    return Counter({(names.get(name, [name])[-1], number): times for (name, number), times in counted.items()})


def _nothing_runs_twice(began: Counter[Try], events: Sequence[ev.Event]) -> None:
    twice = [attempt for attempt, times in began.items() if times > 1]
    assert not twice, f"executed twice: {twice}"
    announced = Counter((e.unit, e.attempt) for e in events if isinstance(e, ev.StepStarted))
    assert not [a for a, times in announced.items() if times > 1], "an attempt was announced twice"


def _written_ahead(began: Counter[Try], events: Sequence[ev.Event]) -> None:
    announced = {(e.unit, e.attempt) for e in events if isinstance(e, ev.StepStarted)}
    assert set(began) <= announced, f"ran without being announced: {set(began) - announced}"


def _repeated_only_where_allowed(plan: Plan, events: Sequence[ev.Event]) -> None:
    """Between two attempts lies the proof that the first never began, its known end, or somebody's word."""
    steps = {step.id: step for step in plan.all_steps}
    waits: dict[str, str] = {}  # unit -> why it may not begin
    for event in events:
        match event:
            case ev.StepStarted():
                assert not waits.get(event.unit), f"{event.unit} began again while {waits[event.unit]}"
                waits[event.unit] = "it runs"
            case ev.StepNotStarted():
                waits[event.unit] = ""
            case ev.StepUnknown():
                waits[event.unit] = "its outcome was unknown"
                assert event.reason
            case ev.StepEnded():
                waits[event.unit] = f"it is {event.outcome}"
            case ev.StepRetried():
                assert waits[event.unit] != "it runs"
                waits[event.unit] = ""
            case ev.StepResolved():
                assert waits[event.unit] != "it runs"
                assert event.reason
                waits[event.unit] = "" if event.choice == "retry" else f"it is {event.choice}"
                if "looked, round" not in event.reason:  # not a person's word but the plan's
                    step = steps[event.unit]
                    allowed = (step.verify != () and event.choice == "done") or (
                        step.on_unknown == "rerun"
                        and event.choice == "retry"
                        and step.effect in ("read", "creates")
                        and not step.irreversible
                    )
                    assert allowed, f"nobody allowed {event.choice} for {event.unit}"
            case _:
                pass


def _done_is_what_was_done(began: Counter[Try], ended: Counter[Try], events: Sequence[ev.Event]) -> None:
    for event in events:
        if isinstance(event, ev.StepEnded) and event.outcome == "done":
            assert event.exit_code == 0
            attempt = (event.unit, event.attempt)
            assert attempt in began, f"{attempt} is called done and never ran"
            assert attempt in ended, f"{attempt} is called done and was not through"


def _never_started_means_that(began: Counter[Try], events: Sequence[ev.Event]) -> None:
    for event in events:
        if isinstance(event, ev.StepNotStarted):
            assert (event.unit, event.attempt) not in began, f"{event.unit} ran and was called never started"


def _no_end_is_lost(directory: Path, events: Sequence[ev.Event]) -> None:
    """What left an exit record has its end in the journal, with that code."""
    ends = {(e.unit.replace(":", "-"), e.attempt): e for e in events if isinstance(e, ev.StepEnded)}
    for path in directory.glob("*/exit.json"):
        unit, _, number = path.parent.name.rpartition(".")
        end = ends.get((unit, int(number)))
        assert end is not None, f"the end of {unit} {number} is lost"
        assert end.exit_code == json.loads(path.read_bytes())["exit_code"]
    told = [(e.unit, e.attempt) for e in events if isinstance(e, ev.StepEnded)]
    assert len(told) == len(set(told)), "an end is on record twice"


def _nothing_is_left_open(events: Sequence[ev.Event]) -> None:
    open_ = {(e.unit, e.attempt) for e in events if isinstance(e, ev.StepStarted)}
    for event in events:
        if isinstance(event, ev.StepEnded | ev.StepNotStarted | ev.StepUnknown | ev.StepResolved):
            open_.discard((event.unit, event.attempt))
    assert not open_, f"announced and never settled: {open_}"
