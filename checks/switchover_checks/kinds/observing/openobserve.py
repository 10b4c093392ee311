"""`openobserve`: whether an OpenObserve is well, and has taken records into a stream lately."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar
from urllib.parse import quote

from switchover_checks.api import Context, Effect, Finding, Measured, ProbeError, Result, Status
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, Unavailable, expected_in
from switchover_checks.language.fact_numbers import measured_in
from switchover_checks.language.fields import Duration
from switchover_checks.language.units import format_duration
from switchover_checks.runtime.network.json_asking import Api

__all__ = ["OpenobserveCheck", "OpenobserveConfig"]

NAMES: dict[str, NameType] = {"status": "text", "hits": "number", "time": "duration"}


@dataclass(frozen=True)
class OpenobserveConfig:
    """A server, and a stream that must have had records."""

    url: str
    """The address: `http://127.0.0.1:5080`."""
    user: str = ""
    """The account."""
    password: str = ""
    """Its password: `{{ secret.NAME }}`."""
    organization: str = "default"
    """The organization of the stream."""
    stream: str = ""
    """The stream whose records are counted; none at all is critical."""
    last: Duration = 900.0
    """The time for which they are counted."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of `status`, of `hits` in that time, and of the `time` that the search took."""
    verify: bool = True
    """Whether the certificate is checked."""

    def __post_init__(self) -> None:
        if self.stream and not re.fullmatch(r"[A-Za-z0-9_-]+", self.stream):
            raise ValueError(f"{self.stream!r} is not the name of a stream")


class OpenobserveCheck:
    """Ask an OpenObserve."""

    kind: ClassVar[str] = "openobserve"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = OpenobserveConfig
    metrics: ClassVar[tuple[Measured, ...]] = (Measured("hits", "", "records in that time", ("stream",)),)
    example: ClassVar[str] = """
    kind: openobserve
    url: http://127.0.0.1:5080
    user: ops@example.org
    password: "{{ secret.o2 }}"
    stream: app
    last: 10m
    """

    async def probe(self, cfg: OpenobserveConfig, ctx: Context) -> Result:
        """Ask once."""
        api = Api(ctx, cfg.url, cfg.user, cfg.password, verify=cfg.verify)
        status = str((await api.ask("/healthz")).need("status"))
        facts: dict[str, Any] = {
            "status": status,
            "hits": Unavailable("set stream"),
            "time": Unavailable("set stream"),
        }
        findings = [Finding.compare("health", "ok", status, status == "ok")]
        if cfg.stream:
            findings.append(await _counted(cfg, api, facts))
        ctx.enter("assert")
        findings += [e.check(facts) for e in cfg.expect]
        return Result.of(findings, metrics=measured_in(facts, self.metrics), ok=status)


async def _counted(cfg: OpenobserveConfig, api: Api, facts: dict[str, Any]) -> Finding:
    end = int(time.time() * 1e6)
    query = {
        "sql": f'select count(*) as total from "{cfg.stream}"',  # noqa: S608 - the name has letters only
        "start_time": end - int(cfg.last * 1e6),
        "end_time": end,
        "from": 0,
        "size": 1,
    }
    path = f"/api/{quote(cfg.organization, safe='')}/_search"
    answer = await api.ask(path, method="POST", body={"query": query})
    hits = answer.need("hits")
    total = hits[0].get("total") if isinstance(hits, list) and hits and isinstance(hits[0], dict) else None
    if not isinstance(total, int) or isinstance(total, bool):
        raise ProbeError("the search answers with no count", phase="parse", status=Status.UNKNOWN)
    facts.update(hits=total, time=answer.seconds)
    expected = f"records in {format_duration(cfg.last)}"
    return Finding.compare(cfg.stream, expected, total, total > 0)
