"""Compressed files: unpacked to their end, whatever is in them."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from switchover_checks.data.archives.stream import DamagedError, Readable, UnprovedError

__all__ = ["PACKINGS", "packing_of", "unpacked"]

PACKINGS = {"gzip": (".gz", ".tgz"), "bzip2": (".bz2", ".tbz2"), "xz": (".xz", ".txz"), "zstd": (".zst", ".tzst"),
            "lz4": (".lz4",)}  # fmt: skip
"""The names of packings, each with the ends of file names that tell it."""
_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
}
_PROGRAMS = {"zstd": ["zstd", "-dcq", "--long=31"], "lz4": ["lz4", "-dcq"]}


def packing_of(name: str, head: bytes) -> str | None:
    """Tell how a file is packed, by its first bytes or else by its name."""
    for magic, packing in _MAGIC.items():
        if head.startswith(magic):
            return packing
    return next((packing for packing, ends in PACKINGS.items() if name.lower().endswith(ends)), None)


@contextlib.contextmanager
def unpacked(packing: str, path: Path) -> Iterator[Readable]:
    """Open a file for reading what is in it. What reads it gets `DamagedError` or the errors of the packing."""
    if packing in _PROGRAMS:
        with _by_program(packing, path) as program:
            yield program
        return
    if packing == "gzip":
        with gzip.open(path, "rb") as file:
            yield cast("Readable", file)
    elif packing == "bzip2":
        with bz2.open(path, "rb") as file:
            yield file
    else:
        with lzma.open(path, "rb") as file:
            yield file


class _Program:
    """What a program unpacks; its end is only believed when it says that all was well."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._out = cast("IO[bytes]", process.stdout)

    def read(self, size: int, /) -> bytes:
        """Read what it wrote."""
        data = self._out.read(size)
        if not data and self._process.wait() != 0:
            said = cast("IO[bytes]", self._process.stderr).read(500).decode("utf-8", "replace").strip()
            raise DamagedError(said.rpartition(" : ")[2] or "it cannot be unpacked")
        return data


@contextlib.contextmanager
def _by_program(packing: str, path: Path) -> Iterator[Readable]:
    argv = _PROGRAMS[packing]
    if shutil.which(argv[0]) is None:
        raise UnprovedError(f"the program {argv[0]}, which unpacks it, is not installed here")
    with subprocess.Popen(
        [*argv, "--", str(path)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            yield _Program(process)
        finally:
            process.kill()
