"""HTTP endpoints as services: running when they answer, healthy when the answer is good."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from switchover.services.http.http_kind import HttpKind
from switchover.services.provider_api import Capability, Observation, ProcessState, ServiceTarget
from switchover_checks.api import Status

if TYPE_CHECKING:
    import httpx

__all__ = ["HttpProvider"]

_TIMEOUT_S = 5.0


class HttpProvider:
    """Asks each URL once and reads only the head of the answer."""

    kind: ClassVar[str] = HttpKind.kind
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.INSPECT})

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._transport = transport
        self._client: httpx.AsyncClient | None = None

    def off(self) -> str:
        """Return nothing: there is always a way to ask."""
        return ""

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def inspect(self, targets: Sequence[ServiceTarget]) -> Mapping[str, Observation]:
        """Ask every target at the same time."""
        seen = await asyncio.gather(*(self._ask(target) for target in targets))
        return {target.name: one for target, one in zip(targets, seen, strict=True)}

    async def _ask(self, target: ServiceTarget) -> Observation:
        import httpx

        if self._client is None:
            no_queue = httpx.Limits(max_connections=None, max_keepalive_connections=100)
            self._client = httpx.AsyncClient(
                transport=self._transport, timeout=_TIMEOUT_S, trust_env=False, limits=no_queue
            )
        started = time.perf_counter()
        try:
            async with self._client.stream("GET", target.url) as answer:
                code = answer.status_code
        except httpx.ConnectError as error:
            return _not_reached(error)
        except httpx.TimeoutException:
            return Observation(ProcessState.UNKNOWN, Status.CRIT, f"no answer within {_TIMEOUT_S:.0f} s")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return Observation(ProcessState.UNKNOWN, Status.UNKNOWN, _short(error, type(error).__name__))
        latency = 1000 * (time.perf_counter() - started)
        if code < 400:
            return Observation(ProcessState.RUNNING, Status.OK, f"answers {code}", latency_ms=latency)
        health = Status.CRIT if code >= 500 else Status.WARN
        return Observation(ProcessState.RUNNING, health, f"answers {code}", latency_ms=latency)


def _not_reached(error: BaseException) -> Observation:
    """Tell a refusal, which means that nothing listens, from all else that keeps a connection from being made."""
    reason: BaseException | None = error
    while reason is not None:
        if isinstance(reason, ConnectionRefusedError):
            return Observation(ProcessState.STOPPED, Status.CRIT, "connection refused")
        if isinstance(reason, socket.gaierror):
            return Observation(ProcessState.UNKNOWN, Status.CRIT, f"the name does not resolve: {reason.strerror}")
        if isinstance(reason, ssl.SSLError):
            why = getattr(reason, "verify_message", "") or getattr(reason, "reason", "") or str(reason)
            return Observation(ProcessState.UNKNOWN, Status.CRIT, f"TLS: {why}")
        if isinstance(reason, OSError) and reason.errno:
            return Observation(ProcessState.UNKNOWN, Status.CRIT, os.strerror(reason.errno).lower())
        reason = reason.__cause__ or reason.__context__
    return Observation(ProcessState.UNKNOWN, Status.CRIT, _short(error, "cannot connect"))


def _short(error: BaseException, otherwise: str) -> str:
    text = str(error).strip().splitlines()
    return text[0][:120] if text else otherwise
