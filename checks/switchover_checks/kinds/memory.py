"""`memory`: what the machine has available, and its swap, against Nagios ranges: `10%:` alerts below 10 % available."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from switchover_checks.api import Context, Effect, Finding, Measured, Metric, Result, Status
from switchover_checks.kinds.disk import judge_share
from switchover_checks.language.fields import FreeThreshold
from switchover_checks.language.units import format_bytes

__all__ = ["MemoryCheck", "MemoryConfig"]


@dataclass(frozen=True)
class MemoryConfig:
    """What must be available, and what of the swap must be free. A bare number means percent."""

    warn: FreeThreshold | None = None
    """Available memory that warns."""
    crit: FreeThreshold | None = None
    """Available memory that is critical."""
    swap_warn: FreeThreshold | None = None
    """Free swap that warns."""
    swap_crit: FreeThreshold | None = None
    """Free swap that is critical."""

    def __post_init__(self) -> None:
        if not any((self.warn, self.crit, self.swap_warn, self.swap_crit)):
            raise ValueError("set warn or crit, such as 10%: to alert below 10 % available")


class MemoryCheck:
    """Look at the memory of this machine."""

    kind: ClassVar[str] = "memory"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = MemoryConfig
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("available", "B", "available memory"),
        Measured("available_percent", "%", "available memory, of all"),
        Measured("swap_free", "B", "free swap", ("swap_warn", "swap_crit")),
    )
    example: ClassVar[str] = """
    kind: memory
    warn: "10%:"
    """

    async def probe(self, cfg: MemoryConfig, ctx: Context) -> Result:
        """Ask the kernel once."""
        import psutil

        memory = await ctx.in_thread(psutil.virtual_memory)
        findings = []
        metrics = [
            Metric("available", memory.available, "B"),
            Metric("available_percent", 100 * memory.available / memory.total, "%"),
        ]
        if cfg.warn or cfg.crit:
            findings.append(judge_share("memory available", memory.available, memory.total, cfg.warn, cfg.crit))
        if cfg.swap_warn or cfg.swap_crit:
            swap = await ctx.in_thread(psutil.swap_memory)
            if swap.total:
                metrics.append(Metric("swap_free", swap.free, "B"))
                findings.append(judge_share("swap free", swap.free, swap.total, cfg.swap_warn, cfg.swap_crit))
            else:
                findings.append(Finding("swap free", "some swap", "this machine has no swap", Status.UNKNOWN))
        share = 100 * memory.available / memory.total
        return Result.of(findings, metrics=metrics, ok=f"{share:.0f} % available ({format_bytes(memory.available)})")
