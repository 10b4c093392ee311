"""`tcp`: opens a connection, and reads what the other side says first when that is expected.

Not being able to connect is critical; a silent other side is unknown once the deadline is over. Text may come in
several lines and pieces. An expected text is waited for until the greeting is complete, or nothing has come for three
seconds.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from switchover_checks.api import Context, Effect, Finding, Measured, Metric, ProbeError, Result, Status
from switchover_checks.kinds.network.tcp_dialogue import MARGIN_S, read_turns, talk
from switchover_checks.language.effects import DeclaredEffect, by_word
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, expected_in
from switchover_checks.language.fields import LocalPort
from switchover_checks.language.units import format_duration

__all__ = ["TcpCheck", "TcpConfig"]

NAMES: Mapping[str, NameType] = {"time": "duration", "connect": "duration", "text": "text"}
_MOST_READ = 1 << 16
_QUIET_S = 3.0
_SHORTLY_S = 0.25
_GOES_ON = re.compile(r"\d{3}-")
_LAST = re.compile(r"\d{3}(?: |$)")
"""Lines of SMTP, FTP and their like: `220-` says that more lines come, `220 ` that this is the last."""


@dataclass(frozen=True)
class TcpConfig:
    """Where to connect, what to say, and what must come back."""

    port: LocalPort
    """The port."""
    host: str = "127.0.0.1"
    """The host."""
    send: str = ""
    """What is sent. It is taken to change something."""
    dialogue: tuple[dict[Literal["send", "read"], str], ...] = ()
    """Several turns: `[{read: "^220 "}, {send: "EHLO me\\r\\n"}, {read: "250 "}]`. Each pattern must fit what has come
    since the one before. What is sent is taken to change something."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of `text`, `time` and `connect`. `text` is read only when an expectation looks at it."""
    effect: DeclaredEffect = None
    """`read` is the author's word that what is sent only asks, as `PING` does."""

    def __post_init__(self) -> None:
        read_turns(self.dialogue)
        if self.dialogue and self.send:
            raise ValueError("set send or dialogue, not both")


class TcpCheck:
    """Open a connection."""

    kind: ClassVar[str] = "tcp"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = TcpConfig
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("time", "s", "the whole look"),
        Measured("connect", "s", "connecting"),
    )
    example: ClassVar[str] = """
    kind: tcp
    port: 5432
    host: 127.0.0.1
    """

    def changes(self, cfg: TcpConfig) -> str:
        """Judge whether anything is sent."""
        sends = cfg.send or any("send" in turn for turn in cfg.dialogue)
        return by_word(cfg.effect, "it sends something" if sends else "")

    async def probe(self, cfg: TcpConfig, ctx: Context) -> Result:
        """Connect once, and read if asked to."""
        start = time.monotonic()
        reader, writer = await ctx.connect(cfg.host, cfg.port)
        connected = time.monotonic() - start
        facts: dict[str, Any] = {"connect": connected}
        said: list[Finding] = []
        try:
            if cfg.send:
                ctx.enter("send")
                writer.write(cfg.send.encode())
                await writer.drain()
            if cfg.dialogue:
                ctx.enter("first_byte")
                said, facts["text"] = await talk(read_turns(cfg.dialogue), (reader, writer), ctx.deadline)
            elif any("text" in e.names for e in cfg.expect):
                ctx.enter("first_byte")
                facts["text"] = await _read(reader, cfg, ctx, facts)
        except ConnectionError as error:
            raise ProbeError(f"the connection broke: {error}", phase="first_byte") from None
        finally:
            writer.transport.abort()
        ctx.enter("assert")
        facts["time"] = time.monotonic() - start
        findings = [Finding("connection", "open", f"open in {format_duration(connected)}", Status.OK)]
        findings += [*said, *(e.check(facts) for e in cfg.expect)]
        metrics = [Metric("time", facts["time"], "s"), Metric("connect", connected, "s")]
        failed = any(f.status is not Status.OK for f in findings)
        evidence = {"text": facts["text"][-300:]} if failed and facts.get("text") else {}
        ok = f"{cfg.host}:{cfg.port} open in {format_duration(connected)}"
        phase = "assert" if failed else ""
        return Result.of(findings, metrics=metrics, phase=phase, evidence=evidence, ok=ok)


async def _read(reader: asyncio.StreamReader, cfg: TcpConfig, ctx: Context, facts: Mapping[str, Any]) -> str:
    """Read until the expectations about the text hold, the other side has ended, or nothing more can be hoped for.

    As long as nothing has come at all, the deadline cuts the probe off.
    """
    raw = bytearray()
    wanted = [e for e in cfg.expect if "text" in e.names]
    start = time.monotonic()
    last = ctx.deadline - min(MARGIN_S, 0.1 * (ctx.deadline - start))
    while len(raw) < _MOST_READ:
        text = raw.decode("utf-8", "replace")
        seen = {**facts, "text": text, "time": facts["connect"] + time.monotonic() - start}
        holds = all(e.check(seen).status is Status.OK for e in wanted)
        patience = _patience(text, holds=holds, asked=bool(cfg.send))
        if patience <= 0:
            break
        try:
            async with asyncio.timeout(min(patience, max(0.0, last - time.monotonic())) if raw else None):
                piece = await reader.read(_MOST_READ - len(raw))
        except TimeoutError:
            break
        except ConnectionError:
            if not raw:
                raise
            break
        if not piece:
            break
        raw += piece
    return raw.decode("utf-8", "replace")


def _patience(text: str, *, holds: bool, asked: bool) -> float:
    """Return how many seconds more text is worth waiting for, by how what came so far ends."""
    end = text.replace("\r\n", "\n").rpartition("\n")
    if not end[1] or end[2]:
        return _SHORTLY_S if holds else _QUIET_S  # in the middle of a line, or a prompt that has none
    last = end[0].rpartition("\n")[2]
    if _GOES_ON.match(last):
        return math.inf
    # After the last line of a greeting by code only what was asked for can follow.
    if holds or (_LAST.match(last) and not asked):
        return 0.0
    return _QUIET_S
