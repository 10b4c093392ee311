"""`tcp`: opens a connection, and reads what the other side says first when that is expected.

Not being able to connect is critical; a silent other side is unknown once the deadline is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from switchover_checks.api import Context, Effect, Finding, Metric, ProbeError, Result, Status
from switchover_checks.effects import DeclaredEffect
from switchover_checks.expect import AS_LIST, Expectation, NameType, expected_in
from switchover_checks.fields import LocalPort
from switchover_checks.units import format_duration

__all__ = ["TcpCheck", "TcpConfig"]

NAMES: Mapping[str, NameType] = {"time": "duration", "connect": "duration", "text": "text"}
_MOST_READ = 4096
_CONNECT_S = 5.0


@dataclass(frozen=True)
class TcpConfig:
    """Where to connect, what to say, and what must come back. `text` is read only when an expectation looks at it.

    What is sent is taken to change something; `effect: read` says that it only asks, as `PING` does.
    """

    port: LocalPort
    host: str = "127.0.0.1"
    send: str = ""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    effect: DeclaredEffect = None


class TcpCheck:
    """Open a connection."""

    kind: ClassVar[str] = "tcp"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = TcpConfig

    def changes(self, cfg: TcpConfig) -> str:
        """Judge whether anything is sent."""
        return "it sends something" if cfg.send and cfg.effect != "read" else ""

    async def probe(self, cfg: TcpConfig, ctx: Context) -> Result:
        """Connect once, and read if asked to."""
        ctx.enter("connect")
        start = time.monotonic()
        reader, writer = await _connect(cfg)
        connected = time.monotonic() - start
        facts: dict[str, Any] = {"connect": connected}
        try:
            if cfg.send:
                ctx.enter("send")
                writer.write(cfg.send.encode())
                await writer.drain()
            if any("text" in e.names for e in cfg.expect):
                ctx.enter("first_byte")
                facts["text"] = await _read(reader, cfg.expect, facts)
        except ConnectionError as error:
            raise ProbeError(f"the connection broke: {error}", phase="first_byte") from None
        finally:
            writer.transport.abort()
        ctx.enter("assert")
        facts["time"] = time.monotonic() - start
        findings = [Finding("connection", "open", f"open in {format_duration(connected)}", Status.OK)]
        findings += [e.check(facts) for e in cfg.expect]
        metrics = [Metric("time", facts["time"], "s"), Metric("connect", connected, "s")]
        ok = f"{cfg.host}:{cfg.port} open in {format_duration(connected)}"
        return Result.of(findings, metrics=metrics, ok=ok)


async def _connect(cfg: TcpConfig) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        async with asyncio.timeout(_CONNECT_S):
            return await asyncio.open_connection(cfg.host, cfg.port)
    except TimeoutError:
        raise ProbeError(
            f"{cfg.host}:{cfg.port} does not answer within {format_duration(_CONNECT_S)}", phase="connect"
        ) from None
    except ConnectionRefusedError:
        raise ProbeError(f"{cfg.host}:{cfg.port}: connection refused, nothing listens there", phase="connect") from None
    except OSError as error:
        raise ProbeError(f"{cfg.host}:{cfg.port}: {error.strerror or error}", phase="connect") from None


async def _read(reader: asyncio.StreamReader, expect: tuple[Expectation, ...], facts: Mapping[str, Any]) -> str:
    """Read until the expectations about the text hold, the other side ends, or the deadline cuts the probe off."""
    text = bytearray()
    wanted = [e for e in expect if e.names == {"text"}]
    while len(text) < _MOST_READ:
        with contextlib.suppress(asyncio.IncompleteReadError):
            chunk = await reader.read(_MOST_READ - len(text))
            if not chunk:
                break
            text += chunk
        seen = {**facts, "text": text.decode("utf-8", "replace")}
        if all(e.check(seen).status is Status.OK for e in wanted) or b"\n" in text:
            break
    return text.decode("utf-8", "replace")
