"""`service`: whether a service of the plan runs and is well, as its provider says: Docker, systemd, a cloud, ….

The provider is asked now. What it does not know is unknown, never fine.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from switchover_checks.api import Context, Effect, Finding, Measured, ProbeError, Result, Status
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, Unavailable, expected_in
from switchover_checks.language.fact_numbers import measured_in

__all__ = ["ServiceStateCheck", "ServiceStateConfig"]

NAMES: dict[str, NameType] = {
    "state": "text",
    "health": "text",
    "detail": "text",
    "kind": "text",
    "restarts": "number",
    "ready": "number",
    "wanted": "number",
    "image": "text",
    "pid": "number",
    "cpu": "percent",
    "memory": "size",
    "latency": "duration",
    "uptime": "duration",
}
_KNOWN_AS = {"cpu": "cpu_percent", "memory": "memory_bytes"}
_HEALTH = {"ok": Status.OK, "warn": Status.WARN, "crit": Status.CRIT}


@dataclass(frozen=True)
class ServiceStateConfig:
    """How the service must be that the check's own key `service` names. Without more it runs and is well."""

    state: Literal["running", "stopped"] = "running"
    """Whether it must run. Where it must be stopped, its health does not count."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true besides. `health` is `ok`, `warn`, `crit` or `unknown`; `cpu` counts one core as 100 %.
    `ready` of `wanted` are the copies of what has several."""


class ServiceStateCheck:
    """Ask the provider of a service."""

    kind: ClassVar[str] = "service"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = ServiceStateConfig
    about_a_service: ClassVar[bool] = True
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("cpu", "%", "the use of processors, one core being 100"),
        Measured("memory", "B", "memory in use"),
        Measured("latency", "s", "how long its answer took"),
        Measured("restarts", "", "how often it was started again"),
        Measured("uptime", "s", "since when it runs"),
        Measured("ready", "", "copies that are ready"),
    )
    example: ClassVar[str] = """
    kind: service
    service: api
    expect: [restarts == 0, uptime > 1m]
    """

    async def probe(self, cfg: ServiceStateConfig, ctx: Context) -> Result:
        """Ask once."""
        if not ctx.about:
            return Result.unknown("it is not said which service is meant", hint="set service: NAME")
        ctx.enter("api")
        try:
            told = await ctx.service(ctx.about)
        except KeyError:
            raise ProbeError(f"the plan has no service {ctx.about}", status=Status.UNKNOWN) from None
        ctx.enter("assert")
        facts = _facts(told)
        state, detail = str(facts["state"]), str(told.get("detail", ""))
        shown = f"{state}: {detail}" if detail else state
        known = state in ("running", "stopped")
        status = Status.UNKNOWN if not known else Status.OK if state == cfg.state else Status.CRIT
        findings = [Finding(ctx.about, cfg.state, shown, status)]
        if cfg.state == "running" and state == "running" and not any("health" in e.names for e in cfg.expect):
            health = str(facts["health"])
            words = f"{health}: {detail}" if detail and health != "ok" else health
            findings.append(Finding("health", "ok", words, _HEALTH.get(health, Status.UNKNOWN)))
        findings += [e.check(facts) for e in cfg.expect]
        numbers = measured_in(facts, self.metrics)
        return Result.of(findings, metrics=numbers, ok=shown)


def _facts(told: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for name in NAMES:
        key = _KNOWN_AS.get(name, name)
        facts[name] = told[key] if key in told else Unavailable("its provider does not tell")
    facts["detail"] = str(told.get("detail", ""))
    if "latency_ms" in told:
        facts["latency"] = told["latency_ms"] / 1000
    if "started_at" in told and told.get("state") == "running":
        facts["uptime"] = max(0.0, time.time() - told["started_at"])
    return facts
