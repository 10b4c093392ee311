"""What a query does, read from its text: how many statements there are, of which kind, and what they call.

The text is cut into words first. So a comment or a quoted text is never taken for SQL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from switchover_checks.language.sql_functions import only_reads

__all__ = ["Query", "read_query"]

_WORD = re.compile(
    r"""(?P<blank>\s+|--[^\n]*)
      |(?P<comment>/\*)
      |(?P<dollar>\$(?:[A-Za-z_]\w*)?\$)
      |(?P<text>[eE]'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*')
      |(?P<quoted>"(?:[^"]|"")*"|`[^`]*`)
      |(?P<name>[^\W\d]\w*(?:\$\w*)?)
      |(?P<number>\d[\w.]*)
      |(?P<end>;)
      |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_ASKS = "this is read-only and asks one thing, such as SELECT count(*) FROM orders"
_READING = frozenset({"select", "with", "values", "table", "show", "explain", "pragma"})
_REFUSED = frozenset(
    str.split("alter comment create delete drop grant insert lock merge reindex replace revoke truncate update")
)
"""Words that begin a statement which a database that was opened for reading refuses in words of its own."""
_CHANGING = {"insert": "into", "delete": "from", "merge": "into", "update": "set"}
"""Words that begin a change also behind WITH and EXPLAIN, and what follows each within a few words."""
_SETTINGS = frozenset(
    str.split(
        """application_id auto_vacuum cache_size collation_list compile_options data_version database_list encoding
        foreign_keys freelist_count function_list journal_mode max_page_count module_list page_count page_size
        pragma_list schema_version user_version"""
    )
)
_ABOUT = frozenset(
    str.split(
        """foreign_key_check foreign_key_list index_info index_list index_xinfo integrity_check quick_check
        table_info table_list table_xinfo"""
    )
)
"""Pragmas that are read without a value, and those that take the name of what they are asked about."""
_BEFORE_PARENTHESIS = frozenset(
    str.split(
        """all and any array as between by case check columns cube default distinct else end except exists filter
        following from group grouping having in inner intersect is join key lateral left like limit materialized
        natural not nothing offset on or order outer over partition preceding range recursive return returning
        right rollup row rows select sets similar some then to union unique using values when where window with
        within bigint bit char character dec decimal float int integer interval numeric real smallint text time
        timestamp varchar varying date double precision"""
    )
)
"""Words that stand before a parenthesis without calling anything."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query as it reads.

    `wrong` says why it is not one question, where no database would refuse it; `changes` what it may change.
    """

    wrong: str = ""
    changes: str = ""


def read_query(text: str) -> Query:
    """Judge the text of a query without asking any database."""
    words = _words(text)
    if words is None:
        return Query("a quote or a comment in it is not closed")
    while words and words[-1] == ";":
        words.pop()
    if not words:
        return Query("the query is empty")
    if ";" in words:
        return Query(f"it is more than one statement; {_ASKS}")
    first = words[0].lower()
    if first == "(":
        first = next((w.lower() for w in words if w != "("), "")
    if first in _REFUSED:
        return Query(changes=f"{first.upper()} changes something")
    if first not in _READING:
        return Query(f"{words[0][:40].upper()} is no question; {_ASKS}")
    plain = [w.lower() for w in words]
    if first == "pragma":
        return _pragma(plain)
    for place, word in enumerate(plain):
        if word in _CHANGING and _CHANGING[word] in plain[place + 1 : place + 9] and plain[place - 1] != ".":
            return Query(changes=f"{word.upper()} changes something")
    if "into" in plain:
        return Query(changes="INTO makes a table")
    return Query(changes=_called(words))


def _pragma(words: list[str]) -> Query:
    after = words[3:] if words[2:3] == ["."] else words[1:]
    name = after[0] if after else "?"
    if "=" not in after and (name in _ABOUT or (name in _SETTINGS and len(after) == 1)):
        return Query()
    return Query(f"PRAGMA {name} may change something; {_ASKS}")


def _called(words: list[str]) -> str:
    """Name the first function that is not known to only read."""
    plain = [w.lower() for w in words]
    own = {plain[i] for i, w in enumerate(plain[:-1]) if plain[i + 1] in ("(", "as") and _named_before(plain, i)}
    for place, word in enumerate(words[:-1]):
        if words[place + 1] != "(":
            continue
        quoted = word[:1] in '"`['
        name = word[1:-1].replace('""', '"') if quoted else word.lower()
        if not (quoted or word[:1].isalpha() or word[:1] == "_"):
            continue
        if not quoted and (name in _BEFORE_PARENTHESIS or name in own):
            continue
        if place and plain[place - 1] == "as":
            continue
        foreign = plain[place - 1] == "." and plain[place - 2] not in ("pg_catalog", "public")
        if foreign or not only_reads(name):
            return f"it calls {name[:60]}()"
    return ""


def _named_before(words: list[str], place: int) -> bool:
    """Tell whether a name is a common table expression: `WITH name AS (` or `, name (a, b) AS (`."""
    if place == 0 or words[place - 1] not in ("with", "recursive", ","):
        return False
    if words[place + 1] == "as":
        return True
    depth = 0
    for later, word in enumerate(words[place + 1 :], place + 1):
        depth += (word == "(") - (word == ")")
        if depth == 0:
            return words[later + 1 : later + 2] == ["as"]
    return False


def _words(text: str) -> list[str] | None:
    """Cut the text into words, without comments and with each quoted text as `''`; None where one is not closed."""
    found: list[str] = []
    position = 0
    while position < len(text):
        match = _WORD.match(text, position)
        if match is None:
            return None
        kind = match.lastgroup
        position = match.end()
        if kind == "comment":
            position = _comment_end(text, position)
            if position < 0:
                return None
        elif kind == "dollar":
            closing = text.find(match[0], position)
            if closing < 0:
                return None
            position = closing + len(match[0])
            found.append("''")
        elif kind == "text":
            found.append("''")
        elif kind == "other" and match[0] in "'\"`":
            return None
        elif kind != "blank":
            found.append(match[0])
    return found


def _comment_end(text: str, position: int) -> int:
    """Return where a comment ends; comments of PostgreSQL may hold others."""
    depth = 1
    while depth:
        opening, closing = text.find("/*", position), text.find("*/", position)
        if closing < 0:
            return -1
        if 0 <= opening < closing:
            depth, position = depth + 1, opening + 2
        else:
            depth, position = depth - 1, closing + 2
    return position
