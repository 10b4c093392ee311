"""`budget`: whether a month of the plan stays within its budget. Lines and sources of costs count.

A sum that lacks a price is never said to be within it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Literal

from switchover_checks.api import Context, Effect, Finding, Measured, Metric, Result, Status

__all__ = ["BudgetCheck", "BudgetConfig"]


@dataclass(frozen=True)
class BudgetConfig:
    """What may be spent. A sum of 18 to 22 is over when 18 is; it warns when 22 is."""

    of: Literal["after", "before", "both"] = "after"
    """Which sum: that of the side after, before, or of both while they run."""
    limit: Decimal | None = None
    """The money a month, in the currency of the plan (default: `costs.budget`)."""
    warn: Decimal | None = None
    """The percentage of the limit from which it warns."""

    def __post_init__(self) -> None:
        if self.limit is not None and not (self.limit.is_finite() and self.limit > 0):
            raise ValueError("limit: money is more than nothing")
        if self.warn is not None and not 0 < self.warn <= 100:
            raise ValueError("warn is a percentage, from 1 to 100")


class BudgetCheck:
    """Add up what a month costs."""

    kind: ClassVar[str] = "budget"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = BudgetConfig
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("total", "", "what a month costs, in the currency of the plan"),
        Measured("percent", "%", "that, of the budget"),
    )
    example: ClassVar[str] = """
    kind: budget
    warn: 90
    """

    async def probe(self, cfg: BudgetConfig, ctx: Context) -> Result:
        """Ask the program once for its sums."""
        ctx.enter("api")
        told = await ctx.costs()
        ctx.enter("assert")
        limit = cfg.limit if cfg.limit is not None else _amount(told, "budget")
        if not limit:
            return Result.unknown("the plan has no budget", hint="set limit: here, or costs.budget")
        total = {name: _amount(told, f"{cfg.of}_{name}") or Decimal(0) for name in ("low", "expected", "high")}
        unknown = [str(name) for name in told.get("unknown", ())]
        currency, percent = str(told.get("currency", "")), total["expected"] * 100 / limit
        shown = f"{_shown(told, total['expected'])} {currency} a month, {percent:.0f} %"
        status, why = _judged(cfg, total, limit, percent, unknown)
        finding = Finding(cfg.of, f"at most {_shown(told, limit)} {currency}", shown + why, status)
        numbers = (Metric("total", float(total["expected"]), ""), Metric("percent", float(percent), "%"))
        ok = f"{shown} of the budget of {_shown(told, limit)} {currency}"
        return Result.of([finding], metrics=() if unknown else numbers, ok=ok)


def _judged(
    cfg: BudgetConfig, total: Mapping[str, Decimal], limit: Decimal, percent: Decimal, unknown: list[str]
) -> tuple[Status, str]:
    """Return the status, and what it rests on besides the sum."""
    if total["low"] > limit:
        return Status.CRIT, ""  # what is not known can only add to it
    if unknown:
        return Status.UNKNOWN, f" at least: no price of {', '.join(unknown)}"
    if total["high"] > limit:
        return Status.WARN, " as expected, and more than the budget if it comes to the most"
    if cfg.warn is not None and percent >= cfg.warn:
        return Status.WARN, f", from {cfg.warn} % on it warns"
    return Status.OK, ""


def _amount(told: Mapping[str, Any], name: str) -> Decimal | None:
    return Decimal(str(told[name])) if told.get(name) not in (None, "") else None


def _shown(told: Mapping[str, Any], amount: Decimal) -> str:
    return f"{amount:.{int(told.get('digits', 2))}f}"
