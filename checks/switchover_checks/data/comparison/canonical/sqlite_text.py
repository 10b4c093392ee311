"""A row of SQLite as canonical text. Every expression asks what really lies there: SQLite's columns hold anything."""

from __future__ import annotations

from switchover_checks.data.comparison.canonical.text_forms import NULL, ODD, TextForm
from switchover_checks.data.database import DatabaseColumn
from switchover_checks.data.database.database_api import quoted

__all__ = ["DOCUMENT_FUNCTION", "sqlite_text"]

DOCUMENT_FUNCTION = "switchover_document"
"""The function of this program that writes a document as PostgreSQL does."""
_DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
_HOUR = "[0-9][0-9]:[0-9][0-9]:[0-9][0-9]"
_HEX = f"{'[0-9a-fA-F]' * 8}-{('[0-9a-fA-F]' * 4 + '-') * 3}{'[0-9a-fA-F]' * 12}"


def sqlite_text(column: DatabaseColumn, form: TextForm) -> str:
    """Write the SQL that gives a column's text."""
    name = quoted(column.name)
    cases = " ".join(f"WHEN '{kind}' THEN {text}" for kind, text in _texts(name, form).items())
    return f"CASE typeof({name}) {cases} WHEN 'null' THEN '{NULL}' ELSE '{ODD}' END"


def _texts(name: str, form: TextForm) -> dict[str, str]:
    match form:
        case TextForm.WHOLE:
            return {"integer": name}
        case TextForm.BOOLEAN:
            return {"integer": f"CASE WHEN {name} IN (0, 1) THEN {name} ELSE '{ODD}' END"}
        case TextForm.NUMBER:
            return {"integer": name, "real": _real(name), "text": _decimal(name)}
        case TextForm.FLOAT:
            return {"integer": name, "real": _real(name, f"printf('% .13e', {name})")}
        case TextForm.TEXT:
            return {"text": _with_length(name)}
        case TextForm.PADDED:
            return {"text": _with_length(f"rtrim({name})")}
        case TextForm.MOMENT:
            return {"text": _moment(name)}
        case TextForm.DAY:
            return {"text": f"CASE WHEN {name} GLOB '{_DAY}' THEN {name} ELSE '{ODD}' END"}
        case TextForm.HOUR:
            return {"text": f"CASE WHEN {name} GLOB '{_HOUR}*' THEN {_fraction(name, name, 1, 8)} ELSE '{ODD}' END"}
        case TextForm.IDENTITY:
            return {"text": f"CASE WHEN {name} GLOB '{_HEX}' THEN lower({name}) ELSE '{ODD}' END"}
        case TextForm.BYTES:
            return {"blob": f"'x' || lower(hex({name}))"}
        case TextForm.DOCUMENT:
            return {"text": f"{DOCUMENT_FUNCTION}({name})"}


def _with_length(text: str) -> str:
    return f"length(CAST({text} AS BLOB)) || ':' || {text}"


def _real(name: str, otherwise: str = f"'{ODD}'") -> str:
    """Write a number in short where that gives the same number again."""
    whole = f"WHEN {name} = CAST({name} AS INTEGER) AND abs({name}) < 9e15 THEN CAST({name} AS INTEGER)"
    short = f"WHEN CAST(CAST({name} AS TEXT) AS REAL) = {name} THEN CAST({name} AS TEXT)"
    return f"CASE {whole} {short} ELSE {otherwise} END"


def _decimal(name: str) -> str:
    """Take the zeros off the end of a fraction; of a text that is no number nothing equal comes out."""
    fraction = f"{name} GLOB '*.*' AND {name} NOT GLOB '*.*.*' AND {name} NOT GLOB '*[^0-9.-]*'"
    return f"CASE WHEN {fraction} THEN rtrim(rtrim({name}, '0'), '.') ELSE {name} END"


def _moment(name: str) -> str:
    """Take what is written as PostgreSQL writes it, also with a `T`; look closely only at the rest."""
    clean = f"substr({name}, 12) NOT GLOB '*[^0-9.:]*' AND {name} NOT GLOB '*.*0'"
    plain = f"WHEN {clean} THEN CASE WHEN {name} GLOB '{_DAY}[ T]*' THEN {_spaced(name)} ELSE '{ODD}' END"
    bare = (
        f"(CASE WHEN {name} GLOB '*Z' THEN substr({name}, 1, length({name}) - 1)"
        f" WHEN {name} GLOB '*+00:00' THEN substr({name}, 1, length({name}) - 6) ELSE {name} END)"
    )
    seconds = f"substr({name}, 1, 10) || ' ' || substr({name}, 12, 8)"
    other = f"WHEN {name} GLOB '{_DAY}[ T]{_HOUR}*' THEN {_fraction(bare, seconds, 1, 19)}"
    return f"CASE {plain} {other} ELSE '{ODD}' END"


def _spaced(name: str) -> str:
    return f"substr({name}, 1, 10) || ' ' || substr({name}, 12)"


def _fraction(text: str, base: str, start: int, end: int) -> str:
    """Write `base` with the fraction of at most six digits that stands in `text` from `end` on."""
    part = f"substr({text}, {end + 1})"
    digits = f"length({text}) BETWEEN {end + 2} AND {end + 7} AND {part} GLOB '.[0-9]*'"
    only = f"substr({part}, 2) NOT GLOB '*[^0-9]*'"
    shown = f"({base})" if base != text else f"substr({text}, {start}, {end})"
    return (
        f"CASE WHEN length({text}) = {end} THEN {shown}"
        f" WHEN {digits} AND {only} THEN {shown} || rtrim(rtrim({part}, '0'), '.') ELSE '{ODD}' END"
    )
