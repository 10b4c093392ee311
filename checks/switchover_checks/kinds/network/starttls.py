"""Asking a server for TLS in its own protocol, before the handshake."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from switchover_checks.api import ProbeError
from switchover_checks.runtime.network.connecting import line_of

__all__ = ["STARTTLS", "reply_of"]

Reader: TypeAlias = asyncio.StreamReader
Writer: TypeAlias = asyncio.StreamWriter
_MOST_LINES = 100


async def reply_of(reader: Reader, whose: str, phase: str = "starttls") -> tuple[int, list[str]]:
    """Read an answer by code, of one line or several (`250-…`, `250 …`). Raise `ProbeError` where it is none."""
    lines: list[str] = []
    while len(lines) < _MOST_LINES:
        line = await line_of(reader, phase, f"an answer of {whose}")
        if not line[:3].isdigit() or line[3:4] not in ("", " ", "-"):
            raise ProbeError(f"{line[:80]!r} is not an answer of {whose}", phase=phase)
        lines.append(line[4:])
        if line[3:4] != "-":
            return int(line[:3]), lines
    raise ProbeError(f"an answer of more than {_MOST_LINES} lines is not one of {whose}", phase=phase)


async def _asked(reader: Reader, writer: Writer, line: str, whose: str, wanted: int) -> None:
    writer.write(line.encode("ascii") + b"\r\n")
    code, said = await reply_of(reader, whose)
    if code != wanted:
        raise ProbeError(f"{line} is answered with {code} {said[-1]}"[:200], phase="starttls")


async def _smtp(reader: Reader, writer: Writer) -> None:
    await _greeted(reader, "SMTP", 220)
    await _asked(reader, writer, "EHLO switchover.invalid", "SMTP", 250)
    await _asked(reader, writer, "STARTTLS", "SMTP", 220)


async def _ftp(reader: Reader, writer: Writer) -> None:
    await _greeted(reader, "FTP", 220)
    await _asked(reader, writer, "AUTH TLS", "FTP", 234)


async def _greeted(reader: Reader, whose: str, wanted: int) -> None:
    code, said = await reply_of(reader, whose)
    if code != wanted:
        raise ProbeError(f"it greets with {code} {said[-1]}"[:200], phase="starttls")


async def _imap(reader: Reader, writer: Writer) -> None:
    greeting = await line_of(reader, "starttls", "a greeting of IMAP")
    if not greeting.startswith("* OK"):
        raise ProbeError(f"{greeting[:80]!r} is not a greeting of IMAP", phase="starttls")
    writer.write(b"a1 STARTTLS\r\n")
    for _ in range(_MOST_LINES):
        line = await line_of(reader, "starttls", "an answer of IMAP")
        if line.startswith("a1 "):
            break
    if not line.startswith("a1 OK"):
        raise ProbeError(f"STARTTLS is answered with {line[:80]!r}", phase="starttls")


async def _pop3(reader: Reader, writer: Writer) -> None:
    for asked in (b"", b"STLS\r\n"):
        writer.write(asked)
        line = await line_of(reader, "starttls", "an answer of POP3")
        if not line.startswith("+OK"):
            raise ProbeError(
                f"{'STLS is answered with' if asked else 'it greets with'} {line[:80]!r}", phase="starttls"
            )


async def _postgres(reader: Reader, writer: Writer) -> None:
    writer.write(struct.pack("!ii", 8, 80877103))
    answer = await reader.read(1)
    if answer != b"S":
        said = {b"N": "it has no TLS", b"": "it closed the connection"}.get(answer, f"it answers {answer!r}")
        raise ProbeError(f"PostgreSQL was asked for TLS: {said}", phase="starttls")


STARTTLS: Mapping[str, Callable[[Reader, Writer], Awaitable[None]]] = {
    "smtp": _smtp,
    "imap": _imap,
    "pop3": _pop3,
    "ftp": _ftp,
    "postgres": _postgres,
}
"""By protocol, what asks for TLS. Each raises `ProbeError` of the phase `starttls`."""
