"""A table's columns, indexes and constraints against what they must be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from switchover_checks.api import Finding, Status
from switchover_checks.data.comparison.schema_wish import IndexWish, TableShape
from switchover_checks.data.database import Database, DatabaseColumn, DatabaseTable
from switchover_checks.data.database.database_api import DatabaseIndex, TableFacts

__all__ = ["SchemaJudge", "shape_of"]

_SAME = {
    "int": "integer", "int4": "integer", "int8": "bigint", "int2": "smallint", "serial": "integer",
    "bigserial": "bigint", "bool": "boolean", "varchar": "character varying", "char": "character",
    "decimal": "numeric", "float8": "double precision", "float4": "real", "double": "double precision",
    "timestamptz": "timestamp with time zone", "timestamp": "timestamp without time zone",
    "timetz": "time with time zone", "time": "time without time zone",
}  # fmt: skip
"""Types by another name."""
_TYPE = re.compile(r"(?P<name>[^(]+)(?P<size>\([^)]*\))?(?P<rest>.*)")


@dataclass(frozen=True, slots=True)
class SchemaJudge:
    """A table as it is."""

    name: str
    columns: Sequence[DatabaseColumn]
    facts: TableFacts

    def findings(self, shape: TableShape) -> list[Finding]:
        """Compare with what it must be. A table that is as it must be gives one finding."""
        wrong = [*self._columns(shape), *self._key(shape), *self._indexes(shape), *self._constraints(shape)]
        whole = Finding(self.name, "a table", f"{len(self.columns)} columns", Status.OK)
        return wrong or [whole]

    def _columns(self, shape: TableShape) -> Iterator[Finding]:
        known = {c.name: c.type for c in self.columns}
        for column, wanted in shape.columns.items():
            what = f"{self.name}.{column}"
            if column not in known:
                yield Finding(what, wanted or "a column", "not there", Status.CRIT)
                continue
            text, required, _ = (wanted or "").lower().partition("not null")
            full = self.facts.types.get(column, known[column])
            if text.strip() and _type(text) not in (_type(full), _type(known[column])):
                yield Finding(what, text.strip(), full, Status.CRIT)
            if required and column not in self.facts.required:
                yield Finding(what, "never NULL", "may be NULL", Status.CRIT)

    def _key(self, shape: TableShape) -> Iterator[Finding]:
        key = [c.name for c in sorted(self.columns, key=_key_place) if c.key]
        if shape.key and list(shape.key) != key:
            yield Finding(f"{self.name} key", ", ".join(shape.key), ", ".join(key) or "none", Status.CRIT)

    def _indexes(self, shape: TableShape) -> Iterator[Finding]:
        for wish in shape.indexes:
            found = [i for i in self.facts.indexes if _is_wanted(i, wish)]
            shown = wish if isinstance(wish, str) else _words(wish.columns, wish.method, wish.unique)
            if not found:
                known = "; ".join(f"{i.name} {_words(i.columns, i.method, i.unique)}" for i in self.facts.indexes)
                yield Finding(f"{self.name} index", shown, known or "none", Status.CRIT)
            elif not any(i.valid for i in found):
                hint = f"drop it and build it again: REINDEX INDEX {found[0].name}"
                yield Finding(f"{self.name} index", shown, f"{found[0].name} is not valid", Status.CRIT, hint)

    def _constraints(self, shape: TableShape) -> Iterator[Finding]:
        for wanted in shape.constraints:
            found = [c for c in self.facts.constraints if c.name == wanted or _even(c.text).startswith(_even(wanted))]
            if not found:
                known = "; ".join(f"{c.name} {c.text}".strip() for c in self.facts.constraints)
                yield Finding(f"{self.name} constraint", wanted, known or "none", Status.CRIT)
            elif not any(c.valid for c in found):
                hint = f"ALTER TABLE {self.name} VALIDATE CONSTRAINT {found[0].name}"
                text = f"{found[0].name} is not validated"
                yield Finding(f"{self.name} constraint", wanted, text, Status.CRIT, hint)


def shape_of(database: Database, table: DatabaseTable, *, exact: bool) -> TableShape:
    """Return what another database must have to be like this one; `exact` asks for types, indexes and constraints."""
    columns = database.columns(table)
    key = tuple(c.name for c in sorted(columns, key=_key_place) if c.key)
    if not exact:
        return TableShape({c.name: None for c in columns}, key)
    facts = database.facts(table)
    types = {c.name: facts.types[c.name] + (" not null" if c.name in facts.required else "") for c in columns}
    indexes = tuple(IndexWish(i.columns, i.method, i.unique) for i in facts.indexes)
    return TableShape(types, key, indexes, tuple(c.text for c in facts.constraints))


def _is_wanted(index: DatabaseIndex, wish: str | IndexWish) -> bool:
    if isinstance(wish, str):
        return index.name == wish
    method = not wish.method or wish.method.lower() == index.method
    return method and wish.unique in (None, index.unique) and [_even(c) for c in wish.columns] == [
        _even(c) for c in index.columns
    ]  # fmt: skip


def _words(columns: Sequence[str], method: str, unique: bool | None) -> str:
    return f"{'unique ' if unique else ''}{method} ({', '.join(columns)})".strip()


def _even(text: str) -> str:
    return " ".join(text.lower().replace('"', "").split())


def _type(text: str) -> str:
    match = _TYPE.fullmatch(_even(text))
    if match is None:
        return text
    name, size, rest = match["name"].strip(), (match["size"] or "").replace(" ", ""), match["rest"]
    return f"{_SAME.get(name + rest, _SAME.get(name, name) + rest)}{size}"


def _key_place(column: DatabaseColumn) -> int:
    return column.key
