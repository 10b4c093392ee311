"""What a terminal can show: where its locale has no UTF-8, signs become ASCII signs of the same width.

Nothing that is shown depends on a sign alone (a word stands beside it), so a plain sign is enough.
"""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Mapping
from pathlib import Path

__all__ = ["HANDLER", "charset_of", "original_locale", "plain", "register"]

HANDLER = "switchover-plain"
_VARIABLES = ("LC_ALL", "LC_CTYPE", "LANG")
_COERCED = ("C.UTF-8", "C.utf8", "UTF-8")  # what Python puts there
_SIGNS = str.maketrans(
    {
        **dict(zip("▁▂▃▄▅▆▇█", "_.:-=+*#", strict=True)),
        **dict.fromkeys("─━┄┈╌–—−\u2010\u2011", "-"),
        **dict.fromkeys("│┃┆┊▌▐▏┤├", "|"),
        **dict.fromkeys("┌┐└┘┬┴┼╭╮╰╯┏┓┗┛╺╸", "+"),
        **dict.fromkeys("“”„«»", '"'),
        **dict.fromkeys("\u2018\u2019\u201a", "'"),
        **dict.fromkeys("░▒▓", ":"),
        **dict.fromkeys("•·∙", "."),
        **dict.fromkeys("\u00a0\u2800\u202f\u2009", " "),
        "…": "~", "→": ">", "←": "<", "↑": "^", "↓": "v", "⏎": "<", "✓": "+", "✗": "x", "×": "x", "▶": ">", "◀": "<",
        "○": "o", "●": "*", "◌": ".", "◔": "o", "◆": "#", "◇": "o", "■": "#", "□": "o", "⚠": "!", "⚑": "!", "↶": "<",
        "↻": "@", "⇅": "|",
        "≤": "<", "≥": ">", "≠": "!", "≈": "~", "±": "~", "°": "o", "€": "E", "µ": "u", "▲": "^", "▼": "v",
    }
)  # fmt: skip
_FIRST_BRAILLE, _LAST_BRAILLE = "\u2801", "\u28ff"
_BYTE_SETS = ("iso8859", "cp125", "latin", "koi8", "ascii")  # one byte a character, and one cell


def charset_of(environ: Mapping[str, str]) -> str:
    """Return the name of the codec for what the locale says; `utf-8` where it says nothing."""
    wanted = next((environ[name] for name in _VARIABLES if environ.get(name)), "")
    if not wanted:
        return "utf-8"
    name, dot, charset = wanted.partition("@")[0].partition(".")
    if not dot:
        return "ascii" if name in ("C", "POSIX") else "iso8859-1"
    try:
        known = codecs.lookup(charset).name
    except LookupError:
        return "ascii"
    return known if known == "utf-8" or known.startswith(_BYTE_SETS) else "ascii"


def original_locale(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the locale as they were given to this process: Python itself makes UTF-8 of C."""
    given = {name: environ[name] for name in _VARIABLES if environ.get(name)}
    if given.get("LC_CTYPE", "") not in _COERCED:
        return given
    try:
        start = Path("/proc/self/environ").read_bytes().split(b"\0")
    except OSError:
        return given
    at_start = next((entry[9:].decode("ascii", "replace") for entry in start if entry.startswith(b"LC_CTYPE=")), "")
    return {**given, "LC_CTYPE": at_start}


def plain(text: str) -> str:
    """Return text in ASCII that is as wide: letters without their accents, `?` for what has no likeness."""
    return "".join(map(_plain_sign, text.translate(_SIGNS)))


def _plain_sign(sign: str) -> str:
    if sign.isascii():
        return sign
    if _FIRST_BRAILLE <= sign <= _LAST_BRAILLE:
        return "*"
    width = 0 if unicodedata.combining(sign) or unicodedata.category(sign) in ("Cf", "Mn", "Me") else 1
    wide = unicodedata.east_asian_width(sign) in ("W", "F")
    letter = "".join(c for c in unicodedata.normalize("NFKD", sign) if c.isascii())
    return letter[:1] if len(letter) == 1 and not wide else "?" * (width + wide)


def register() -> str:
    """Make the handler known that writes plain signs for what an encoding does not have; return its name."""
    codecs.register_error(HANDLER, _replace)
    return HANDLER


def _replace(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return plain(error.object[error.start : error.end]), error.end
