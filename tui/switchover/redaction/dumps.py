"""Reads back what `xxd`, `hexdump` and `od` print, so that a secret is found across their columns and lines."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

__all__ = ["Dumped", "read_dumps", "unfinished_row"]

_ROW = re.compile(
    rb"(0[0-9a-fA-F]{5,15}:?)(?= )"  # which is looked for by its first letter, hence fast
    rb"([ \t]+[0-9a-fA-F]{2,16}(?:[ \t]+[0-9a-fA-F-]{1,16})*[ \t\r]*(?=\n|\Z|[ \t][ |>])[^\n]*"
    rb"|(?: {3}\S| {2}\S\S| \S{3}| {4})+[^\n]*)"
)
_ROW_BEGUN = re.compile(rb"(?<![^\s|>])0[0-9a-fA-F]{5,15}:?(?:[ \t][^\n]*)?\Z")
_COLUMN = re.compile(rb"[ \t]+[|>]")
_CELLS = re.compile(rb" {3}\S| {2}\S\S| \S{3}| {4}")
_NAMED = {b"": 32, b"sp": 32, b"nl": 10, b"ht": 9, b"cr": 13, b"nul": 0, b"\\0": 0, b"\\n": 10, b"\\t": 9, b"\\r": 13}
_ITEM = rb"[0\\&](?:(?<=0)[xX]|(?<=\\)\\*(?:x|u00)|(?<=&)#x)[0-9a-fA-F]{2}[,;]?[ \t\r\n]*"
_LIST = re.compile(_ITEM + rb"(?:" + _ITEM + rb"){3,}")
_LIST_SIGN = re.compile(rb"[0&](?:(?<=0)[xX]|#x)")
_PAIR = re.compile(rb"(?<=[xX0])[0-9a-fA-F]{2}(?![xX])")
_ESCAPES = (  # a sign that tells whether to look, one of them, the number in it, its base
    (b"\\", rb"\\+[0-3][0-7]{2}", rb"[0-3][0-7]{2}", 8),
    (b"&#", rb"&#0*\d{2,3};", rb"\d{2,3}(?=;)", 10),
    (b"%u", rb"%u00[0-9a-fA-F]{2}", rb"(?<=%u00)[0-9a-fA-F]{2}", 16),
    (b"=", rb"=[0-9a-fA-F]{2}(?:=\r?\n)?", rb"(?<==)[0-9a-fA-F]{2}", 16),
    (b" ", rb"\b[0-3][0-7]{2}(?:\s+|\Z|(?=\]))", rb"\d{3}", 8),
    (b"", rb"\b\d{2,3}(?:\s*,\s*|\s+|\Z|(?=\]))", rb"\d{2,3}", 10),
)
_LEAST_ESCAPES = 4
_RUNS = tuple(
    (sign, re.compile(rb"(?:%b){4,}" % one), re.compile(number), base) for sign, one, number, base in _ESCAPES
)
_NO_NUMBERS = re.compile(rb"[^-0-9a-fA-F \t]")
_NOT_OCTAL = re.compile(rb"[^0-7]")
_LONGEST_ROW = 512
_LEAST_WORDS = 3  # in the first row of a dump


class Dumped:
    """The bytes that a dump shows. Each lies in its whole row: what is found takes the row's other columns with it."""

    def __init__(self, data: bytes, firsts: Sequence[int], rows: Sequence[tuple[int, int]]) -> None:
        self.data = data
        self._firsts = firsts  # the first byte of each row
        self._rows = rows

    def places(self, start: int, end: int) -> tuple[int, int]:
        """Return where the rows of the bytes begin and end."""
        first, last = (self._rows[bisect_right(self._firsts, at) - 1] for at in (start, end - 1))
        return first[0], last[1]


