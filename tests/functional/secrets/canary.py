"""Planted secrets, and the search for them in whatever form a person or a program could read them."""

from __future__ import annotations

import base64
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

__all__ = ["CORES", "VALUES", "assert_clean", "assert_nothing_below", "readings"]

# The middle of each is plain, so that it shows in whatever form the rest of it is written.
CORES = {"from_env": "Kq7ZtPwJ3vNx", "from_file": "mW8yRb4TgLc6", "from_cmd": "Hd5sXj9VfQk2"}
VALUES = {
    "from_env": f"p@ss/{CORES['from_env']}+\"é'<&>",
    "from_file": f"first line of it\n{CORES['from_file']}/second=\nthe third line",
    "from_cmd": f"{CORES['from_cmd']}~%20$x y",
}
# Control sequences, and characters that nobody sees.
_UNSEEN = re.compile(
    "\x1b\\[[0-9;?]*[ -/]*[@-~]|\x1b\\][^\x07\x1b]*(?:\x07|\x1b\\\\)|[\0\b\r\n\u200b-\u200f\u2060\ufeff]"
)
_DUMPED = re.compile(r"(?m)^\s*[0-9a-fA-F]{4,8}:?\s+((?:[0-9a-fA-F]{2,4}\s{1,2}){1,16})")


def _needles(core: str) -> list[bytes]:
    """Return the middle of a secret in the forms in which it would show."""
    raw = core.encode()
    inner = [
        base64.b64encode(b"\0" * shift + raw)[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6] for shift in range(3)
    ]
    codes = "".join(f"\\u{ord(character):04x}" for character in core)
    return [raw, *inner, raw.hex().encode(), raw.hex().upper().encode(), raw.hex(":").encode(), codes.encode()]


_NEEDLES = re.compile(b"|".join(re.escape(needle) for core in CORES.values() for needle in _needles(core)))


def readings(data: bytes) -> Iterator[bytes]:
    """Return data as it is, and as it could be read: without what is not seen, without blanks, out of dumps."""
    yield data
    yield data.replace(b"\r", b"").replace(b"\n", b"")
    text = data.decode("utf-8", "replace")
    seen = _UNSEEN.sub("", text)
    yield seen.encode()
    yield re.sub(r"[ \t'\",|]", "", seen).encode()
    dumped = "".join("".join(match[1].split()) for match in _DUMPED.finditer(text))
    yield dumped.encode()
    yield re.sub(r"(..)(..)", r"\2\1", dumped).encode()  # in words of two bytes, the lower one first


def assert_clean(data: bytes, where: object) -> None:
    """Fail where a canary is, in any form."""
    for text in readings(data):
        if found := _NEEDLES.search(text):
            raise AssertionError(f"{where}: …{text[max(0, found.start() - 120) : found.end() + 80]!r}…")


def assert_nothing_below(folders: Iterable[Path], but: Path) -> list[str]:
    """Fail where a canary is in a file below these folders, the planted ones left out; return the names of all."""
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file() and but not in path.parents]
    for path in files:
        assert_clean(path.read_bytes(), path)
    for path in (path for path in files if path.name == "journal.sqlite"):
        with closing(sqlite3.connect(path)) as journal:  # a long text lies in pieces in the file
            for row in journal.execute("SELECT * FROM events"):
                assert_clean("\n".join(map(str, row)).encode(), f"record {row[0]}")
    return [path.name for path in files]
