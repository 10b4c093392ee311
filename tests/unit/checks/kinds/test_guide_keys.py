"""Keys that real guides needed: load by clients at once, a series written and read back, a snapshot, a Spot notice.

All servers here are stand-ins on loopback; the documentation of the real ones is the source.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.stand_ins.json_routes import json_routes
from tests.unit.checks.conftest import Probe

from switchover_checks.api import ProbeError, Status
from switchover_checks.runtime.config import ConfigError


async def test_clients_at_once_ask_for_a_while_and_are_measured(probe: Probe) -> None:
    with json_routes({"/health": {}}) as server:
        result = await probe(
            "load",
            url=f"{server.address}/health",
            concurrency=4,
            **{"for": "200ms"},
            expect=["errors < 1%", "p95 < 9s"],
        )
    assert result.status is Status.OK, result
    assert {m.name for m in result.metrics} >= {"rps", "p50", "p95", "p99", "errors"}
    assert len(server.asked) >= 4
    assert {path for _, path, *_ in server.asked} == {"/health"}


async def test_clients_stop_early_where_all_fails(probe: Probe) -> None:
    with json_routes({"/health": (500, {})}) as server:
        result = await probe("load", url=f"{server.address}/health", concurrency=4, **{"for": "20s"})
    assert result.status is Status.CRIT
    assert "stopped early" in str(result.findings)


@pytest.mark.parametrize("keys", [{}, {"rps": 5, "concurrency": 5}, {"concurrency": 501}, {"rps": 3000}])
async def test_load_is_by_rate_or_by_clients(probe: Probe, keys: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"rps|concurrency"):
        await probe("load", url="http://127.0.0.1:9/", **keys)


class Store:
    """Takes samples as text, and gives them back as Prometheus answers."""

    def __init__(self, *, busy: int = 0, kept: bool = True, changed: str = "") -> None:
        self.busy, self.kept, self.changed = busy, kept, changed
        self.samples: list[str] = []

    def take(self, body: str) -> Any:
        if self.busy:
            self.busy -= 1
            return 503, {}
        if self.kept:
            self.samples.append(body.strip())
        return 200, {}

    def give(self, path: str) -> Any:
        found = [s for s in self.samples if s.split('switchover_mark="')[1].split('"')[0] in path]
        result = [
            {"metric": {"switchover_mark": s.split('switchover_mark="')[1].split('"')[0]}, "value": [1, self._value(s)]}
            for s in found
        ]
        return {"status": "success", "data": {"resultType": "vector", "result": result}}

    def _value(self, sample: str) -> str:
        return self.changed or sample.rsplit(" ", 1)[1]

    def routes(self) -> dict[str, Any]:
        return {"/api/v1/import/prometheus": self.take, "/api/v1/query": self.give}


@pytest.mark.parametrize(
    ("store", "status", "says"),
    [
        (Store(), Status.OK, "seen after"),
        (Store(busy=2), Status.OK, "seen after"),
        (Store(kept=False), Status.CRIT, "not seen"),
        (Store(changed="41"), Status.CRIT, "41"),
    ],
)
async def test_a_series_that_was_written_comes_back(probe: Probe, store: Store, status: Status, says: str) -> None:
    with json_routes(store.routes()) as server:
        keys = {"series": 'test_metric{job="test"}', "value": 42, "within": "2s" if store.kept else "150ms"}
        result = await probe("roundtrip", url=server.address, **keys, look_every="50ms")
    assert result.status is status, result
    assert says in result.summary
    if store.samples:
        assert store.samples[-1].startswith('test_metric{job="test", switchover_mark="so')
        assert store.samples[-1].endswith("} 42.0")


async def test_a_server_that_stays_overloaded_fails_at_sending(probe: Probe) -> None:
    with json_routes(Store(busy=10_000).routes()) as server, pytest.raises(ProbeError, match="HTTP 503") as failed:
        await probe("roundtrip", url=server.address, within="150ms", look_every="50ms")
    assert failed.value.phase == "send"


async def test_a_server_without_samples_as_text_is_told(probe: Probe) -> None:
    with (
        json_routes({"/api/v1/query": {"data": {"result": []}}}) as server,
        pytest.raises(ProbeError, match="say send"),
    ):
        await probe("roundtrip", url=server.address)


async def test_an_overloaded_first_look_does_not_make_an_echo_an_arrival(probe: Probe) -> None:
    looks: Iterator[Any] = iter([(503, {})])
    echo = {"/send": {}, "/look": lambda path: next(looks, (200, {"error": f"no rows for {path}"}))}
    with json_routes(echo) as server:
        keys = {
            "send": {"url": f"{server.address}/send?m=$MARK", "method": "POST"},
            "receive": {"url": f"{server.address}/look?mark=$MARK"},
        }
        result = await probe("roundtrip", **keys, within="150ms", look_every="50ms")
    assert result.status is Status.CRIT, result


async def test_looks_that_are_never_answered_are_told(probe: Probe) -> None:
    with json_routes({"/send": {}, "/look": (503, {})}) as server:
        keys = {
            "send": {"url": f"{server.address}/send?m=$MARK", "method": "POST"},
            "receive": {"url": f"{server.address}/look?mark=$MARK"},
        }
        result = await probe("roundtrip", **keys, within="100ms", look_every="50ms")
    assert result.status is Status.CRIT
    assert "HTTP 503" in result.summary


@pytest.mark.parametrize("series", ["", "9x", "m{job=test}", 'm{job="a" "b"}', 'm{job="a"', "m m"])
async def test_what_is_no_series_is_refused(probe: Probe, series: str) -> None:
    with pytest.raises(ConfigError, match="series is like"):
        await probe("roundtrip", url="http://127.0.0.1:9", series=series)


NOW_MS = int(time.time() * 1000)
WHOLE = {
    "snapshot": "harena",
    "state": "SUCCESS",
    "indices": ["orders"],
    "end_time_in_millis": NOW_MS - 60_000,
    "shards": {"total": 5, "failed": 0, "successful": 5},
}


@pytest.mark.parametrize(
    ("told", "keys", "status"),
    [
        ({}, {}, Status.OK),
        ({}, {"expect": "age < 1h"}, Status.OK),
        ({}, {"expect": "age < 1s"}, Status.CRIT),
        ({}, {"level": "green"}, Status.WARN),
        ({"state": "PARTIAL"}, {}, Status.CRIT),
        ({"state": "FAILED", "reason": "disk"}, {}, Status.CRIT),
        ({"state": "IN_PROGRESS", "end_time_in_millis": 0}, {}, Status.UNKNOWN),
        ({"state": "IN_PROGRESS", "end_time_in_millis": 0}, {"expect": "age < 1h"}, Status.UNKNOWN),
        ({"state": 7}, {}, Status.UNKNOWN),
        ({"indices": []}, {}, Status.UNKNOWN),
        ({"shards": None}, {}, Status.UNKNOWN),
        ({"shards": {"total": 5, "successful": 4}}, {}, Status.CRIT),
    ],
)
async def test_a_snapshot_is_whole_or_not(probe: Probe, told: Any, keys: dict[str, Any], status: Status) -> None:
    routes = {"/_cluster/health": {"status": "yellow"}, "/_snapshot/backups/harena": {"snapshots": [{**WHOLE, **told}]}}
    with json_routes(routes) as server:
        result = await probe("elasticsearch", url=server.address, snapshot="backups/harena", **keys)
    assert result.status is status, result


async def test_a_snapshot_that_is_not_there_is_critical(probe: Probe) -> None:
    with json_routes({"/_cluster/health": {"status": "green"}}) as server:
        result = await probe("elasticsearch", url=server.address, snapshot="backups/harena")
    assert result.status is Status.CRIT
    with pytest.raises(ConfigError, match="REPOSITORY/NAME"):
        await probe("elasticsearch", url=server.address, snapshot="harena")


def metadata(notice: Any, token: Any = "t") -> dict[str, Any]:
    return {"/latest/api/token": token, "/latest/meta-data/spot/instance-action": notice}


@pytest.mark.parametrize("machine", ["", "there"])
@pytest.mark.parametrize(
    ("notice", "status"),
    [
        ((404, ""), Status.OK),
        ({"action": "terminate", "time": "2026-03-01T10:02:00Z"}, Status.CRIT),
        ({"action": "terminate"}, None),
        ("nonsense", None),
        ((500, ""), None),
    ],
)
async def test_the_notice_of_a_spot_instance_is_read_where_it_is_given(
    probe: Probe, monkeypatch: pytest.MonkeyPatch, notice: Any, status: Status | None, machine: str
) -> None:
    with json_routes(metadata(notice)) as server:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.address)
        if status is None:
            with pytest.raises(ProbeError) as failed:
                await probe("aws", resource="spot_notice", over_there=bool(machine))
            assert failed.value.status is Status.UNKNOWN
            return
        result = await probe("aws", resource="spot_notice", over_there=bool(machine))
    assert result.status is status, result
    assert server.asked[0][0] == "PUT"
    assert server.asked[-1][3].items() >= {("X-aws-ec2-metadata-token", "t")}


@pytest.mark.parametrize("machine", ["", "there"])
async def test_without_a_metadata_service_nothing_is_known(
    probe: Probe, monkeypatch: pytest.MonkeyPatch, machine: str
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(ProbeError, match="metadata service") as failed:
        await probe("aws", resource="spot_notice", over_there=bool(machine))
    assert failed.value.status is Status.UNKNOWN
