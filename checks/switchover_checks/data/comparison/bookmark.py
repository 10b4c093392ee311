"""Where a comparison was interrupted, so that the next one goes on from there and counts no row twice."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from switchover_checks.api import Finding, Status
from switchover_checks.data.comparison.compared_table import KeyRange
from switchover_checks.data.comparison.line_merge import DifferingRange, MergeOutcome
from switchover_checks.data.comparison.row_keys import KeyReader, OddKeyError
from switchover_checks.data.database.database_api import KeyValue

__all__ = ["Bookmark"]

_OLDEST_S = 24 * 3600.0
_NOTED_EVERY_S = 0.5


class Bookmark:
    """What is kept in `memory`: the tables that are done, and how far the present one is.

    It belongs to one comparison, `what`. `marks` tell how the two sides stand now.
    """

    def __init__(self, memory: dict[str, Any], what: str, marks: tuple[str, str], now: float) -> None:
        self._memory = memory
        same = memory.get("what") == what and now - float(memory.get("since", 0.0)) < _OLDEST_S
        if not same:
            memory.clear()
            memory.update(what=what, since=now, marks=list(marks), done={})
        self._unchanged = all(marks) and memory["marks"] == list(marks)
        self._resumed = bool(memory["done"] or "table" in memory)
        self._from = self._words() if self._resumed else ""
        self._noted = 0.0

    def done(self, table: str) -> tuple[Finding, tuple[int, int]] | None:
        """Return what was found of a table that was read to its end."""
        kept = self._memory["done"].get(table)
        if kept is None:
            return None
        what, expected, observed, status, hint, left, right = kept
        return Finding(what, expected, observed, Status(status), hint), (left, right)

    def start(self, table: str) -> tuple[MergeOutcome, KeyRange]:
        """Return from where on a table is read."""
        if self._memory.get("table") != table:
            return MergeOutcome(), KeyRange()
        ranges = [
            DifferingRange(KeyRange(_bound(after), _bound(upto)), (rows[0], rows[1]))
            for after, upto, rows in self._memory["ranges"]
        ]
        return MergeOutcome(list(self._memory["rows"]), ranges), KeyRange(_bound(self._memory["after"]))

    def note(self, table: str, outcome: MergeOutcome, equal: bytes | None, keys: KeyReader) -> None:
        """Note how far a table is, where its keys can be kept."""
        now = time.monotonic()
        if equal is None or now - self._noted < _NOTED_EVERY_S:
            return
        self._noted = now
        try:
            after = keys.read(equal).values
        except OddKeyError:
            return
        ranges = [(r.keys.after, r.keys.upto, r.rows) for r in outcome.ranges]
        values = [v for bounds in [(after, None, None), *ranges] for bound in bounds[:2] for v in bound or ()]
        if all(isinstance(value, int | str) for value in values):
            self._memory.update(table=table, after=after, rows=list(outcome.rows), ranges=ranges)

    def ended(self, table: str, finding: Finding, rows: tuple[int, int]) -> None:
        """Keep what was found of a table."""
        kept = [finding.what, finding.expected, finding.observed, int(finding.status), finding.hint, *rows]
        self._memory["done"][table] = kept
        for name in ("table", "after", "rows", "ranges"):
            self._memory.pop(name, None)

    def finding(self) -> Finding | None:
        """Say what of the result is older than this look."""
        if not self._resumed:
            return None
        if self._unchanged:
            return Finding("resumed", "both sides unchanged since", f"{self._from}; unchanged since", Status.OK)
        hint = "the next look reads all rows again"
        return Finding("resumed", "both sides unchanged since", f"{self._from}; not known", Status.UNKNOWN, hint)

    def forget(self) -> None:
        """Begin anew with the next look."""
        self._memory.clear()

    def _words(self) -> str:
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(float(self._memory["since"])))
        parts = [f"table {name}" for name in self._memory["done"]]
        if "table" in self._memory:
            key = ", ".join(str(value)[:60] for value in self._memory["after"])
            parts.append(f"table {self._memory['table']} up to {key}")
        return f"{'; '.join(parts[-3:])} as of {when}"


def _bound(values: Sequence[KeyValue] | None) -> tuple[KeyValue, ...] | None:
    return None if values is None else tuple(values)
