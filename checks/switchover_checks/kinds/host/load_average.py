"""`load_average`: how many processes wait for a processor or a disk, for each processor there is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import ClassVar, Literal

from switchover_checks.api import Context, Effect, Measured, Metric, Result
from switchover_checks.language.fields import Threshold
from switchover_checks.language.thresholds import judge

__all__ = ["LoadAverageCheck", "LoadAverageConfig"]

_SPANS = ("1m", "5m", "15m")


@dataclass(frozen=True)
class LoadAverageConfig:
    """The load of this machine, and how high it may be."""

    over: Literal["1m", "5m", "15m"] = "5m"
    """The time over which the load is averaged."""
    warn: Threshold | None = None
    """Load that warns: `2` alerts above 2."""
    crit: Threshold | None = None
    """Load that is critical."""
    per_cpu: bool = True
    """Whether the load is divided by the number of processors that this process may use."""

    def __post_init__(self) -> None:
        if not (self.warn or self.crit):
            raise ValueError("set warn or crit, such as 2 to alert above two waiting processes a processor")
        for limit in (self.warn, self.crit):
            if limit is not None and limit.dimension:
                raise ValueError(f"{limit.text!r} has a unit; a load is a bare number such as 2")


class LoadAverageCheck:
    """Ask the kernel for its load."""

    kind: ClassVar[str] = "load_average"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = LoadAverageConfig
    metrics: ClassVar[tuple[Measured, ...]] = tuple(
        Measured(f"load{span[:-1]}", "", f"the load over {span}, as the kernel tells it") for span in _SPANS
    )
    example: ClassVar[str] = """
    kind: load_average
    over: 5m
    warn: 1.5
    crit: 4
    """

    async def probe(self, cfg: LoadAverageConfig, ctx: Context) -> Result:
        """Ask once."""
        ctx.enter("assert")
        loads = dict(zip(_SPANS, os.getloadavg(), strict=True))
        cpus = len(os.sched_getaffinity(0))
        load = loads[cfg.over]
        value = load / cpus if cfg.per_cpu else load
        observed = f"{value:.2f} ({load:.2f} on {cpus} CPUs)" if cfg.per_cpu else f"{value:.2f}"
        finding = judge(f"load over {cfg.over}", value, cfg.warn, cfg.crit, observed=observed)
        metrics = [Metric(f"load{span[:-1]}", number) for span, number in loads.items()]
        return Result.of([finding], metrics=metrics, ok=f"load {observed} over {cfg.over}")
