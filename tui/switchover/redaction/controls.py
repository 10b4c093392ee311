"""What steers a terminal, and what nobody sees.

It is removed before a text is shown, and skipped in the search for a secret.

Both are said here, for text and for bytes. What redaction skips is never less than what display removes. Otherwise
display would join the letters of a secret again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

__all__ = [
    "C1",
    "ESCAPES",
    "SEQUENCES",
    "UNSEEN",
    "WRITTEN_OUT",
    "is_overstruck",
    "left_over",
    "sanitize",
    "without_unseen",
]

_SEQUENCES = re.compile(
    "\x1b\\][^\x07\x1b\x9c\n]*(?:\x07|\x1b\\\\|\x9c)?"  # OSC: titles, links, clipboard
    "|\x9d[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\\\|\x9c)?"
    "|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c\n]*(?:\x1b\\\\|\x9c)?"  # DCS SOS PM APC
    "|(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI: colours, cursor
    "|\x1b[ -/]*[0-~]?"  # other escapes
)
_ESCAPES = (
    rb"\][^\x07\x1b\n]*(?:\x07|\x1b\\)?"
    rb"|[PX^_][^\x1b\n]*(?:\x1b\\)?"
    rb"|\[[0-?]*[ -/]*[@-~]?"
    rb"|[ -/]*[0-~]?"
)
ESCAPES = re.compile(rb"\x1b(?:" + _ESCAPES + rb")")
"""The same in bytes, as nearly always: found by their first byte, hence fast."""

SEQUENCES = re.compile(
    rb"[\x1b\xc2](?:"
    rb"(?:(?<=\x1b)\]|(?<=\xc2)\x9d)(?:[^\x07\x1b\n\xc2]|\xc2(?!\x9c))*(?:\x07|\x1b\\|\xc2\x9c)?"
    rb"|(?:(?<=\x1b)[PX^_]|(?<=\xc2)[\x90\x98\x9e\x9f])(?:[^\x1b\n\xc2]|\xc2(?!\x9c))*(?:\x1b\\|\xc2\x9c)?"
    rb"|(?:(?<=\x1b)\[|(?<=\xc2)\x9b)[0-?]*[ -/]*[@-~]?"
    rb"|(?<=\x1b)[ -/]*[0-~]?)"
)
C1 = re.compile(rb"\xc2[\x90\x98\x9b-\x9f]")
"""The same where C1 controls stand in UTF-8."""

_INVISIBLE = (
    *("\xad", "\u034f", "\u061c", "\u115f-\u1160", "\u17b4-\u17b5", "\u180b-\u180f", "\u200b-\u200f", "\u202a-\u202e"),
    *("\u2060-\u206f", "\u3164", "\ufe00-\ufe0f", "\ufeff", "\uffa0", "\ufff0-\ufffb"),
    *("\U0001bca0-\U0001bca3", "\U0001d173-\U0001d17a"),
)
_TAGS = ("\U000e0000-\U000e0fff", r"\xf3", r"\xa0[\x80-\xbf][\x80-\xbf]")
_BLANK = (  # seen as a gap, or as a mark on the letter before: skipped beside what is not seen at all
    *("\xa0", "\u1680", "\u2000-\u200a", "\u2028-\u2029", "\u202f", "\u205f", "\u2800", "\u3000", "\ufffc-\ufffd"),
    *(
        "\u0300-\u036f",
        "\u0600-\u0605",
        "\u06dd",
        "\u070f",
        "\u0890-\u0891",
        "\u08e2",
        "\u1ab0-\u1aff",
        "\u1dc0-\u1dff",
    ),
    *("\u20d0-\u20ff", "\ufe20-\ufe2f", "\U000110bd", "\U000110cd", "\U00013430-\U0001343f"),
)
_UNSEEN = re.compile(  # C0 without tab and line end, DEL, C1
    f"[\x00-\x08\x0b-\x1f\x7f-\x9f{''.join(_INVISIBLE)}{_TAGS[0]}]"
)
_BROKEN = re.compile("[\ud800-\udfff]")
_LEFT = re.compile("(?:\x1b\\[|\x9b)([0-9]{0,3})D")
_LINE = re.compile("[^\r\n]+|[\r\n]+")
_PIECE = re.compile(f"({_LEFT.pattern})|{_SEQUENCES.pattern}|(\x08)|([^\x00-\x08\x0b-\x1f\x7f-\x9f])")


def _in_utf8(ranges: Iterable[str]) -> dict[str, str]:
    """Return patterns for what follows each first byte, for the characters of all ranges as they are in UTF-8."""
    last_bytes: dict[bytes, list[str]] = {}
    for one in ranges:
        for code in range(ord(one[0]), ord(one[-1]) + 1):
            written = chr(code).encode()
            last_bytes.setdefault(written[:-1], []).append(f"\\x{written[-1]:02x}")
    leads: dict[str, dict[str, list[str]]] = {}
    for before, last in last_bytes.items():
        way = leads.setdefault(f"\\x{before[0]:02x}", {})
        way.setdefault("".join(last), []).append("".join(f"\\x{byte:02x}" for byte in before[1:]))
    return {
        lead: "|".join(f"(?:{'|'.join(middle)})[{last}]" for last, middle in way.items()) for lead, way in leads.items()
    }


def _compiled(behind: Mapping[str, str], more: str = "") -> re.Pattern[bytes]:
    """Return a pattern that is searched for by its first byte, hence fast."""
    ways = "|".join(f"(?<={lead})(?:{way}{more})" for lead, way in behind.items())
    return re.compile(f"[{''.join(behind)}](?:{ways})".encode())


_UNSEEN_IN_UTF8 = {**_in_utf8(("\x80-\x9f", *_INVISIBLE, *_BLANK)), _TAGS[1]: _TAGS[2]}
_WHOLE = _compiled(_UNSEEN_IN_UTF8)
UNSEEN = _compiled(_UNSEEN_IN_UTF8, r"|[\x80-\xbf]{0,2}\Z")
"""In UTF-8: what is not seen beyond ASCII, and a character cut off at the end that may become one."""

WRITTEN_OUT = re.compile(
    rb"[\\^#\xe2](?:"
    rb"(?:(?<=\\)\\*(?:u001[bB]|x1[bB]|033|e)|(?<=\^)\[|(?<=#)033|(?<=\xe2)\x90\x9b)"
    rb"(?:\[[0-?]*[ -/]*(?:[@-~]|\Z)|\([0B]|\Z)"
    rb"|(?<=\\)\\*(?:[rntbf]|0{1,3}(?![0-9])|u00[01][0-9a-fA-F]|u00[7-9][0-9a-fA-F]|u00[aA][0dD]|x[01][0-9a-fA-F]|x7[fF]"
    rb"|u20(?:0[0-9a-fA-F]|2[89a-fA-F]|[56][0-9a-fA-F])|u[fF][eE][0-2fF][0-9a-fA-F]|u03[0-6][0-9a-fA-F]|u[fF]{3}[dD]"
    rb"|(?=\r?\n)|(?:u[02fF]?[0-9a-fA-F]{0,2}|x[017]?|03?)?\Z)"
    rb"|(?<=\^)(?:[@-\]_?]|\Z)|(?<=#)0?3?\Z)"
)
"""Sequences and unseen characters as JSON, `cat -v`, syslog and programming languages write them out."""


def sanitize(text: str | bytes, *, overwrite: bool = False) -> str:
    """Return text that is harmless on a terminal: no control sequences, no hidden or direction-changing characters.

    A lone carriage return becomes a line end. With `overwrite` it acts as on a terminal with progress bars: the text
    after it replaces the text before. So does what follows a backspace. Line ends and tabs stay; invalid UTF-8 becomes
    U+FFFD.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    if text.isascii() and text.isprintable():
        return text
    if is_overstruck(text):
        text = "".join([text[place] for place in left_over(text)])
    text = _SEQUENCES.sub("", text)
    text = text.replace("\r\n", "\n").replace("\u2028", "\n").replace("\u2029", "\n").replace("\x85", "\n")
    if "\r" in text:
        text = _overwritten(text) if overwrite else text.replace("\r", "\n")
    return _BROKEN.sub("\ufffd", _UNSEEN.sub("", text))


