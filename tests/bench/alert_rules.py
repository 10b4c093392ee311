"""What it costs to judge 10,000 rules once, and to wait for one notice's place on the disk."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from tests.bench.support.table import print_table

from switchover.alerts.alert_state import AlertEvent, AlertRule
from switchover.alerts.alert_store import AlertStore
from switchover.alerts.notifier_api import Notification
from switchover.alerts.outbox_records import Delivery
from switchover.alerts.rules.alert_engine import AlertEngine
from switchover.clock import SystemClock
from switchover.plan.alerting.rule_parser import RuleNames, parse_rule
from switchover.plan.conditions import Condition
from switchover_checks.api import Status

_RULES = 10_000
_ROUNDS = 30
_WRITES = 50


class _Facts:
    """Values that lie ready, as the sampler has them."""

    def __init__(self) -> None:
        self.values = {f"m{n}": float(n % 100) for n in range(100)}

    def value(self, metric: str) -> float | None:
        return self.values.get(metric)

    def window(self, metric: str, seconds: float, function: str) -> float | None:
        del seconds, function
        return self.values.get(metric)

    def scale(self, metric: str) -> float:
        del metric
        return 1.0

    def status(self, condition: Condition) -> Status | None:
        del condition
        return Status.OK

    def cost(self, name: str) -> float | None:
        del name
        return None


def run() -> None:
    """Measure and print."""
    names = RuleNames(frozenset({"api"}), {f"m{n}": "%" for n in range(100)})
    rows = []
    for title, text in (
        ("threshold", 'metric("m{n}") > 100% for 5m clear 95%'),
        ("window", 'avg(metric("m{n}"), 5m) > 100%'),
        ("and, or, not", 'metric("m{n}") > 100% and not (metric("m1") > 5%) or api == CRIT'),
    ):
        rules = [_rule(number, text.replace("{n}", str(number % 100)), names) for number in range(_RULES)]
        engine, facts, took = AlertEngine(rules, None, SystemClock()), _Facts(), []
        for _ in range(_ROUNDS):
            began = time.process_time()
            engine.judge_all(facts, lambda _: False)
            took.append((time.process_time() - began) * 1000)
        rows.append((title, f"{statistics.median(took):.1f} ms", f"{min(took):.1f} ms", "10 ms"))
    print_table(f"{_RULES:,} rules judged once, CPU", ("rule", "median", "best", "aim"), rows)
    _writes()


def _rule(number: int, text: str, names: RuleNames) -> AlertRule:
    parsed = parse_rule(text, names)
    return AlertRule(f"r{number}", f"{text} {number}", parsed, hold_s=parsed.hold_s)


def _writes() -> None:
    note = Notification("k", AlertEvent.FIRED, "it is down", "r", 1.0)
    with tempfile.TemporaryDirectory() as folder:
        store, took = AlertStore.open(Path(folder) / "alerts.sqlite"), []
        for number in range(_WRITES):
            began = time.perf_counter()
            store.put([Delivery(str(number), "team", note, 1.0, 1.0)])
            took.append((time.perf_counter() - began) * 1000)
        store.close()
    print_table("A notice durably written", ("", "median", "worst"), [
        ("FULL sync", f"{statistics.median(took):.2f} ms", f"{max(took):.2f} ms")])  # fmt: skip
