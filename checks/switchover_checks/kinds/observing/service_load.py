"""`load`: asks a service of the plan for a while, and judges times and errors. It changes the world: it is load.

With `rps` requests begin when they are due, whether or not others were answered (an open model). The time of each
counts from when it was due. So a service that stalls is not flattered by those who waited. With `concurrency` so many
clients each ask again once they were answered. This shows what a service can bear, but hides how long a stall was.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from switchover_checks.api import Context, Effect, Finding, Measured, ProbeError, Result, Status
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, expected_in
from switchover_checks.language.fact_numbers import measured_in
from switchover_checks.language.fields import Duration, Share
from switchover_checks.language.units import format_duration

__all__ = ["LoadCheck", "LoadConfig"]

NAMES: dict[str, NameType] = {
    "rps": "number",
    "requests": "number",
    "errors": "percent",
    "p50": "duration",
    "p95": "duration",
    "p99": "duration",
    "slowest": "duration",
}
_MOST_RPS = 2000
_MOST_REQUESTS = 200_000
_MOST_CLIENTS = 500
_MOST_CLOSED = 5_000_000
_ENOUGH = 20


@dataclass(frozen=True)
class LoadConfig:
    """What is asked of the service that the check is about, how often, and how it must bear it."""

    rps: float = 0.0
    """Requests a second, whether or not others were answered; or say `concurrency`."""
    concurrency: int = 0
    """How many clients ask at once, each again once it was answered."""
    for_: Duration = 10.0
    """For how long. The check's own `timeout` must be longer."""
    url: str = ""
    """What is asked for; without it the `url` of the service. Its host must be that of a service of the plan."""
    path: str = ""
    """What is asked for below that address."""
    method: Literal["GET", "HEAD", "POST"] = "GET"
    """The method."""
    headers: dict[str, str] = field(default_factory=dict)
    """Headers of each request."""
    body: str = ""
    """What is sent with each request."""
    most_errors: Share = 0.01
    """The share of requests that may fail. When many more do, it stops early."""
    most_open: int = 500
    """How many requests may wait for their answer at once; more are errors."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of `p50`, `p95`, `p99`, `slowest`, `errors`, `rps` and `requests`."""
    verify: bool = True
    """Whether the certificate is checked."""

    def __post_init__(self) -> None:
        if bool(self.rps) == bool(self.concurrency):
            raise ValueError("set rps (requests a second), or concurrency (clients at once)")
        if not 0 <= self.rps <= _MOST_RPS:
            raise ValueError(f"rps is more than 0 and at most {_MOST_RPS}")
        if not 0 <= self.concurrency <= _MOST_CLIENTS:
            raise ValueError(f"concurrency is 1 to {_MOST_CLIENTS}")
        if self.rps and not 1 <= self.rps * self.for_ <= _MOST_REQUESTS:
            raise ValueError(f"rps times for is 1 to {_MOST_REQUESTS} requests")
        if self.path and not self.path.startswith("/"):
            raise ValueError("path begins with /; the host is that of the service")


class LoadCheck:
    """Load a service for a while."""

    kind: ClassVar[str] = "load"
    effect: ClassVar[Effect] = "writes"
    config: ClassVar[type] = LoadConfig
    apart: ClassVar[bool] = True
    about_a_service: ClassVar[bool] = True
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("rps", "", "requests a second that were answered"),
        Measured("errors", "%", "requests that failed"),
        Measured("p50", "s", "half of the requests were faster"),
        Measured("p95", "s", "95 of 100 were faster"),
        Measured("p99", "s", "99 of 100 were faster"),
    )
    example: ClassVar[str] = """
    kind: load
    service: api
    rps: 50
    for: 20s
    expect: [p95 < 300ms, errors < 1%]
    """

    async def probe(self, cfg: LoadConfig, ctx: Context) -> Result:
        """Load once."""
        url = cfg.url or str((await ctx.service(ctx.about)).get("url") or "")
        if not url.startswith(("http://", "https://")):
            raise ProbeError(f"{cfg.url or f'the service {ctx.about}'} has no url of HTTP", status=Status.UNKNOWN)
        if ctx.deadline - time.monotonic() < cfg.for_ + 1:
            hint = f"set timeout to more than {format_duration(cfg.for_ + 1)}"
            return Result.unknown("the check's timeout is shorter than the load lasts", hint=hint)
        ctx.enter("send")
        run = _Run(cfg, ctx, url.rstrip("/") + cfg.path if cfg.path else url)
        await run.whole()
        ctx.enter("assert")
        facts = run.facts()
        allowed = 100 * cfg.most_errors
        shown = f"{facts['errors']:.3g} %" + (f": {run.first_error}" if run.first_error else "")
        findings = [
            Finding.compare("errors", f"at most {allowed:.3g} %", shown, facts["errors"] <= allowed),
            Finding.compare("load", "to its end", "stopped early" if run.stopped else "to its end", not run.stopped),
            *(e.check(facts) for e in cfg.expect),
        ]
        ok = f"{facts['rps']:.4g} a second, p95 {format_duration(facts['p95'])}"
        return Result.of(findings, metrics=measured_in(facts, self.metrics), ok=ok)


