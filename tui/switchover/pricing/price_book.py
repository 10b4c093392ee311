"""Prices that ship with the program, each with where it comes from and when; and the operator's own over them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from switchover.pricing.lines import OPTIONS
from switchover.pricing.price_units import PricePer, PricingError, parse_price
from switchover_checks.language.suggest import did_you_mean

__all__ = ["BookEntry", "PriceBook", "is_reference", "read_entries", "shipped_book"]

_REFERENCE = re.compile(r"(?P<sku>[a-z]+:[A-Za-z0-9._/-]+)@(?P<region>[a-z0-9-]+)")
_KEYS = ("sku", "region", "price", "source", "as_of", "confidence")
_CONFIDENCE = ("official", "recorded", "secondary")
STALE_AFTER_DAYS = 180


@dataclass(frozen=True, slots=True)
class BookEntry:
    """One price. `confidence`: `official` by the provider itself, `recorded` from it by others, `secondary` hearsay."""

    sku: str
    region: str
    price: PricePer
    source: str
    as_of: date
    confidence: str

    @property
    def reference(self) -> str:
        """What a plan writes for it: `aws:ebs/gp3@us-east-1`."""
        return f"{self.sku}@{self.region}"

    def stale(self, today: date) -> str:
        """Say how old it is, where it is older than 180 days; empty where it is not."""
        age = (today - self.as_of).days
        return f"the price of {self.reference} is {age} days old" if age > STALE_AFTER_DAYS else ""


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Entries by reference. `own` are the operator's and count before all others; `discounts` are shares by pattern."""

    entries: Mapping[str, BookEntry] = field(default_factory=dict)
    own: Mapping[str, PricePer] = field(default_factory=dict)
    discounts: Mapping[str, Decimal] = field(default_factory=dict)

    def find(self, reference: str, today: date) -> tuple[dict[str, PricePer], str, str]:
        """Return the prices of a reference by option, the option that it names, and how old they are.

        Raise `PricingError` for one that is not there, naming what is near.
        """
        sku, _, region = reference.partition("@")
        base, _, last = sku.rpartition("/")
        option = last if last in OPTIONS else ""
        names = {o: f"{base if option else sku}/{o}@{region}" for o in OPTIONS}
        found = {o: n for o, n in names.items() if n in self.own or n in self.entries}
        plain = f"{base if option else sku}@{region}"
        if "on_demand" not in found and (plain in self.own or plain in self.entries):
            found["on_demand"] = plain
        if (option or "on_demand") not in found and not (found and not option):
            raise PricingError(self._missing(reference))
        stale = [self.entries[n].stale(today) for n in found.values() if n not in self.own]
        return {o: self._price(n) for o, n in found.items()}, option, next(filter(None, stale), "")

    def _price(self, name: str) -> PricePer:
        price = self.own.get(name) or self.entries[name].price
        share = Decimal(0)
        for pattern, off in self.discounts.items():
            if re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name.partition("@")[0]):
                share = max(share, off)
        if not share:
            return price
        amount = price.amount.scaled(100 - share, Decimal(100))
        return PricePer(amount, price.currency, price.thing, price.time, f"{price.text} − {share:f} %")

    def _missing(self, reference: str) -> str:
        sku, _, region = reference.partition("@")
        known = [*self.own, *self.entries]
        regions = sorted({name.partition("@")[2] for name in known if name.partition("@")[0] == sku})
        if regions:
            return f"there is no price of {sku} in {region}; there is one in {', '.join(regions)}"
        return f"there is no price of {sku}{did_you_mean(sku, [n.partition('@')[0] for n in known])}"


def is_reference(text: str) -> bool:
    """Tell whether a text names a price of the book."""
    return _REFERENCE.fullmatch(text.strip()) is not None


def read_entries(document: Any, name: str) -> Iterable[BookEntry]:
    """Yield the entries of a book's document. Raise `PricingError` for one that lacks what an entry must say."""
    if not isinstance(document, list):
        raise PricingError(f"{name} is no list of prices")
    for number, row in enumerate(document, 1):
        place = f"{name}, entry {number}"
        if not isinstance(row, dict) or (missing := [k for k in _KEYS if not str(row.get(k) or "").strip()]):
            raise PricingError(f"{place} lacks {', '.join(missing) if isinstance(row, dict) else 'everything'}")
        if row["confidence"] not in _CONFIDENCE:
            raise PricingError(f"{place}: confidence is {', '.join(_CONFIDENCE)}, not {row['confidence']!r}")
        if not is_reference(f"{row['sku']}@{row['region']}"):
            raise PricingError(f"{place}: {row['sku']}@{row['region']} is no name of a price")
        try:
            as_of = date.fromisoformat(row["as_of"])
        except ValueError:
            raise PricingError(f"{place}: as_of is a day: 2026-01-31") from None
        price = parse_price(row["price"])
        yield BookEntry(row["sku"], row["region"], price, row["source"], as_of, row["confidence"])


@cache
def shipped_book() -> Mapping[str, BookEntry]:
    """Return the prices that ship with the program, by reference."""
    found: dict[str, BookEntry] = {}
    for file in sorted((Path(__file__).parent / "book").glob("*.json")):
        for entry in read_entries(json.loads(file.read_text("utf-8")), file.name):
            found[entry.reference] = entry
    return found
