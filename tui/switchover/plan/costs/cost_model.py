"""What the two sides cost a month, as the plan says it and as its sources say."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from switchover.plan.field_types import Flag, KeyedSpec, Model, Name, Text, WrittenText, figure_as_written
from switchover.pricing.price_book import is_reference
from switchover.pricing.price_units import parse_amount, parse_price, parse_usage
from switchover.pricing.schedules import parse_schedule
from switchover.pricing.stated import parse_once, parse_stated

__all__ = [
    "ChangeSpec",
    "ClaimSpec",
    "CostLineSpec",
    "CostSourceSpec",
    "Costs",
    "OneOffSpec",
    "RateSpec",
    "ScheduleSpec",
    "compared_sides",
]

_LEAST, _MOST = Decimal("1e-12"), Decimal("1e15")  # beyond them a number is a slip
OptionWord = Literal["on_demand", "spot", "reserved", "savings_plan"]


def _read_by(parse: Callable[[str], object]) -> AfterValidator:
    """Return what keeps a text as it is written, once it can be read."""

    def judge(text: str) -> str:
        parse(text)
        return text

    return AfterValidator(judge)


def _price(text: str) -> str:
    if not is_reference(text):
        parse_price(text)
    return text


def _day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text} is no day: '2026-01-31'") from None
    return text


def _reference(text: str) -> str:
    if not is_reference(text):
        raise ValueError("a price is named with its region: aws:ec2/t4g.small/spot@eu-west-3")
    return text


PriceText = Annotated[WrittenText, AfterValidator(_price)]
UsageText = Annotated[str, BeforeValidator(figure_as_written), _read_by(parse_usage)]
StatedText = Annotated[WrittenText, _read_by(parse_stated)]
Currency = Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]


class CostSourceSpec(KeyedSpec):
    """Where amounts of money come from. `kind` says how; the keys of that kind are in `config`."""


class ScheduleSpec(Model):
    """When something is stopped every week."""

    stopped: tuple[str, ...] = Field((), description='when it is stopped: `["* 22:00-08:00", "sat-sun"]`')
    running: tuple[str, ...] = Field((), description="when it runs, in place of `stopped`")
    tz: str = Field("UTC", description="the zone of the times: Europe/Paris")

    @model_validator(mode="after")
    def _one_of_them(self) -> ScheduleSpec:
        if bool(self.stopped) == bool(self.running):
            raise ValueError("a schedule says `stopped` or `running`")
        parse_schedule(self.stopped or self.running, self.tz, running=bool(self.running))
        return self


class CostLineSpec(Model):
    """What one thing costs a month, on one side. An amount is stated, or a price has a usage."""

    name: Name = Field(description="what costs it; the same name on both sides is one line")
    side: str = Field(description="the side that it belongs to")
    stated: StatedText | None = Field(None, description="an amount: 15 USD/month, ~20 USD/month, 18..22 USD/month")
    price: PriceText | dict[OptionWord, PriceText] | None = Field(
        None, description="0.0084 USD/h, a name of the price book, or a price for each option"
    )
    usage: UsageText | None = Field(None, description="how much: 1 instance, 40 GB, 50000 req/day (default: 1)")
    schedule: Name | None = Field(None, description="when it is stopped, one of `schedules`")
    option: OptionWord | None = Field(None, description="how it is bought: on_demand, spot, reserved, savings_plan")
    question: Text = Field("", description="what is not clear about it, asked until somebody answers")

    @model_validator(mode="after")
    def _stated_or_priced(self) -> CostLineSpec:
        if (self.stated is None) == (self.price is None):
            raise ValueError("a line has `stated` or `price`, one of them")
        if self.stated is not None and (self.usage is not None or self.schedule or self.option):
            raise ValueError("`usage`, `schedule` and `option` belong to a `price`, not to what is `stated`")
        return self


class ChangeSpec(Model):
    """What a choice makes of one line."""

    line: Name = Field(description="the line")
    side: str | None = Field(None, description="its side (default: the one after, where that has it)")
    stated: StatedText | None = Field(None, description="another amount")
    price: Annotated[WrittenText, AfterValidator(_price)] | None = Field(None, description="another price")
    usage: UsageText | None = Field(None, description="another usage")
    schedule: Name | None = Field(None, description="when it is stopped")
    option: OptionWord | None = Field(None, description="how it is bought")
    remove: Flag = Field(False, description="whether the line goes")


class OneOffSpec(Model):
    """Money that is paid once, and is in no sum a month."""

    name: Name = Field(description="what for")
    side: str | None = Field(None, description="the side that it belongs to")
    stated: Annotated[WrittenText, _read_by(parse_once)] = Field(description="the amount: 2000 EUR")


class ClaimSpec(Model):
    """A figure that a document states, compared with what the lines come to."""

    says: Annotated[str, BeforeValidator(figure_as_written), _read_by(parse_amount)] = Field(
        description="the figure as it stands there: 83 %"
    )
    value: str = Field(description="which figure it is: saving.percent, total.after, nights.stopped")
    at: Text = Field("", description="where it stands: README:214")


class RateSpec(Model):
    """What one unit of a currency is in that of the plan, and since when that is known."""

    rate: Annotated[Decimal, Field(ge=_LEAST, le=_MOST)] = Field(
        description="how much of the plan's currency one unit is"
    )
    as_of: Annotated[WrittenText, StringConstraints(pattern=r"^\d{4}-\d\d-\d\d$"), AfterValidator(_day)] = Field(
        description="the day of the rate: '2026-01-31'"
    )


class Costs(Model):
    """What the two sides cost a month, and what they may cost."""

    currency: Currency = Field("USD", description="the currency of all sums")
    budget: Annotated[Decimal, Field(gt=0, le=_MOST)] | None = Field(
        None, description="the money that a month may cost on the new side"
    )
    schedules: dict[Name, ScheduleSpec] = Field(default_factory=dict, description="when things are stopped")
    lines: tuple[CostLineSpec, ...] = Field((), description="what costs money every month")
    one_off: tuple[OneOffSpec, ...] = Field((), description="what costs money once")
    what_if: dict[Name, tuple[ChangeSpec, ...]] = Field(
        default_factory=dict, description="choices, as changes of lines"
    )
    claims: tuple[ClaimSpec, ...] = Field((), description="figures of a document that are checked")
    rates: dict[Currency, RateSpec] = Field(
        default_factory=dict, description="other currencies, each with a dated rate"
    )
    prices: dict[Annotated[str, AfterValidator(_reference)], Annotated[WrittenText, _read_by(parse_price)]] = Field(
        default_factory=dict, description="prices of your own, in place of the book's"
    )
    discounts: dict[str, Annotated[Decimal, Field(gt=0, le=100)]] = Field(
        default_factory=dict, description="per cent off by pattern: `aws:ec2/*`"
    )
    sources: dict[Name, CostSourceSpec] = Field(default_factory=dict, description="where further amounts come from")


def compared_sides(names: Iterable[str]) -> tuple[str, str]:
    """Return the names of the side before and the one after: so called, else the first two of the plan."""
    sides = list(names)
    if "before" in sides and "after" in sides:
        return "before", "after"
    return (sides[0] if sides else ""), (sides[1] if len(sides) > 1 else "")
