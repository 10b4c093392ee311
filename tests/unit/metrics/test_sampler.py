from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML
from tests.unit.health.health_fakes import StillClock, plan, scope_of

from switchover.metrics.json_documents import JsonDocuments
from switchover.metrics.sampler import Sampler
from switchover.metrics.sources.host_numbers import HostNumbers
from switchover.metrics.sources.json_number import JsonNumberSource
from switchover.plan.kind_calls import KindCalls
from switchover.plan.model import MetricSpec
from switchover.plan.named_kinds import METRIC_SOURCES
from switchover_checks.api import Metric, Status
from switchover_checks.language.declared import declared, load_declared
from switchover_checks.runtime.config import documented_fields, validate

OK, WARN, CRIT, UNKNOWN, SKIPPED, PENDING = Status


def sampler(clock: StillClock | None = None, *, body: Any = 1, **metrics: MetricSpec) -> Sampler:
    loaded = plan('vars: {port: {type: port, ask: "port?"}}\n')
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=body))
    return Sampler(
        metrics,
        KindCalls(lambda: scope_of(loaded)),
        clock or StillClock(),
        service_number=lambda service, metric: 12.5 if (service, metric) == ("api", "cpu") else None,
        check_period=lambda check: 30.0,
        documents=JsonDocuments(transport),
    )


def spec(type_: str, **keys: Any) -> MetricSpec:
    return MetricSpec.model_validate({"kind": type_, **keys})


async def test_the_host_is_measured_without_any_metric_in_the_plan() -> None:
    clock = StillClock()
    found = sampler(clock)
    for _ in range(2):
        for _, names in found.rhythms():
            await found.sample(names)
        clock.advance(2.0)
    assert {"host.cpu", "host.memory", "host.load", "host.disk", "host.net_in", "host.net_out"} <= set(found.tracks)
    memory = found.tracks["host.memory"].series.latest
    disk = found.tracks["host.disk"].series.latest
    assert memory is not None
    assert disk is not None
    assert 0 < memory < 100
    assert 0 < disk <= 100
    assert found.tracks["host.net_in"].series.newest(2)[0] is None  # a rate needs two readings


async def test_a_metric_of_the_host_that_does_not_exist_says_what_there_is() -> None:
    found = sampler(odd=spec("host", metric="colour"))
    await found.sample(["odd"])
    assert "possible are cpu, disk, load, memory" in found.tracks["odd"].note


async def test_thresholds_judge_the_newest_value() -> None:
    for body, status in ((5, OK), (15, WARN), (25, CRIT)):
        found = sampler(body={"v": body}, q=spec("http_json", url="http://x/", path="v", warn="~:10", crit="~:20"))
        await found.sample(["q"])
        assert found.tracks["q"].status(stale=False) is status
        assert found.tracks["q"].status(stale=True) is UNKNOWN


async def test_a_metric_without_thresholds_that_never_had_a_value_is_pending() -> None:
    found = sampler(q=spec("http_json", url="http://x/", path="missing"))
    assert found.tracks["q"].status(stale=False) is PENDING
    await found.sample(["q"])
    assert found.tracks["q"].status(stale=False) is PENDING
    assert "no 'missing'" in found.tracks["q"].note


async def test_a_threshold_that_is_none_is_said_and_judges_nothing() -> None:
    found = sampler(q=spec("http_json", url="http://x/", path="v", warn="many"))
    assert "is not a threshold" in found.tracks["q"].note


async def test_a_variable_without_a_value_is_a_gap_that_says_so() -> None:
    found = sampler(q=spec("http_json", url="http://127.0.0.1:{{ port }}/", path="v"))
    await found.sample(["q"])
    assert found.tracks["q"].note == "waits for variable port"
    assert found.tracks["q"].series.newest(1) == (None,)


async def test_a_metric_of_a_process_is_what_was_last_seen_of_the_service() -> None:
    found = sampler(
        cpu=spec("process", service="api", metric="cpu"), mem=spec("process", service="gone", metric="memory")
    )
    await found.sample(["cpu", "mem"])
    assert (found.tracks["cpu"].series.latest, found.tracks["cpu"].unit) == (12.5, "%")
    assert (found.tracks["mem"].series.latest, found.tracks["mem"].unit) == (None, "B")
    assert "gone does not run" in found.tracks["mem"].note


def test_a_metric_of_a_check_comes_with_its_results_and_in_its_rhythm() -> None:
    clock = StillClock()
    found = sampler(
        clock,
        took=spec("check", check="api", metric="time"),
        rows=spec("check", check="api", metric="rows"),
        other=spec("check", check="web"),
    )
    assert "took" not in {name for _, names in found.rhythms() for name in names}
    for count in (10_000.0, 9_999.0):
        found.note_check("api", (Metric("rows", count, "rows"),), 0.25, at=clock.now(), mono=clock.monotonic())
        clock.advance(30.0)
    assert found.tracks["took"].series.newest(5) == (0.25, 0.25)
    assert (found.tracks["rows"].series.newest(5), found.tracks["rows"].unit) == ((10_000.0, 9_999.0), "rows")
    assert found.tracks["rows"].series.step_s == 30.0
    assert len(found.tracks["other"].series) == 0


def test_a_result_without_the_metric_is_a_gap_that_says_what_there_was() -> None:
    found = sampler(rows=spec("check", check="api", metric="rows"))
    found.note_check("api", (Metric("size", 1.0),), 0.1, at=1.0, mono=1.0)
    assert found.tracks["rows"].note == "the last result of api has no 'rows'; it has size"
    assert found.tracks["rows"].series.newest(1) == (None,)


