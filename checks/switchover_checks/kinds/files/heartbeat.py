"""`heartbeat`: whether a job has reported in time: `switchover push CHECK` at its end says that it ran, and how.

Late is critical. A report outlives the agent, and is kept where none runs.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from switchover_checks.api import Context, Effect, Finding, Measured, Metric, Result, Status
from switchover_checks.language.fields import Duration
from switchover_checks.language.units import format_duration

__all__ = ["HeartbeatCheck", "HeartbeatConfig"]

_STATUSES = {"ok": Status.OK, "warn": Status.WARN, "crit": Status.CRIT}
_AHEAD_S = 60.0


@dataclass(frozen=True)
class HeartbeatConfig:
    """How often a job must report."""

    within: Duration
    """The longest time from one report to the next: for a job each night, `25h`."""
    warn_after: Duration | None = None
    """The time without a report after which it warns."""

    def __post_init__(self) -> None:
        if self.within < 1:
            raise ValueError("within is at least 1s")
        if self.warn_after is not None and self.warn_after >= self.within:
            raise ValueError("warn_after is shorter than within")


class HeartbeatCheck:
    """Read the last report of a job."""

    kind: ClassVar[str] = "heartbeat"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = HeartbeatConfig
    metrics: ClassVar[tuple[Measured, ...]] = (Measured("age", "s", "the time since the last report"),)
    example: ClassVar[str] = """
    kind: heartbeat
    within: 25h
    """

    async def probe(self, cfg: HeartbeatConfig, ctx: Context) -> Result:
        """Look once."""
        report = await ctx.in_thread(ctx.pushed)
        if why := report.get("unreadable"):
            return Result.unknown(f"the last report cannot be read: {why}")
        at = report.get("at")
        expected = f"within {format_duration(cfg.within)}"
        if not isinstance(at, int | float):
            hint = "let the job end with: switchover push CHECK"
            return Result.of([Finding("report", expected, "none has come yet", Status.CRIT, hint)])
        age = time.time() - at
        findings = [_age(cfg, age, expected), *_said(report)]
        text = str(report.get("text", ""))
        evidence = {"report": text} if text else {}
        ok = f"{text or 'reported'}, {format_duration(max(0.0, age))} ago"
        return Result.of(findings, metrics=[Metric("age", age, "s")], evidence=evidence, ok=ok)


def _age(cfg: HeartbeatConfig, age: float, expected: str) -> Finding:
    if age < -_AHEAD_S:
        observed = f"{format_duration(-age)} in the future"
        return Finding("report", expected, observed, Status.UNKNOWN, "one of two clocks is wrong")
    late = age > cfg.within
    warned = cfg.warn_after is not None and age > cfg.warn_after
    status = Status.CRIT if late else Status.WARN if warned else Status.OK
    return Finding("report", expected, f"the last came {format_duration(max(0.0, age))} ago", status)


def _said(report: Mapping[str, Any]) -> list[Finding]:
    word = str(report.get("status", "ok"))
    text = str(report.get("text", ""))
    observed = f"{word}: {text}" if text else word
    return [Finding("status", "ok", observed[:300], _STATUSES.get(word, Status.UNKNOWN))]
