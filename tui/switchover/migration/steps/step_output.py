"""Reading what a step wrote: from any absolute offset, without gap or repeat, fit for display."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from switchover.redaction import sanitize
from switchover_checks.unknown_secrets import redact_unknown

__all__ = ["OutputChunk", "digest_output", "read_output", "read_tail"]

_BEFORE = 1024  # bytes in which the name of a secret stands whose value is read
_HELD_BACK = 4096  # an unfinished sequence longer than this is no sequence
_UNFINISHED = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b\n]*\x1b?|[ -/]*)?\Z"
    rb"|\xc2[\x90\x98\x9b\x9d-\x9f][^\x07\x1b\n]*\Z"
    rb"|\r\Z"
)


@dataclass(frozen=True, slots=True)
class OutputChunk:
    """Text from `start` to `next_offset` (bytes of the stream). `complete`: nothing will follow."""

    text: str
    next_offset: int
    complete: bool


def read_output(directory: Path, offset: int, limit: int, *, ended: bool) -> OutputChunk:
    """Return what was written from `offset` on, at most about `limit` bytes of it (never less than 8 KiB).

    What is no longer kept is said in a line of its own. A character or control sequence that is cut by the end of what
    is there yet waits for its rest.
    """
    for _ in range(5):
        try:
            return _read(directory, max(0, offset), max(2 * _HELD_BACK, limit), ended=ended)
        except FileNotFoundError:
            continue  # a segment was dropped between listing and reading: look again
    return OutputChunk("", offset, complete=False)


def read_tail(directory: Path, lines: int, limit: int = 1 << 16) -> tuple[tuple[str, ...], int]:
    """Return the last lines as a terminal would have left them, and how many bytes were written in all."""
    for _ in range(5):
        try:
            files = _files(directory)
            total = max((start + size for start, size, _ in files), default=0)
            data = _bytes(files, max(_last_stretch(files), total - limit), limit)[1]
        except FileNotFoundError:
            continue
        text = redact_unknown(sanitize(data, overwrite=True))
        if len(data) < total:
            text = text.partition("\n")[2] or text
        return tuple(text.rstrip("\n").split("\n")[-lines:]) if text.strip("\n") else (), total
    return (), 0


def digest_output(directory: Path) -> str:
    """Return a digest of what is kept of an output: each file's offset and bytes. "" for nothing.

    Raise `OSError` where it cannot be read.
    """
    digest = hashlib.sha256()
    files = _files(directory)
    for start, size, path in files:
        digest.update(f"{start} {size}\n".encode())
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest() if files else ""


def _read(directory: Path, offset: int, limit: int, *, ended: bool) -> OutputChunk:
    files = _files(directory)
    total = max((start + size for start, size, _ in files), default=0)
    if offset >= total:
        return OutputChunk("", offset, complete=ended)
    start, data = _bytes(files, offset, limit)
    note = ""
    if start > offset:
        note = f"[{start - offset} bytes were not kept]\n"
    end = start + len(data)
    last = ended and end >= total
    if not last:
        kept = len(data) - _unfinished(data)
        if kept or len(data) < _HELD_BACK:
            data = data[:kept]
            end = start + kept
    earlier, behind = _bytes(files, max(0, start - _BEFORE), min(start, _BEFORE))
    known = sanitize(behind) if earlier + len(behind) == start else ""
    return OutputChunk(note + redact_unknown(sanitize(data), known), end, complete=last)


def _files(directory: Path) -> list[tuple[int, int, Path]]:
    paths = [path for path in directory.glob("out-*") if path.name[4:].isdigit()]
    return sorted((int(path.name[4:]), path.stat().st_size, path) for path in paths)


def _last_stretch(files: list[tuple[int, int, Path]]) -> int:
    """Return where the last stretch without a gap begins."""
    begin = files[-1][0] if files else 0
    for start, size, _ in reversed(files):
        if start + size >= begin:
            begin = min(begin, start)
    return begin


def _bytes(files: list[tuple[int, int, Path]], offset: int, limit: int) -> tuple[int, bytes]:
    """Return the next bytes that are kept at or after `offset`, and where they start; never across a gap."""
    data = b""
    begin = offset
    for start, size, path in files:
        if start + size <= begin + len(data):
            continue
        if start > begin + len(data):
            if data:
                break
            begin = start
        with path.open("rb") as file:
            file.seek(begin + len(data) - start)
            data += file.read(min(limit - len(data), start + size - begin - len(data)))
        if len(data) >= limit:
            break
    return begin, data


def _unfinished(data: bytes) -> int:
    """Return how many bytes at the end wait for their rest."""
    held = 0
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0xC0:
            need = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            held = back if back < need else 0
            break
        if byte < 0x80:
            break
    whole = data[: len(data) - held] if held else data
    match = _UNFINISHED.search(whole, max(0, len(whole) - _HELD_BACK))
    return held + (len(match[0]) if match else 0)
