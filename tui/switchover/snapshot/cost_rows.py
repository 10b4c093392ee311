"""Money a month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["ChoiceRow", "ChosenSums", "CostRow", "CostState", "CostsView"]

CostState = Literal["priced", "stated", "unpriced", "stale"]


@dataclass(frozen=True, slots=True)
class CostRow:
    """One line of money a month. Amounts are decimal text: empty where the side has none, `?` where it is unknown.

    `sentence` computes it with its numbers, a line for each side.
    """

    line: str
    before: str
    after: str
    difference: str
    note: str = ""
    state: CostState = "stated"
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class ChoiceRow:
    """A choice that one has, and what it changes a month: decimal text, `?` where a price is missing."""

    name: str
    change: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChosenSums:
    """The sums under some choices, as `CostsView` has them without any."""

    before: str
    after: str
    difference: str
    percent: str
    within_budget: bool | None = None
    both: str = ""
    after_range: str = ""
    unpriced: int = 0


@dataclass(frozen=True, slots=True)
class CostsView:
    """Costs a month before and after. Amounts are decimal text in `currency`; `source` says how they are known.

    `after_range` is what the sum may lie between, where it is not exact. `once` is paid once, and in no other sum;
    `pays_after` says when the saving has paid it. `waiting_a_day` is what a day costs in which the old side still runs.
    `combinations` are the sums by choices: bit 0 of the index is the first choice.
    """

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
    waiting_a_day: str = ""
    after_range: str = ""
    unpriced: int = 0
    once: str = ""
    pays_after: str = ""
    choices: tuple[ChoiceRow, ...] = ()
    combinations: tuple[ChosenSums, ...] = ()
    warnings: tuple[str, ...] = ()
