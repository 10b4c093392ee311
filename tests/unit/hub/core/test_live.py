from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.unit.health.health_fakes import StillClock, plan, scope_of

from switchover.hub.core.live_side import LiveSide
from switchover.metrics.json_documents import JsonDocuments

PLAN = """
vars: {port: {type: port, ask: "?"}}
sides: {before: {}, after: {}}
live: {url: "http://127.0.0.1:{{ port }}/_door", path: state.live}
"""


class Door:
    """A front door that says what it is told."""

    def __init__(self, said: Any) -> None:
        self.said = said
        self.clock = StillClock()
        loaded = plan(PLAN)
        assert loaded.plan.live is not None
        self.scope = scope_of(loaded, {"port": "8080"})
        self.unset = scope_of(loaded)
        remote = JsonDocuments(httpx.MockTransport(self._answer))
        self.live = LiveSide(loaded.plan, loaded.plan.live, remote, self.clock)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "http://127.0.0.1:8080/_door"
        if isinstance(self.said, Exception):
            raise self.said
        return httpx.Response(200, json={"state": {"live": self.said}})


@pytest.mark.parametrize(
    ("said", "side"), [("before", "before"), ("after", "after"), ("old", "before"), ("new", "after")]
)
async def test_the_side_that_is_named_is_live(said: str, side: str) -> None:
    door = Door(said)
    assert door.live.side == ""
    assert await door.live.ask(door.scope)
    assert (door.live.side, door.live.why) == (side, "")
    assert not await door.live.ask(door.scope)


async def test_an_answer_that_is_late_is_no_answer() -> None:
    door = Door("before")
    await door.live.ask(door.scope)
    door.clock.advance(12.0)
    assert (door.live.side, door.live.last) == ("", "before")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("elsewhere", "names 'elsewhere', which is no side of the plan; it has before, after"),
        (3, "names no side but '3'"),
        (httpx.ConnectError("x"), "cannot connect"),
    ],
)
async def test_no_answer_is_never_the_last_one(said: Any, why: str) -> None:
    door = Door("after")
    await door.live.ask(door.scope)
    door.said = said
    assert await door.live.ask(door.scope)
    assert (door.live.side, door.live.why) == ("", why)


async def test_without_its_variable_nobody_is_asked() -> None:
    door = Door("after")
    await door.live.ask(door.unset)
    assert (door.live.side, door.live.why) == ("", "waits for variable port")
