"""Reads the sources of costs that a plan names, and keeps the view of all amounts together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from switchover.costs.cost_source_api import CostLine, CostSource
from switchover.costs.estimate import cost_facts, costs_view
from switchover.plan.kind_calls import KindCalls, UnavailableError
from switchover.plan.loader.load import LoadedPlan
from switchover.plan.named_kinds import COST_SOURCES
from switchover.snapshot import CostsView
from switchover_checks.language.declared import load_declared

__all__ = ["CostBook", "cost_port"]

_MOST = Decimal("1e15")


class CostBook:
    """Holds the newest lines of every source. What could not be read is a row that says why, never left out."""

    def __init__(self, loaded: LoadedPlan | None, calls: KindCalls) -> None:
        self._loaded = loaded
        self._calls = calls
        specs = loaded.plan.costs.sources if loaded is not None else {}
        self._sources: dict[str, CostSource[Any]] = {
            name: load_declared(COST_SOURCES, spec.kind)() for name, spec in specs.items()
        }
        self._failed: dict[str, str] = dict.fromkeys(specs, "not read yet")
        self._lines: dict[str, Sequence[CostLine]] = {}
        self._due: dict[str, float] = dict.fromkeys(specs, 0.0)
        self.view, self.figures = self._view(), self._figures()

    @property
    def every_s(self) -> float:
        """How often `refresh` is of use; 0 without any source."""
        return min((source.every_s for source in self._sources.values()), default=0.0)

    async def refresh(self) -> None:
        """Read the sources that are due, and make the view anew."""
        now = time.monotonic()
        due = [name for name, at in self._due.items() if now >= at]
        await asyncio.gather(*map(self._read, due))
        self._due.update({name: now + 0.9 * self._sources[name].every_s for name in due})
        self.view, self.figures = self._view(), self._figures()

    def facts(self) -> dict[str, Any]:
        """Return the sums as a check is judged by them."""
        if self._loaded is None:
            return {}
        return cost_facts(self._loaded.plan, self._known(), tuple(self._failed))

    def _figures(self) -> dict[str, float]:
        """Return what a rule may ask: a month in money, and its share of the budget in per cent.

        What is not known for sure is left out.
        """
        facts = self.facts()
        if not facts or facts["unknown"]:
            return {}
        month, budget = Decimal(facts["after_expected"]), Decimal(facts["budget"] or 0)
        return {"month": float(month)} | ({"share": float(month * 100 / budget)} if budget else {})

    def _known(self) -> list[CostLine]:
        return [line for name, found in self._lines.items() if name not in self._failed for line in found]

    async def _read(self, name: str) -> None:
        assert self._loaded is not None
        source, plan = self._sources[name], self._loaded.plan
        try:
            keys = plan.costs.sources[name].config
            lines = await self._calls.call(source.config, keys, source.timeout_s, source.lines)
        except UnavailableError as error:
            self._failed[name] = str(error)
            return
        if odd := next((line for line in lines if not (line.amount.is_finite() and abs(line.amount) <= _MOST)), None):
            self._failed[name] = f"the amount of {odd.name} is no money: {f'{odd.amount}'[:40]}"
        elif foreign := next((line for line in lines if line.currency not in ("", plan.costs.currency)), None):
            self._failed[name] = f"{foreign.name} is in {foreign.currency}, the plan counts in {plan.costs.currency}"
        else:
            self._lines[name] = lines
            self._failed.pop(name, None)

    def _view(self) -> CostsView:
        if self._loaded is None:
            return CostsView()
        return costs_view(self._loaded.plan, self._known(), self._failed)


def cost_port(loaded: LoadedPlan, calls: KindCalls) -> Callable[[], Awaitable[Mapping[str, Any]]]:
    """Return what tells checks what the plan costs: its sources are read when a check first asks."""
    books: list[CostBook] = []

    async def costs() -> Mapping[str, Any]:
        if not books:
            books.append(CostBook(loaded, calls))
        await books[0].refresh()
        return books[0].facts()

    return costs
