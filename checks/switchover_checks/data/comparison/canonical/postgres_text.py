"""A row of PostgreSQL as canonical text."""

from __future__ import annotations

from switchover_checks.data.comparison.canonical.text_forms import EXACT_DIGITS, NULL, TextForm
from switchover_checks.data.database import DatabaseColumn
from switchover_checks.data.database.database_api import quoted

__all__ = ["postgres_form", "postgres_text"]

_FORMS = {
    "smallint": TextForm.WHOLE,
    "integer": TextForm.WHOLE,
    "bigint": TextForm.WHOLE,
    "boolean": TextForm.BOOLEAN,
    "numeric": TextForm.NUMBER,
    "real": TextForm.FLOAT,
    "double precision": TextForm.FLOAT,
    "text": TextForm.TEXT,
    "character varying": TextForm.TEXT,
    "name": TextForm.TEXT,
    "citext": TextForm.TEXT,
    "character": TextForm.PADDED,
    "timestamp without time zone": TextForm.MOMENT,
    "timestamp with time zone": TextForm.MOMENT,
    "date": TextForm.DAY,
    "time without time zone": TextForm.HOUR,
    "uuid": TextForm.IDENTITY,
    "bytea": TextForm.BYTES,
    "json": TextForm.DOCUMENT,
    "jsonb": TextForm.DOCUMENT,
}


def postgres_form(column: DatabaseColumn) -> TextForm | None:
    """Return the form of a column; None where there is none for its type."""
    return _FORMS.get(column.type)


def postgres_text(column: DatabaseColumn, form: TextForm) -> str:
    """Write the SQL that gives a column's text."""
    return f"coalesce({_text(quoted(column.name), column.type, form)}, '{NULL}')"


def _text(name: str, kind: str, form: TextForm) -> str:
    match form:
        case TextForm.BOOLEAN:
            return f"{name}::int::text"
        case TextForm.NUMBER:
            return f"trim_scale({name})::text"
        case TextForm.FLOAT:
            number = f"{name}::text::float8" if kind == "real" else name
            short = f"length(replace(ltrim({name}::text, '-0.'), '.', '')) <= {EXACT_DIGITS}"
            finite = f"{name} > '-infinity' AND {name} < 'infinity'"
            rounded = f"CASE WHEN {finite} THEN to_char({number}, '9.9999999999999EEEE') END"
            return f"CASE WHEN {short} THEN {name}::text ELSE {rounded} END"
        case TextForm.TEXT | TextForm.PADDED:
            return f"octet_length({name}::text) || ':' || {name}::text"
        case TextForm.MOMENT if kind == "timestamp with time zone":
            return f"({name} AT TIME ZONE 'UTC')::text"
        case TextForm.BYTES:
            return f"'x' || encode({name}, 'hex')"
        case TextForm.DOCUMENT:
            document = f"{name}::jsonb::text" if kind == "json" else f"{name}::text"
            return f"octet_length({document}) || ':' || {document}"
        case _:
            return f"{name}::text"
