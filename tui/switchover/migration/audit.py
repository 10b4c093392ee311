"""Is the journal still what was written? Every edit, deletion, insertion and change of order shows.

Each record holds the hash of the one before. What a chain cannot show, a tail that was cut off or a chain that was
computed anew, the heads show: those noted beside the journal, and the one that an auditor wrote down.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from switchover.migration.attempt import Attempt
from switchover.migration.heads import Head
from switchover.migration.journal import RawRecord, record_hash
from switchover.migration.output import digest_output

__all__ = ["Audit", "Fault", "first_broken", "verify_journal"]

RunDirectory = Callable[[str], Path]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was written. `seq` is the record that shows it, 0 where it is the whole journal.

    `at` (epoch seconds), `type` and `run` are those of the record as it is now; None and "" where there is no record.
    """

    seq: int
    what: str
    at: float | None = None
    type: str = ""
    run: str = ""


@dataclass(frozen=True, slots=True)
class Audit:
    """What came out. `faults` stand in the order of the records they are about; `notes` are no faults."""

    records: int
    runs: tuple[str, ...]
    head: str
    plans: int  # frozen plan texts compared with their digests
    outputs: int  # kept outputs compared with theirs
    heads: int  # heads noted beside the journal that were found in it
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing was found."""
        return not self.faults


def verify_journal(
    records: Iterable[RawRecord],
    heads: Sequence[Head] = (),
    given: str = "",
    run_directory: RunDirectory | None = None,
    *,
    shared: bool = False,
) -> Audit:
    """Compare everything with everything. `given` is the hash, or its beginning, that an auditor wrote down.

    Of a `shared` journal other machines have noted other heads, so one that lacks here means nothing.
    """
    rows = list(records)
    faults = [fault] if (fault := first_broken(rows)) else []
    notes: list[str] = []
    vouched = _given(rows, given, faults, notes)
    found = _compare_heads(rows, heads, faults)
    if not shared:
        faults += _unnoted_end(rows, heads, vouched)
        notes += _after_all_heads(rows, heads, vouched)
    plans, outputs = 0, 0
    for row in rows:
        if row.kind in ("RunStarted", "PlanRebased"):
            plans += 1
            faults += _plan_differs(row)
        elif row.kind == "StepEnded" and run_directory is not None:
            outputs += _compare_output(row, run_directory, faults, notes)
    return Audit(
        records=len(rows),
        runs=tuple(dict.fromkeys(row.run_id for row in rows if row.kind == "RunStarted")),
        head=str(rows[-1].hash) if rows else "",
        plans=plans,
        outputs=outputs,
        heads=found,
        faults=tuple(sorted(faults, key=lambda fault: fault.seq or len(rows) + 1)),
        notes=tuple(dict.fromkeys(notes)),
    )


def _fault(row: RawRecord, what: str) -> Fault:
    at = row.at if isinstance(row.at, float) else None
    return Fault(row.seq, what, at, str(row.kind), str(row.run_id))


def first_broken(rows: Iterable[RawRecord]) -> Fault | None:
    """Return the first record that does not follow from the one before it; what comes after is vouched for by none."""
    before, expected = "", 1
    for row in rows:
        if row.seq < expected:
            return _fault(row, "it stands before the first record")
        if row.seq > expected:
            lacking = f"record {expected} is" if row.seq == expected + 1 else f"records {expected} to {row.seq - 1} are"
            return _fault(row, f"{lacking} missing before it")
        if not isinstance(row.hash, str) or _hash(row, row.prev_hash) != row.hash:
            return _fault(row, "it was changed after it was written: its hash does not fit its contents")
        if row.prev_hash != before:
            what = (
                "the record before it was changed, replaced or taken out" if before else "it was not the first record"
            )
            return _fault(row, f"it does not follow the record before it: {what}")
        before, expected = row.hash, expected + 1
    return None


def _hash(row: RawRecord, before: str) -> str | None:
    """Return the hash that the record should have; None for one that nobody could have written."""
    try:
        return record_hash(before, row.seq, row.run_id, row.at, row.mono, row.boot_id, row.kind, row.data)
    except (TypeError, ValueError):
        return None


def _given(rows: Sequence[RawRecord], given: str, faults: list[Fault], notes: list[str]) -> int:
    """Compare with the head that somebody wrote down; return the record up to which it vouches."""
    if not given:
        return 0
    row = next((row for row in rows if str(row.hash).startswith(given.lower())), None)
    if row is None:
        faults.append(Fault(0, f"no record has the hash {given}: what it vouched for was changed or cut off"))
        return 0
    if row.seq < len(rows):
        more = len(rows) - row.seq
        notes.append(f"{more} record{'s' if more > 1 else ''} came after the head that was given (record {row.seq})")
    return row.seq


def _compare_heads(rows: Sequence[RawRecord], heads: Sequence[Head], faults: list[Fault]) -> int:
    by_seq = {row.seq: row for row in rows}
    last = rows[-1].seq if rows else 0
    found = 0
    for head in heads:
        row = by_seq.get(head.seq)
        if row is not None and row.hash == head.hash:
            found += 1
        elif head.seq > last:
            gone = f"record {head.seq} is" if head.seq == last + 1 else f"records {last + 1} to {head.seq} are"
            what = f"{gone} cut off at the end: record {head.seq} ({head.type} of run {head.run}) was noted as the head"
            faults.append(Fault(last + 1, what, None, "", head.run))
            break
        elif row is not None:
            what = "it is not the record that was noted as the head: the journal up to here was written anew"
            faults.append(_fault(row, what))
            break
    return found


def _unnoted_end(rows: Sequence[RawRecord], heads: Sequence[Head], vouched: int) -> Iterator[Fault]:
    noted = max((head.seq for head in heads), default=0)
    ended = next((row for row in rows if row.kind == "RunEnded" and row.seq > max(noted, vouched)), None)
    if ended is not None:
        what = (
            "the end of the run was not noted beside the journal: the note was removed, the record was added later, or "
            "the machine went down at this moment; compare with the head that was written down: --head HASH"
        )
        yield _fault(ended, what)


def _after_all_heads(rows: Sequence[RawRecord], heads: Sequence[Head], vouched: int) -> Iterator[str]:
    noted = max((head.seq for head in heads), default=0)
    more = len(rows) - max(noted, vouched)
    if noted and more > 0:
        yield (
            f"no head vouches for the last {'record' if more == 1 else f'{more} records'}: a run goes on, its driver "
            f"was killed, or {'it was' if more == 1 else 'they were'} added by other means"
        )


def _plan_differs(row: RawRecord) -> Iterator[Fault]:
    """Compare a frozen plan's text with its digest."""
    data = _data(row)
    text, digest = data.get("plan_text"), data.get("plan_digest")
    if not isinstance(text, str) or hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest() != digest:
        yield _fault(row, "the plan's text in it does not have the digest that stands beside it")


def _compare_output(row: RawRecord, run_directory: RunDirectory, faults: list[Fault], notes: list[str]) -> int:
    """Compare what was kept of a step's output with its digest; return how many were compared."""
    data = _data(row)
    digest, unit, number = data.get("output_sha256"), data.get("unit"), data.get("attempt")
    if not digest or not isinstance(unit, str) or not isinstance(number, int):
        return 0
    directory = Attempt.of(run_directory(row.run_id), unit, number).directory
    if not directory.is_dir():
        notes.append(f"the output of {unit} (run {row.run_id}, attempt {number}) is not on this machine")
        return 0
    try:
        same = digest_output(directory) == digest
    except OSError as error:
        notes.append(f"the output of {unit} (run {row.run_id}, attempt {number}) cannot be read: {error.strerror}")
        return 0
    if not same:
        faults.append(_fault(row, f"the output of {unit} that was kept in {directory} is not what it wrote"))
    return 1


def _data(row: RawRecord) -> dict[str, Any]:
    try:
        data = json.loads(row.data)
    except (ValueError, TypeError):
        return {}
    return data if isinstance(data, dict) else {}
