"""One table compared in the quickest way that both sides allow; what differs is read again, value by value."""

from __future__ import annotations

from dataclasses import dataclass

from switchover_checks.data.comparison.alike_columns import binary_expressions, binary_key_fields
from switchover_checks.data.comparison.bookmark import Bookmark
from switchover_checks.data.comparison.canonical.canonical_rows import canonical_rows
from switchover_checks.data.comparison.canonical.document_text import document_writer
from switchover_checks.data.comparison.canonical.sqlite_text import DOCUMENT_FUNCTION
from switchover_checks.data.comparison.compared_table import ComparedTable, KeyRange
from switchover_checks.data.comparison.comparison_progress import ComparisonProgress
from switchover_checks.data.comparison.line_merge import LineMerge, MergeOutcome
from switchover_checks.data.comparison.near_values import tolerance_words
from switchover_checks.data.comparison.row_keys import BinaryKeys, KeyReader, OddKeyError
from switchover_checks.data.comparison.table_diff import TableDiff, compare_tables
from switchover_checks.data.database import Database

__all__ = ["TableComparison"]


@dataclass(frozen=True, slots=True)
class _Lines:
    """How both sides write their rows alike."""

    left: list[str]
    right: list[str]
    keys: KeyReader
    bare: bool
    words: str


@dataclass(frozen=True, slots=True)
class _Watcher:
    """Notes how far a table is."""

    table: str
    keys: KeyReader
    progress: ComparisonProgress
    bookmark: Bookmark

    def passed(self, outcome: MergeOutcome, equal: bytes | None) -> None:
        self.bookmark.note(self.table, outcome, equal, self.keys)
        self.progress.rows(max(outcome.rows))


@dataclass(frozen=True, slots=True)
class TableComparison:
    """Compares tables of two open databases."""

    left: Database
    right: Database
    samples: int
    progress: ComparisonProgress
    bookmark: Bookmark

    def run(self, table: ComparedTable) -> TableDiff:
        """Compare one table."""
        lines = self._lines(table) if table.unique else None
        if lines is None:
            return self._exactly(table, KeyRange())
        try:
            outcome = self._merged(table, lines)
            return self._read_again(table, outcome, lines.words)
        except OddKeyError:
            return self._exactly(table, KeyRange())

    def _lines(self, table: ComparedTable) -> _Lines | None:
        if (self.left.dialect, self.right.dialect) == ("postgresql", "postgresql"):
            written = binary_expressions(table)
            if written is not None:
                key = BinaryKeys(binary_key_fields(table.key))
                return _Lines(*written, key, bare=False, words="byte for byte")
            return None
        return self._canonical_lines(table)

    def _canonical_lines(self, table: ComparedTable) -> _Lines | None:
        written = canonical_rows(table, (self.left.dialect, self.right.dialect))
        functions = {DOCUMENT_FUNCTION: document_writer()}
        if written is None or not (self.left.prepare(functions) and self.right.prepare(functions)):
            return None
        left, right, keys, words = written
        return _Lines([left], [right], keys, bare=True, words=", ".join(w for w in ("as text", words) if w))

    def _merged(self, table: ComparedTable, lines: _Lines) -> MergeOutcome:
        start = self.bookmark.start(table.name)
        selections = table.selections(start[1])
        left = self.left.lines(lines.left, selections[0], bare=lines.bare)
        right = self.right.lines(lines.right, selections[1], bare=lines.bare)
        watcher = _Watcher(table.name, lines.keys, self.progress, self.bookmark)
        try:
            return LineMerge(left, right, lines.keys, watcher, start).run()
        finally:
            left.close()
            right.close()

    def _read_again(self, table: ComparedTable, outcome: MergeOutcome, words: str) -> TableDiff:
        words = ", ".join(w for w in (words, tolerance_words(table.columns)) if w)
        diff = TableDiff(table.name, tuple(c.name for c in table.key), self.samples, how=words)
        diff.left_rows, diff.right_rows = outcome.rows
        for found in outcome.ranges:
            part = self._exactly(table, found.keys)
            rows = part.left_rows, part.right_rows
            if found.rows is None:
                diff.left_rows, diff.right_rows = diff.left_rows + rows[0], diff.right_rows + rows[1]
            elif not part.trouble and rows != found.rows:
                raise OddKeyError  # the server's order is not the one that was followed
            diff.add(part)
        return diff

    def _exactly(self, table: ComparedTable, keys: KeyRange) -> TableDiff:
        return compare_tables(table, self.left, self.right, keys, samples=self.samples, progress=self.progress)
