"""The journal's head, noted in a second place: what the newest record was, at each moment worth remembering.

A chain of hashes shows every edit but one: a tail that was cut off. These notes show that one too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from switchover.locations import Workspace
from switchover.private_files import open_private, read_private

__all__ = ["HEADS", "OPERATION_HEADS", "Head", "heads_file", "note_head", "read_heads"]

HEADS = "heads"  # the file, beside the journal
OPERATION_HEADS = "operations.heads"  # that of the journal of operations


@dataclass(frozen=True, slots=True)
class Head:
    """The newest record as it was at a moment. `run` is the run that it belongs to; `at` epoch seconds."""

    run: str
    seq: int
    hash: str
    at: float
    type: str


def heads_file(workspace: Workspace) -> Path:
    """Return where a workspace keeps the heads it noted."""
    return workspace.directory / HEADS


def note_head(path: Path, head: Head) -> None:
    """Write the head down, private and durable. Where that cannot be, the run does not suffer for it."""
    line = (json.dumps(asdict(head)) + "\n").encode()
    with suppress(OSError):
        descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_heads(path: Path) -> tuple[Head, ...]:
    """Return all heads noted, oldest first; none where there is no file. Raise `ValueError` for what is no note."""
    try:
        content = read_private(path)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    return tuple(_heads(path, content))


def _heads(path: Path, content: bytes) -> Iterator[Head]:
    lines = content.split(b"\n")
    for number, line in enumerate(lines, 1):
        if not line or number == len(lines):  # a last line without its end was cut off by a power loss
            continue
        head = _head(line)
        if head is None:
            raise ValueError(f"line {number} of {path} is no note of a head")
        yield head


def _head(line: bytes) -> Head | None:
    try:
        head = Head(**json.loads(line))
    except (ValueError, TypeError):
        return None
    return head if isinstance(head.seq, int) and isinstance(head.hash, str) and isinstance(head.run, str) else None
