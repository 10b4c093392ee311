"""Reading the bytes of a plan file: small, regular, UTF-8 text, or a clear reason why not."""

from __future__ import annotations

import errno
import os
import re
import stat
from pathlib import Path

from switchover.errors import PlanError, PlanProblem

__all__ = ["MAX_PLAN_BYTES", "decode_plan", "read_file", "read_plan"]

MAX_PLAN_BYTES = 8 << 20

# What YAML does not allow as it stands, and the marks that make text read in another order than it runs in.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffe\uffff]"
)
_MARKS = (
    (b"\xff\xfe", "it is UTF-16; save it as UTF-8"),
    (b"\xfe\xff", "it is UTF-16; save it as UTF-8"),
    (b"\x1f\x8b", "it is gzip-compressed; unpack it first"),
    (b"PK\x03\x04", "it is a zip archive; unpack it first"),
    (b"\x7fELF", "it is a program"),
)


def read_plan(path: Path) -> bytes:
    """Return the file's bytes. Raise `PlanError` where it is missing, no file, unreadable or too large."""
    try:
        size, content = read_file(path, MAX_PLAN_BYTES)
    except FileNotFoundError:
        raise _refuse(path, "there is no such file") from None
    except IsADirectoryError:
        raise _refuse(path, "it is a directory; name the plan file in it") from None
    except (OSError, ValueError) as error:
        raise _refuse(path, f"it cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if size > MAX_PLAN_BYTES or len(content) > MAX_PLAN_BYTES:
        shown = max(size, len(content))
        raise _refuse(path, f"it is too large for a plan ({shown:,} bytes; the limit is {MAX_PLAN_BYTES:,})")
    return content


def read_file(path: Path, limit: int) -> tuple[int, bytes]:
    """Return a regular file's size, and its bytes unless they are more than `limit`. Raise `OSError`; never wait."""
    # Without O_NONBLOCK a named pipe would wait for a writer for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        content = bytearray()
        if status.st_size <= limit:
            while chunk := os.read(descriptor, limit + 1 - len(content)):
                content += chunk
        return status.st_size, bytes(content)
    finally:
        os.close(descriptor)


def decode_plan(content: bytes, path: Path) -> str:
    """Return the text, byte order mark kept. Raise `PlanError` that names the place where it is not UTF-8 text."""
    for mark, reason in _MARKS:
        if content.startswith(mark):
            raise _refuse(path, f"it is not a plan: {reason}")
    if (offset := content.find(b"\0")) >= 0:
        raise _refuse_at(path, content[:offset], "there is a zero byte here: this is not a text file")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        raise _refuse_at(
            path, before, f"this is not UTF-8 (byte 0x{content[error.start]:02x}); save the file as UTF-8"
        ) from None
    if match := _UNPRINTABLE.search(text):
        message = f"the character U+{ord(match[0]):04X} is invisible and not allowed in a plan; remove it"
        raise _refuse_at(path, text[: match.start()].encode(), message)
    return text


def _refuse(path: Path, message: str) -> PlanError:
    return PlanError([PlanProblem(str(path), 0, 0, "", message)])


def _refuse_at(path: Path, before: bytes, message: str) -> PlanError:
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
    return PlanError([PlanProblem(str(path), line, column, "", message)])
