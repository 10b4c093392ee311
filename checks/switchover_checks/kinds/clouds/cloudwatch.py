"""`cloudwatch`: a number of CloudWatch. Its newest points come minutes late, so the window is shifted.

Where nothing was measured it is unknown; 0 only where `missing: zero` says that no event means none.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

from switchover_checks.api import Context, Effect, Finding, Measured, Metric, Result, Status
from switchover_checks.language.fields import Duration, Threshold
from switchover_checks.language.thresholds import judge
from switchover_checks.language.units import format_duration

__all__ = ["CloudwatchCheck", "CloudwatchConfig"]


@dataclass(frozen=True)
class CloudwatchConfig:
    """A metric, and the range of its newest value."""

    namespace: str
    """The namespace: `AWS/RDS`."""
    metric: str
    """The metric: `CPUUtilization`."""
    dimensions: dict[str, str] = field(default_factory=dict)
    """Of what: `{DBInstanceIdentifier: shop}`."""
    statistic: Literal["Average", "Sum", "Maximum", "Minimum", "SampleCount"] = "Average"
    """How the values of a period become one."""
    period: Duration = 300.0
    """The period: whole minutes."""
    delay: Duration = 180.0
    """How late values may come; what is newer is not asked for."""
    max_age: Duration = 1800.0
    """How old the newest value may be."""
    missing: Literal["unknown", "zero"] = "unknown"
    """What no value means. Metrics of events are not written when there is none."""
    warn: Threshold | None = None
    """A range; outside of it the value warns."""
    crit: Threshold | None = None
    """A range; outside of it the value is critical."""
    region: str = ""
    """The region; without it the one that is configured."""

    def __post_init__(self) -> None:
        if not (self.warn or self.crit):
            raise ValueError("set warn or crit")
        if self.period < 60 or self.period % 60:
            raise ValueError("period is whole minutes: 60s, 5m")
        if self.max_age < self.period:
            raise ValueError("max_age is at least one period")


class CloudwatchCheck:
    """Ask CloudWatch."""

    kind: ClassVar[str] = "cloudwatch"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = CloudwatchConfig
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("value", "", "the newest value"),
        Measured("age", "s", "how old it is"),
    )
    example: ClassVar[str] = """
    kind: cloudwatch
    namespace: AWS/RDS
    metric: CPUUtilization
    dimensions: {DBInstanceIdentifier: shop}
    crit: 90
    """

    async def probe(self, cfg: CloudwatchConfig, ctx: Context) -> Result:
        """Ask once."""
        end = time.time() - cfg.delay
        asked = {
            "Namespace": cfg.namespace,
            "MetricName": cfg.metric,
            "Dimensions": [{"Name": name, "Value": value} for name, value in cfg.dimensions.items()],
            "StartTime": datetime.fromtimestamp(end - cfg.max_age, UTC),
            "EndTime": datetime.fromtimestamp(end, UTC),
            "Period": int(cfg.period),
            "Statistics": [cfg.statistic],
        }
        told = await ctx.cloud("aws", "cloudwatch", "get_metric_statistics", asked, region=cfg.region)
        ctx.enter("assert")
        points = sorted(told.get("Datapoints") or (), key=lambda one: str(one["Timestamp"]))
        if not points:
            return _missing(cfg)
        value, age = float(points[-1][cfg.statistic]), time.time() - _time(points[-1]["Timestamp"])
        finding = judge(cfg.metric, value, cfg.warn, cfg.crit)
        ok = f"{value:.6g}, {format_duration(max(0.0, age))} old"
        return Result.of([finding], metrics=[Metric("value", value), Metric("age", age, "s")], ok=ok)


def _missing(cfg: CloudwatchConfig) -> Result:
    if cfg.missing == "zero":
        return Result.of([judge(cfg.metric, 0.0, cfg.warn, cfg.crit)], metrics=[Metric("value", 0.0)], ok="0: no value")
    expected = f"a value in {format_duration(cfg.max_age)}"
    hint = "missing: zero, where no value means none"
    return Result.of([Finding(cfg.metric, expected, "none", Status.UNKNOWN, hint)])


def _time(value: Any) -> float:
    return value.timestamp() if isinstance(value, datetime) else datetime.fromisoformat(str(value)).timestamp()
