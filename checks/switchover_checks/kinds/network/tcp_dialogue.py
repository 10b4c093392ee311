"""A dialogue of several lines over one connection: what is sent, and what must have come before one goes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from switchover_checks.api import Finding, Status, Streams
from switchover_checks.language.patterns import Pattern, compile_pattern

__all__ = ["MARGIN_S", "Turn", "read_turns", "talk"]

_MOST_READ = 1 << 16
_QUIET_S = 3.0
MARGIN_S = 0.5
"""The time before its deadline in which a probe judges what has come. It then has a verdict and is not only cut off."""

Turn = str | Pattern
"""What is sent, or what must be read."""


def read_turns(given: Sequence[Mapping[Any, str]]) -> tuple[Turn, ...]:
    """Read turns as a plan has them: `{send: TEXT}` or `{read: PATTERN}`. Raise `ValueError`."""
    turns: list[Turn] = []
    for number, turn in enumerate(given, 1):
        if len(turn) != 1:
            raise ValueError(f"turn {number} of the dialogue is one of send and read")
        (key, text), *_ = turn.items()
        turns.append(text if key == "send" else compile_pattern(text))
    if turns and not any(isinstance(turn, Pattern) for turn in turns):
        raise ValueError("a dialogue that reads nothing proves nothing; add {read: PATTERN}")
    return tuple(turns)


async def talk(turns: Sequence[Turn], streams: Streams, deadline: float) -> tuple[list[Finding], str]:
    """Carry out the turns up to the first that fails; return what was found and all that came."""
    reader, writer = streams
    findings: list[Finding] = []
    heard = ""
    for number, turn in enumerate(turns, 1):
        if isinstance(turn, str):
            writer.write(turn.encode())
            await writer.drain()
            continue
        came, fits = await _heard(turn, reader, deadline)
        heard += came
        shown = repr(came[-200:]) if came else "nothing"
        status = Status.OK if fits else Status.CRIT if came or reader.at_eof() else Status.UNKNOWN
        findings.append(Finding(f"turn {number}", f"matches {turn.text}", shown, status))
        if not fits:
            break
    return findings, heard


async def _heard(wanted: Pattern, reader: asyncio.StreamReader, deadline: float) -> tuple[str, bool]:
    """Read until the pattern fits, the other side has ended, or nothing comes any more."""
    raw = bytearray()
    last = deadline - min(MARGIN_S, 0.1 * (deadline - time.monotonic()))
    while len(raw) < _MOST_READ:
        patience = min(_QUIET_S, last - time.monotonic())
        if patience <= 0:
            break
        try:
            async with asyncio.timeout(patience):
                piece = await reader.read(_MOST_READ - len(raw))
        except (TimeoutError, ConnectionError):
            break
        if not piece:
            break
        raw += piece
        if wanted.search(raw.decode("utf-8", "replace")):
            return raw.decode("utf-8", "replace"), True
    return raw.decode("utf-8", "replace"), False
