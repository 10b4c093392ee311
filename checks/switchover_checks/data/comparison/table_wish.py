"""What a plan says of one table: where it lies on the right side, and how its columns are compared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, ConfigDict, Field

from switchover_checks.data.comparison.normalise import CASTS
from switchover_checks.language.sql_text import read_query
from switchover_checks.language.suggest import did_you_mean

__all__ = ["Distance", "Names", "TableWish", "Where"]


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_tuple, json_schema_input_type=str | list[str])]
Distance = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def _is_closed(text: str) -> bool:
    depth = 0
    for letter in re.sub(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"", "", text):
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            return False
    return depth == 0


@dataclass(frozen=True)
class Where:
    """A condition for each side."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", use_attribute_docstrings=True)
    left: str = ""
    """For the rows of the left side."""
    right: str = ""
    """For the rows of the right side."""


@dataclass(frozen=True)
class TableWish:
    """How a table of the left side is compared. Names of columns are those of the left side."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", use_attribute_docstrings=True)
    to: str | None = None
    """The table of the right side, where it has another name."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Columns that have another name on the right side."""
    key: Names = ()
    """The columns that identify a row. Without it the primary key."""
    where: str | Where = ""
    """Only the rows for which this SQL is true, on both sides or one for each."""
    ignore: Names = ()
    """Columns that are left out."""
    tolerance: Distance | Mapping[str, Distance] | None = None
    """How far numbers may lie apart, of all columns or by column; for times in seconds."""
    casts: Mapping[str, str] = field(default_factory=dict)
    """Columns whose values are read on both sides as this type."""

    def __post_init__(self) -> None:
        for text in filter(None, self.conditions):
            query = read_query(f"SELECT 1 FROM t WHERE ({text}\n)")  # noqa: S608
            if wrong := query.wrong or query.changes:
                raise ValueError(f"where: {wrong}")
            if not _is_closed(text):
                raise ValueError("where: the parentheses do not fit together")
        for kind in self.casts.values():
            if kind not in CASTS:
                raise ValueError(
                    f"casts: there is no {kind!r}{did_you_mean(kind, CASTS)}; there are {', '.join(CASTS)}"
                )
        if len(set(self.columns.values())) < len(self.columns):
            raise ValueError("columns: two columns have the same name on the right side")

    @property
    def conditions(self) -> tuple[str, str]:
        """The conditions of the left and the right side."""
        return (self.where.left, self.where.right) if isinstance(self.where, Where) else (self.where, self.where)

    def with_tolerance(self, usual: float | Mapping[str, float] | None, columns: set[str]) -> TableWish:
        """Return it with the `usual` tolerance of those `columns` of which it says nothing itself."""
        if self.tolerance is not None or usual is None:
            return self
        chosen = {k: v for k, v in usual.items() if k in columns} if isinstance(usual, Mapping) else usual
        return replace(self, tolerance=chosen)

    def tolerance_of(self, column: str) -> float | None:
        """Return how far the values of a column may lie apart."""
        return self.tolerance.get(column) if isinstance(self.tolerance, Mapping) else self.tolerance

    def named(self) -> set[str]:
        """Return all columns of the left side that are spoken of."""
        tolerated = self.tolerance if isinstance(self.tolerance, Mapping) else ()
        return {*self.columns, *self.key, *tolerated, *self.casts}
