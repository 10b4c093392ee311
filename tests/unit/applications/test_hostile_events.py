"""One application's odd words cost no other application its figures, no secret its cover, no agent its memory."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.applications.test_applications import NOW, At, event, told

from switchover.agent.http.api_sources import ApiSources
from switchover.applications.app_events import read_events
from switchover.applications.app_numbers import AppNumbers
from switchover.applications.applications import Applications
from switchover.applications.event_file import EventFile


@pytest.mark.parametrize(
    "odd",
    [
        event("ai", "p", prompt=1e300, completion=1e300, cost="1"),
        event("ai", "p", prompt=10**25, completion=1, cost="9e999999"),
        event("tests", "unit", passed=1e308, failed=1e308),
        event("step", "a", workflow="w", state="ok", seconds=1e308, increment=1e308),
    ],
)
def test_no_figure_is_so_large_that_the_answers_break(odd: dict[str, Any]) -> None:
    apps = told(odd, odd, odd, event("ai", "q", prompt=1, completion=1, cost="0.5", model="m"))
    msgspec.json.encode(apps.stats())
    msgspec.json.encode([[use.prompt, use.completion, use.calls] for use in apps.usage.values()])
    assert apps.stats()["ai_costs_by_provider"]["q"] == {"USD": "0.5"}


def test_a_name_has_one_type_whatever_its_labels() -> None:
    numbers = AppNumbers()
    numbers.take("x", "gauge", 1.0, NOW, {"label": "b"})
    numbers.take("x", "histogram", 1.0, NOW, {"label": "a"})
    assert [(s.kind, dict(s.labels)) for s in numbers.of_name("x")] == [("gauge", {"label": "b"})]
    assert numbers.refused == 1


def test_secrets_go_wherever_they_stand() -> None:
    body = msgspec.json.encode(
        event("metric", "m", value=1, type="gauge", labels={"hunter2": "hunter2", "more": ["hunter2"]})
        | {"app": "hunter2", "source": "s"}
    )
    (found,) = read_events(body, lambda text: text.replace("hunter2", "•"))
    assert b"hunter2" not in msgspec.json.encode(found)


def test_names_and_days_without_end_take_no_memory_without_end() -> None:
    apps = Applications(At(NOW))
    days = (event("ai", f"p{n}", NOW + n * 86_400, prompt=1, completion=1, cost="1") for n in range(12_000))
    apps.take(read_events(b"\n".join(msgspec.json.encode(e) for e in days)))
    flows = (event("workflow", "w", NOW - n * 86_400, workflow="w", state="completed") for n in range(12_000))
    apps.take(read_events(b"\n".join(msgspec.json.encode(e) for e in flows)))
    apps.settle()
    assert max(len(apps.usage), len(apps._days)) <= 10_000
    (long,) = read_events(msgspec.json.encode(event("metric", "n" * 100_000, value=1, type="gauge")))
    assert len(long.name) <= 1_000  # type: ignore[union-attr]


async def test_a_large_batch_lets_others_have_their_turn(tmp_path: Path) -> None:
    clock: Any = At(NOW)
    sources = ApiSources(None, clock, EventFile(tmp_path / "events"), str, Applications(clock))  # type: ignore[arg-type]
    batch = [event("log", "x", workflow=f"w{n % 50}", seq=n + 1, source="s") for n in range(20_000)]
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1 if sources.applications.told and len(batch) != sources.applications.told else 0

    beside = asyncio.create_task(other())
    taken = await sources.accept(b"\n".join(msgspec.json.encode(e) for e in batch))
    beside.cancel()
    assert len(taken.taken) == 20_000
    assert turns >= 2
