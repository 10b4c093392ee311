"""The value of an instant query of Prometheus, or of a server that answers like it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from switchover.metrics.json_documents import NoValueError, dotted, number_of, shortened
from switchover.metrics.source_api import MetricSource, Reading

__all__ = ["PrometheusConfig", "PrometheusSource", "instant_value"]


@dataclass(frozen=True)
class PrometheusConfig:
    """A query of which the answer is one series."""

    url: str
    """The address of the server, without `/api/v1`."""
    query: str
    """The query, in PromQL."""
    headers: dict[str, str] = field(default_factory=dict)
    """Headers of the request; secrets may stand in them."""


class PrometheusSource(MetricSource[PrometheusConfig]):
    """Asks for the value of now."""

    kind: ClassVar[str] = "prometheus"
    config: ClassVar[type] = PrometheusConfig
    takes_secrets: ClassVar[bool] = True
    example: ClassVar[str] = """
    kind: prometheus
    url: http://127.0.0.1:9090
    query: up
    """

    async def read(self, wanted: Sequence[PrometheusConfig]) -> Sequence[Reading]:
        """Ask for each. Raise `NoValueError` unless exactly one series answers."""
        return await asyncio.gather(*map(self._ask, wanted))

    async def _ask(self, config: PrometheusConfig) -> float:
        url = config.url.rstrip("/") + "/api/v1/query"
        return instant_value(await self.tools.documents.document(url, {"query": config.query}, config.headers))


def instant_value(document: Any) -> float:
    """Return the one number of Prometheus' answer to an instant query. Raise `NoValueError` for any other answer."""
    if not isinstance(document, dict):
        raise NoValueError("the answer is none of Prometheus")
    if document.get("status", "success") != "success":
        raise NoValueError(f"the query fails: {shortened(document.get('error') or document['status'])}")
    if warnings := document.get("warnings"):
        first = warnings[0] if isinstance(warnings, list) else warnings
        raise NoValueError(f"the answer is not sure: {shortened(first)}")
    if document.get("isPartial") is True:
        raise NoValueError("the answer is partial: a part of the storage did not answer")
    result, kind = dotted(document, "data.result"), dotted(document, "data.resultType")
    if kind == "scalar":
        return _sample(result)
    if kind != "vector":
        raise NoValueError(
            _OTHER_KINDS.get(str(kind), f"the query answers with a {shortened(kind)}, not with a number")
        )
    if not isinstance(result, list) or not result:
        raise NoValueError("the query finds no series")
    if len(result) > 1:
        raise NoValueError(f"the query finds {len(result)} series, it must be one")
    series = result[0]
    if not isinstance(series, dict) or ("value" not in series and "histogram" not in series):
        raise NoValueError("the answer holds a series without a value")
    if "value" not in series:
        raise NoValueError(
            "the query finds a native histogram; take a number of it, such as histogram_quantile(0.9, …)"
        )
    return _sample(series["value"])


_OTHER_KINDS = {
    "matrix": "the query asks for a range of time; take off the range, or put rate(…) or avg_over_time(…) around it",
    "string": "the query answers with a text, not with a number",
    "streams": "the query answers with lines of a log; put count_over_time(…) around it",
}


def _sample(pair: Any) -> float:
    if not isinstance(pair, list) or len(pair) != 2:
        raise NoValueError("the answer holds no number with its time")
    return number_of(pair[1])