class _Run:
    """The requests of one load."""

    def __init__(self, cfg: LoadConfig, ctx: Context, url: str) -> None:
        self._cfg, self._ctx, self._url = cfg, ctx, url
        self._times = array("d")
        self._open: set[asyncio.Task[None]] = set()
        self._errors = 0
        self.first_error = ""
        self.stopped = False
        self._took = 1.0

    async def whole(self) -> None:
        """Send all and wait for the answers."""
        start = time.monotonic()
        if self._cfg.concurrency:
            async with asyncio.TaskGroup() as clients:
                for _ in range(self._cfg.concurrency):
                    clients.create_task(self._client(start + self._cfg.for_))
        else:
            await self._when_due(start)
        self._took = max(1e-3, time.monotonic() - start)

    async def _client(self, end: float) -> None:
        """Ask again and again, as long as it makes sense."""
        while (began := time.monotonic()) < end and not self.stopped:
            await self._one(began)
            self.stopped = self._hopeless(len(self._times)) or len(self._times) >= _MOST_CLOSED

    async def _when_due(self, start: float) -> None:
        """Send each when it is due."""
        for number in range(round(self._cfg.rps * self._cfg.for_)):
            due = start + number / self._cfg.rps
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if self._hopeless(number):
                self.stopped = True
                break
            if len(self._open) >= self._cfg.most_open:
                self._failed(due, f"more than {self._cfg.most_open} wait for their answer")
                continue
            task = asyncio.ensure_future(self._one(due))
            self._open.add(task)
            task.add_done_callback(self._open.discard)
        left = max(0.1, self._ctx.deadline - time.monotonic() - 0.5)
        _, late = await asyncio.wait(self._open, timeout=left) if self._open else ((), ())
        for task in late:
            task.cancel()
        if late:
            await asyncio.gather(*late, return_exceptions=True)

    def _hopeless(self, sent: int) -> bool:
        return sent >= _ENOUGH and self._errors > max(_ENOUGH / 2, 10 * self._cfg.most_errors * sent)

    async def _one(self, due: float) -> None:
        body = self._cfg.body.encode() if self._cfg.body else None
        try:
            reply = await self._ctx.http(
                self._cfg.method, self._url, headers=self._cfg.headers, body=body, verify=self._cfg.verify
            )
        except ProbeError as error:
            self._failed(due, str(error))
        except asyncio.CancelledError:
            self._failed(due, "no answer in time")
            raise
        else:
            if reply.status >= 400:
                self._failed(due, f"HTTP {reply.status}")
            else:
                self._times.append(time.monotonic() - due)

    def _failed(self, due: float, why: str) -> None:
        self._errors += 1
        self.first_error = self.first_error or why[:160]
        self._times.append(time.monotonic() - due)

    def facts(self) -> dict[str, Any]:
        """Return what came of it."""
        ordered = sorted(self._times)
        return {
            "requests": len(ordered),
            "rps": (len(ordered) - self._errors) / self._took,
            "errors": 100 * self._errors / max(1, len(ordered)),
            **{f"p{share}": _percentile(ordered, share) for share in (50, 95, 99)},
            "slowest": ordered[-1] if ordered else 0.0,
        }


def _percentile(ordered: Sequence[float], share: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)] if ordered else 0.0
