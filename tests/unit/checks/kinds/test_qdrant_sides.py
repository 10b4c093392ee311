"""Two Qdrants, stand-ins on loopback that page as the documentation says: what differs among many points is found."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from tests.support.stand_ins.json_routes import json_routes
from tests.unit.checks.conftest import Probe

from switchover_checks.api import ProbeError, Status
from switchover_checks.runtime.config import ConfigError
from switchover_checks.runtime.probe_ports import ProbePorts

INDEXES = {"author": {"data_type": "keyword", "points": 5}}
Store = dict[str, dict[int, dict[str, Any]]]


def store(number: int = 60) -> Store:
    return {"docs": {n: {"id": n, "payload": {"n": n}, "vector": [0.001 * n, 0.2]} for n in range(number)}}


def routes(told: Store, indexes: dict[str, Any] | None = None, size: int = 2) -> dict[str, Any]:
    found: dict[str, Any] = {"/collections": {"result": {"collections": [{"name": name} for name in told]}}}
    for name, points in told.items():
        found |= _collection(f"/collections/{name}", points, INDEXES if indexes is None else indexes, size)
    return found


def _collection(base: str, points: dict[int, dict[str, Any]], indexes: dict[str, Any], size: int) -> dict[str, Any]:
    ids = sorted(points)

    def scroll(asked: Any) -> Any:
        rest = [n for n in ids if n >= asked.get("offset", -1)]
        following = rest[asked["limit"]] if len(rest) > asked["limit"] else None
        return {"result": {"points": [points[n] for n in rest[: asked["limit"]]], "next_page_offset": following}}

    def search(asked: Any) -> Any:
        if len(asked["vector"]) != size:
            return 400, {"status": {"error": f"Vector dimension error: expected dim: {size}"}}
        return {"result": [{"id": n} for n in ids[: asked["limit"]]]}

    params = {"vectors": {"size": size, "distance": "Cosine"}}
    return {
        base: {"result": {"status": "green", "config": {"params": params}, "payload_schema": indexes}},
        f"{base}/points/count": {"result": {"count": len(points)}},
        f"{base}/points/scroll": scroll,
        f"{base}/points": lambda asked: {"result": [points[n] for n in asked["ids"] if n in points]},
        f"{base}/points/search": search,
    }


async def compared(probe: Probe, left: Store, right: Store, other: dict[str, Any] | None = None, **keys: Any) -> Any:
    with json_routes(routes(left)) as one, json_routes(routes(right) if other is None else other) as two:
        sides = {"before": {"qdrant": one.address}, "after": {"qdrant": two.address}}
        return await probe("qdrant", sides=sides, left="before", right="after", **{"mode": "checksum", **keys})


async def test_wrong_vectors_are_found_among_ten_thousand(probe: Probe) -> None:
    left = store(10_000)
    right = deepcopy(left)
    for wrong in (17, 4321, 9999):
        right["docs"][wrong]["vector"][1] += 1e-3
    result = await compared(probe, left, right, tolerance=1e-6)
    assert result.status is Status.CRIT
    (found,) = [f for f in result.findings if f.status is Status.CRIT]
    assert found.observed == "3 differ: " + ", ".join(f"point {n} has another vector" for n in (17, 4321, 9999))


def _changed(right: Store, what: str) -> Store:
    docs = right["docs"]
    match what:
        case "vector":
            docs[59]["vector"][0] += 1e-4
        case "near":
            docs[59]["vector"][0] += 1e-9
        case "payload":
            docs[59]["payload"] = {}
        case "missing":
            del docs[30]
        case "extra":
            docs[100] = {**docs[0], "id": 100}
        case "renamed":
            docs[100] = {**docs.pop(30), "id": 100}
        case "collection":
            right["more"] = {}
        case "shorter":
            docs[3]["vector"] = docs[3]["vector"][:1]
    return right


@pytest.mark.parametrize(
    ("what", "keys", "status"),
    [
        ("nothing", {}, Status.OK),
        ("near", {"tolerance": 1e-6}, Status.OK),
        ("vector", {"tolerance": 1e-6}, Status.CRIT),
        ("vector", {"mode": "count"}, Status.OK),
        ("payload", {}, Status.CRIT),
        ("payload", {"payload": False}, Status.OK),
        ("missing", {}, Status.CRIT),
        ("missing", {"mode": "count"}, Status.CRIT),
        ("extra", {}, Status.CRIT),
        ("renamed", {}, Status.CRIT),
        ("collection", {}, Status.CRIT),
        ("collection", {"collections": "docs"}, Status.OK),
        ("shorter", {}, Status.CRIT),
        ("nothing", {"collections": ["none*"]}, Status.UNKNOWN),
    ],
)
async def test_two_sides_hold_the_same_points(probe: Probe, what: str, keys: dict[str, Any], status: Status) -> None:
    result = await compared(probe, store(), _changed(store(), what), **keys)
    assert result.status is status, result


async def test_two_empty_sides_prove_nothing(probe: Probe) -> None:
    assert (await compared(probe, {"docs": {}}, {"docs": {}})).status is Status.UNKNOWN


async def test_an_index_that_did_not_come_over_is_told(probe: Probe) -> None:
    result = await compared(probe, store(), store(), routes(store(), {}), indexes="keep")
    assert result.status is Status.CRIT
    assert "without author keyword" in result.summary


async def test_other_dimensions_are_told(probe: Probe) -> None:
    result = await compared(probe, store(), store(), routes(store(), size=3), mode="count")
    assert "docs dimensions" in result.summary


async def test_an_index_may_not_vanish_between_two_looks(probe: Probe) -> None:
    ports = ProbePorts()
    seen = []
    for indexes in (INDEXES, INDEXES, {}):
        with json_routes(routes(store(), indexes)) as server:
            result = await probe("qdrant", ports=ports, url=server.address, indexes="keep", expect="status == 'green'")
        seen.append(result.status)
    assert seen == [Status.OK, Status.OK, Status.CRIT]


@pytest.mark.parametrize(("limit", "expect", "status"), [(10, "hits == 10", Status.OK), (3, "hits > 3", Status.CRIT)])
async def test_a_search_by_a_vector_is_timed(probe: Probe, limit: int, expect: str, status: Status) -> None:
    search = {"collection": "docs", "vector": [0.1, 0.2], "limit": limit}
    with json_routes(routes(store())) as server:
        result = await probe("qdrant", url=server.address, search=search, expect=[expect, "time < 1h"])
    assert result.status is status, result
    assert {m.name for m in result.metrics} == {"points", "time", "hits"}


async def test_a_vector_of_other_dimensions_is_told_by_the_server(probe: Probe) -> None:
    search = {"collection": "docs", "vector": [0.1, 0.2, 0.3]}
    with json_routes(routes(store())) as server, pytest.raises(ProbeError, match="dimension"):
        await probe("qdrant", url=server.address, search=search)


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"url": "http://a", "left": "before", "right": "after"},
        {"left": "before"},
        {"left": "before", "right": "before"},
        {"url": "http://a", "search": {"vector": []}},
        {"url": "http://a", "search": "yes"},
        {"url": "http://a", "collection": "a", "collections": "b"},
    ],
)
async def test_what_cannot_be_asked_is_refused(probe: Probe, keys: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        await probe("qdrant", **keys)