def read_dumps(raw: bytes, *, more: bool = False) -> Iterator[Dumped]:
    """Yield the ways to read the rows of a dump: byte for byte, or as words, low byte first.

    Where `more` comes, a row without an end is left out.
    """
    rows = list(_rows(raw[: unfinished_row(raw)] if more else raw))
    for way in (0, 1):
        if found := [(read[way], span) for span, read in rows if read[way]]:
            yield _joined(found)
    if b"\\" in raw or _LIST_SIGN.search(raw):
        pairs = [pair for match in _LIST.finditer(raw) for pair in _PAIR.finditer(raw, *match.span())]
        if pairs:
            yield _joined([(bytes.fromhex(pair[0].decode()), pair.span()) for pair in pairs])
    for sign, run, number, base in _RUNS:
        runs = run.finditer(raw) if sign in raw else ()
        items = [item for match in runs for item in number.finditer(raw, *match.span())]
        if read := [(bytes((value,)), item.span()) for item in items if (value := int(item[0], base)) < 256]:
            yield _joined(read)


def unfinished_row(raw: bytes) -> int:
    """Return where an unfinished last row of a dump begins; else the end."""
    line = raw.rfind(b"\n") + 1
    found = _ROW_BEGUN.search(raw, max(line, len(raw) - _LONGEST_ROW))
    return found.start() if found else len(raw)


def _rows(raw: bytes) -> Iterator[tuple[tuple[int, int], tuple[bytes, bytes]]]:
    before = -1
    for match in _ROW.finditer(raw):
        at = match.start()
        if at and raw[at - 1] not in b" \t\r\n|>":
            continue
        read = _read(match[1], match[2])
        if read is not None and (len(match[2].split()) >= _LEAST_WORDS or raw.rfind(b"\n", 0, at) == before):
            before = match.end()
            yield match.span(2), read


def _joined(parts: Sequence[tuple[bytes, tuple[int, int]]]) -> Dumped:
    data = bytearray()
    firsts = []
    for part, _ in parts:
        firsts.append(len(data))
        data += part
    return Dumped(bytes(data), firsts, [span for _, span in parts])


def _read(offset: bytes, row: bytes) -> tuple[bytes, bytes] | None:
    """Return what a row shows, read in two ways; None where it is no row of a dump."""
    row = row[:_LONGEST_ROW].rstrip()
    numbers = row.lstrip().partition(b"  ")[0] if offset.endswith(b":") else _COLUMN.split(row, 1)[0]
    if not _NO_NUMBERS.search(numbers) and (words := numbers.split()):
        if _CELLS.match(row) and any(len(word) == 1 for word in words):  # characters that happen to look like numbers
            return _letters(row), _numbers(words)[0]
        return _numbers(words)
    return (_letters(row), b"") if _CELLS.match(row) else None


def _numbers(words: Sequence[bytes]) -> tuple[bytes, bytes]:
    size = len(words[0])
    even = all(len(word) == size for word in words[:-1])
    if even and size in (3, 6, 8) and not _NOT_OCTAL.search(joined := b"".join(words)):
        if size == 8:
            return (b"", b"") if joined.strip(b"01") else (bytes(int(word, 2) for word in words), b"")
        values = [int(word, 8) for word in words]
        return _as_bytes(values, size // 3), _as_bytes([int(word) for word in words], 1)
    if even and size in (2, 4, 8, 16) and len(words[-1]) % 2 == 0 and b"-" not in words:
        parts = [bytes.fromhex(word.decode()) for word in words]
        return b"".join(parts), b"".join([part[::-1] for part in parts]) if size > 2 else b""
    if all(word.removeprefix(b"-").isdigit() for word in words):
        values = [int(word) % 256 if word.startswith(b"-") else int(word) for word in words]
        return _as_bytes(values, 2 if max(values) > 255 else 1), b""
    return b"", b""


def _as_bytes(values: Sequence[int], size: int) -> bytes:
    """Return numbers as bytes, the low one first. Nothing where one is too large to be a byte or a word."""
    if max(values) >= 1 << 8 * size:
        return b""
    return b"".join(value.to_bytes(size, "little") for value in values)


def _letters(row: bytes) -> bytes:
    data = bytearray()
    for cell in _CELLS.findall(row):
        word = cell.strip()
        if len(word) == 1:
            data += word
        elif word in _NAMED:
            data.append(_NAMED[word])
        elif re.fullmatch(rb"[0-3][0-7]{2}", word):
            data.append(int(word, 8))
        else:
            data.append(0)
    return bytes(data)
