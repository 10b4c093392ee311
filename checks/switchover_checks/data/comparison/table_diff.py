"""Two tables compared row by row in the order of their key, holding two rows at a time."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from switchover_checks.api import Finding, Status
from switchover_checks.data.comparison.compared_table import ColumnPair, ComparedTable, KeyRange
from switchover_checks.data.comparison.comparison_progress import ComparisonProgress
from switchover_checks.data.comparison.near_values import are_near, tolerance_words
from switchover_checks.data.comparison.normalise import Normaliser, normaliser, sort_key
from switchover_checks.data.database import Database, Rows

__all__ = ["TableDiff", "compare_tables"]

_LOOK_AT_CLOCK = 512
_MOST_COLUMNS = 20


@dataclass
class TableDiff:
    """What the comparison of one table found. Samples are keys as text, at most as many as asked for."""

    table: str
    key: tuple[str, ...]
    most_samples: int = 10
    left_rows: int = 0
    right_rows: int = 0
    only_left: int = 0
    only_right: int = 0
    changed: int = 0
    columns: Counter[str] = field(default_factory=Counter)
    """In how many rows each column differs."""
    samples: list[str] = field(default_factory=list)
    digest: tuple[str, str] = ("", "")
    trouble: str = ""
    how: str = ""
    """By what the rows were compared, and what was not looked at."""

    @property
    def equal(self) -> bool:
        """Whether both sides hold the same."""
        return not (self.only_left or self.only_right or self.changed) and self.digest[0] == self.digest[1]

    def note(self, mark: str, key: tuple[Any, ...]) -> None:
        """Keep a key as a sample while there is room."""
        if len(self.samples) < self.most_samples:
            self.samples.append(f"{mark}{_key_text(key)}")

    def add(self, part: TableDiff) -> None:
        """Take over what was found in a range of the table; the rows are counted already."""
        self.only_left += part.only_left
        self.only_right += part.only_right
        self.changed += part.changed
        self.columns += part.columns
        self.samples += part.samples[: self.most_samples - len(self.samples)]
        self.trouble = self.trouble or part.trouble

    def finding(self, names: tuple[str, str]) -> Finding:
        """Say it as one finding."""
        expected = self._rows(0)
        if self.trouble:
            return Finding(self.table, expected, self.trouble, Status.UNKNOWN)
        observed = self._rows(1)
        if self.how:
            observed += f", {self.how}"
        if self.equal:
            return Finding(self.table, expected, observed, Status.OK)
        parts = [
            f"{count} {word}"
            for count, word in (
                (self.changed, "changed"),
                (self.only_left, f"missing in {names[1]}"),
                (self.only_right, f"only in {names[1]}"),
            )
            if count
        ]
        if self.columns:
            listed = ", ".join(f"{name} {count}" for name, count in self.columns.most_common(_MOST_COLUMNS))
            observed += f"; differing columns: {listed}"
        hint = f"{', '.join(self.key)}: {'; '.join(self.samples)}" if self.samples else ""
        if hint:
            observed += f"; {hint}"
        if parts:
            observed = f"{', '.join(parts)}; {observed}"
        return Finding(self.table, expected, observed, Status.CRIT, f"look at {hint}" if hint else "")

    def _rows(self, side: int) -> str:
        count = (self.left_rows, self.right_rows)[side]
        return f"{count} rows, sha256 {self.digest[side][:12]}" if self.digest[side] else f"{count} rows"


def compare_tables(
    table: ComparedTable,
    left: Database,
    right: Database,
    keys: KeyRange,
    *,
    samples: int,
    progress: ComparisonProgress,
) -> TableDiff:
    """Compare a table on both sides by its values. Without a key, rows are compared as a bag, without samples."""
    untyped = left.dialect == right.dialect == "sqlite"
    convert = [normaliser(c.left, c.right, untyped, c.cast) for c in table.columns]
    names = [c.name for c in table.columns]
    words = tolerance_words(table.columns)
    diff = TableDiff(table.name, tuple(c.name for c in table.key), samples, how=words)
    rows = [db.rows(selection) for db, selection in zip((left, right), table.selections(keys), strict=True)]
    if not table.key:
        bags = [_bag(side, convert, progress) for side in rows]
        diff.left_rows, diff.right_rows = bags[0][0], bags[1][0]
        diff.digest = bags[0][1], bags[1][1]
        return diff
    places = [names.index(c.name) for c in table.key]
    sides = [_Side(side, convert, places, progress) for side in rows]
    try:
        for side in sides:
            side.step()
        _merge(sides[0], sides[1], diff, table.columns)
    except _OutOfOrderError as error:
        diff.trouble = str(error)
    finally:
        for side in sides:
            side.close()
    diff.left_rows, diff.right_rows = sides[0].count, sides[1].count
    if not words:
        diff.digest = sides[0].digest.hexdigest(), sides[1].digest.hexdigest()
    return diff


class _OutOfOrderError(Exception):
    """The key does not order the rows, or does not identify them."""


class _Side:
    """One side: the present row in its one form, its key, and the digest of all that has passed."""

    def __init__(
        self, rows: Rows, convert: Sequence[Normaliser], places: Sequence[int], progress: ComparisonProgress
    ) -> None:
        self._rows, self._convert, self._places, self._progress = rows, convert, places, progress
        self.count = 0
        self.row: str | None = None
        self.values: tuple[Any, ...] = ()
        self.key: tuple[Any, ...] = ()
        self.digest = hashlib.sha256()

    def close(self) -> None:
        """Give back the cursor, also in the middle."""
        self._rows.close()

    def step(self) -> None:
        """Go to the next row; `row` is None at the end."""
        before = self.key if self.row is not None else None
        raw = next(self._rows, None)
        if raw is None:
            self.row = None
            return
        self.count += 1
        if self.count % _LOOK_AT_CLOCK == 0:
            self._progress.rows(self.count)
        self.values = values = tuple([c(v) for c, v in zip(self._convert, raw, strict=True)])
        self.row = repr(values)
        self.key = sort_key(tuple([values[p] for p in self._places]))
        self.digest.update(self.row.encode("utf-8", "surrogateescape"))
        if before is not None:
            try:
                if self.key == before:
                    raise _OutOfOrderError(f"the key is not unique: {_key_text(self.key)} comes twice")
                if self.key < before:
                    raise _OutOfOrderError(
                        f"the key does not order the rows the same way on both sides, at {_key_text(self.key)}"
                    )
            except TypeError:
                raise _OutOfOrderError("the key holds values that cannot be ordered") from None


def _merge(a: _Side, b: _Side, diff: TableDiff, columns: Sequence[ColumnPair]) -> None:
    while a.row is not None or b.row is not None:
        if b.row is None or (a.row is not None and a.key < b.key):
            diff.only_left += 1
            diff.note("-", a.key)
            a.step()
        elif a.row is None or b.key < a.key:
            diff.only_right += 1
            diff.note("+", b.key)
            b.step()
        else:
            if a.row != b.row and (differing := _differing(columns, a.values, b.values)):
                diff.changed += 1
                diff.note("", a.key)
                diff.columns.update(differing)
            a.step()
            b.step()


def _differing(columns: Sequence[ColumnPair], left: Sequence[Any], right: Sequence[Any]) -> list[str]:
    """Return the columns in which two rows differ by more than they may."""
    both = zip(columns, left, right, strict=True)
    return [column.name for column, a, b in both if not are_near(a, b, column.tolerance)]


def _bag(rows: Rows, convert: Sequence[Normaliser], progress: ComparisonProgress) -> tuple[int, str]:
    """Digest rows whatever their order: the sum of the digests of each."""
    count, total = 0, 0
    for raw in rows:
        count += 1
        if count % _LOOK_AT_CLOCK == 0:
            progress.rows(count)
        row = tuple(c(v) for c, v in zip(convert, raw, strict=True))
        total += int.from_bytes(hashlib.sha256(repr(row).encode("utf-8", "surrogateescape")).digest(), "big")
    return count, f"{total % (1 << 256):064x}"


def _key_text(key: tuple[Any, ...]) -> str:
    shown = [("NULL" if rank == 0 else str(value))[:60] for rank, value in key]
    return shown[0] if len(shown) == 1 else f"({', '.join(shown)})"
