"""How commands write lines: plain text, systemd's journal as JSON, kubectl with the pod and the time before each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from switchover.logs.reading.log_times import parse_iso
from switchover.logs.sources.source_api import RawLine

__all__ = ["Parse", "parser"]

Parse = Callable[[Sequence[bytes]], list[RawLine]]

_PRIORITIES = {
    "0": "fatal",
    "1": "fatal",
    "2": "fatal",
    "3": "error",
    "4": "warn",
    "5": "info",
    "6": "info",
    "7": "debug",
}
_POD = re.compile(rb"(?:\[(?:pod/)?([^\]\s]+)\] )?(\d{4}-\d\d-\d\dT\S{8,30}) ?")


def parser(form: str) -> Parse:
    """Return what reads lines of this form (`LogSource.parse`). Raise `LookupError` for one that there is not."""
    parsers: dict[str, Parse] = {"text": _text, "journal-json": _journal, "kubernetes": _kubernetes}
    if form not in parsers:
        raise LookupError(f"lines written as {form} cannot be read; there are {', '.join(parsers)}")
    return parsers[form]


def _text(lines: Sequence[bytes]) -> list[RawLine]:
    return [RawLine(None, line) for line in lines]


def _journal(lines: Sequence[bytes]) -> list[RawLine]:
    found: list[RawLine] = []
    for line in lines:
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            entry = None
        if not isinstance(entry, dict):
            if line.strip():
                found.append(RawLine(None, line))
            continue
        at = _microseconds(entry.get("__REALTIME_TIMESTAMP"))
        level = _PRIORITIES.get(str(entry.get("PRIORITY", "")), "")
        message = _message(entry.get("MESSAGE"))
        parts = message.rstrip(b"\n").split(b"\n")
        writer = str(entry.get("_PID", ""))
        found += [RawLine(at, part, level, bool(number), writer) for number, part in enumerate(parts)]
    return found


def _message(value: Any) -> bytes:
    """Return a message as text. It may come as text, as a list of bytes, or as null where it was too long."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    if isinstance(value, list):
        if all(isinstance(part, int) and 0 <= part < 256 for part in value):
            return bytes(value)
        return b"\n".join(_message(part) for part in value)  # a field that was given several times
    return b"(no message)" if value is None else str(value).encode()


def _microseconds(value: Any) -> float | None:
    try:
        return int(value) / 1e6
    except (TypeError, ValueError):
        return None


def _kubernetes(lines: Sequence[bytes]) -> list[RawLine]:
    found = []
    for line in lines:
        match = _POD.match(line)
        at = parse_iso(match[2].decode("ascii", "replace")) if match is not None else None
        if match is None or at is None:
            found.append(RawLine(None, line))
            continue
        pod, text = match[1], line[match.end() :]
        if pod:
            found.append(RawLine(at, b"[%b] %b" % (pod, text), writer=pod.decode("ascii", "replace"), own=len(pod) + 3))
        else:
            found.append(RawLine(at, text))
    return found
