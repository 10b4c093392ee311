"""`focus`: what a month was billed, by service, from a CSV file in the format FOCUS 1.x that clouds export.

It is read in a process of its own, so a million rows hold nothing up.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Literal

from switchover.costs import focus_reading
from switchover.costs.cost_source_api import CostLine, CostSource, Side
from switchover.plan.kind_calls import UnavailableError
from switchover_checks.api import Context

__all__ = ["FocusCosts", "FocusCostsConfig"]

_SETTLES = timedelta(hours=48)


@dataclass(frozen=True)
class FocusCostsConfig:
    """A bill. What was paid once is not counted, and said."""

    path: str
    """The file, from the folder of the plan."""
    side: Side
    """The side that it is the bill of."""
    basis: Literal["BilledCost", "EffectiveCost"] = "BilledCost"
    """Which amounts count: what is to be paid, or that spread over what it is used for. They are never mixed."""
    month: str = ""
    """The month that counts: `2026-10` (default: the last that is over)."""

    def __post_init__(self) -> None:
        if self.month:
            try:
                datetime.strptime(self.month, "%Y-%m").replace(tzinfo=UTC)
            except ValueError:
                raise ValueError(f"month is written 2026-10, not {self.month!r}") from None


class FocusCosts(CostSource[FocusCostsConfig]):
    """Reads the file anew each time."""

    kind: ClassVar[str] = "focus"
    config: ClassVar[type] = FocusCostsConfig
    example: ClassVar[str] = """
    kind: focus
    path: focus.csv
    side: after
    basis: EffectiveCost
    """
    every_s: ClassVar[float] = 900.0
    timeout_s: ClassVar[float] = 60.0

    async def lines(self, cfg: FocusCostsConfig, ctx: Context) -> Sequence[CostLine]:
        """Add it up elsewhere; the process ends with the reading, however that ends."""
        path = str(ctx.base_dir / cfg.path)
        argv = [sys.executable, "-I", str(Path(focus_reading.__file__)), path, cfg.basis, cfg.month]
        output = await ctx.run(argv)
        try:
            found: dict[str, Any] = json.loads(output.stdout)
        except ValueError:
            raise UnavailableError(f"{cfg.path} could not be read: exit code {output.exit_code}") from None
        if "error" in found:
            raise UnavailableError(f"{cfg.path}: {found['error']}")
        recurring = {(service, money): amount for service, money, paid_once, amount in found["rows"] if not paid_once}
        once = {(service, money): amount for service, money, paid_once, amount in found["rows"] if paid_once}
        return [
            CostLine(key[0], cfg.side, Decimal(recurring.get(key, "0")), key[1], _note(cfg, found, once.get(key, "")))
            for key in dict.fromkeys((*recurring, *once))
        ]


def _note(cfg: FocusCostsConfig, found: dict[str, Any], once: str) -> str:
    paid = f"; {once} paid once is not in it" if once else ""
    settled = "" if _is_settled(found) else "; incomplete: its last 48 h still change"
    return f"{cfg.basis} of {found['month']}{settled}{paid}"


def _is_settled(found: dict[str, Any]) -> bool:
    """Tell whether the bill goes two days beyond the end of its month."""
    begin = datetime.strptime(found["month"], "%Y-%m").replace(tzinfo=UTC)
    end = (begin + timedelta(days=32)).replace(day=1)
    try:
        newest = datetime.fromisoformat(found["newest"])
    except ValueError:
        return False
    return (newest if newest.tzinfo else newest.replace(tzinfo=UTC)) >= end + _SETTLES
