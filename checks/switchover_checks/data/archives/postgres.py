"""Dumps of PostgreSQL that `pg_restore` reads: the table of contents, and all that it says must be there."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from switchover_checks.data.archives.stream import PIECE, DamagedError, Stream, UnprovedError

__all__ = ["Contents", "Entry", "check_pg_custom", "ends_as_rows", "read_contents"]

MAGIC = b"PGDMP"
_CUSTOM, _TAR, _DIRECTORY = 1, 3, 5
_NEWEST = 16
_MOST_TEXT = 1 << 30
_NO_DATA = 3
_PLAIN, _GZIP = 0, 1
_ROWS_END = b"\\.\n\n\n"


@dataclass(frozen=True, slots=True)
class Entry:
    """A thing in the dump. `file` is where its data lies, for the formats of several files; `rows`: COPY rows."""

    number: int
    what: str
    file: str
    has_data: bool
    rows: bool


@dataclass(frozen=True, slots=True)
class Contents:
    """The table of contents of a dump."""

    version: str
    format: int
    packing: int
    entries: tuple[Entry, ...]


class _Numbers:
    """Reads numbers and texts as the version that wrote the dump writes them."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        head = stream.exactly(5, "its first bytes")
        if head != MAGIC:
            raise DamagedError(f"it begins with {head!r}, not {MAGIC.decode()}")
        major, minor = stream.exactly(2, "its header")
        self.version = (major, minor)
        if self.version > (1, 0):
            stream.exactly(1, "its header")
        self.int_size = stream.exactly(1, "its header")[0]
        self.offset_size = stream.exactly(1, "its header")[0] if self.version >= (1, 7) else self.int_size
        self.format = stream.exactly(1, "its header")[0]
        if not 1 <= self.int_size <= 8 or not 1 <= self.offset_size <= 8:
            raise DamagedError("its header makes no sense")

    def number(self, what: str) -> int:
        negative = self.stream.exactly(1, what)[0] if self.version > (1, 0) else 0
        value = int.from_bytes(self.stream.exactly(self.int_size, what), "little")
        return -value if negative else value

    def text(self, what: str) -> bytes | None:
        size = self.number(what)
        if size < 0:
            return None
        if size > _MOST_TEXT:
            raise DamagedError(f"{what} makes no sense")
        return self.stream.exactly(size, what)


def read_contents(stream: Stream) -> tuple[Contents, _Numbers]:
    """Read the header and the table of contents. Raise `DamagedError`; `UnprovedError` for an unknown version."""
    numbers = _Numbers(stream)
    version = numbers.version
    if not (1, 10) <= version <= (1, _NEWEST):
        raise UnprovedError(f"its format {version[0]}.{version[1]} is not known here")
    where = "its header"
    packing = stream.exactly(1, where)[0] if version >= (1, 15) else int(numbers.number(where) != 0)
    for _ in range(7):
        numbers.number(where)
    for _ in range(3):
        numbers.text(where)
    count = numbers.number("its table of contents")
    entries = tuple(_entry(numbers) for _ in range(count))
    return Contents(f"{version[0]}.{version[1]}", numbers.format, packing, entries), numbers


def _entry(numbers: _Numbers) -> Entry:
    where, version = "its table of contents", numbers.version
    number, had_dumper = numbers.number(where), numbers.number(where)
    numbers.text(where)  # table oid
    numbers.text(where)  # oid
    tag, kind = numbers.text(where), numbers.text(where)
    if version >= (1, 11):
        numbers.number(where)  # section
    numbers.text(where)  # definition
    numbers.text(where)  # how it is dropped
    copy = numbers.text(where)
    for least in ((1, 6), (1, 10), (1, 14)):  # schema, tablespace, access method
        if version >= least:
            numbers.text(where)
    if version >= (1, 16):
        numbers.number(where)  # kind of relation
    numbers.text(where)  # owner
    numbers.text(where)  # with oids
    while numbers.text(where) is not None:  # what it depends on
        pass
    file, has_data = b"", bool(had_dumper)
    if numbers.format == _CUSTOM:
        has_data = numbers.stream.exactly(1, where)[0] != _NO_DATA and has_data
        numbers.stream.exactly(numbers.offset_size, where)
    else:
        file = numbers.text(where) or b""
        has_data = bool(file)
    what = b" ".join(filter(None, (kind, tag))).decode("utf-8", "replace")
    return Entry(number, what, file.decode("utf-8", "surrogateescape"), has_data, bool(copy))


def check_pg_custom(stream: Stream) -> str:
    """Read a dump of the custom format: each thing that has data must have it, whole, and nothing else."""
    contents, numbers = read_contents(stream)
    if contents.format != _CUSTOM:
        raise DamagedError("its header is that of a folder or a tar archive of pg_dump, not of one file")
    missing = {entry.number: entry for entry in contents.entries if entry.has_data}
    blocks = 0
    while kind := stream.peek(1):
        if kind == b"\0" and not missing:
            _contents_again(numbers, contents)
            break
        stream.exactly(1, "a block")
        number = numbers.number("the head of a block")
        entry = missing.pop(number, None)
        if entry is None:
            raise DamagedError(f"block {number} is in no table of contents, or comes twice")
        if kind[0] not in (1, 3):
            raise DamagedError(f"a block of the unknown kind {kind[0]}")
        _block(numbers, entry, contents, large=kind[0] == 3)
        blocks += 1
    if missing:
        first = min(missing.values(), key=_number)
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise DamagedError(f"it is cut off: {first.what}{more} is not there")
    return f"dump format {contents.version}, {len(contents.entries)} entries, all {blocks} blocks of data"


def _contents_again(numbers: _Numbers, contents: Contents) -> None:
    """Read the table of contents that pg_dump writes once more at the end, where its output is only appended to."""
    again = tuple(_entry(numbers) for _ in range(numbers.number("the end")))
    if [entry.number for entry in again] != [entry.number for entry in contents.entries] or numbers.stream.peek(1):
        raise DamagedError("something else follows the data")


def _number(entry: Entry) -> int:
    return entry.number


def _block(numbers: _Numbers, entry: Entry, contents: Contents, *, large: bool) -> None:
    while not large or numbers.number(entry.what):
        end = b""
        for piece in _plain(numbers, entry, contents.packing):
            end = (end + piece)[-len(_ROWS_END) :]
        readable = contents.packing in (_PLAIN, _GZIP)
        if readable and entry.rows and not large and not ends_as_rows(end):
            raise DamagedError(f"{entry.what} ends before its last row")
        if not large:
            return


def _plain(numbers: _Numbers, entry: Entry, packing: int) -> Iterator[bytes]:
    unpack = zlib.decompressobj() if packing == _GZIP else None
    got = False
    while size := numbers.number(entry.what):
        if not 0 < size <= _MOST_TEXT:
            raise DamagedError(f"{entry.what}: a piece of {size} bytes makes no sense")
        while size:
            piece = numbers.stream.exactly(min(size, PIECE), entry.what)
            size -= len(piece)
            got = True
            yield unpack.decompress(piece) if unpack is not None else piece
    if unpack is not None and got and not unpack.eof:
        raise DamagedError(f"{entry.what} is cut off in its compressed data")


def ends_as_rows(end: bytes) -> bool:
    """Tell whether the data of COPY ends as it must."""
    return end.endswith(_ROWS_END)
