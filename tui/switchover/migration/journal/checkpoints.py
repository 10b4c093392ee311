"""Checkpoints: the newest record of the journal, noted in a second place.

A chain of hashes shows every edit but one: a tail that was cut off. These notes show that one too. A journal that lacks
what was noted is refused: what it does not know any more may have been done.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from switchover.clock import iso_utc
from switchover.errors import JournalDiffersError
from switchover.locations import Workspace
from switchover.private_files import open_private, read_private

if TYPE_CHECKING:
    from switchover.migration.journal.journal_store import JournalStore

__all__ = [
    "CHECKPOINTS",
    "NEWEST",
    "OPERATION_CHECKPOINTS",
    "Checkpoint",
    "checkpoints_file",
    "newest_noted",
    "note_checkpoint",
    "note_newest",
    "noted_heads",
    "read_checkpoints",
    "refuse_lost",
]

CHECKPOINTS = "heads"  # the file, beside the journal
NEWEST = "head"  # the file with the newest record of all
OPERATION_CHECKPOINTS = "operations.heads"  # that of the journal of operations
_LONGEST_NOTE = 4096
_NEWEST_BYTES = 1024
_WHAT_NOW = (
    "bring the newest copy of the journal back: what it does not know any more may have been done. Where it is lost, "
    "and you know what was done, say so: `switchover run PLAN --forget --reason TEXT`"
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The newest record as it was at a moment.

    `run` is the run that it belongs to, `at` epoch seconds. `journal` is the id of the journal, where that was noted
    too.
    """

    run: str
    seq: int
    hash: str
    at: float
    type: str
    journal: str = ""


def checkpoints_file(workspace: Workspace) -> Path:
    """Return where a workspace keeps the heads it noted."""
    return workspace.directory / CHECKPOINTS


def note_checkpoint(path: Path, head: Checkpoint) -> None:
    """Write the head down, private and durable. Where that cannot be, the run does not suffer for it."""
    line = (json.dumps(asdict(head)) + "\n").encode()
    with suppress(OSError):
        descriptor = open_private(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            _cut_off_what_was_torn(descriptor)
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def note_newest(workspace: Workspace, head: Checkpoint) -> None:
    """Write the head down in the place of the one before. A loss of power may take it again, and no other loss."""
    with suppress(OSError):
        descriptor = open_private(workspace.directory / NEWEST, os.O_WRONLY | os.O_CREAT)
        try:
            os.pwrite(descriptor, json.dumps(asdict(head)).encode().ljust(_NEWEST_BYTES), 0)
        finally:
            os.close(descriptor)


def _cut_off_what_was_torn(descriptor: int) -> None:
    """Take away a last line without its end: a loss of power left it, and it says nothing."""
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, _LONGEST_NOTE, max(0, size - _LONGEST_NOTE))
    if tail and not tail.endswith(b"\n"):
        os.ftruncate(descriptor, size - len(tail) + tail.rfind(b"\n") + 1)


def noted_heads(workspace: Workspace, elsewhere: Checkpoint | None = None) -> tuple[Checkpoint, ...]:
    """Return the newest note about each journal that can be read here: about one, unless something was exchanged.

    `elsewhere` is what was noted outside of the state directory.
    """
    newest = {elsewhere.journal: elsewhere} if elsewhere is not None else {}
    for path, end in ((checkpoints_file(workspace), -1), (workspace.directory / NEWEST, None)):
        found = _last_head(path, end)
        if found is not None and (found.journal not in newest or newest[found.journal].seq < found.seq):
            newest[found.journal] = found
    return tuple(newest.values())


def newest_noted(folder: Path) -> Checkpoint | None:
    """Return the newest record as it stands beside the journal in `folder`."""
    return _last_head(folder / NEWEST, None)


def _last_head(path: Path, end: int | None) -> Checkpoint | None:
    try:
        lines = read_private(path).split(b"\n")[:end]
    except OSError:
        return None
    return next((head for line in reversed(lines) if (head := _head(line)) is not None), None)


def refuse_lost(journal: JournalStore | None, noted: Checkpoint, name: str) -> None:
    """Raise `JournalDiffersError` where the journal called `name` lacks what was noted of it."""
    note = f"record {noted.seq} ({noted.type} of run {noted.run}, {iso_utc(noted.at)}) was noted as its newest"
    if journal is None:
        raise JournalDiffersError(f"the journal {name} is gone: {note}", _WHAT_NOW)
    if noted.journal and journal.journal_id != noted.journal:
        raise JournalDiffersError(f"the journal {name} is another than the one that was used here: {note}", _WHAT_NOW)
    found = journal.hash_of(noted.seq)
    if not found:
        raise JournalDiffersError(
            f"the journal {name} has lost records: it ends at {journal.last_seq()}, {note}", _WHAT_NOW
        )
    if found != noted.hash:
        raise JournalDiffersError(f"the journal {name} was written anew: {note}, and is another by now", _WHAT_NOW)


def read_checkpoints(path: Path) -> tuple[Checkpoint, ...]:
    """Return all heads noted, oldest first; none where there is no file. Raise `ValueError` for what is no note."""
    try:
        content = read_private(path)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    return tuple(_checkpoints(path, content))


def _checkpoints(path: Path, content: bytes) -> Iterator[Checkpoint]:
    lines = content.split(b"\n")
    for number, line in enumerate(lines, 1):
        if not line or number == len(lines):  # a last line without its end was cut off by a power loss
            continue
        head = _head(line)
        if head is None:
            raise ValueError(f"line {number} of {path} is no note of a head")
        yield head


def _head(line: bytes) -> Checkpoint | None:
    try:
        head = Checkpoint(**json.loads(line))
    except (ValueError, TypeError):
        return None
    return head if isinstance(head.seq, int) and isinstance(head.hash, str) and isinstance(head.run, str) else None
