"""Could the runs have written these records? What cannot follow shows a record that was added by other means."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from switchover.errors import SwitchoverError
from switchover.migration.facts import events as ev
from switchover.migration.facts.run_fold import fold
from switchover.migration.facts.run_state import RunState
from switchover.migration.journal.sqlite_journal import RawRecord
from switchover.migration.rules.possible import why_impossible, why_not_next
from switchover.plan.loader.load import load_plan_text
from switchover.plan.model import Plan

__all__ = ["Decoded", "RunsAudit", "decoded", "why_odd"]

_TEXTS = ("run_id", "boot_id", "kind", "data", "prev_hash", "hash")


def why_odd(row: RawRecord, place: int) -> str:
    """Name the value of a record whose type is not one of ours. Empty where all are as they are written."""
    for name, value in (("seq", row.seq), ("at", row.at), ("mono", row.mono)):
        kinds = (int,) if name == "seq" else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds):
            return f"the {place}. record has no number in {name!r}: {value!r:.40}"
    odd = [name for name in _TEXTS if not isinstance(getattr(row, name), str)]
    return f"the {place}. record has no text in {odd[0]!r}" if odd else ""


class Decoded:
    """A record with its event, or with why it cannot be read."""

    def __init__(self, row: RawRecord) -> None:
        self.row = row
        self.record: ev.Record | None = None
        self.problem = ""
        try:
            event = ev.decode_event(row.kind, row.data)
        except ValueError as error:
            self.problem = f"it cannot be read: {error}"
        else:
            self.record = ev.Record(row.seq, row.run_id, row.at, row.mono, row.boot_id, event, row.hash)

    @property
    def event(self) -> ev.Event | None:
        """What it says."""
        return self.record.event if self.record is not None else None


def decoded(rows: Sequence[RawRecord]) -> list[Decoded]:
    """Read all of them."""
    return [Decoded(row) for row in rows]


class RunsAudit:
    """Goes through the records in order, as the runs wrote them."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._state = RunState()
        self._past: dict[str, RunState] = {}  # runs that are over: a result may still come late to them
        self._plan: Plan | None = None
        self._plans: dict[str, Plan | None] = {}
        self._path = ""
        self._number = 0
        self._last: dict[str, float] = {}  # boot -> monotonic time of its newest record

    def problems(self, records: Sequence[Decoded]) -> Iterator[tuple[RawRecord, str]]:
        """Return each record that cannot have been written at its place, with why."""
        for entry in records:
            if entry.record is None:
                yield entry.row, entry.problem
                continue
            why = self._why(entry.record)
            if why:
                yield entry.row, f"it cannot be true: {why}"
            else:
                self._take(entry.record)

    def _why(self, record: ev.Record) -> str:
        event = record.event
        if isinstance(event, ev.RunStarted):
            return self._why_no_run(record, event)
        if record.run_id in self._past and isinstance(event, ev.StepEndedLate | ev.OutputsPruned):
            return why_impossible(self._past[record.run_id], event)
        if record.run_id != self._state.run_id:
            return f"it is of run {record.run_id}, and run {self._state.run_id or 'none'} was the newest"
        if record.mono < self._last.get(record.boot_id, record.mono):
            return "it was written before the record that stands before it"
        if why := why_impossible(self._state, event) or _why_not_itself(event):
            return why
        return why_not_next(self._plan, self._state, event) if self._plan is not None else ""

    def _why_no_run(self, record: ev.Record, event: ev.RunStarted) -> str:
        number = str(self._number + 1)
        if self._state.exists and not self._state.finished:
            return f"run {self._state.run_id} was not over"
        if (record.run_id, event.run_id) != (number, number):
            return f"run {number} would be the next"
        return ""

    def _take(self, record: ev.Record) -> None:
        event = record.event
        if record.run_id in self._past:
            self._past[record.run_id] = fold([record], self._past[record.run_id])
        elif isinstance(event, ev.RunStarted):
            self._number += 1
            if self._state.exists:
                self._past[self._state.run_id] = self._state
            self._state = fold([record])
            self._path = event.plan_path
        else:
            self._state = fold([record], self._state)
        if isinstance(event, ev.RunStarted | ev.PlanRebased):
            self._plan = self._read_plan(event.plan_digest, event.plan_text)
        self._last[record.boot_id] = record.mono

    def _read_plan(self, digest: str, text: str) -> Plan | None:
        if digest not in self._plans:
            try:
                self._plans[digest] = load_plan_text(text, Path(self._path), frozen=True).plan
            except (SwitchoverError, OSError, ValueError) as error:
                said = str(error).splitlines()[0]
                self.notes.append(
                    f"the plan of run {self._number} cannot be read here ({said}): whose turn it was is open"
                )
                self._plans[digest] = None
        return self._plans[digest]


def _why_not_itself(event: ev.Event) -> str:
    """Say where an event does not agree with itself."""
    if not isinstance(event, ev.StepStarted):
        return ""
    argv: Any = "\0".join(event.argv).encode("utf-8", "surrogateescape")
    same = hashlib.sha256(argv).hexdigest() == event.argv_digest
    return "" if same else "its command does not have the digest that stands beside it"
