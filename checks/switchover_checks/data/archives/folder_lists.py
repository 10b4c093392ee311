"""What a folder with a backup says of itself: the lists that pg_dump, pg_basebackup and mongodump put into it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from switchover_checks.data.archives.packed import packing_of, unpacked
from switchover_checks.data.archives.postgres import MAGIC, ends_as_rows, read_contents
from switchover_checks.data.archives.stream import DamagedError, Stream, UnprovedError

__all__ = ["Report", "by_collections", "by_contents", "by_last_word", "by_manifest"]

_PACKED = ("", ".gz", ".lz4", ".zst")
_OF_PG_DUMP = re.compile(r"\d{3,}\.dat(?:\.(?:gz|lz4|zst))?|blobs(?:_\d+)?\.toc")
_OBJECT = re.compile(r"BLOB (?!METADATA)")
_MANIFEST = "backup_manifest"


@dataclass
class Report:
    """What was found in a folder so far: faults, what cannot be told, and which files were proved."""

    folder: Path
    deadline: float
    faults: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    proved: set[Path] = field(default_factory=set)

    def name(self, path: Path) -> str:
        """Return a path as it is called inside the folder."""
        return str(path.relative_to(self.folder))

    def read(self, path: Path, look: Callable[[Stream], None]) -> None:
        """Look at one file, unpacked where it is packed, and note what comes of it."""
        try:
            with _opened(path, self.deadline) as stream:
                look(stream)
        except UnprovedError as error:
            self.unsure.append(f"{self.name(path)}: {error}")
        except FileNotFoundError:
            self.faults.append(f"{self.name(path)} is not there")
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            self.faults.append(f"{self.name(path)}: {error}")
        else:
            self.proved.add(path)


@contextlib.contextmanager
def _opened(path: Path, deadline: float) -> Iterator[Stream]:
    packing = packing_of(path.name, b"")
    if packing is not None and not path.stat().st_size:
        raise DamagedError("nothing is inside")
    if packing is None:
        with path.open("rb") as file:
            yield Stream(file, deadline)
    else:
        with unpacked(packing, path) as packed:
            yield Stream(packed, deadline)


def by_contents(report: Report) -> None:
    """Check the folder against the table of contents of `pg_dump -Fd`: each file that it names, read to its end."""
    toc = report.folder / "toc.dat"

    def look(stream: Stream) -> None:
        if not stream.peek(1):
            raise DamagedError("nothing is inside")
        if stream.peek(len(MAGIC)) != MAGIC:
            raise UnprovedError("it is none of pg_dump")
        contents, _ = read_contents(stream)
        objects = sum(bool(_OBJECT.match(entry.what)) for entry in contents.entries)
        for entry in contents.entries:
            if entry.file.endswith(".toc"):
                report.read(report.folder / entry.file, partial(large_objects, objects))
            elif entry.file:
                data(entry.file, rows=entry.rows)

    def large_objects(most: int, stream: Stream) -> None:
        text = stream.rest().decode("utf-8", "surrogateescape")
        lines = text.splitlines()
        if not text.endswith("\n") or len(lines) < most:
            raise DamagedError(f"it is cut off: it names {len(lines)} large objects" + (f" of {most}" if most else ""))
        for line in lines:
            data(line.partition(" ")[2], rows=False)

    def data(name: str, *, rows: bool) -> None:
        plain = report.folder / name
        found = (plain.with_name(plain.name + end) for end in _PACKED)
        path = next((path for path in found if path.is_file()), plain)
        report.read(path, ended if rows else without_end if path == plain else drained)

    if toc.is_file():
        report.read(toc, look)
    elif any(_OF_PG_DUMP.fullmatch(path.name) for path in report.folder.iterdir()):
        report.faults.append("toc.dat, without which nothing can be restored, is not there")


def drained(stream: Stream) -> None:
    """Read to the end."""
    stream.drain()


def without_end(stream: Stream) -> None:
    """Read to the end of what no packing closes."""
    stream.drain()
    raise UnprovedError("nothing tells that it is whole")


def ended(stream: Stream) -> None:
    """Read rows of COPY to their end."""
    stream.drain()
    if not ends_as_rows(stream.tail):
        raise DamagedError("it is cut off before its last row")


def by_manifest(report: Report) -> None:
    """Check the folder against the manifest of `pg_basebackup`: each file, its size, and its digest if that is SHA."""
    path = report.folder / _MANIFEST
    if path.is_file():
        report.read(path, lambda stream: _listed(report, stream.rest()))


def _listed(report: Report, data: bytes) -> None:
    manifest = json.loads(data)
    body = data[: data.rindex(b'"Manifest-Checksum"')]
    if hashlib.sha256(body).hexdigest() != manifest["Manifest-Checksum"]:
        raise DamagedError("its checksum is not that of its content")
    if next(report.folder.glob("base.tar*"), None) is not None:
        return  # its files are members of archives, which are looked at themselves
    for entry in manifest["Files"]:
        _compare(report, entry)
    report.proved.update(path for path in (report.folder / "pg_wal").rglob("*") if path.is_file())


def _compare(report: Report, entry: Mapping[str, Any]) -> None:
    name = entry.get("Path") or bytes.fromhex(entry["Encoded-Path"]).decode("utf-8", "surrogateescape")
    algorithm = str(entry.get("Checksum-Algorithm", "")).lower()
    digest = hashlib.new(algorithm) if algorithm in ("sha224", "sha256", "sha384", "sha512") else None

    def look(stream: Stream) -> None:
        size = path.stat().st_size
        if size != entry["Size"]:
            raise DamagedError(f"{size} bytes of {entry['Size']}")
        while digest is not None and (piece := stream.read()):
            digest.update(piece)
        if digest is not None and digest.hexdigest() != entry.get("Checksum"):
            raise DamagedError("its digest is another")

    path = report.folder / str(name)
    report.read(path, look)


def by_collections(report: Report, files: tuple[Path, ...]) -> None:
    """Look for the documents of each collection that mongodump describes; a view has none."""
    for path in files:
        name, found, packing = path.name.partition(".metadata.json")
        if found:
            report.read(path, _described(path.with_name(f"{name}.bson{packing}")))


def by_last_word(report: Report) -> None:
    """Look for what mydumper and the MySQL shell write when they are done; the shell lists its files there."""
    metadata, begun, done = (report.folder / name for name in ("metadata", "@.json", "@.done.json"))

    def finished(stream: Stream) -> None:
        if b"Finished dump at" not in (said := stream.rest()) and b"Started dump at" in said:
            raise DamagedError("the dump was not finished")

    def listed(stream: Stream) -> None:
        files = json.loads(stream.rest()).get("chunkFileBytes", {})
        for name in files:
            report.read(report.folder / name, drained)
        report.proved.update(path for path in report.folder.iterdir() if path.suffix in (".sql", ".json"))

    if metadata.is_file():
        report.read(metadata, finished)
    if begun.is_file() or done.is_file():
        report.read(done, listed)


def _described(documents: Path) -> Callable[[Stream], None]:
    def look(stream: Stream) -> None:
        described = json.loads(stream.rest())
        if not documents.is_file() and "viewOn" not in (described.get("options") or {}):
            raise DamagedError(f"its documents, {documents.name}, are not there")

    return look
