"""The result of one look into a journal: how far it goes, and the new records of its newest run."""

from __future__ import annotations

from dataclasses import dataclass

from switchover.migration.facts.events import Record
from switchover.snapshot import Holder

__all__ = ["Ask", "JournalReading", "Tip"]


@dataclass(frozen=True, slots=True)
class Tip:
    """The newest record: its number, and its hash, which vouches for all before it. An empty journal has 0 and ""."""

    seq: int = 0
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """What is known already: the newest record, and the run that it belongs to.

    `history` asks also for what is remembered of all runs.
    """

    known: Tip = Tip()
    run_id: str = ""
    history: bool = False


@dataclass(frozen=True, slots=True)
class JournalReading:
    """The answer. `records` are those of the newest run: the ones after the known, or all where it is another run.

    `known` is the hash that the known record has now, empty where it is gone; `runs` counts all runs.
    """

    journal_id: str
    tip: Tip
    known: str
    run_id: str
    runs: int
    records: tuple[Record, ...]
    history: tuple[Record, ...] = ()
    holder: Holder | None = None
    anew: bool = False  # another journal was let begin in its place: these are all its records
