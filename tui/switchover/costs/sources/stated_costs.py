"""`stated`: amounts written in the plan. The lines of `costs` are such a source too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from switchover.costs.cost_source_api import CostLine, CostSource, Side
from switchover_checks.api import Context

__all__ = ["StatedConfig", "StatedCosts"]


@dataclass(frozen=True)
class StatedConfig:
    """Amounts a month."""

    side: Side
    """The side that they belong to."""
    lines: dict[str, Decimal]
    """What costs how much a month."""


class StatedCosts(CostSource[StatedConfig]):
    """Returns what is written."""

    kind: ClassVar[str] = "stated"
    config: ClassVar[type] = StatedConfig
    example: ClassVar[str] = """
    kind: stated
    side: after
    lines: {support: 29.00}
    """

    async def lines(self, cfg: StatedConfig, ctx: Context) -> Sequence[CostLine]:
        """Return the lines as they stand."""
        return [CostLine(name, cfg.side, amount) for name, amount in cfg.lines.items()]
