"""Figures by name, and whether what a document says of them is right."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from switchover.pricing.money import plain, round_half_up
from switchover.pricing.price_units import Amount, PricingError, parse_amount
from switchover.pricing.scenarios import Estimate, Scenario

__all__ = ["Figure", "claim_problem", "figure", "figure_names"]

_UNIT = re.compile(r"(%|[a-zA-Z]+/(?:week|month|year|day)|h|months|[A-Z]{3}(?:/(?:month|year|day))?)?")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its unit. `value` is None where it is not known; `why` says so."""

    value: Amount | None
    unit: str
    why: str = ""


def figure_names(estimate: Estimate) -> list[str]:
    """Return the names that `figure` knows of this estimate."""
    names = ["total.before", "total.after", "total.both", "saving", "saving.percent", "saving.year"]
    names += ["budget.percent", "one_off.total", "break_even.months"]
    for choice in estimate.choices:
        names += [f"{choice}.{part}" for part in ("total", "total.before", "saving", "saving.percent", "saving.year")]
    for schedule in estimate.moment.schedules:
        names += [f"{schedule}.{part}" for part in ("stopped", "on", "off")]
    for item in estimate.items:
        names += [f"{item.name}.{side}" for side in ("before", "after")] + [f"{item.name}.break_even"]
    return list(dict.fromkeys(names))


def figure(estimate: Estimate, name: str, currency: str) -> Figure:
    """Return a figure by its name. Raise `KeyError` for one that there is not."""
    head, _, rest = name.partition(".")
    if head in estimate.moment.schedules and rest in {"stopped", "on", "off"}:
        return _of_schedule(estimate, head, rest)
    if head in estimate.choices:
        return _of_choice(estimate, head, rest, currency)
    now = estimate.scenario()
    match name:
        case "total.before" | "total.after":
            return _sum(now, now.total(rest), f"{currency}/month", rest)
        case "total.both":
            return _sum(now, now.total("before").plus(now.total("after")), f"{currency}/month")
        case "saving" | "saving.percent" | "saving.year":
            found = _saving(now.saving, now.total("before"), rest, currency)
            return _sum(now, found.value, found.unit, why=found.why)
        case "budget.percent":
            if not estimate.budget:
                return Figure(None, "%", "there is no budget")
            return _sum(now, now.total("after").scaled(Decimal(100), estimate.budget), "%", "after")
        case "one_off.total":
            return Figure(estimate.once, currency)
        case "break_even.months":
            months = estimate.break_even_months()
            exact = Amount.exactly(months) if months is not None else None
            return _sum(now, exact, "months", why="nothing is saved")
    if rest == "break_even":
        return _break_even(estimate, head)
    costs = [c for c in (*now.before, *now.after) if c.item.name == head]
    wanted = [c for c in costs if rest in {"before", "after"} and c.item.side == estimate.sides[rest == "after"]]
    if not wanted:
        raise KeyError(name)
    return Figure(wanted[0].amount, f"{currency}/month", wanted[0].note)


def claim_problem(estimate: Estimate, says: str, name: str, currency: str) -> str:
    """Say what is wrong with a figure that a document states; empty where it is right.

    It is right where the exact figure, rounded half up to as many decimals, is the one stated. `~` leaves a tenth.
    Raise `KeyError` for a figure that there is not, `PricingError` for what is no number.
    """
    stated, unit = parse_amount(says)
    found = figure(estimate, name, currency)
    if not _UNIT.fullmatch(unit):
        raise PricingError(f"{says!r} has no unit that is known: %, h/week, h/month, {currency}, {currency}/year")
    if found.value is None:
        return f"says {says}, and {name} is not known: {found.why}"
    places = _places(says)
    right = found.value.expected
    if unit and unit != found.unit and not found.unit.startswith(f"{unit}/"):
        return f"says {says}, and {name} is {_shown(right, places)} {found.unit}"
    agrees = stated.low <= right <= stated.high if not stated.is_exact else round_half_up(right, places) == stated.low
    reason = f" ({found.why})" if found.why else ""
    return "" if agrees else f"says {says}, and {name} is {_shown(right, places)} {found.unit}{reason}"


def _of_schedule(estimate: Estimate, name: str, part: str) -> Figure:
    schedule = estimate.moment.schedules[name]
    if part == "stopped":
        return Figure(Amount.exactly(schedule.stopped_h_week), "h/week")
    on, off = schedule.hours(estimate.moment.month)
    return Figure(Amount.exactly(_decimal(on if part == "on" else off)), "h/month")


def _of_choice(estimate: Estimate, choice: str, part: str, currency: str) -> Figure:
    then = estimate.scenario([choice])
    why = "; ".join(w.partition(": ")[2] for w in then.warnings)
    if part in {"total", "total.after", "total.before"}:
        side = "before" if part == "total.before" else "after"
        return _sum(then, then.total(side), f"{currency}/month", side, why=why)
    head, _, rest = part.partition(".")
    if head != "saving" or rest not in {"", "percent", "year"}:
        raise KeyError(f"{choice}.{part}")
    saved = estimate.saving_of(choice)
    if saved is None:
        return Figure(None, f"{currency}/month", "a line of it has no price")
    whole = then.total("before") if estimate.changes_before(choice) else estimate.scenario().total("after")
    found = _saving(saved, whole, rest, currency)
    if rest == "percent" and not estimate.changes_before(choice):
        found = _sum(estimate.scenario(), found.value, found.unit, "after", why=found.why)
    return Figure(found.value, found.unit, why or found.why)


def _sum(scenario: Scenario, value: Amount | None, unit: str, *sides: str, why: str = "") -> Figure:
    """Return a figure that rests on sums: not known where they lack a price."""
    lacking = [cost.item.name for side in sides or ("before", "after") for cost in scenario.unpriced(side)]
    return Figure(None, unit, f"no price of {', '.join(lacking)}") if lacking else Figure(value, unit, why)


def _saving(saved: Amount, whole: Amount, part: str, currency: str) -> Figure:
    if part == "year":
        return Figure(saved.scaled(Decimal(12)), f"{currency}/year")
    if part == "percent":
        if not whole.expected:
            return Figure(None, "%", "there is nothing to save from")
        return Figure(saved.scaled(Decimal(100), whole.expected), "%")
    return Figure(saved, f"{currency}/month")


def _break_even(estimate: Estimate, name: str) -> Figure:
    """Return for how many hours a month a price by the hour costs as much as a committed one."""
    for item in estimate.items:
        hourly = item.prices.get(item.option)
        flat = next((p for o, p in item.prices.items() if o in {"reserved", "savings_plan"}), None)
        if item.name == name and hourly and flat and hourly.time == "h" and flat.time in {"h", "month"}:
            if not hourly.amount.expected:
                return Figure(None, "h/month", "by the hour it costs nothing")
            month = flat.amount if flat.time == "month" else flat.amount.scaled(Decimal(730))
            return Figure(Amount.exactly(month.expected / hourly.amount.expected), "h/month")
        if item.name == name:
            return Figure(None, "h/month", "it has no price both by the hour and reserved")
    raise KeyError(f"{name}.break_even")


def _places(text: str) -> int:
    found = re.search(r"\d+\.(\d+)", text)
    return len(found[1]) if found else 0


def _shown(value: Decimal, places: int) -> str:
    return plain(round_half_up(value, max(places, 2) if value != value.to_integral_value() else 0))


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)