async def test_a_baseline_is_a_number_or_the_median_of_what_was_measured_before() -> None:
    clock = StillClock()
    found = sampler(
        clock,
        fixed=spec("http_json", url="http://x/", path="v", baseline=310),
        recorded=spec("check", check="api", metric="rows", baseline="record"),
        plain=spec("check", check="api", metric="rows"),
    )
    assert found.tracks["fixed"].baseline == 310.0
    for count in (10.0, 1000.0, 20.0):
        found.note_check("api", (Metric("rows", count),), 0.1, at=clock.now(), mono=clock.monotonic())
        clock.advance(30.0)
    assert found.record_baselines() == {"recorded": 20.0}
    assert (found.tracks["recorded"].baseline, found.tracks["plain"].baseline) == (20.0, None)
    again = sampler(
        recorded=spec("check", check="api", metric="rows", baseline="record"), plain=spec("host", metric="cpu")
    )
    again.set_baselines({"recorded": 20.0, "plain": 1.0, "unheard of": 2.0})
    assert (again.tracks["recorded"].baseline, again.tracks["plain"].baseline) == (20.0, None)


class _Vault:
    def get(self, name: str) -> str:
        return {"token": "t0ken"}[name]


async def test_a_remote_metric_may_use_secrets_and_never_shows_one() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"t0ken": 1})

    metrics = {
        "load": spec(
            "http_json",
            url="http://x/{{ secret.token }}",
            path="{{ secret.token }}.b",
            headers={"Authorization": "Bearer {{ secret.token }}"},
        )
    }
    loaded = plan("secrets: {token: {ref: 'env:TOKEN'}}\n")
    remote = JsonDocuments(httpx.MockTransport(answer))
    found = Sampler(
        metrics,
        KindCalls(lambda: scope_of(loaded), _Vault()),
        StillClock(),
        documents=remote,
        redact=lambda text: text.replace("t0ken", "[hidden]"),
    )
    await found.sample(["load"])
    assert (asked[0].url.path, asked[0].headers["Authorization"]) == ("/t0ken", "Bearer t0ken")
    assert "t0ken" not in found.tracks["load"].note
    assert "[hidden]" in found.tracks["load"].note


def test_what_has_to_be_fetched_is_asked_alone_so_that_it_delays_no_other() -> None:
    found = sampler(
        a=spec("http_json", url="http://a", path="x", every="2s"),
        b=spec("prometheus", url="http://b", query="x", every="2s"),
        c=spec("host", metric="load", every="2s"),
    )
    together = [set(names) for every, names in found.rhythms() if every == 2.0]
    assert {"a"} in together
    assert {"b"} in together
    assert any("c" in names and "host.cpu" in names for names in together)


async def test_pressure_is_judged_where_no_plan_says_what_is_too_much(tmp_path: Path) -> None:
    for name, share in (("cpu", "some avg10=1.0 avg60=97.5 avg300=0.1 total=1"), ("memory", "full avg10=0 avg60=0.00")):
        (tmp_path / name).write_text(f"{share}\n")
    numbers = await HostNumbers(StillClock().monotonic, tmp_path).read()
    assert (numbers["pressure_cpu"], numbers["pressure_memory"], numbers["pressure_io"]) == (97.5, 0.0, None)
    alone = Sampler({}, KindCalls(), StillClock(), judge_host=True)
    cpu = alone.tracks["host.pressure_cpu"]
    cpu.add(97.5, "", at=1.0, mono=1.0)
    assert cpu.status(stale=False) is WARN
    cpu.add(3.0, "", at=2.0, mono=2.0)
    assert cpu.status(stale=False) is OK
    assert "host.pressure_cpu" not in sampler().tracks


async def test_a_source_that_fails_is_asked_less_often_and_in_its_rhythm_again_once_it_answers() -> None:
    clock = StillClock()
    found = sampler(clock, body={}, q=spec("http_json", url="http://x/", path="v"))
    track = found.tracks["q"]
    track.longest_pause_s = 10.0
    asked = []
    for second in range(0, 40, 2):
        before = track.version
        await found.sample(["q"])
        asked += [second] if track.version > before else []
        clock.advance(2.0)
    assert asked == [0, 4, 12, 22, 32]
    track.add(1.0, "", at=clock.now(), mono=clock.monotonic())
    assert track.rests_until <= clock.monotonic()


async def test_a_source_that_hangs_is_given_up_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hangs(JsonNumberSource):
        timeout_s = 0.0

        async def read(self, wanted: Any) -> Any:
            await asyncio.get_running_loop().create_future()

    monkeypatch.setattr("switchover.metrics.sampler.load_declared", lambda package, kind: Hangs)
    found = sampler(q=spec("http_json", url="http://x/", path="v"))
    await found.sample(["q"])
    assert found.tracks["q"].note == "no answer within 0 s"


@pytest.mark.parametrize("kind", sorted(declared(METRIC_SOURCES)))
def test_every_source_documents_its_keys_and_shows_an_example_that_a_plan_takes(kind: str) -> None:
    source = load_declared(METRIC_SOURCES, kind)
    example = YAML(typ="safe", pure=True).load(inspect.cleandoc(source.example))
    assert example.pop("kind") == kind
    assert example
    assert validate(source.config, example) == []
    assert [key.name for key in documented_fields(source.config) if not key.doc] == []
