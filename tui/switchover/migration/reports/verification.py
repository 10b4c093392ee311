"""Is the journal still what was written? Every edit, deletion, insertion and change of order shows.

Each record holds the hash of the one before. A chain cannot show that its tail was cut off, or that it was computed
anew. The heads show that: those noted beside the journal, and the one an auditor wrote down.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from switchover.migration.facts import events as ev
from switchover.migration.journal.checkpoints import Checkpoint
from switchover.migration.journal.sqlite_journal import RawRecord, record_hash
from switchover.migration.reports.audit_outputs import Fault, KeptOutputs, Outputs
from switchover.migration.reports.audit_runs import Decoded, RunsAudit, decoded, why_odd

__all__ = ["Audit", "Fault", "Outputs", "first_broken", "verify_journal"]

_MOST_IMPOSSIBLE = 10


@dataclass(frozen=True, slots=True)
class Audit:
    """What came out. `faults` stand in the order of the records they are about; `notes` are no faults."""

    records: int
    runs: tuple[str, ...]
    head: str
    plans: int  # frozen plan texts compared with their digests
    outputs: int  # kept outputs compared with theirs
    checkpoints: int  # heads noted beside the journal that were found in it
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing was found."""
        return not self.faults


def verify_journal(
    records: Iterable[RawRecord],
    checkpoints: Sequence[Checkpoint] = (),
    given: str = "",
    outputs: Outputs | None = None,
    *,
    shared: bool = False,
    runs: bool = True,
    newest: Sequence[Checkpoint] = (),
) -> Audit:
    """Compare everything with everything. `given` is the hash, or its beginning, that an auditor wrote down.

    Of a `shared` journal other machines have noted other heads, so one that lacks here means nothing. Without `runs` it
    is no journal of runs, whose records follow each other by rules. `newest` was noted with each record, elsewhere.
    """
    rows, faults = _well_typed(records)
    broken = first_broken(rows)
    faults += [broken] if broken is not None else []
    notes: list[str] = []
    vouched = _given(rows, given, faults, notes)
    noted = sorted(
        {(head.seq, head.hash): head for head in (*newest, *checkpoints)}.values(), key=lambda head: head.seq
    )
    found = _compare_heads(rows, noted, faults)
    if not shared:
        faults += _unnoted_end(rows, checkpoints, vouched)
        notes += _after_all_heads(rows, noted, vouched)
    read = decoded(rows) if runs else []
    faults += _impossible(read, notes)
    plans = sum(isinstance(entry.event, ev.RunStarted | ev.PlanRebased) for entry in read)
    faults += [fault for entry in read for fault in _plan_differs(entry)]
    compared = 0
    if outputs is not None:
        compared = KeptOutputs(outputs, faults, notes).compare(read)
    return Audit(
        records=len(rows),
        runs=tuple(dict.fromkeys(row.run_id for row in rows if row.kind == "RunStarted")),
        head=rows[-1].hash if rows else "",
        plans=plans,
        outputs=compared,
        checkpoints=found,
        faults=tuple(sorted(faults, key=lambda fault: fault.seq or len(rows) + 1)),
        notes=tuple(dict.fromkeys(notes)),
    )


def _well_typed(records: Iterable[RawRecord]) -> tuple[list[RawRecord], list[Fault]]:
    """Return the records whose values are of the types that we write, and a fault for each other."""
    rows: list[RawRecord] = []
    faults: list[Fault] = []
    for place, row in enumerate(records, 1):
        if why := why_odd(row, place):
            at = float(row.at) if isinstance(row.at, int | float) else None
            faults.append(Fault(place, why, at, str(row.kind), str(row.run_id)))
        else:
            rows.append(row)
    return rows, faults


