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
        result = dotted(document, "data.result")
        if dotted(document, "data.resultType") == "scalar":
            return _number(result[1])
        if not isinstance(result, list) or not result:
            raise NoValueError("the query finds no series")
        if len(result) > 1:
            raise NoValueError(f"the query finds {len(result)} series, it must be one")
        return _number(result[0]["value"][1])

    async def http_json(self, url: str, path: str, headers: Mapping[str, str] | None = None) -> float:
        """Return the number at the dotted `path` of a JSON document. Raise `NoValueError`."""
        return _number(dotted(await self.document(url, headers=headers), path))

    async def document(
        self, url: str, params: dict[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Fetch and parse a JSON document of at most 1 MiB. Raise `NoValueError`."""
        import httpx

        if self._client is None:
            self._client = httpx.AsyncClient(transport=self._transport, timeout=_TIMEOUT_S, trust_env=False)
        body = bytearray()
        try:
            async with self._client.stream("GET", url, params=params, headers=headers) as answer:
                if answer.status_code >= 400:
                    raise NoValueError(f"{answer.url.host} answers {answer.status_code}")
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    if len(body) > _MOST_BYTES:
                        raise NoValueError("the answer is larger than 1 MiB")
        except httpx.TimeoutException:
            raise NoValueError(f"no answer within {_TIMEOUT_S:.0f} s") from None
        except httpx.ConnectError:
            raise NoValueError("cannot connect") from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
            raise NoValueError(str(error)[:120] or type(error).__name__) from None
        try:
            return json.loads(body)
        except ValueError:
            raise NoValueError("the answer is not JSON") from None


def dotted(document: Any, path: str) -> Any:
    """Return what stands at `path` (`a.b.0.c`) in a JSON document. Raise `NoValueError` that names the missing part."""
    here = document
    for part in path.split(".") if path else []:
        if isinstance(here, dict) and part in here:
            here = here[part]
        elif isinstance(here, list) and part.isdigit() and int(part) < len(here):
            here = here[int(part)]
        else:
            raise NoValueError(f"the answer has no {part!r} at {path!r}")
    return here


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise NoValueError(f"the answer holds no number but {str(value)[:40]!r}")
    try:
        number = float(value)
    except ValueError:
        raise NoValueError(f"the answer holds no number but {str(value)[:40]!r}") from None
    if not math.isfinite(number):
        raise NoValueError(f"the answer is {value}")
    return number
