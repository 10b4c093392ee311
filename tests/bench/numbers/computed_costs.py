"""What it costs to compute 100,000 lines of costs, and to turn a choice on."""

from __future__ import annotations

import statistics
import time

from tests.bench.support.table import print_table

from switchover.pricing.lines import CostItem, Moment
from switchover.pricing.price_units import parse_price, parse_usage
from switchover.pricing.scenarios import Change, Estimate
from switchover.pricing.schedules import parse_schedule

_LINES, _ROUNDS = 100_000, 5


def run() -> None:
    """Measure and print."""
    price, usage = {"on_demand": parse_price("0.0084 USD/h")}, parse_usage("3 instances")
    schedules = {"nights": parse_schedule(["* 22:00-08:00", "sat-sun"], "Europe/Paris")}
    items = tuple(
        CostItem(f"line{n}", "after", None, price, usage, "nights" if n % 2 else "", currency="USD")
        for n in range(_LINES)
    )
    many = Estimate(items, Moment(schedules))
    few = Estimate(items[:30], Moment(schedules), choices={"off": (Change("line0", schedule="nights"),)})
    rows = []
    for title, estimate, chosen, aim in (
        (f"{_LINES} lines", many, (), "≤ 300 ms"),
        ("a choice of 30 lines", few, ("off",), "≤ 50 ms"),
    ):
        took = []
        for _ in range(_ROUNDS):
            before = time.process_time()
            estimate.scenario(chosen).total("after")
            took.append(time.process_time() - before)
        rows.append((title, f"{statistics.median(took) * 1000:.1f} ms CPU", aim))
    print_table("costs", ("what", "median", "aim"), rows)
