"""Incidents on disk: one file each, a line for every fact, durable before it is published.

A line that a power loss cut through is left out, and cut off before the next is written. One is open at a time.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from switchover.errors import RefusedError, StateError
from switchover.locations import ensure_private_dir
from switchover.private_files import open_private, read_private
from switchover.snapshot.states import EventKind, NamedStatus

__all__ = ["MOST_TEXT", "Incident", "IncidentFact", "IncidentStore"]

_NAME = re.compile(r"(\d{4,})\.jsonl")
MOST_TEXT = 16_000


@dataclass(frozen=True, slots=True)
class IncidentFact:
    """One fact. `what`: opened, note, closed, problem (begins), over (a problem ends), row (of the timeline).

    `at` is when it happened (epoch seconds), `key` tells problems apart.
    """

    at: float
    what: str
    text: str
    who: str = ""
    host: str = ""
    key: str = ""
    status: NamedStatus = ""
    kind: EventKind | Literal["problem", ""] = ""


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident with all that is known of it, oldest first."""

    number: int
    facts: tuple[IncidentFact, ...] = field(default=())

    @property
    def opened(self) -> IncidentFact:
        """How it was opened."""
        return self.facts[0]

    @property
    def title(self) -> str:
        """What it is about."""
        return self.opened.text

    @property
    def closed(self) -> IncidentFact | None:
        """How it was closed; None while it is open."""
        last = self.facts[-1]
        return last if last.what == "closed" else None

    def of(self, *kinds: str) -> tuple[IncidentFact, ...]:
        """Return the facts of these kinds."""
        return tuple(fact for fact in self.facts if fact.what in kinds)


class IncidentStore:
    """The incidents of one workspace, in files of mode 0600. Raise `StateError` where they cannot be written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: Incident | None = None
        self._known = False

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return self._folder

    @property
    def open_one(self) -> Incident | None:
        """The incident that is open."""
        if not self._known:
            newest = self._newest()
            self._open = newest if newest is not None and newest.closed is None else None
            self._known = True
        return self._open

    def all(self) -> tuple[Incident, ...]:
        """Return every incident, oldest first."""
        return tuple(one for number in self._numbers() if (one := self._read(number)) is not None)

    def begin(self, fact: IncidentFact) -> Incident:
        """Open an incident. Raise `RefusedError` while another one is open."""
        self._known = False
        if (before := self.open_one) is not None:
            raise RefusedError(
                f"incident {before.number} is open: {before.title}", "add a note to it, or close it first"
            )
        ensure_private_dir(self._folder)
        number = max(self._numbers(), default=0) + 1
        self._append(number, fact, new=True)
        self._open, self._known = Incident(number, (_cut(fact),)), True
        return self._open

    def add(self, facts: Iterable[IncidentFact], *, durable: bool = True) -> Incident:
        """Add facts to the incident that is open. Raise `RefusedError` where none is."""
        incident = self.open_one
        if incident is None:
            raise RefusedError(
                "no incident is open", "open one first: i on the Overview, or `switchover incident open`"
            )
        new = tuple(_cut(fact) for fact in facts)
        for fact in new:
            self._append(incident.number, fact, durable=durable)
        self._open = replace(incident, facts=(*incident.facts, *new))
        return self._open

    def close(self, fact: IncidentFact) -> Incident:
        """Close the incident that is open."""
        closed = self.add([fact])
        self._open = None
        return closed

    # Files

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:04}.jsonl"

    def _numbers(self) -> list[int]:
        try:
            names = [path.name for path in self._folder.iterdir()]
        except OSError:
            return []
        return sorted(int(found[1]) for name in names if (found := _NAME.fullmatch(name)))

    def _newest(self) -> Incident | None:
        for number in reversed(self._numbers()):
            if (incident := self._read(number)) is not None:
                return incident
        return None

    def _read(self, number: int) -> Incident | None:
        try:
            lines = read_private(self._path(number)).split(b"\n")
        except OSError:
            return None
        facts = tuple(fact for line in lines[:-1] if (fact := _fact(line)) is not None)
        return Incident(number, facts) if facts and facts[0].what == "opened" else None

    def _append(self, number: int, fact: IncidentFact, *, new: bool = False, durable: bool = True) -> None:
        line = (json.dumps(asdict(_cut(fact)), ensure_ascii=False) + "\n").encode("utf-8", "replace")
        flags = os.O_RDWR | os.O_APPEND | (os.O_CREAT | os.O_EXCL if new else 0)
        try:
            descriptor = open_private(self._path(number), flags)
            try:
                _cut_off_torn_line(descriptor)
                os.write(descriptor, line)
                if durable:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if new:
                _sync_folder(self._folder)
        except OSError as error:
            if new:
                with suppress(OSError):
                    self._path(number).unlink()
            raise StateError(
                f"the incident cannot be written down: {error.strerror}", f"free space at {self._folder}"
            ) from error


def _cut_off_torn_line(descriptor: int) -> None:
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        kept = os.pread(descriptor, size, 0)
        os.ftruncate(descriptor, kept.rfind(b"\n") + 1)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fact(line: bytes) -> IncidentFact | None:
    try:
        return IncidentFact(**json.loads(line))
    except (ValueError, TypeError):
        return None


def _cut(fact: IncidentFact) -> IncidentFact:
    return fact if len(fact.text) <= MOST_TEXT else replace(fact, text=f"{fact.text[: MOST_TEXT - 1]}…")
