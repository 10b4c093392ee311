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
from urllib.parse import quote, urlencode

from pydantic import PlainValidator

from switchover_checks.api import (
    CommandOutput,
    Context,
    Effect,
    Finding,
    HttpReply,
    Measured,
    Metric,
    ProbeError,
    Result,
    Status,
)
from switchover_checks.kinds.command import argv_of, run_clearly
from switchover_checks.kinds.observing.written_series import sample_of, wrong_value
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, expected_in
from switchover_checks.language.fields import Duration
from switchover_checks.language.units import format_duration
from switchover_checks.runtime.config import ConfigError, build_config

__all__ = ["RoundtripCheck", "RoundtripConfig", "Way"]

NAMES: dict[str, NameType] = {"delay": "duration"}
_OVERLOADED = (429, 503)
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

    send: AsWay | None = None
    """How it is sent: `url` with `method`, `headers` and `body`, or `command` with `env`. `$MARK` is the mark."""
    receive: AsWay | None = None
    """How one looks for it: the answer, or what the command prints, must hold the mark."""
    url: str = ""
    """Instead of both: a server of metrics that takes samples as text (VictoriaMetrics), to be read back there."""
    series: str = "switchover_roundtrip"
    """With url: the series that is written, `test_metric{job="test"}`. It gets a label of its own, the mark."""
    value: float = 1.0
    """With url: the value that is written, and must come back."""
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
        if bool(self.url) == bool(way) or bool(way) != bool(self.receive):
            raise ValueError("set send and receive, or url")
        if self.url:
            sample_of(self.series, self.value)
        if way and way.url and MARK not in f"{way.url}{way.body}{way.headers}":
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
        send, receive = _ways(cfg)
        before = await _looked(cfg, ctx, receive, never_sent)
        ctx.enter("send")
        start = time.monotonic()
        last = min(ctx.deadline - 0.5, start + cfg.within)
        await _sent(cfg, ctx, send, mark, last)
        if cfg.flush:
            await ctx.http("GET", cfg.flush, verify=cfg.verify)
        expected = f"seen within {format_duration(cfg.within)}"
        said = ""
        looks = 0
        while time.monotonic() < last or not looks:
            ctx.enter("assert")
            looks += 1
            look = await _looked(cfg, ctx, receive, mark)
            said = look.said
            if look.answered and mark in said and not before.answered:  # whether it repeats the question is not known
                before = await _looked(cfg, ctx, receive, never_sent)
            if before.answered and said.count(mark) > before.said.count(never_sent):
                delay = time.monotonic() - start
                if cfg.url and (wrong := wrong_value(said, cfg.value)):
                    return Result.of([Finding("what was sent", f"{cfg.value:g}", wrong, Status.CRIT)], phase="assert")
                finding = Finding("what was sent", expected, f"seen after {format_duration(delay)}", Status.OK)
                findings = [finding, *(e.check({"delay": delay}) for e in cfg.expect)]
                return Result.of(findings, metrics=[Metric("delay", delay, "s")], ok=finding.observed)
            await asyncio.sleep(min(cfg.look_every, max(0.0, last - time.monotonic())))
        waited = time.monotonic() - start
        short = last < start + cfg.within
        why = "" if look.answered else f": looking is answered with {said}"
        observed = f"not seen after {format_duration(waited)}{why}"
        hint = "the check's timeout is shorter than within" if short else ""
        finding = Finding("what was sent", expected, observed, Status.UNKNOWN if short else Status.CRIT, hint)
        return Result.of([finding], phase="assert", evidence={"answer": said[:300]})


@dataclass(frozen=True)
class _Look:
    """What came back, and whether it was an answer: a server that is overloaded (503) has not answered."""

    said: str
    answered: bool


def _ways(cfg: RoundtripConfig) -> tuple[Way, Way]:
    if cfg.send is not None and cfg.receive is not None:
        return cfg.send, cfg.receive
    base = cfg.url.rstrip("/")
    sample, wanted = sample_of(cfg.series, cfg.value)
    query = urlencode({"query": f"last_over_time({wanted}[5m])", "nocache": "1"}).replace(quote(MARK), MARK)
    return Way(f"{base}/api/v1/import/prometheus", "POST", body=sample), Way(f"{base}/api/v1/query?{query}")


async def _sent(cfg: RoundtripConfig, ctx: Context, way: Way, mark: str, last: float) -> None:
    """Send it. While the server is overloaded (429, 503) it is sent again; the time of all counts as delay."""
    status = await _send_once(cfg, ctx, way, mark)
    while status in _OVERLOADED and time.monotonic() < last:
        await asyncio.sleep(min(cfg.look_every, max(0.0, last - time.monotonic())))
        status = await _send_once(cfg, ctx, way, mark)
    if 200 <= status <= 299:
        return
    phase = "auth" if status in (401, 403) else "send"
    hint = f"; {cfg.url} takes no samples as text: say send and receive" if cfg.url and status in (404, 405) else ""
    raise ProbeError(f"sending is answered with HTTP {status}{hint}", phase=phase)


async def _send_once(cfg: RoundtripConfig, ctx: Context, way: Way, mark: str) -> int:
    if not way.command:
        return (await _asked(cfg, ctx, way, mark)).status
    done = await _ran(ctx, way, mark)
    if done.exit_code != 0:
        said = (done.stderr or done.stdout).strip()[-200:]
        raise ProbeError(f"sending ends with exit code {done.exit_code}: {said}", phase="send")
    return 200


async def _looked(cfg: RoundtripConfig, ctx: Context, way: Way, mark: str) -> _Look:
    if way.command:
        return _Look((await _ran(ctx, way, mark)).stdout, answered=True)
    reply = await _asked(cfg, ctx, way, mark)
    if 200 <= reply.status <= 299:
        return _Look(reply.body.decode("utf-8", "replace"), answered=True)
    return _Look(f"HTTP {reply.status}", answered=False)


async def _ran(ctx: Context, way: Way, mark: str) -> CommandOutput:
    command = way.command if isinstance(way.command, str) else tuple(w.replace(MARK, mark) for w in way.command)
    return await run_clearly(ctx, argv_of(command), {**way.env, "MARK": mark})


async def _asked(cfg: RoundtripConfig, ctx: Context, way: Way, mark: str) -> HttpReply:
    headers = {name: value.replace(MARK, mark) for name, value in way.headers.items()}
    body = way.body.replace(MARK, mark).encode() if way.body else None
    return await ctx.http(way.method, way.url.replace(MARK, mark), headers=headers, body=body, verify=cfg.verify)
