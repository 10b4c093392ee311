"""What a plan says that a table must have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, ConfigDict

from switchover_checks.data.comparison.table_wish import Names

__all__ = ["IndexWish", "TableShape"]


@dataclass(frozen=True)
class IndexWish:
    """An index by its columns. `method` is as the database names it: btree, ivfflat."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", use_attribute_docstrings=True)
    columns: Names
    """The columns in their order, or expressions."""
    method: str = ""
    """How the database names its method: btree, ivfflat."""
    unique: bool | None = None
    """Whether it must be unique."""


def _as_mapping(value: object) -> object:
    names = (value,) if isinstance(value, str) else value
    return dict.fromkeys(names) if isinstance(names, list | tuple) else names


ColumnTypes = Annotated[
    Mapping[str, str | None],
    BeforeValidator(_as_mapping, json_schema_input_type=str | list[str] | dict[str, str | None]),
]


@dataclass(frozen=True)
class TableShape:
    """What a table must have. Nothing more is asked than what stands here."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", use_attribute_docstrings=True)
    columns: ColumnTypes = field(default_factory=dict)
    """Names, or names with types: `total: numeric(12,2) not null`."""
    key: Names = ()
    """The columns of the primary key."""
    indexes: tuple[str | IndexWish, ...] = ()
    """Indexes by name, or by their columns."""
    constraints: Names = ()
    """Constraints by name, or by the beginning of their text."""
