"""A row of MySQL or MariaDB as canonical text."""

from __future__ import annotations

from switchover_checks.data.comparison.canonical.text_forms import NULL, ODD, TextForm
from switchover_checks.data.database import DatabaseColumn

__all__ = ["mysql_form", "mysql_text"]

_WHOLE = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "year"})
_TEXTS = frozenset({"varchar", "char", "tinytext", "text", "mediumtext", "longtext", "enum", "set", "json", "uuid"})
_BYTES = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"})
_WRITES = {
    TextForm.WHOLE: _WHOLE | {"boolean"},
    TextForm.BOOLEAN: frozenset({"boolean", "tinyint"}),
    TextForm.NUMBER: _WHOLE | {"decimal"},
    TextForm.TEXT: _TEXTS,
    TextForm.PADDED: frozenset({"char", "varchar"}),
    TextForm.MOMENT: frozenset({"datetime", "timestamp"}),
    TextForm.DAY: frozenset({"date"}),
    TextForm.HOUR: frozenset({"time"}),
    TextForm.IDENTITY: frozenset({"char", "varchar", "uuid"}),
    TextForm.BYTES: _BYTES,
    TextForm.DOCUMENT: _TEXTS,
}


def mysql_form(column: DatabaseColumn, other: TextForm | None = None) -> TextForm | None:
    """Return the form of a column: that of the `other` side where it can be written so, else its own."""
    if other is not None:
        return other if column.type in _WRITES.get(other, ()) else None
    own = (TextForm.WHOLE, TextForm.NUMBER, TextForm.MOMENT, TextForm.DAY, TextForm.HOUR, TextForm.BYTES, TextForm.TEXT)
    return next((form for form in own if column.type in _WRITES[form]), None)


def mysql_text(column: DatabaseColumn, form: TextForm) -> str:
    """Write the SQL that gives a column's text."""
    name = "`" + column.name.replace("`", "``") + "`"
    return f"coalesce({_text(name, form)}, '{NULL}')"


def _text(name: str, form: TextForm) -> str:
    text = f"CONVERT({name} USING utf8mb4)"
    match form:
        case TextForm.BOOLEAN:
            return f"CASE WHEN {name} NOT IN (0, 1) THEN '{ODD}' ELSE {text} END"
        case TextForm.NUMBER | TextForm.MOMENT | TextForm.HOUR:
            trimmed = f"TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM {text}))"
            return f"CASE WHEN LOCATE('.', {text}) > 0 THEN {trimmed} ELSE {text} END"
        case TextForm.TEXT | TextForm.DOCUMENT:
            return f"CONCAT(OCTET_LENGTH({text}), ':', {text})"
        case TextForm.PADDED:
            return f"CONCAT(OCTET_LENGTH(RTRIM({text})), ':', RTRIM({text}))"
        case TextForm.IDENTITY:
            return f"CASE WHEN OCTET_LENGTH({text}) = 36 THEN LOWER({text}) ELSE '{ODD}' END"
        case TextForm.BYTES:
            return f"CONCAT('x', LOWER(HEX({name})))"
        case _:
            return text
