"""Takes in what applications tell, and knows the figures that follow from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from switchover.applications.app_events import AppEvent, EventError, number_of, text_of
from switchover.applications.app_numbers import AppNumbers
from switchover.applications.workflows import KEPT_S, Workflow, Workflows
from switchover.clock import Clock

__all__ = ["AiUsage", "Applications", "Taken"]

_MOST_SOURCES = 1_000
_MOST_USAGE = 10_000  # days, providers, models
_MOST_COUNT = 10**12
_FIGURES_KEPT_S = KEPT_S + 86_400 * 24
_KINDS = ("counter", "gauge", "histogram")


@dataclass(slots=True)
class Taken:
    """What became of a batch: how many were taken, had come before, were no events; `errors` has the first five."""

    taken: list[AppEvent] = field(default_factory=list)
    repeated: int = 0
    refused: int = 0
    errors: list[str] = field(default_factory=list)


@dataclass(slots=True)
class AiUsage:
    """What one model of one provider did on one day. Money in its own currency, never added across currencies.

    `unpriced` counts calls of which nobody said what they cost.
    """

    calls: int = 0
    prompt: int = 0
    completion: int = 0
    unpriced: int = 0
    cost: dict[str, Decimal] = field(default_factory=dict)


@dataclass(slots=True)
class _Day:
    succeeded: int = 0
    failed: int = 0
    seconds: float = 0.0
    tests: int = 0
    tests_passed: int = 0


class Applications:
    """What is known of all applications. Its events hold no secrets any more."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.workflows = Workflows()
        self.numbers = AppNumbers()
        self.usage: dict[tuple[str, str, str], AiUsage] = {}  # by day, provider, model
        self.lost = 0
        self.told = 0
        self._days: dict[str, _Day] = defaultdict(_Day)
        self._peak = ("", 0)  # the day, and how many ran at once
        self._newest: dict[str, int] = {}  # of each source: the number of its newest event

    def take(self, events: Iterable[AppEvent | EventError], into: Taken | None = None) -> Taken:
        """Take in a batch, or a part of one. What came before is passed over, so a batch may be sent again."""
        result = into or Taken()
        for event in events:
            if isinstance(event, EventError):
                result.refused += 1
                if len(result.errors) < 5:
                    result.errors.append(str(event))
            elif not self._is_new(event):
                result.repeated += 1
            else:
                self._take(event)
                result.taken.append(event)
        return result

    def restore(self, events: Iterable[AppEvent]) -> None:
        """Take in what was kept before this process began."""
        self.take(events)
        self.lost = 0

    def settle(self) -> None:
        """Let time pass: what failed and was not taken up again has ended; what is too old is forgotten."""
        now = self._clock.now()
        for flow in self.workflows.settle(now):
            self._ended(flow)
        first = _day(now - _FIGURES_KEPT_S)
        for day in [d for d in self._days if d < first]:
            del self._days[day]
        for key in [k for k in self.usage if k[0] < first]:
            del self.usage[key]

    def stats(self) -> dict[str, Any]:
        """Return the figures of today and of the week, as JSON data. A rate of nothing is None, never 100 %."""
        now = self._clock.now()
        today, week = _day(now), [_day(now - 86_400 * back) for back in range(7)]
        flows = self.workflows.known.values()
        active = sum(1 for f in flows if not f.is_over and f.state != "queued")
        one, seven = self._days.get(today, _Day()), [self._days[d] for d in week if d in self._days]
        ended = one.succeeded + one.failed
        costs = self._cost_of(lambda key: key[0] == today)
        return {
            "active_workflows": active,
            "queued_workflows": sum(1 for f in flows if f.state == "queued"),
            "completed_today": one.succeeded,
            "failed_today": one.failed,
            "avg_duration": round(one.seconds / ended, 3) if ended else None,
            "success_rate": _rate(one.succeeded, one.failed),
            "success_rate_week": _rate(sum(d.succeeded for d in seven), sum(d.failed for d in seven)),
            "ai_costs_today": float(costs.get("USD", 0)),
            "ai_costs_by_provider": self._costs_by_provider(today),
            "ai_calls_unpriced_today": sum(u.unpriced for k, u in self.usage.items() if k[0] == today),
            "tests_run_today": one.tests,
            "tests_passed_today": one.tests_passed,
            "peak_active_today": max(active, self._peak[1] if self._peak[0] == today else 0),
            "events_lost": self.lost,
        }

    # Inside

    def _is_new(self, event: AppEvent) -> bool:
        """Tell whether an event has not come before; count those that are missing before it."""
        if not event.source or event.seq <= 0:
            return True
        before = self._newest.pop(event.source, None)
        if before is not None and event.seq <= before:
            self._newest[event.source] = before
            return False
        if before is not None:
            self.lost += event.seq - before - 1
        if len(self._newest) >= _MOST_SOURCES:
            del self._newest[next(iter(self._newest))]
        self._newest[event.source] = event.seq
        return True

    def _take(self, event: AppEvent) -> None:
        self.told += 1
        known_before = event.workflow in self.workflows.known
        ended = self.workflows.take(event)
        take, data, at = self.numbers.take, event.data, event.at
        match event.kind:
            case "workflow":
                if data.get("state") == "started":
                    labels = {k: text_of(data.get(k)) for k in ("task_type", "priority")}
                    take("workflow_started", "counter", 1, at, labels)
            case "step":
                self._step(event)
            case "ai":
                self._ai(event)
            case "tests":
                self._tests(event)
            case "git":
                success = str(data.get("success") is True).lower()
                take("git_operations", "counter", 1, at, {"operation": event.name, "success": success})
            case "metric":
                value, kind = number_of(data.get("value")), data.get("type")
                if value is not None and kind in _KINDS:
                    take(event.name, kind, value, at, _labels(data.get("labels")))
        if event.workflow and event.kind != "workflow" and not known_before:  # nobody said that it began
            take("workflow_started", "counter", 1, at, {"task_type": "", "priority": ""})
        for flow in ended:
            self._ended(flow)
        today = _day(self._clock.now())
        if _day(at) == today:
            before = self._peak[1] if self._peak[0] == today else 0
            self._peak = today, max(before, len(self.workflows.running))

    def _figures(self, at: float) -> _Day:
        """Return the figures of a day; of one that nobody asks for they are not kept."""
        now = self._clock.now()
        return self._days[_day(at)] if now - _FIGURES_KEPT_S < at < now + 2 * 86_400 else _Day()

    def _count(self, value: Any) -> int:
        """Return a count. One that cannot be is none, and is counted as refused."""
        number = number_of(value) or 0.0
        if 0 <= number <= _MOST_COUNT:
            return int(number)
        self.numbers.refused += 1
        return 0

    def _ended(self, flow: Workflow) -> None:
        day, success = self._figures(flow.ended), flow.state == "succeeded"
        day.succeeded += success
        day.failed += not success
        day.seconds += flow.seconds
        self.numbers.take("workflow_completed", "counter", 1, flow.ended, {"success": str(success).lower()})

    def _step(self, event: AppEvent) -> None:
        seconds, state = number_of(event.data.get("seconds")), text_of(event.data.get("state"))
        if state != "started" and seconds is not None:
            labels = {"step_name": event.name, "status": state}
            self.numbers.take("step_duration", "histogram", seconds, event.at, labels)
        flow = self.workflows.known.get(event.workflow)
        if flow is not None:
            self.numbers.take("workflow_progress", "gauge", flow.percent, event.at, {"step": event.name})

    def _ai(self, event: AppEvent) -> None:
        data, at, take = event.data, event.at, self.numbers.take
        model, currency = text_of(data.get("model")), text_of(data.get("currency")) or "USD"
        prompt, completion = (self._count(data.get(k)) for k in ("prompt", "completion"))
        key = (_day(at), event.name, model)
        if key not in self.usage and len(self.usage) >= _MOST_USAGE:
            self.numbers.refused += 1
            return
        found = self.usage.setdefault(key, AiUsage())
        found.calls += 1
        found.prompt += prompt
        found.completion += completion
        cost = _money(data.get("cost"))
        if cost is None:
            found.unpriced += 1
        else:
            found.cost[currency] = found.cost.get(currency, Decimal(0)) + cost
        take("ai_tokens_used", "counter", prompt + completion, at, {"provider": event.name, "model": model})
        take("ai_prompt_tokens", "counter", prompt, at, {"provider": event.name})
        take("ai_completion_tokens", "counter", completion, at, {"provider": event.name})
        if cost is not None:
            take("ai_cost", "counter", float(cost), at, {"provider": event.name, "currency": currency})

    def _tests(self, event: AppEvent) -> None:
        counts = {k: self._count(event.data.get(k)) for k in ("passed", "failed")}
        counts["executed"] = counts["passed"] + counts["failed"]
        for word, count in counts.items():
            self.numbers.take(f"tests_{word}", "counter", count, event.at, {"test_type": event.name})
        day = self._figures(event.at)
        day.tests += counts["executed"]
        day.tests_passed += counts["passed"]
        seconds = number_of(event.data.get("seconds"))
        if seconds is not None:
            self.numbers.take("test_execution_time", "histogram", seconds, event.at, {"test_type": event.name})

    def _cost_of(self, wanted: Callable[[tuple[str, str, str]], bool]) -> dict[str, Decimal]:
        total: dict[str, Decimal] = {}
        for key, usage in self.usage.items():
            if wanted(key):
                for currency, amount in usage.cost.items():
                    total[currency] = total.get(currency, Decimal(0)) + amount
        return total

    def _costs_by_provider(self, day: str) -> dict[str, dict[str, str]]:
        providers = sorted({provider for (d, provider, _) in self.usage if d == day})
        return {
            name: {c: str(v) for c, v in self._cost_of(lambda k, n=name: k[0] == day and k[1] == n).items()}  # type: ignore[misc]
            for name in providers
        }


def _money(value: Any) -> Decimal | None:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount <= _MOST_COUNT else None


def _rate(good: int, bad: int) -> float | None:
    return round(100 * good / (good + bad), 2) if good + bad else None


def _day(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().date().isoformat()


def _labels(given: Any) -> dict[str, str]:
    """Return the labels whose names can be written; none where it is no mapping."""
    if not isinstance(given, dict):
        return {}
    return {str(name): text_of(value) for name, value in given.items() if str(name).isidentifier()}
