"""What the two sides cost a month, as the plan states it and as its sources say."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints

from switchover.plan.field_types import KeyedSpec, Model, Name

__all__ = ["CostLineSpec", "CostSourceSpec", "Costs", "StatedAmount", "compared_sides"]

_STATED = re.compile(r"(?P<amount>-?\d{1,15}(?:\.\d{1,10})?) ?(?P<currency>[A-Z]{3})/month")


class StatedAmount(Model):
    """An amount of money a month."""

    amount: Decimal
    currency: str


def _stated(value: Any) -> Any:
    if isinstance(value, StatedAmount):
        return value
    found = _STATED.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("an amount is written with its currency and its time: 15 USD/month")
    return StatedAmount(amount=Decimal(found["amount"]), currency=found["currency"])


class CostSourceSpec(KeyedSpec):
    """Where amounts of money come from. `kind` says how; the keys of that kind are in `config`."""


class CostLineSpec(Model):
    """What one thing costs a month, on one side."""

    name: Name = Field(description="what costs it; the same name on both sides is one line")
    side: str = Field(description="the side that it belongs to")
    stated: Annotated[StatedAmount, BeforeValidator(_stated, json_schema_input_type=str)] = Field(
        description="the amount and its currency: 15 USD/month"
    )


class Costs(Model):
    """What the two sides cost a month, and what they may cost."""

    currency: Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")] = Field(
        "USD", description="the currency of all amounts"
    )
    budget: Decimal | None = Field(None, description="the money that a month may cost on the new side")
    lines: tuple[CostLineSpec, ...] = Field((), description="amounts that are known")
    sources: dict[Name, CostSourceSpec] = Field(default_factory=dict, description="where further amounts come from")


def compared_sides(names: Iterable[str]) -> tuple[str, str]:
    """Return the names of the side before and the one after: so called, else the first two of the plan."""
    sides = list(names)
    if "before" in sides and "after" in sides:
        return "before", "after"
    return (sides[0] if sides else ""), (sides[1] if len(sides) > 1 else "")
