"""Both sides, what a choice changes, and the figures that follow: totals, savings, break-even."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from switchover.pricing.lines import CostItem, ItemCost, Moment, cost_of
from switchover.pricing.price_units import Amount, PricePer, Usage

__all__ = ["ZERO", "Change", "Estimate", "OneOff", "Scenario", "apply_changes"]

ZERO = Amount.exactly(Decimal(0))


@dataclass(frozen=True, slots=True)
class Change:
    """What a choice makes of one line. Only what is not None changes. `remove` takes the line out."""

    line: str
    side: str = ""
    schedule: str | None = None
    option: str | None = None
    stated: Amount | None = None
    price: PricePer | None = None
    usage: Usage | None = None
    remove: bool = False
    currency: str = ""
    rate: Decimal = Decimal(1)
    """That of the amount or price it brings."""


@dataclass(frozen=True, slots=True)
class OneOff:
    """Money paid once, never added to what recurs."""

    name: str
    amount: Amount
    side: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Both sides under some choices."""

    before: tuple[ItemCost, ...]
    after: tuple[ItemCost, ...]
    warnings: tuple[str, ...] = ()

    def total(self, side: str) -> Amount:
        """Return the sum of what is known of `before` or `after`."""
        costs = self.before if side == "before" else self.after
        amounts = [cost.amount for cost in costs if cost.amount is not None]
        return Amount(*(sum((getattr(a, end) for a in amounts), Decimal(0)) for end in ("low", "expected", "high")))

    def unpriced(self, side: str) -> tuple[ItemCost, ...]:
        """Return the lines of a side that are in no sum."""
        return tuple(c for c in (self.before if side == "before" else self.after) if c.amount is None)

    @property
    def saving(self) -> Amount:
        """What is saved a month by going from before to after."""
        return self.total("before").minus(self.total("after"))


@dataclass(frozen=True, slots=True)
class Estimate:
    """All that is known of a plan's costs. `sides` are the names of before and after."""

    items: tuple[CostItem, ...]
    moment: Moment
    sides: tuple[str, str] = ("before", "after")
    choices: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)
    one_offs: tuple[OneOff, ...] = ()
    budget: Decimal | None = None

    def scenario(self, chosen: Sequence[str] = ()) -> Scenario:
        """Return both sides under the named choices, applied in their order. Raise `KeyError` for one there is not."""
        items, warnings = list(self.items), list[str]()
        for name in chosen:
            items = apply_changes(items, self.choices[name], self.sides, warnings, name)
        costs = [cost_of(item, self.moment) for item in items]
        before, after = (tuple(c for c in costs if c.item.side == side) for side in self.sides)
        return Scenario(before, after, tuple(warnings))

    def changes_before(self, choice: str) -> bool:
        """Tell whether a choice changes anything of the side before."""
        return any(_side_of(change, self.items, self.sides) == self.sides[0] for change in self.choices[choice])

    def saving_of(self, choice: str) -> Amount | None:
        """Return what a choice saves a month; None where a line of it has no price.

        Where it changes the side before, that is before against after. Else it is after against after with the choice.
        """
        now, then = self.scenario(), self.scenario([choice])
        names = {change.line for change in self.choices[choice]}
        if any(cost.amount is None for cost in (*then.before, *then.after) if cost.item.name in names):
            return None
        if self.changes_before(choice):
            return None if then.unpriced("before") or then.unpriced("after") else then.saving
        return now.total("after").minus(then.total("after"))

    @property
    def once(self) -> Amount:
        """What is paid once."""
        total = ZERO
        for one in self.one_offs:
            total = total.plus(one.amount)
        return total

    def break_even_months(self) -> Decimal | None:
        """Return after how many months the saving has paid what is paid once; None where it never does.

        Where a line has no price nobody knows.
        """
        now = self.scenario()
        saving, once = now.saving.expected, self.once.expected
        if saving <= 0 or now.unpriced("before") or now.unpriced("after"):
            return None
        return once / saving


def apply_changes(
    items: Sequence[CostItem], changes: Sequence[Change], sides: tuple[str, str], warnings: list[str], choice: str
) -> list[CostItem]:
    """Return the items after the changes; what cannot be is left as it was, with a warning."""
    found = list(items)
    for change in changes:
        side = _side_of(change, found, sides)
        for index, item in enumerate(found):
            if item.name != change.line or item.side != side:
                continue
            problem = _problem(item, change)
            if problem:
                warnings.append(f"{choice}: {problem}")
            else:
                found[index] = _changed(item, change)
            break
        if change.remove:
            found = [i for i in found if not (i.name == change.line and i.side == side)]
    return found


def _side_of(change: Change, items: Sequence[CostItem], sides: tuple[str, str]) -> str:
    """Return the side that a change means: the one it names, else after where that has the line, else before."""
    if change.side:
        return change.side
    on = {item.side for item in items if item.name == change.line}
    return sides[1] if sides[1] in on or not on else sides[0]


def _problem(item: CostItem, change: Change) -> str:
    option = change.option
    if item.stated is not None and change.stated is None and change.price is None and not change.remove:
        return f"{item.name} is an amount that is stated: a schedule, an option or a usage changes nothing of it"
    if option in {"reserved", "savings_plan"} and item.option == "spot" and option not in item.prices:
        words = "a reservation" if option == "reserved" else "a savings plan"
        return f"{words} does not apply to {item.name}, which runs on Spot: nothing is saved"
    if change.schedule and (change.option or item.option) in {"reserved", "savings_plan"}:
        return f"{item.name} is {change.option or item.option}, which is billed while it is stopped: nothing is saved"
    return ""


def _changed(item: CostItem, change: Change) -> CostItem:
    if change.stated is not None:
        told = replace(item, currency=change.currency or item.currency, rate=change.rate)
        return replace(told, stated=change.stated, prices={}, usage=None, schedule="", refused="", question="")
    changed = item
    if change.option is not None:
        changed = replace(changed, option=change.option)
    if change.price is not None:
        changed = replace(changed, prices={changed.option: change.price}, stated=None, refused="", stale="")
        changed = replace(changed, currency=change.price.currency, rate=change.rate)
    if change.usage is not None:
        changed = replace(changed, usage=change.usage)
    if change.schedule is not None:
        changed = replace(changed, schedule=change.schedule)
    return changed