def without_unseen(data: bytes) -> bytes:
    """Return UTF-8 without what is not seen beyond ASCII."""
    return data if data.isascii() else _WHOLE.sub(b"", data)


def is_overstruck(text: str) -> bool:
    """Tell whether something goes back over what was written, but for carriage returns."""
    return "\x08" in text or (("\x1b[" in text or "\x9b" in text) and _LEFT.search(text) is not None)


def left_over(text: str) -> list[int]:
    """Return the places of the characters that a terminal leaves of a text, in the order seen."""
    left: list[int] = []
    for line in _LINE.finditer(text):
        if "\x08" in line[0] or _LEFT.search(line[0]):
            left += _left_of_line(text, *line.span())
        else:
            left += range(*line.span())
    return left


def _left_of_line(text: str, start: int, end: int) -> list[int]:
    cells: list[int] = []
    cursor = 0
    for piece in _PIECE.finditer(text, start, end):
        if piece[1]:
            cursor = max(0, cursor - int(piece[2] or 1))
        elif piece[3]:
            cursor = max(0, cursor - 1)
        elif piece[4]:
            cells[cursor : cursor + 1] = [piece.start()]
            cursor += 1
    return cells


def _overwritten(text: str) -> str:
    lines = []
    for line in text.split("\n"):
        parts = [part for part in line.split("\r") if part]
        lines.append(parts[-1] if parts else "")
    return "\n".join(lines)
