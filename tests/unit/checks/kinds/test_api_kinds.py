"""Kinds that ask an API over HTTP. The servers are stand-ins that answer as the documentation of each says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.support.stand_ins.json_routes import json_routes

from switchover_checks.api import ProbeError, Result, Status

Probe = Callable[..., Awaitable[Result]]


def status_of(result: Result, what: str) -> Status:
    return next(f.status for f in result.findings if f.what == what)


POINTS: list[dict[str, Any]] = [{"id": n, "payload": {"n": n}, "vector": [0.1 * n, 0.2]} for n in range(3)]
COLLECTION = {"status": "green", "config": {"params": {"vectors": {"size": 2, "distance": "Cosine"}}}}


def qdrant(**other: Any) -> dict[str, Any]:
    base = "/collections/docs"
    return {
        base: {"result": {**COLLECTION, **other.get("collection", {})}},
        f"{base}/points/count": {"result": {"count": other.get("count", 3)}},
        f"{base}/points/scroll": {"result": {"points": POINTS}},
        f"{base}/points": {"result": other.get("points", POINTS)},
        f"{base}/points/search": {"result": other.get("hits", [{"id": 0}, {"id": 1}])},
    }


@pytest.mark.parametrize(
    ("told", "keys", "status"),
    [
        ({}, {"expect": ["points == 3", "dimensions == 2", "distance == 'Cosine'"]}, Status.OK),
        ({"count": 0}, {}, Status.UNKNOWN),
        ({"count": 0}, {"expect": "points == 0"}, Status.OK),
        ({"count": 2}, {"expect": "points == 3"}, Status.CRIT),
        ({"collection": {"status": "yellow"}}, {}, Status.WARN),
        ({"collection": {"status": "red"}}, {}, Status.CRIT),
        ({}, {"search": True}, Status.OK),
        ({"hits": [{"id": 7}]}, {"search": True}, Status.CRIT),
        ({}, {"collection": "gone"}, Status.CRIT),
    ],
)
async def test_qdrant_counts_and_searches(probe: Probe, told: Any, keys: dict[str, Any], status: Status) -> None:
    with json_routes(qdrant(**told)) as server:
        result = await probe("qdrant", **{"url": server.address, "collection": "docs", "api_key": "k", **keys})
    assert result.status is status, result
    assert all(headers.get("api-key") == "k" for *_, headers in server.asked)


@pytest.mark.parametrize(
    ("other", "status"),
    [
        ({}, Status.OK),
        ({"points": [{**p, "vector": [p["vector"][0] + 1e-7, 0.2]} for p in POINTS]}, Status.OK),
        ({"points": [{**p, "vector": [p["vector"][0] + 1e-3, 0.2]} for p in POINTS]}, Status.CRIT),
        ({"points": [{**p, "payload": {}} for p in POINTS]}, Status.CRIT),
        ({"points": POINTS[:2]}, Status.CRIT),
        ({"count": 2}, Status.CRIT),
    ],
)
async def test_two_qdrants_hold_the_same(probe: Probe, other: dict[str, Any], status: Status) -> None:
    with json_routes(qdrant()) as here, json_routes(qdrant(**other)) as there:
        result = await probe("qdrant", url=here.address, collection="docs", compare=there.address)
    assert result.status is status, result


@pytest.mark.parametrize(
    ("health", "count", "keys", "status"),
    [
        ({"status": "green", "number_of_nodes": 3}, {}, {"expect": "nodes == 3"}, Status.OK),
        ({"status": "yellow"}, {}, {}, Status.WARN),
        ({"status": "yellow"}, {}, {"level": "yellow"}, Status.OK),
        ({"status": "red"}, {}, {"level": "yellow"}, Status.CRIT),
        ({"status": "purple"}, {}, {}, Status.UNKNOWN),
        ({"status": "green"}, {"count": 5}, {"index": "orders", "expect": "docs >= 5"}, Status.OK),
        ({"status": "green"}, {"count": 5}, {"index": "orders", "expect": "docs > 5"}, Status.CRIT),
        ({"status": "green"}, {"count": 0}, {"index": "orders"}, Status.UNKNOWN),
        ({"status": "green"}, {"count": 5, "_shards": {"failed": 1}}, {"index": "orders"}, Status.CRIT),
        ({"status": "green"}, {}, {"index": "gone"}, Status.CRIT),
        (
            {"status": "green"},
            {"count": 0, "_shards": {"total": 0}},
            {"index": "orders", "expect": "docs < 9"},
            Status.CRIT,
        ),
        ({"status": "green"}, {}, {"expect": "unassigned == 0"}, Status.UNKNOWN),
        ({"status": "green"}, {}, {"expect": ["version == '2.11.0'", "distribution == 'opensearch'"]}, Status.OK),
    ],
)
async def test_a_search_cluster_is_judged_by_its_colour(
    probe: Probe, health: Any, count: Any, keys: dict[str, Any], status: Status
) -> None:
    root = {"version": {"number": "2.11.0", "distribution": "opensearch"}}
    with json_routes({"/_cluster/health": health, "/orders/_count": count, "/": root}) as server:
        result = await probe("elasticsearch", url=server.address, api_key="abc", **keys)
    assert result.status is status, result
    assert server.asked[0][3]["authorization"] == "ApiKey abc"


@pytest.mark.parametrize(
    ("after", "status"),
    [
        ([("a", "5"), ("b", "7")], Status.OK),
        ([("a", "5"), ("b", "6")], Status.CRIT),
        ([("a", "5")], Status.CRIT),
        ([("a", "5"), ("b", "7"), ("c", "1")], Status.CRIT),
        ([("a", "5"), ("b", "7"), (".hidden", "1")], Status.OK),
    ],
)
async def test_two_search_clusters_hold_the_same(probe: Probe, after: list[tuple[str, str]], status: Status) -> None:
    def cluster(indices: list[tuple[str, str]]) -> dict[str, Any]:
        listed = [{"index": name, "docs.count": count} for name, count in indices]
        return {"/_cluster/health": {"status": "green"}, "/_cat/indices/*": listed}

    with json_routes(cluster([("a", "5"), ("b", "7")])) as one, json_routes(cluster(after)) as other:
        sides = {"before": {"es": one.address}, "after": {"es": other.address}}
        result = await probe("elasticsearch", sides=sides, left="before", right="after")
    assert result.status is status, result


@pytest.mark.parametrize("count", ["0", None])
async def test_two_empty_search_clusters_prove_nothing(probe: Probe, count: str | None) -> None:
    listed = [{"index": "a", "docs.count": count}]
    with json_routes({"/_cluster/health": {"status": "green"}, "/_cat/indices/*": listed}) as one:
        sides = {"before": {"es": one.address}, "after": {"es": one.address}}
        result = await probe("elasticsearch", sides=sides, left="before", right="after", url_key="es")
    assert result.status is Status.UNKNOWN, result


async def test_two_sides_answer_a_query_the_same(probe: Probe) -> None:
    routes = {"/api/v1/query": series(("a", 1))}
    with json_routes(routes) as one, json_routes({"/api/v1/query": series(("a", 2))}) as other:
        sides = {"before": {"url": one.address}, "after": {"url": other.address}}
        differ = await probe("promql", sides=sides, left="before", right="after", query="up")
        sides["after"] = sides["before"]
        same = await probe("promql", sides=sides, left="before", right="after", query="up")
    assert (differ.status, same.status) == (Status.CRIT, Status.OK)


@pytest.mark.parametrize(
    ("hits", "keys", "status"),
    [
        ([{"total": 12}], {"expect": "hits > 10"}, Status.OK),
        ([{"total": 0}], {}, Status.CRIT),
        ([{"total": 3}], {"expect": "hits > 10"}, Status.CRIT),
    ],
)
async def test_records_of_openobserve_are_counted(
    probe: Probe, hits: Any, keys: dict[str, Any], status: Status
) -> None:
    routes = {"/healthz": {"status": "ok"}, "/api/default/_search": {"hits": hits}}
    with json_routes(routes) as server:
        result = await probe("openobserve", url=server.address, stream="app", user="a", password="b", **keys)
    assert result.status is status, result
    assert server.asked[1][2]["query"]["sql"] == 'select count(*) as total from "app"'


async def test_a_search_without_a_count_is_no_answer(probe: Probe) -> None:
    with (
        json_routes({"/healthz": {"status": "ok"}, "/api/default/_search": {"hits": []}}) as server,
        pytest.raises(ProbeError, match="no count"),
    ):
        await probe("openobserve", url=server.address, stream="app")


GRAFANA = {
    "/api/health": {"database": "ok", "version": "11.2.0"},
    "/api/datasources/name/Prometheus": {"uid": "p1"},
    "/api/datasources/uid/p1/health": {"status": "OK", "message": "works"},
    "/api/datasources/name/Loki": {"uid": "l1"},
    "/api/datasources/uid/l1/health": (400, {"status": "ERROR", "message": "connection refused"}),
    "/api/dashboards/uid/shop": {"dashboard": {}},
}


@pytest.mark.parametrize(
    ("routes", "keys", "status"),
    [
        ({}, {"datasources": "Prometheus", "dashboards": "shop"}, Status.OK),
        ({}, {"datasources": ["Prometheus", "Loki"]}, Status.CRIT),
        ({}, {"datasources": "Tempo"}, Status.CRIT),
        ({}, {"dashboards": ["gone"]}, Status.CRIT),
        ({"/api/health": (503, {"database": "failing"})}, {}, Status.CRIT),
        ({}, {"expect": "version == '11.2.0'"}, Status.OK),
    ],
)
async def test_grafana_reaches_what_it_shows(probe: Probe, routes: Any, keys: dict[str, Any], status: Status) -> None:
    with json_routes({**GRAFANA, **routes}) as server:
        result = await probe("grafana", url=server.address, token="t", **keys)
    assert result.status is status, result


def series(*values: tuple[str, float], metric: str = "up") -> dict[str, Any]:
    found = [{"metric": {"__name__": metric, "job": job}, "value": [1, str(value)]} for job, value in values]
    return {"status": "success", "data": {"resultType": "vector", "result": found}}


@pytest.mark.parametrize(
    ("said", "keys", "status"),
    [
        (series(("a", 1), ("b", 3)), {"warn": 5}, Status.OK),
        (series(("a", 1), ("b", 3)), {"warn": 2}, Status.WARN),
        (series(("a", 1), ("b", 3)), {"warn": 1, "crit": 2}, Status.CRIT),
        (series(), {"warn": 2}, Status.UNKNOWN),
        (series(("a", 1)), {"expect": "value == 1"}, Status.OK),
        (series(("a", 1), ("b", 1)), {"expect": "value == 1"}, Status.UNKNOWN),
        (series(("a", 1), ("b", 1)), {"expect": "series == 2"}, Status.OK),
        (series(*((f"{n:03}", 1) for n in range(250)), ("z", 9)), {"crit": 5}, Status.CRIT),
        (series(("a", 9), ("b", 1)), {"crit": 5, "ignore_labels": ["job"]}, Status.CRIT),
        ({"status": "success", "data": {"resultType": "scalar", "result": [1, "7"]}}, {"crit": 5}, Status.CRIT),
    ],
)
async def test_each_series_is_judged(probe: Probe, said: Any, keys: dict[str, Any], status: Status) -> None:
    with json_routes({"/api/v1/query": said}) as server:
        result = await probe("promql", url=server.address, query="up", **keys)
    assert result.status is status, result


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ((400, {"status": "error", "error": "parse error"}), "parse error"),
        ({"status": "success", "isPartial": True, "data": {}}, "partial"),
        ({"status": "success", "data": {"resultType": "matrix", "result": []}}, "range of time"),
        ({"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}}]}}, "without a number"),
        ({"hello": "world"}, "no Prometheus"),
        ({"status": "success"}, "no data.resultType"),
    ],
)
async def test_what_is_no_vector_is_never_fine(probe: Probe, said: Any, word: str) -> None:
    with json_routes({"/api/v1/query": said}) as server, pytest.raises(ProbeError, match=word) as refused:
        await probe("promql", url=server.address, query="up", crit=5)
    assert refused.value.status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("there", "status"),
    [
        (series(("a", 100), ("b", 3)), Status.OK),
        (series(("a", 100.9), ("b", 3)), Status.OK),
        (series(("a", 102), ("b", 3)), Status.CRIT),
        (series(("a", 100)), Status.CRIT),
        (series(("a", 100), ("b", 3), ("c", 1)), Status.CRIT),
        (series(), Status.CRIT),
    ],
)
async def test_two_servers_answer_the_same(probe: Probe, there: Any, status: Status) -> None:
    here = series(("a", 100), ("b", 3))
    with json_routes({"/api/v1/query": here}) as one, json_routes({"/api/v1/query": there}) as other:
        result = await probe("promql", url=one.address, query="up", compare=other.address, tolerance="1%")
    assert result.status is status, result


async def test_what_cannot_be_compared_is_never_the_same(probe: Probe) -> None:
    none, many = series(("a", float("nan"))), series(*((f"{n:03}", 1) for n in range(250)))
    other = series(*((f"{n:03}", 1 + (n == 249)) for n in range(250)))
    twice = series(("a", 1), ("b", 5))
    for here, there, keys, status in (
        (none, none, {}, Status.UNKNOWN),
        (many, other, {}, Status.CRIT),
        (twice, series(("a", 2), ("b", 5)), {"ignore_labels": ["job"]}, None),
    ):
        with json_routes({"/api/v1/query": here}) as one, json_routes({"/api/v1/query": there}) as two:
            asked = probe("promql", url=one.address, query="up", compare=two.address, **keys)
            if status is not None:
                assert (await asked).status is status
            else:
                with pytest.raises(ProbeError, match="differ in ignore_labels only"):
                    await asked


TEXT = """# HELP queue_length How many wait.
# TYPE queue_length gauge
queue_length{queue="mail",note="a \\"b\\" {c}, d"} 4 1700000000000
queue_length{queue="print"} 6
up 1
bad NaN
# EOF
"""


@pytest.mark.parametrize(
    ("text", "keys", "status"),
    [
        (TEXT, {"metrics": {"mail": 'queue_length{queue="mail"}'}, "expect": "value.mail == 4"}, Status.OK),
        (TEXT, {"metrics": {"all": "queue_length"}, "several": "sum", "expect": "value.all == 10"}, Status.OK),
        (TEXT, {"metrics": {"all": "queue_length"}, "several": "max", "expect": "value.all == 6"}, Status.OK),
        (TEXT, {"metrics": {"all": "queue_length"}}, Status.UNKNOWN),
        (TEXT, {"metrics": {"gone": "no_such"}}, Status.UNKNOWN),
        (TEXT, {"metrics": {"bad": "bad"}}, Status.UNKNOWN),
        (TEXT, {"metrics": {"up": "up"}, "expect": "value.up == 0"}, Status.CRIT),
        ("", {}, Status.UNKNOWN),
    ],
)
async def test_single_numbers_of_a_program_are_judged(
    probe: Probe, text: str, keys: dict[str, Any], status: Status
) -> None:
    with json_routes({"/metrics": text}) as server:
        result = await probe("openmetrics", url=f"{server.address}/metrics", **keys)
    assert result.status is status, result


async def test_what_is_no_metric_names_its_line(probe: Probe) -> None:
    with json_routes({"/metrics": "up 1\n<html>\n"}) as server, pytest.raises(ProbeError, match="line 2"):
        await probe("openmetrics", url=f"{server.address}/metrics")


@pytest.mark.parametrize(("arrives", "status"), [("at once", Status.OK), ("late", Status.OK), ("never", Status.CRIT)])
async def test_what_was_sent_is_seen_or_not(probe: Probe, arrives: str, status: Status) -> None:
    seen: list[str] = []
    looks = 0

    def look(_path: str) -> Any:
        nonlocal looks
        looks += 1
        there = arrives == "at once" or (arrives == "late" and looks > 2)
        return {"rows": seen} if there else {"rows": []}

    def take(body: Any) -> Any:
        seen.append(body["mark"])
        return {}

    with json_routes({"/send": take, "/look": look}) as server:
        send = {"url": f"{server.address}/send", "method": "POST", "body": '{"mark": "$MARK"}'}
        keys = {"send": send, "receive": {"url": f"{server.address}/look?mark=$MARK"}}
        result = await probe("roundtrip", **keys, within="300ms", look_every="50ms", expect="delay < 5s")
    assert result.status is status, result


async def test_a_server_that_repeats_the_question_has_not_received_it(probe: Probe) -> None:
    with json_routes({"/send": {}, "/look": lambda path: {"error": f"no rows for {path}"}}) as server:
        send = {"url": f"{server.address}/send?m=$MARK", "method": "POST"}
        keys = {"send": send, "receive": {"url": f"{server.address}/look?mark=$MARK"}}
        result = await probe("roundtrip", **keys, within="100ms", look_every="50ms")
    assert result.status is Status.CRIT


async def test_commands_get_the_mark_as_a_variable(probe: Probe) -> None:
    keys = {"send": {"command": 'echo "$MARK" > sent'}, "receive": {"command": "cat sent"}}
    assert (await probe("roundtrip", **keys)).status is Status.OK
