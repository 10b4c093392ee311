"""Which graphemes all terminals draw alike, and what is made of the others."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

__all__ = ["LONGEST", "SINGLE", "harmless", "is_certain", "spilt_cells"]

# One cell each in every terminal: Latin, Greek, Cyrillic, arrows, mathematics, boxes, blocks, shapes, Braille.
SINGLE = frozenset(
    chr(code)
    for first, last in (
        (0x20, 0x7E), (0xA1, 0xAC), (0xAE, 0x2FF), (0x370, 0x377), (0x391, 0x3A1), (0x3A3, 0x482), (0x2010, 0x2027),
        (0x2190, 0x2199), (0x2212, 0x2212), (0x2500, 0x25FC), (0x2713, 0x2713), (0x2717, 0x2717), (0x2800, 0x28FF),
    )
    for code in range(first, last + 1)
)  # fmt: skip
_KNOWN_WIDE = ((0x2E80, 0x303E), (0x3041, 0xA4CF), (0xAC00, 0xD7A3), (0xF900, 0xFAFF), (0xFF01, 0xFF60))
LONGEST = 12  # code points of a grapheme that are kept: enough for any word, not for a tower of marks


@lru_cache(maxsize=4096)
def harmless(grapheme: str) -> str:
    """Return a grapheme without anything that acts on the terminal; of a joined emoji the first, whose width is known.

    A character without a shape of its own becomes a blank.
    """
    if grapheme.isprintable() and len(grapheme) <= LONGEST:
        return grapheme
    first, rest = grapheme[0], grapheme[1:]
    kept = [first if unicodedata.category(first) not in _SHAPELESS else " "]
    for mark in rest:
        if mark == "\u200d":
            break
        if unicodedata.category(mark) not in _SHAPELESS:
            kept.append(mark)
    return "".join(kept[:LONGEST])


_SHAPELESS = frozenset(["Cc", "Cf", "Cs", "Zl", "Zp", "Zs"])


@lru_cache(maxsize=4096)
def is_certain(grapheme: str) -> bool:
    """Tell whether all terminals agree on the width of a grapheme."""
    if len(grapheme) != 1:
        return False
    if grapheme in SINGLE:
        return True
    code = ord(grapheme)
    return any(first <= code <= last for first, last in _KNOWN_WIDE)


@lru_cache(maxsize=4096)
def spilt_cells(grapheme: str, size: int) -> int:
    """Return how many cells more than `size` a terminal may use that draws each character by itself."""
    return 2 - size + 2 * sum(unicodedata.category(mark) not in {"Mn", "Me"} for mark in grapheme[1:])
