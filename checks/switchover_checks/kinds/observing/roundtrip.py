"""`roundtrip`: sends something with a mark of its own, and looks for that mark elsewhere within a time.

So it is proved that metrics, messages or rows arrive: that both ends answer proves it of neither.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from pydantic import PlainValidator

from switchover_checks.api import Context, Effect, Finding, Measured, Metric, ProbeError, Result, Status
from switchover_checks.kinds.command import argv_of, run_clearly
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, expected_in
from switchover_checks.language.fields import Duration
from switchover_checks.language.units import format_duration
from switchover_checks.runtime.config import ConfigError, build_config

__all__ = ["RoundtripCheck", "RoundtripConfig", "Way"]

NAMES: dict[str, NameType] = {"delay": "duration"}
MARK = "$MARK"


@dataclass(frozen=True)
class Way:
    """A request or a command. `$MARK` stands for the mark; a command finds it in its variable MARK."""

    url: str = ""
    """The address."""
    method: Literal["GET", "POST", "PUT"] = "GET"
    """The method."""
    headers: dict[str, str] = field(default_factory=dict)
    """Headers of the request."""
    body: str = ""
    """What is sent."""
    command: str | tuple[str, ...] = ()
    """Instead of an address: a command."""
    env: dict[str, str] = field(default_factory=dict)
    """Variables of the command."""

    def __post_init__(self) -> None:
        if bool(self.url) == bool(self.command):
            raise ValueError("set url, or command")


def _way(value: object) -> Way:
    if isinstance(value, Way):
        return value
    if not isinstance(value, Mapping):
        raise ValueError(f"this is a mapping with url or command, not {value!r}")  # noqa: TRY004
    try:
        found = build_config(Way, value)
    except ConfigError as error:
        raise ValueError(str(error)) from None
    assert isinstance(found, Way)
    return found


AsWay = Annotated[Way, PlainValidator(_way, json_schema_input_type=dict[str, Any])]


@dataclass(frozen=True)
class RoundtripConfig:
    """How something is sent, where it must arrive, and how soon."""

    send: AsWay
    """How it is sent: `url` with `method`, `headers` and `body`, or `command` with `env`. `$MARK` is the mark."""
    receive: AsWay
    """How one looks for it: the answer, or what the command prints, must hold the mark."""
    within: Duration = 10.0
    """How long it may take."""
    look_every: Duration = 0.5
    """The pause between two looks."""
    flush: str = ""
    """An address that is asked after sending, so that it is seen at once."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of the `delay`."""
    verify: bool = True
    """Whether certificates are checked."""

    def __post_init__(self) -> None:
        way = self.send
        if way.url and MARK not in f"{way.url}{way.body}{way.headers}":
            raise ValueError("send: $MARK stands nowhere in url, body or headers, so it could not be found again")
        if not 0.05 <= self.look_every <= self.within:
            raise ValueError("look_every is at least 50ms, and shorter than within")


class RoundtripCheck:
    """Send once, and look for it."""

    kind: ClassVar[str] = "roundtrip"
    effect: ClassVar[Effect] = "writes"
    runs_a_process: ClassVar[bool] = True
    config: ClassVar[type] = RoundtripConfig
    metrics: ClassVar[tuple[Measured, ...]] = (Measured("delay", "s", "from sending to being seen"),)
    example: ClassVar[str] = """
    kind: roundtrip
    send: {url: "http://127.0.0.1:8428/api/v1/import/prometheus", method: POST, body: 'probe{mark="$MARK"} 1'}
    receive: {url: "http://127.0.0.1:8428/api/v1/query?query=probe{mark=%22$MARK%22}"}
    within: 10s
    """

    async def probe(self, cfg: RoundtripConfig, ctx: Context) -> Result:
        """Send, then look until it is there or the time is over."""
        mark, never_sent = (f"so{secrets.token_hex(8)}" for _ in range(2))
        repeats = (await _went(cfg, ctx, cfg.receive, never_sent, "looking")).count(never_sent)
        ctx.enter("send")
        await _went(cfg, ctx, cfg.send, mark, "sending")
        start = time.monotonic()
        last = min(ctx.deadline - 0.5, start + cfg.within)
        if cfg.flush:
            await ctx.http("GET", cfg.flush, verify=cfg.verify)
        expected = f"seen within {format_duration(cfg.within)}"
        said = ""
        looks = 0
        while time.monotonic() < last or not looks:
            ctx.enter("assert")
            looks += 1
            said = await _went(cfg, ctx, cfg.receive, mark, "looking")
            if said.count(mark) > repeats:  # a server may repeat the question in its answer
                delay = time.monotonic() - start
                finding = Finding("what was sent", expected, f"seen after {format_duration(delay)}", Status.OK)
                findings = [finding, *(e.check({"delay": delay}) for e in cfg.expect)]
                return Result.of(findings, metrics=[Metric("delay", delay, "s")], ok=finding.observed)
            await asyncio.sleep(min(cfg.look_every, max(0.0, last - time.monotonic())))
        waited = time.monotonic() - start
        short = last < start + cfg.within
        observed = f"not seen after {format_duration(waited)}"
        hint = "the check's timeout is shorter than within" if short else ""
        finding = Finding("what was sent", expected, observed, Status.UNKNOWN if short else Status.CRIT, hint)
        return Result.of([finding], phase="assert", evidence={"answer": said[:300]})


async def _went(cfg: RoundtripConfig, ctx: Context, way: Way, mark: str, doing: str) -> str:
    """Carry out one way and return what was said. Raise `ProbeError` where it fails."""
    if way.command:
        command = way.command if isinstance(way.command, str) else tuple(w.replace(MARK, mark) for w in way.command)
        done = await run_clearly(ctx, argv_of(command), {**way.env, "MARK": mark})
        if done.exit_code != 0 and doing == "sending":
            said = (done.stderr or done.stdout).strip()[-200:]
            raise ProbeError(f"{doing} ends with exit code {done.exit_code}: {said}", phase="send")
        return done.stdout
    headers = _marked(way.headers, mark)
    body = way.body.replace(MARK, mark).encode() if way.body else None
    url = way.url.replace(MARK, mark)
    reply = await ctx.http(way.method, url, headers=headers, body=body, verify=cfg.verify)
    if not 200 <= reply.status <= 299 and doing == "sending":
        phase = "auth" if reply.status in (401, 403) else "send"
        raise ProbeError(f"{doing} is answered with HTTP {reply.status}", phase=phase)
    return reply.body.decode("utf-8", "replace") if 200 <= reply.status <= 299 else f"HTTP {reply.status}"


def _marked(headers: Mapping[str, str], mark: str) -> dict[str, str]:
    return {name: value.replace(MARK, mark) for name, value in headers.items()}
