"""JSON documents fetched over HTTP, and the numbers in them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

__all__ = ["JsonDocuments", "NoValueError", "dotted", "number_of", "shortened"]

_TIMEOUT_S = 5.0
_MOST_BYTES = 1 << 20


class NoValueError(Exception):
    """The number could not be had; the text says why, in a few words."""


class JsonDocuments:
    """Fetches documents, with connections kept."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._transport = transport
        self._client: httpx.AsyncClient | None = None

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

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


def _words_of(body: bytes) -> str:
    """Return what a refusal says of itself, as Prometheus' errors do."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    error = document.get("error") if isinstance(document, dict) else None
    return f": {shortened(error)}" if isinstance(error, str) and error else ""


def shortened(value: Any) -> str:
    """Return a text on one line, cut where it is long."""
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


def number_of(value: Any) -> float:
    """Return a number, of text too. Raise `NoValueError`."""
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
