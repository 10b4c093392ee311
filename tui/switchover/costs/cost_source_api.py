"""What a source of costs declares and does. One file in `sources/` is one source, found by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Generic, Literal, TypeVar

from switchover_checks.api import Context

__all__ = ["CostLine", "CostSource", "Side"]

ConfigT = TypeVar("ConfigT")
Side = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class CostLine:
    """What something costs a month, on one side. Without `currency` it is in that of the plan."""

    name: str
    side: Side
    amount: Decimal
    currency: str = ""
    note: str = ""


class CostSource(Generic[ConfigT]):
    """A source of costs. `config` is a frozen dataclass: its fields are the keys, with the text below each."""

    kind: ClassVar[str]
    config: ClassVar[type]
    example: ClassVar[str]
    """A source of this kind in YAML."""
    takes_secrets: ClassVar[bool] = False
    """Whether its keys may hold secrets."""
    every_s: ClassVar[float] = 60.0
    """How often it is read."""
    timeout_s: ClassVar[float] = 30.0
    """After so many seconds a reading is given up."""
    cost_usd: ClassVar[float] = 0.0
    """What one reading costs."""

    async def lines(self, cfg: ConfigT, ctx: Context) -> Sequence[CostLine]:
        """Return the lines. Raise `UnavailableError`. An amount that is not known is no line, never zero."""
        raise NotImplementedError
