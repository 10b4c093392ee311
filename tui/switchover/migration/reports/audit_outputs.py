"""Compares what was kept of each attempt (its folder, its output, its own record) with its journal records."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from switchover.errors import StateError
from switchover.migration.facts import events as ev
from switchover.migration.reports.audit_runs import Decoded
from switchover.migration.steps.attempt import AttemptFolder
from switchover.migration.steps.kept_evidence import EVIDENCE, evidence_fault
from switchover.migration.steps.step_output import digest_output

__all__ = ["Fault", "KeptOutputs", "Outputs"]

RunDirectory = Callable[[str], Path]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was written. `seq` is the record that shows it, 0 where it is the whole journal.

    `at` (epoch seconds), `type` and `run` are those of the record as it is now. None and "" where there is no record.
    """

    seq: int
    what: str
    at: float | None = None
    type: str = ""
    run: str = ""


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where the outputs of a run lie, and which location of a step's record is this one. None takes any."""

    run_directory: RunDirectory
    here: ev.Place | None = None


class KeptOutputs:
    """Compares the folders of the attempts with what the journal says of them."""

    def __init__(self, outputs: Outputs, faults: list[Fault], notes: list[str]) -> None:
        self._outputs = outputs
        self._faults = faults
        self._notes = notes
        self._begun: dict[tuple[str, str, int], tuple[ev.Place | None, str]] = {}  # with the hash of its `StepStarted`
        self._folders: dict[str, set[str]] = {}  # run -> the names of the folders of its attempts

    def compare(self, read: Sequence[Decoded]) -> int:
        """Compare all of them; return how many outputs were compared with their digests."""
        compared = 0
        ends: dict[str, Decoded] = {}
        pruned = {entry.row.run_id: entry.event.by for entry in read if isinstance(entry.event, ev.OutputsPruned)}
        self._notes += [f"what the steps of run {run} wrote was removed by {by.who}" for run, by in pruned.items()]
        for entry in read:
            event, run = entry.event, entry.row.run_id
            if run in pruned:
                continue
            if isinstance(event, ev.StepStarted):
                self._begun[run, event.unit, event.attempt] = event.place, entry.row.hash
                folder = AttemptFolder.of(self._outputs.run_directory(run), event.unit, event.attempt).directory
                self._folders.setdefault(run, set()).add(folder.name)
            elif isinstance(event, ev.StepEnded | ev.StepNotStarted):
                for file in event.kept if isinstance(event, ev.StepEnded) else ():
                    compared += self._kept(entry, f"the file {file.name} that {event.unit} left", file)
                key = (run, event.unit, event.attempt)
                if key in self._begun:
                    compared += self._attempt(entry, event, *self._begun.pop(key))
            elif isinstance(event, ev.Ticked) and event.file is not None:
                compared += self._evidence(entry, event, event.file)
            elif isinstance(event, ev.RunEnded):
                ends[run] = entry
            elif isinstance(event, ev.RollbackStarted):
                ends.pop(run, None)
        for end in ends.values():
            self._strangers(end)
        return compared

    def _evidence(self, entry: Decoded, event: ev.Ticked, file: ev.EvidenceFile) -> int:
        """Compare a file that was kept as evidence with its digest."""
        name = f"the file {file.name} that item {event.item + 1} of {event.step} was ticked with"
        return self._kept(entry, name, file)

    def _kept(self, entry: Decoded, name: str, file: ev.EvidenceFile) -> int:
        folder = self._outputs.run_directory(entry.row.run_id)
        here = self._outputs.here
        if file.place is not None and here is not None and not file.place.may_be(here):
            self._notes.append(f"{name} is not on this machine")
            return 0
        if fault := evidence_fault(folder, file):
            self._fault(entry, f"{name}, kept in {folder / file.kept}: {fault}")
        return 1

    def _strangers(self, entry: Decoded) -> None:
        """Find what tells of an attempt that was never announced. While a run goes on, it may have been since."""
        folder = self._outputs.run_directory(entry.row.run_id)
        try:
            names = {path.name for path in folder.iterdir() if path.is_dir() and path.name != EVIDENCE}
        except OSError:
            return
        for name in sorted(names - self._folders.get(entry.row.run_id, set())):
            try:
                _ = AttemptFolder(folder / name).is_free
            except StateError as error:
                self._fault(entry, error.title)

    def _attempt(
        self, entry: Decoded, event: ev.StepEnded | ev.StepNotStarted, place: ev.Place | None, started: str
    ) -> int:
        run = entry.row.run_id
        directory = AttemptFolder.of(self._outputs.run_directory(run), event.unit, event.attempt).directory
        name = f"the output of {event.unit} (run {run}, attempt {event.attempt})"
        if not directory.is_dir():
            if place is None or self._outputs.here is None or place.may_be(self._outputs.here):
                self._fault(entry, f"{name} is gone: its folder {directory} was removed")
            else:
                self._notes.append(f"{name} is not on this machine")
            return 0
        for what in _told_otherwise(directory, event, started):
            self._fault(entry, what)
        if isinstance(event, ev.StepNotStarted):
            return 0
        try:
            found = digest_output(directory)
        except OSError as error:
            self._notes.append(f"{name} cannot be read: {error.strerror}")
            return 0
        if found != event.output_sha256:
            self._fault(entry, f"the output of {event.unit} that was kept in {directory} is not what it wrote")
        return 1

    def _fault(self, entry: Decoded, what: str) -> None:
        row = entry.row
        self._faults.append(Fault(row.seq, what, row.at, row.kind, row.run_id))


_OUTCOMES: dict[str, tuple[str, ...]] = {
    "exited": ("done", "failed", "unknown"),
    "timeout": ("timeout", "unknown"),
    "aborted": ("aborted", "unknown"),
    "error": ("failed", "unknown"),
}


def _told_otherwise(directory: Path, event: ev.StepEnded | ev.StepNotStarted, started: str) -> Iterator[str]:
    """Compare an end with its watcher's record. Each end was read from one, so that has to be there."""
    record = _exit_record(directory)
    if isinstance(event, ev.StepNotStarted):
        if record is not None:
            yield f"{event.unit} was executed, says its record in {directory}"
    elif record is None or record.get("started") != started:
        yield f"the record of how {event.unit} ended is gone from {directory}, is damaged, or is another's"
    elif record.get("exit_code") != event.exit_code:
        yield f"{event.unit} ended with {record.get('exit_code')}, says its record in {directory}"
    elif event.outcome not in _OUTCOMES.get(str(record.get("ending")), ()) or (
        event.outcome == "done" and event.exit_code != 0
    ):
        yield f"{event.unit} was not {event.outcome}, says its record in {directory}: {record.get('ending')}"


def _exit_record(directory: Path) -> dict[str, Any] | None:
    try:
        record = json.loads((directory / "exit.json").read_bytes())
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) else None
