"""Reads the journal of another workspace. Its driver may have died before it noted its last record in the registry."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from switchover.clock import SystemClock
from switchover.errors import StateError
from switchover.migration.facts import events as ev
from switchover.migration.facts.run_fold import fold
from switchover.migration.facts.run_state import RunState
from switchover.migration.journal.host_registry import HostRegistry, RunNote
from switchover.migration.journal.journal_reading import Ask
from switchover.migration.journal.sqlite_journal import Journal
from switchover.migration.reports.verification import first_broken
from switchover.migration.rules.possible import why_impossible
from switchover.private_files import read_private

__all__ = ["is_over_on_record"]


def is_over_on_record(registry: HostRegistry, note: RunNote) -> bool:
    """Whether the journal behind a note holds what was noted, is whole, and has no open run of the target.

    What cannot be read, or is another journal, proves nothing.
    """
    with suppress(OSError, StateError), _copied(Path(note.directory) / "journal.sqlite") as path:
        journal = Journal.open(path, SystemClock(), create=False)
        if journal is None:
            return False
        with journal:
            return _is_over(journal, registry, note)
    return False


def _is_over(journal: Journal, registry: HostRegistry, note: RunNote) -> bool:
    if not note.head.journal or journal.journal_id != note.head.journal:
        return False
    if note.head.seq and journal.hash_of(note.head.seq) != note.head.hash:
        return False
    if first_broken(journal.raw_records()) is not None:
        return False
    records = journal.read(Ask()).records
    state = fold(records, RunState(), why_impossible)
    if state.impossible:
        return False
    began = next((record.event for record in records if isinstance(record.event, ev.RunStarted)), None)
    is_other = began is not None and HostRegistry.of(registry.folder, began.plan_id, began.target) != registry
    return is_other or began is None or state.finished


@contextmanager
def _copied(journal: Path) -> Iterator[Path]:
    """Copy a journal that nobody drives, so that reading it leaves nothing in the folder of others. Raise `OSError`."""
    with tempfile.TemporaryDirectory(prefix="switchover-") as folder:
        copy = Path(folder) / journal.name
        copy.write_bytes(read_private(journal))
        with suppress(FileNotFoundError):
            copy.with_name(f"{copy.name}-wal").write_bytes(read_private(f"{os.fspath(journal)}-wal"))
        yield copy