def _impossible(read: Sequence[Decoded], notes: list[str]) -> Iterator[Fault]:
    """Find records that no run could have written at their place; the first few tell enough."""
    runs = RunsAudit()
    for number, (row, why) in enumerate(runs.problems(read)):
        if number == _MOST_IMPOSSIBLE:
            notes.append(f"only the first {_MOST_IMPOSSIBLE} records that cannot be true are listed")
            break
        yield _fault(row, why)
    notes += runs.notes


def _fault(row: RawRecord, what: str) -> Fault:
    return Fault(row.seq, what, row.at, row.kind, row.run_id)


def first_broken(rows: Iterable[RawRecord]) -> Fault | None:
    """Return the first record that does not follow from the one before it. No later record is vouched for."""
    before, expected = "", 1
    for row in rows:
        if row.seq < expected:
            return _fault(row, "it stands before the first record")
        if row.seq > expected:
            lacking = f"record {expected} is" if row.seq == expected + 1 else f"records {expected} to {row.seq - 1} are"
            return _fault(row, f"{lacking} missing before it")
        if _hash(row) != row.hash:
            return _fault(row, "it was changed after it was written: its hash does not fit its contents")
        if row.prev_hash != before:
            what = (
                "the record before it was changed, replaced or taken out" if before else "it was not the first record"
            )
            return _fault(row, f"it does not follow the record before it: {what}")
        before, expected = row.hash, expected + 1
    return None


def _hash(row: RawRecord) -> str | None:
    """Return the hash that the record should have; None for one that nobody could have written."""
    try:
        return record_hash(row.prev_hash, row.seq, row.run_id, row.at, row.mono, row.boot_id, row.kind, row.data)
    except (ValueError, OverflowError):
        return None


def _given(rows: Sequence[RawRecord], given: str, faults: list[Fault], notes: list[str]) -> int:
    """Compare with the head that somebody wrote down; return the record up to which it vouches."""
    if not given:
        return 0
    row = next((row for row in rows if row.hash.startswith(given.lower())), None)
    if row is None:
        faults.append(Fault(0, f"no record has the hash {given}: what it vouched for was changed or cut off"))
        return 0
    if row.seq < len(rows):
        more = len(rows) - row.seq
        notes.append(f"{more} record{'s' if more > 1 else ''} came after the head that was given (record {row.seq})")
    return row.seq


def _compare_heads(rows: Sequence[RawRecord], checkpoints: Sequence[Checkpoint], faults: list[Fault]) -> int:
    by_seq = {row.seq: row for row in rows}
    last = rows[-1].seq if rows else 0
    found = 0
    for head in checkpoints:
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


def _unnoted_end(rows: Sequence[RawRecord], checkpoints: Sequence[Checkpoint], vouched: int) -> Iterator[Fault]:
    noted = max((head.seq for head in checkpoints), default=0)
    ended = next((row for row in rows if row.kind == "RunEnded" and row.seq > max(noted, vouched)), None)
    if ended is not None:
        what = (
            "the end of the run was not noted beside the journal: the note was removed, the record was added later, or "
            "the machine went down at this moment; compare with the head that was written down: --head HASH"
        )
        yield _fault(ended, what)


def _after_all_heads(rows: Sequence[RawRecord], checkpoints: Sequence[Checkpoint], vouched: int) -> Iterator[str]:
    noted = max((head.seq for head in checkpoints), default=0)
    more = len(rows) - max(noted, vouched)
    if noted and more > 0:
        yield (
            f"no head vouches for the last {'record' if more == 1 else f'{more} records'}: a run goes on, its driver "
            f"was killed, or {'it was' if more == 1 else 'they were'} added by other means"
        )


def _plan_differs(entry: Decoded) -> Iterator[Fault]:
    """Compare a frozen plan's text with its digest."""
    event = entry.event
    if not isinstance(event, ev.RunStarted | ev.PlanRebased):
        return
    if hashlib.sha256(event.plan_text.encode("utf-8", "surrogateescape")).hexdigest() != event.plan_digest:
        yield _fault(entry.row, "the plan's text in it does not have the digest that stands beside it")
