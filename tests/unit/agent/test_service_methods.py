from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.unit.agent.conftest import Bench

from switchover.errors import LockedError, RefusedError, UsageError

ITEM = {"id": "docker:api", "identity": "one", "seen_at": 5.0}
DONE = [{"id": "docker:api", "ok": True, "text": "stop done"}]


def stop(**more: Any) -> dict[str, Any]:
    return {"items": [ITEM], "action": "stop", **more}


async def test_anybody_acts_on_services_while_no_run_is_open_and_drives_nothing_by_it(bench: Bench) -> None:
    ann, ben = await bench.client(), await bench.client(who="ben")
    assert await ann.request("service.act", **stop()) == DONE
    assert await ben.request("service.act", **stop(confirmation="api", argument="2")) == DONE
    assert bench.hub.acted == [
        ("ann", "stop", "", "", ["docker:api"]),
        ("ben", "stop", "2", "api", ["docker:api"]),
    ]
    assert bench.hub.snapshot.header.driver is None


async def test_while_a_run_is_open_only_the_one_who_drives_acts_on_services(bench: Bench) -> None:
    bench.engine.run_state = "running"
    ann, ben = await bench.client(), await bench.client(who="ben")
    for client in (ann, ben):
        await client.request("subscribe")
    assert await ann.request("service.act", **stop()) == DONE
    with pytest.raises(LockedError, match="ann"):
        await ben.request("service.act", **stop())
    bench.engine.run_state = "done"
    assert await ben.request("service.act", **stop()) == DONE


async def test_one_who_only_watches_acts_on_nothing_and_opens_no_shell(bench: Bench) -> None:
    client = await bench.client(read_only=True)
    with pytest.raises(RefusedError, match="only watches"):
        await client.request("service.act", **stop())
    with pytest.raises(RefusedError, match="only watches"):
        await client.request("service.command", id="docker:api", what="exec")
    assert bench.hub.acted == []
    told = await client.request("service.command", id="docker:a b", what="logs")
    assert told == {"argv": ["docker", "logs", "docker:a b"], "text": "docker logs 'docker:a b'"}
    assert await client.request("service.inspect", id="docker:api") == {"text": "all about docker:api"}
    assert (await client.request("service.sources"))[0]["why"] == "no daemon"


async def test_the_hub_knows_who_looks_and_who_wants_what_is_found(bench: Bench) -> None:
    client = await bench.client()
    assert bench.hub.viewers == {}
    await client.request("subscribe")
    assert list(bench.hub.viewers.values()) == [False]
    await client.request("service.found", wanted=True)
    assert list(bench.hub.viewers.values()) == [True]
    await client.aclose()
    async with asyncio.timeout(10):
        while bench.hub.viewers:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    "params",
    [
        {"items": [], "action": 5},
        {"items": [{"id": "x", "name": "y"}], "action": "stop"},
        {"items": "docker:api", "action": "stop"},
        {"items": [ITEM], "action": "stop", "force": True},
    ],
)
async def test_what_does_not_fit_is_refused_before_anything_is_done(bench: Bench, params: dict[str, Any]) -> None:
    client = await bench.client()
    with pytest.raises(UsageError):
        await client.request("service.act", **params)
    assert bench.hub.acted == []


async def test_what_belongs_to_a_client_ends_with_it(bench: Bench) -> None:
    client = await bench.client()
    ended = asyncio.Event()

    async def end() -> None:
        ended.set()

    (session,) = bench.server._sessions
    session.at_end.append(end)
    await client.aclose()
    async with asyncio.timeout(10):
        await ended.wait()


async def test_who_has_looked_at_what_is_kept_until_then_says_so_and_one_who_only_watches_does_not(
    bench: Bench,
) -> None:
    ann, watcher = await bench.client(), await bench.client(read_only=True)
    await ann.request("service.seen", id="listener:0.0.0.0:80")
    assert [one[1] for one in bench.hub.acted] == ["listener:0.0.0.0:80"]
    with pytest.raises(RefusedError):
        await watcher.request("service.seen", id="listener:0.0.0.0:80")
