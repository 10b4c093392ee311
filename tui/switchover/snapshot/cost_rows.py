"""Money a month."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CostRow", "CostsView"]


@dataclass(frozen=True, slots=True)
class CostRow:
    """One line of money a month; amounts are decimal text, empty where the side has no such line."""

    line: str
    before: str
    after: str
    difference: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class CostsView:
    """Costs a month before and after. Amounts are decimal text in `currency`; `source` says how they are known."""

    currency: str = ""
    rows: tuple[CostRow, ...] = ()
    before_total: str = ""
    after_total: str = ""
    difference: str = ""
    percent: str = ""
    budget: str = ""
    within_budget: bool | None = None
    both_total: str = ""
    source: str = "planned"
