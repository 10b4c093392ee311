"""`gcp_monitoring`: a number of Google Cloud Monitoring, each series judged. Late values shift the window."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from switchover_checks.api import Context, Effect, Finding, Measured, Metric, Result, Status
from switchover_checks.language.fields import Duration, Texts, Threshold
from switchover_checks.language.thresholds import judge
from switchover_checks.language.units import format_duration

__all__ = ["GcpMonitoringCheck", "GcpMonitoringConfig"]


@dataclass(frozen=True)
class GcpMonitoringConfig:
    """A metric, and the range of its newest values."""

    filter: str
    """Which series: `metric.type="run.googleapis.com/request_count" AND resource.labels.service_name="api"`."""
    align: Literal["mean", "sum", "max", "min", "rate", "delta", "count", "percentile_50", "percentile_95",
                   "percentile_99", ""] = "mean"  # fmt: skip
    """How the values of a period become one; empty leaves them as they are."""
    reduce: Literal["", "sum", "mean", "max", "min", "count"] = ""
    """How several series become one."""
    group_by: Texts = ()
    """The labels that stay apart: `resource.labels.service_name`."""
    period: Duration = 300.0
    """The period."""
    delay: Duration = 240.0
    """How late values may come; what is newer is not asked for."""
    max_age: Duration = 1800.0
    """How old the newest value may be."""
    missing: Literal["unknown", "zero"] = "unknown"
    """What no series means."""
    warn: Threshold | None = None
    """A range; outside of it a series warns."""
    crit: Threshold | None = None
    """A range; outside of it a series is critical."""
    project: str = ""
    """The project; without it the one that is configured."""

    def __post_init__(self) -> None:
        if "metric.type" not in self.filter and "{{" not in self.filter:
            raise ValueError('filter names a metric: metric.type="…"')
        if not (self.warn or self.crit):
            raise ValueError("set warn or crit")
        if self.period < 60:
            raise ValueError("period is at least a minute")
        if (self.reduce or self.group_by) and not self.align:
            raise ValueError("series become one only once they are aligned: set align")


class GcpMonitoringCheck:
    """Ask Cloud Monitoring through its own library."""

    kind: ClassVar[str] = "gcp_monitoring"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = GcpMonitoringConfig
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("value", "", "the newest value, where one series answers"),
        Measured("series", "", "how many series answer"),
    )
    example: ClassVar[str] = """
    kind: gcp_monitoring
    filter: metric.type="pubsub.googleapis.com/subscription/num_undelivered_messages"
    align: max
    reduce: sum
    crit: 1000
    """

    async def probe(self, cfg: GcpMonitoringConfig, ctx: Context) -> Result:
        """Ask once."""
        asked: dict[str, Any] = {
            "filter": cfg.filter,
            "align": cfg.align,
            "reduce": cfg.reduce,
            "group_by": list(cfg.group_by),
            "period": cfg.period,
            "delay": cfg.delay,
            "window": cfg.max_age,
        }
        if cfg.project:
            asked["project"] = cfg.project
        told = await ctx.cloud("google", "monitoring", "time_series", asked)
        ctx.enter("assert")
        newest = {_name(one): one["points"][0] for one in told.get("series") or () if one.get("points")}
        values = {name: point for name, point in newest.items() if point[1] is not None}
        if not values:
            return _missing(cfg, len(newest))
        findings = [judge(name, value, cfg.warn, cfg.crit) for name, (_, value) in sorted(values.items())]
        metrics = [Metric("series", len(values))]
        oldest = max(time.time() - at for at, _ in values.values())
        if len(values) == 1:
            metrics.append(Metric("value", next(iter(values.values()))[1]))
        return Result.of(findings, metrics=metrics, ok=f"{len(values)} series, {format_duration(oldest)} old at most")


def _missing(cfg: GcpMonitoringConfig, without: int) -> Result:
    if cfg.missing == "zero" and not without:
        return Result.of([judge("value", 0.0, cfg.warn, cfg.crit)], metrics=[Metric("series", 0)], ok="0: no series")
    why = "series without a number" if without else "no series"
    expected = f"a value in {format_duration(cfg.max_age)}"
    hint = "missing: zero, where no series means none"
    return Result.of([Finding("series", expected, why, Status.UNKNOWN, hint)])


def _name(series: Mapping[str, Any]) -> str:
    labels = sorted((series.get("labels") or {}).items())
    return ", ".join(f"{k}={v}" for k, v in labels if k != "project_id") or "value"
