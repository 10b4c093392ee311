from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from switchover.app.known_secrets import KnownSecrets
from switchover.applications.app_events import AppEvent, read_events
from switchover.applications.app_numbers import AppNumbers
from switchover.applications.applications import Applications
from switchover.applications.event_file import EventFile
from switchover.clock import SystemClock

NOW = 1_780_000_000.0


class At(SystemClock):
    """A clock that stands still."""

    def __init__(self, now: float) -> None:
        self._at = now

    def now(self) -> float:
        return self._at


def event(kind: str, name: str, at: float = NOW, *, seq: int = 0, source: str = "", **data: Any) -> dict[str, Any]:
    return {"v": 1, "kind": kind, "name": name, "at": at, "seq": seq, "source": source, "data": data}


def told(*events: dict[str, Any], now: float = NOW) -> Applications:
    applications = Applications(At(now))
    applications.take(read_events(b"\n".join(msgspec.json.encode(e) for e in events)))
    return applications


def test_a_workflow_is_as_far_as_its_finished_steps() -> None:
    flow = told(
        event("workflow", "w", workflow="w", state="started", task_type="feature"),
        event("step", "a", workflow="w", state="started"),
        event("step", "a", workflow="w", state="ok", seconds=2.0, increment=40),
        event("step", "b", workflow="w", state="started"),
    ).workflows.known["w"]
    assert (flow.state, flow.percent, [s.state for s in flow.steps]) == ("running", 40.0, ["ok", "running"])


def test_a_workflow_ends_at_hundred_percent_or_when_it_is_told() -> None:
    apps = told(
        event("step", "a", workflow="w", state="ok", seconds=1.0, increment=100),
        event("workflow", "v", workflow="v", state="completed", success=False),
    )
    assert {f.id: f.state for f in apps.workflows.known.values()} == {"w": "succeeded", "v": "failed"}
    assert (apps.stats()["completed_today"], apps.stats()["failed_today"]) == (1, 1)


def test_a_failed_step_that_is_taken_up_again_is_no_failed_workflow() -> None:
    events = (
        event("step", "a", workflow="w", state="failed", seconds=1.0, error="ValueError: no"),
        event("step", "a", NOW + 5, workflow="w", state="started"),
    )
    apps = told(*events, now=NOW + 600)
    apps.settle()
    assert apps.stats()["failed_today"] == 0
    assert apps.workflows.known["w"].state == "running"


def test_a_failed_step_after_which_nothing_comes_is_a_failed_workflow_once() -> None:
    apps = told(event("step", "a", workflow="w", state="failed", seconds=1.0), now=NOW + 600)
    apps.settle()
    apps.settle()
    assert (apps.stats()["failed_today"], apps.stats()["success_rate"]) == (1, 0.0)


def test_a_rate_of_nothing_is_not_hundred_percent() -> None:
    stats = told().stats()
    assert (stats["success_rate"], stats["avg_duration"]) == (None, None)


def test_money_is_exact_and_kept_apart_by_currency_and_what_has_no_price_is_counted() -> None:
    apps = told(
        *(event("ai", "claude", prompt=10, completion=5, cost="0.1", currency="USD") for _ in range(3)),
        event("ai", "claude", cost="0.2", currency="EUR"),
        event("ai", "claude", cost="free"),
    )
    (usage,) = apps.usage.values()
    assert usage.cost == {"USD": Decimal("0.3"), "EUR": Decimal("0.2")}
    assert (usage.unpriced, usage.prompt, apps.stats()["ai_calls_unpriced_today"]) == (1, 30, 1)


def test_the_twelve_metrics_of_workflows_ai_and_tests_are_there() -> None:
    apps = told(
        event("workflow", "w", workflow="w", state="started", task_type="feature", priority="high"),
        event("step", "a", workflow="w", state="ok", seconds=2.0, increment=100),
        event("ai", "claude", workflow="w", prompt=10, completion=5, cost=0.1, model="m"),
        event("tests", "unit", workflow="w", passed=9, failed=1, seconds=3.0),
    )
    names = {name for name, _ in apps.numbers.series}
    workflow = {"workflow_started", "workflow_completed", "workflow_progress", "step_duration"}
    ai = {"ai_tokens_used", "ai_cost", "ai_prompt_tokens", "ai_completion_tokens"}
    tests = {"tests_executed", "tests_passed", "tests_failed", "test_execution_time"}
    assert names == workflow | ai | tests
    assert apps.numbers.of_name("tests_executed")[0].value == 10


