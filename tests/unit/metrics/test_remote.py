from __future__ import annotations

from typing import Any

import httpx
import pytest

from switchover.metrics.json_documents import JsonDocuments, NoValueError, dotted
from switchover.metrics.source_api import SourceTools
from switchover.metrics.sources.json_number import JsonNumberConfig, JsonNumberSource
from switchover.metrics.sources.prometheus_query import PrometheusConfig, PrometheusSource


def answering(body: Any = None, *, status: int = 200, text: str | None = None) -> JsonDocuments:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, text=text) if text is not None else httpx.Response(status, json=body)

    return JsonDocuments(httpx.MockTransport(answer))


def failing(error: Exception) -> JsonDocuments:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error

    return JsonDocuments(httpx.MockTransport(answer))


def tools(documents: JsonDocuments) -> SourceTools:
    return SourceTools(lambda: 0.0, documents, lambda *_: None)


async def prometheus(documents: JsonDocuments, url: str, query: str) -> object:
    (value,) = await PrometheusSource(tools(documents)).read([PrometheusConfig(url, query)])
    return value


async def http_json(documents: JsonDocuments, url: str, path: str) -> object:
    (value,) = await JsonNumberSource(tools(documents)).read([JsonNumberConfig(url, path)])
    return value


def vector(*values: str) -> dict[str, Any]:
    return {
        "status": "success",
        "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1.0, v]} for v in values]},
    }


def answer_of(kind: str, result: Any) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": kind, "result": result}}


async def test_a_query_with_one_series_is_its_value() -> None:
    assert await prometheus(answering(vector("42.5")), "http://p:9090/", "up") == 42.5


async def test_a_note_about_the_query_does_not_take_its_value() -> None:
    noted = {**vector("3"), "infos": ["metric might not be a counter"]}
    assert await prometheus(answering(noted), "http://p:9090/", "up") == 3.0


async def test_a_refused_query_says_what_is_wrong_with_it() -> None:
    refused = answering({"status": "error", "error": "1:4: parse error"}, status=400)
    with pytest.raises(NoValueError, match="p answers 400: 1:4: parse error"):
        await prometheus(refused, "http://p:9090", "up(")


async def test_a_scalar_is_its_value() -> None:
    body = {"status": "success", "data": {"resultType": "scalar", "result": [1.0, "7"]}}
    assert await prometheus(answering(body), "http://p:9090", "7") == 7.0


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (vector(), "finds no series"),
        (vector("1", "2"), "finds 2 series"),
        (vector("NaN"), "the answer is NaN"),
        (vector("+Inf"), r"the answer is \+Inf"),
        (vector("1e400"), "the answer is 1e400"),
        (answer_of("matrix", [{"metric": {}, "values": [[1, "1"]]}]), "asks for a range of time"),
        (answer_of("string", [1, "x"]), "answers with a text"),
        (answer_of("string", [1, "7"]), "answers with a text"),
        (answer_of("streams", []), "lines of a log"),
        (answer_of("new", []), "answers with a new"),
        (answer_of("scalar", []), "no number with its time"),
        (answer_of("vector", {}), "finds no series"),
        (answer_of("vector", ["x"]), "without a value"),
        (answer_of("vector", [{"metric": {}}]), "without a value"),
        (answer_of("vector", [{"metric": {}, "value": None}]), "no number with its time"),
        (answer_of("vector", [{"metric": {}, "value": [1, True]}]), "no number but 'True'"),
        (answer_of("vector", [{"metric": {}, "histogram": [1, {"count": "5", "sum": "2"}]}]), "a native histogram"),
        ({"status": "error", "errorType": "bad_data", "error": "parse error\n at char 3"}, "parse error at char 3"),
        ({"status": "error"}, "the query fails: error"),
        ({**vector("1"), "warnings": ["a store did not answer"]}, "a store did not answer"),
        ({**vector("1"), "isPartial": True}, "partial"),
        ({"status": "success", "data": None}, "has no 'result'"),
        ([], "none of Prometheus"),
        (5, "none of Prometheus"),
        ({"data": {}}, "has no 'result'"),
    ],
)
async def test_a_query_without_exactly_one_number_says_so(body: Any, why: str) -> None:
    with pytest.raises(NoValueError, match=why):
        await prometheus(answering(body), "http://p:9090", "up")


async def test_a_place_in_a_document_is_its_number() -> None:
    body = {"queue": {"sizes": [1, "2.5"]}}
    assert await http_json(answering(body), "http://x/", "queue.sizes.1") == 2.5
    assert await http_json(answering(3), "http://x/", "") == 3.0


@pytest.mark.parametrize("value", [True, None, "many", [1], {"a": 1}])
async def test_what_is_no_number_is_not_taken_for_one(value: Any) -> None:
    with pytest.raises(NoValueError, match="no number"):
        await http_json(answering({"v": value}), "http://x/", "v")


async def test_a_missing_place_is_named() -> None:
    with pytest.raises(NoValueError, match=r"no 'c' at 'a\.c'"):
        dotted({"a": {"b": 1}}, "a.c")


@pytest.mark.parametrize(
    ("numbers", "why"),
    [
        (answering({}, status=503), "x answers 503"),
        (answering({}, status=302), "x answers 302"),
        (answering(text="[" * 100_000), "not JSON"),
        (answering(text='{"v": 1' + "0" * 4000 + "}"), "too large"),
        (answering(text="<html>"), "not JSON"),
        (answering(text="1" * (2 << 20)), "larger than 1 MiB"),
        (failing(httpx.ConnectError("no")), "cannot connect"),
        (failing(httpx.ReadTimeout("no")), "no answer within 5 s"),
        (failing(httpx.RemoteProtocolError("nonsense")), "nonsense"),
    ],
)
async def test_every_failure_says_why_there_is_no_number(numbers: JsonDocuments, why: str) -> None:
    with pytest.raises(NoValueError, match=why):
        await http_json(numbers, "http://x/", "v")
    await numbers.aclose()
