"""The costs of a plan as an estimate: its texts read, its price names looked up, its currencies changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from switchover.plan.complaints import Complaint, Path, unknown_name
from switchover.plan.costs.cost_model import ChangeSpec, CostLineSpec, Costs
from switchover.pricing.figures import claim_problem
from switchover.pricing.lines import CostItem, Moment
from switchover.pricing.price_book import PriceBook, is_reference, shipped_book
from switchover.pricing.price_units import PricePer, PricingError, parse_price, parse_usage
from switchover.pricing.scenarios import Change, Estimate, OneOff
from switchover.pricing.schedules import parse_schedule
from switchover.pricing.stated import parse_once, parse_stated

__all__ = ["CostReading", "claim_complaints", "read_costs", "today"]


def today() -> date:
    """Return the day by which the age of a price is judged."""
    return datetime.now(UTC).date()


class CostReading:
    """Reads the costs of a plan; `complaints` are what is wrong with them."""

    def __init__(self, costs: Costs, sides: tuple[str, str], *, month: tuple[int, int] | None, day: date) -> None:
        self._costs = costs
        self._day = day
        self.complaints: list[Complaint] = []
        schedules = {
            name: parse_schedule(s.stopped or s.running, s.tz, running=bool(s.running))
            for name, s in costs.schedules.items()
        }
        items = tuple(self._item(line, ("costs", "lines", n)) for n, line in enumerate(costs.lines))
        choices = {
            name: tuple(self._change(c, ("costs", "what_if", name, n), items) for n, c in enumerate(changes))
            for name, changes in costs.what_if.items()
        }
        once = tuple(self._once(n) for n in range(len(costs.one_off)))
        self.estimate = Estimate(items, Moment(schedules, month), sides, choices, once, costs.budget)

    def _complain(self, path: Path, message: str) -> None:
        self.complaints.append(Complaint(path, message))

    def _rate(self, currency: str, path: Path) -> Decimal:
        if currency == self._costs.currency:
            return Decimal(1)
        rate = self._costs.rates.get(currency)
        if rate is None:
            message = f"this is in {currency}, and `costs.currency` says {self._costs.currency}"
            self._complain(path, f"{message}; give `costs.rates` a dated rate, or leave it out of the sums")
            return Decimal(1)
        return rate.rate

    def _schedule(self, name: str | None, path: Path) -> str:
        if name and name not in self._costs.schedules:
            self._complain((*path, "schedule"), unknown_name("schedule", name, self._costs.schedules))
            return ""
        return name or ""

    def _item(self, line: CostLineSpec, path: Path) -> CostItem:
        if line.stated is not None:
            amount, currency = parse_stated(line.stated)
            rate = self._rate(currency, (*path, "stated"))
            return CostItem(line.name, line.side, amount, question=line.question, currency=currency, rate=rate)
        prices, option, stale, refused = self._prices(line.price, (*path, "price"))
        currencies = {price.currency for price in prices.values()} or {self._costs.currency}
        if len(currencies) > 1:
            self._complain((*path, "price"), f"the prices of one line are in {' and '.join(sorted(currencies))}")
        currency = min(currencies)
        item = CostItem(
            line.name,
            line.side,
            None,
            prices,
            parse_usage(line.usage) if line.usage is not None else None,
            self._schedule(line.schedule, path),
            line.option or option or self._only_option(prices),
            line.question,
            currency,
            refused,
            stale,
            self._rate(currency, (*path, "price")),
        )
        return self._named(line, item)

    def _named(self, line: CostLineSpec, item: CostItem) -> CostItem:
        """Return the item with its one price under the option that the line says: `option: spot`."""
        if isinstance(line.price, str) and not is_reference(line.price) and item.prices:
            return replace(item, prices={item.option: next(iter(item.prices.values()))})
        return item

    @staticmethod
    def _only_option(prices: Mapping[str, PricePer]) -> str:
        return "on_demand" if "on_demand" in prices or not prices else next(iter(prices))

    def _prices(self, written: str | Mapping[Any, str] | None, path: Path) -> tuple[dict[str, PricePer], str, str, str]:
        """Return the prices by option, the option that a reference names, how old they are, and why there is none."""
        if isinstance(written, Mapping):
            found: dict[str, PricePer] = {}
            ages, refusals = [], []
            for option, text in written.items():
                prices, named, age, refused = self._prices(text, (*path, option))
                if (price := prices.get(named or "on_demand")) is not None:
                    found[option] = price
                ages.append(age)
                refusals.append(refused)
            return found, "", next(filter(None, ages), ""), next(filter(None, refusals), "")
        if not written or not is_reference(written):
            return ({"on_demand": parse_price(written)} if written else {}), "", "", ""
        try:
            own = {name: parse_price(text) for name, text in self._costs.prices.items()}
            book = PriceBook(shipped_book(), own, self._costs.discounts)  # read only where a plan names a price of it
            return (*book.find(written, self._day), "")
        except PricingError as error:
            self._complain(path, str(error))
            return {}, "", "", str(error)

    def _change(self, change: ChangeSpec, path: Path, items: tuple[CostItem, ...]) -> Change:
        named = [item for item in items if item.name == change.line]
        if not named:
            self._complain((*path, "line"), unknown_name("line of costs", change.line, {i.name for i in items}))
        elif change.side is not None and change.side not in {item.side for item in named}:
            self._complain((*path, "side"), f"the line {change.line!r} is not on the side {change.side!r}")
        price, currency, rate = None, self._costs.currency, Decimal(1)
        if change.price is not None:
            price = self._changed_price(change, change.price, path)
            currency = price.currency if price is not None else currency
            rate = self._rate(currency, (*path, "price"))
        stated = None
        if change.stated is not None:
            stated, currency = parse_stated(change.stated)
            rate = self._rate(currency, (*path, "stated"))
        usage = parse_usage(change.usage) if change.usage is not None else None
        schedule = self._schedule(change.schedule, path) or None
        side, option = change.side or "", change.option
        return Change(change.line, side, schedule, option, stated, price, usage, change.remove, currency, rate)

    def _changed_price(self, change: ChangeSpec, text: str, path: Path) -> PricePer | None:
        """Return the price that a choice brings: of the book that of its option, never another's."""
        prices, named, _, _ = self._prices(text, (*path, "price"))
        if prices and change.option and is_reference(text) and change.option not in prices:
            self._complain((*path, "price"), f"{text} has no price for {change.option}; it has {', '.join(prices)}")
            return None
        return prices.get(change.option or named or "on_demand") or next(iter(prices.values()), None)

    def _once(self, number: int) -> OneOff:
        spec = self._costs.one_off[number]
        amount, currency = parse_once(spec.stated)
        rate = self._rate(currency, ("costs", "one_off", number, "stated"))
        return OneOff(spec.name, amount.scaled(rate), spec.side or "")


def read_costs(
    costs: Costs, sides: tuple[str, str], *, month: tuple[int, int] | None = None, day: date | None = None
) -> CostReading:
    """Read them. What is wrong is among the complaints; the estimate then leaves it unpriced."""
    return CostReading(costs, sides, month=month, day=day or today())


def claim_complaints(costs: Costs, estimate: Estimate) -> Iterator[Complaint]:
    """Yield what a document states wrongly, each with the right figure."""
    for number, claim in enumerate(costs.claims):
        with suppress(KeyError, PricingError):  # what is no figure is an error of the plan
            if problem := claim_problem(estimate, claim.says, claim.value, costs.currency):
                yield Complaint(("costs", "claims", number, "says"), f"{claim.at or 'the document'} {problem}")