def test_a_batch_that_comes_twice_counts_once_and_what_is_missing_between_is_counted() -> None:
    first = [event("ai", "claude", seq=n, source="s", cost=1) for n in (1, 2)]
    apps = told(*first, *first, event("ai", "claude", seq=7, source="s", cost=1))
    assert (sum(u.calls for u in apps.usage.values()), apps.lost) == (3, 4)


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b'{"v":2,"kind":"ai","name":"x","at":1}',
        b'{"v":1,"kind":"other","name":"x","at":1}',
        b'{"v":1,"kind":"ai","name":" ","at":1}',
        b'{"v":1,"kind":"ai","name":"x","at":1e300}',
        b'{"v":1,"kind":"ai","name":"x","at":-1}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_line_that_is_no_event_is_named_and_spoils_no_other(line: bytes) -> None:
    good = msgspec.json.encode(event("ai", "claude", cost=1))
    taken = Applications(At(NOW)).take(read_events(good + b"\n\n" + line + b"\n" + good))
    assert (len(taken.taken), taken.refused, taken.errors[0].split(":")[0]) == (2, 1, "line 3")


def test_odd_values_in_an_event_spoil_nothing() -> None:
    odd: list[Any] = [True, None, "x", -5, 1e400, [], {}]
    kinds = ("workflow", "step", "ai", "git", "tests", "log", "metric")
    keys = ("state", "seconds", "prompt", "cost", "labels", "type", "value", "passed", "increment", "workflow")
    apps = Applications(At(NOW))
    for kind in kinds:
        for value in odd:
            apps.take([AppEvent(v=1, kind=kind, name="n", at=NOW, data=dict.fromkeys(keys, value))])  # type: ignore[arg-type]
    apps.settle()
    assert msgspec.json.encode(apps.stats())


def test_a_series_too_many_is_refused_and_counted() -> None:
    numbers = AppNumbers(most=2)
    for user in ("a", "b", "c", "a"):
        numbers.take("logins", "counter", 1, NOW, {"user": user})
    assert (len(numbers.series), numbers.refused) == (2, 1)
    numbers.take("logins", "gauge", 1, NOW, {"user": "a"})
    assert numbers.refused == 2


def test_a_thousand_points_a_series_stay_in_memory() -> None:
    numbers = AppNumbers()
    for n in range(5000):
        numbers.take("x", "gauge", n, NOW + n, {})
    (series,) = numbers.series.values()
    assert (1000 <= len(series.points) <= 1100, series.points[-1][1]) == (True, 4999)


def test_no_secret_is_kept_or_shown(tmp_path: Path) -> None:
    apps = Applications(At(NOW))
    line = msgspec.json.encode(event("log", "password=hunter2 x", workflow="w"))
    taken = apps.take(read_events(line, KnownSecrets().display))
    file = EventFile(tmp_path / "a.sqlite")
    file.add(taken.taken, NOW)
    assert "hunter2" not in str(apps.workflows.known["w"].document(whole=True))
    assert all(b"hunter2" not in path.read_bytes() for path in tmp_path.iterdir())


def test_what_was_told_is_there_after_a_restart_and_gone_after_seven_days(tmp_path: Path) -> None:
    file = EventFile(tmp_path / "a.sqlite")
    taken = Applications(At(NOW)).take(
        read_events(msgspec.json.encode(event("ai", "claude", seq=1, source="s", cost=2)))
    )
    file.add(taken.taken, NOW)
    again = Applications(At(NOW))
    again.restore(file.read(NOW))
    assert again.stats()["ai_costs_today"] == 2.0
    assert again.take(taken.taken).repeated == 1
    assert file.read(NOW + 8 * 86_400) == []


def test_a_damaged_file_is_an_error_in_words(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    path.write_bytes(b"no database at all, but long enough to be looked at" * 20)
    path.chmod(0o600)
    with pytest.raises(OSError, match="not a database"):
        EventFile(path).read(NOW)


def test_a_plans_metric_of_kind_pushed_is_the_sum_of_a_counter_the_newest_gauge_the_mean_of_a_histogram() -> None:
    numbers = AppNumbers()
    for provider, cost in (("a", 1.5), ("b", 2.0), ("a", 0.5)):
        numbers.take("ai_cost", "counter", cost, NOW, {"provider": provider})
    for at, depth in ((NOW, 7.0), (NOW + 1, 3.0)):
        numbers.take("depth", "gauge", depth, at, {"queue": str(at)})
    for seconds in (1.0, 3.0):
        numbers.take("took", "histogram", seconds, NOW, {})
    assert numbers.told("ai_cost", {}) == ("counter", 4.0)
    assert numbers.told("ai_cost", {"provider": "a"}) == ("counter", 2.0)
    assert numbers.told("depth", {}) == ("gauge", 3.0)
    assert numbers.told("took", {}) == ("histogram", 2.0)
    assert numbers.told("ai_cost", {"provider": "c"}) is None
