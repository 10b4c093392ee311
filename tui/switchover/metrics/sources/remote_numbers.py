"""Numbers asked over HTTP: a Prometheus instant query, or a place in a JSON document."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

__all__ = ["NoValueError", "RemoteNumbers", "dotted"]

_TIMEOUT_S = 5.0
_MOST_BYTES = 1 << 20


class NoValueError(Exception):
    """The number could not be had; the text says why, in a few words."""


class RemoteNumbers:
    """Asks for numbers over HTTP, with connections kept."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._transport = transport
        self._client: httpx.AsyncClient | None = None

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def prometheus(self, url: str, query: str, headers: Mapping[str, str] | None = None) -> float:
        """Return the value of an instant query. Raise `NoValueError` unless exactly one series answers."""
        document = await self.document(url.rstrip("/") + "/api/v1/query", {"query": query}, headers)
        return instant_value(document)

    async def http_json(self, url: str, path: str, headers: Mapping[str, str] | None = None) -> float:
        """Return the number at the dotted `path` of a JSON document. Raise `NoValueError`."""
        return _number(dotted(await self.document(url, headers=headers), path))

    async def document(
        self, url: str, params: dict[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Fetch and parse a JSON document of at most 1 MiB. Raise `NoValueError`."""
        import httpx

        if self._client is None:
            no_queue = httpx.Limits(max_connections=None, max_keepalive_connections=100)
            self._client = httpx.AsyncClient(
                transport=self._transport, timeout=_TIMEOUT_S, trust_env=False, limits=no_queue
            )
        body = bytearray()
        try:
            async with self._client.stream("GET", url, params=params, headers=headers) as answer:
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    if len(body) > _MOST_BYTES:
                        raise NoValueError("the answer is larger than 1 MiB")
                if answer.status_code >= 300:
                    raise NoValueError(f"{answer.url.host} answers {answer.status_code}{_words_of(bytes(body))}")
        except httpx.TimeoutException:
            raise NoValueError(f"no answer within {_TIMEOUT_S:.0f} s") from None
        except httpx.ConnectError:
            raise NoValueError("cannot connect") from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
            raise NoValueError(str(error)[:120] or type(error).__name__) from None
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise NoValueError("the answer is not JSON") from None


def instant_value(document: Any) -> float:
    """Return the one number of Prometheus' answer to an instant query. Raise `NoValueError` for any other answer."""
    if not isinstance(document, dict):
        raise NoValueError("the answer is none of Prometheus")
    if document.get("status", "success") != "success":
        raise NoValueError(f"the query fails: {_short(document.get('error') or document['status'])}")
    if warnings := document.get("warnings"):
        first = warnings[0] if isinstance(warnings, list) else warnings
        raise NoValueError(f"the answer is not sure: {_short(first)}")
    if document.get("isPartial") is True:
        raise NoValueError("the answer is partial: a part of the storage did not answer")
    result, kind = dotted(document, "data.result"), dotted(document, "data.resultType")
    if kind == "scalar":
        return _sample(result)
    if kind != "vector":
        raise NoValueError(_OTHER_KINDS.get(str(kind), f"the query answers with a {_short(kind)}, not with a number"))
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
    return _number(pair[1])


def _words_of(body: bytes) -> str:
    """Return what a refusal says of itself, as Prometheus' errors do."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    error = document.get("error") if isinstance(document, dict) else None
    return f": {_short(error)}" if isinstance(error, str) and error else ""


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 120 else f"{text[:117]}..."


def dotted(document: Any, path: str) -> Any:
    """Return what stands at `path` (`a.b.0.c`) in a JSON document. Raise `NoValueError` that names the missing part."""
    here = document
    for part in path.split(".") if path else []:
        if isinstance(here, dict) and part in here:
            here = here[part]
        elif isinstance(here, list) and part.isascii() and part.isdecimal() and int(part) < len(here):
            here = here[int(part)]
        else:
            raise NoValueError(f"the answer has no {part!r} at {path!r}")
    return here


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise NoValueError(f"the answer holds no number but {_shown(value)}")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise NoValueError(f"the answer holds no number but {_shown(value)}") from None
    if not math.isfinite(number):
        raise NoValueError(f"the answer is {value}")
    return number


def _shown(value: Any) -> str:
    if isinstance(value, int) and value.bit_length() > 1100:
        return "one that is too large"
    return repr(str(value)[:40])
