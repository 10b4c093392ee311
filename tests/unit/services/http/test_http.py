from __future__ import annotations

import asyncio
import socket
import ssl

import httpx
import pytest

from switchover.services.http.http_provider import HttpProvider
from switchover.services.provider_api import Observation, ProcessState, ServiceTarget
from switchover_checks.api import Status


async def ask(answer: int | Exception) -> Observation:
    def respond(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer)

    provider = HttpProvider(httpx.MockTransport(respond))
    seen = await provider.inspect([ServiceTarget("api", "http", url="http://127.0.0.1:1/health")])
    await provider.aclose()
    return seen["api"]


@pytest.mark.parametrize(
    ("code", "health"), [(200, Status.OK), (204, Status.OK), (302, Status.OK), (404, Status.WARN), (503, Status.CRIT)]
)
async def test_an_endpoint_that_answers_runs_and_is_as_healthy_as_its_answer(code: int, health: Status) -> None:
    seen = await ask(code)
    assert (seen.state, seen.health, seen.detail) == (ProcessState.RUNNING, health, f"answers {code}")
    assert seen.latency_ms is not None


async def test_endpoints_that_hang_delay_none_that_answers() -> None:
    waiting: list[asyncio.StreamWriter] = []
    all_wait = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if b"/fine" in await reader.readline():
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            await writer.wait_closed()
            return
        waiting.append(writer)
        if len(waiting) == 150:
            all_wait.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=500)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    provider = HttpProvider()
    hanging = asyncio.ensure_future(
        provider.inspect([ServiceTarget(str(n), "http", url=f"{url}/hangs") for n in range(150)])
    )
    await all_wait.wait()
    seen = await provider.inspect([ServiceTarget("fine", "http", url=f"{url}/fine")])
    assert seen["fine"].health is Status.OK
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)
    await provider.aclose()
    for writer in waiting:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for writer in waiting), return_exceptions=True)
    server.close()
    await server.wait_closed()


async def test_a_refused_connection_means_that_it_is_stopped() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    provider = HttpProvider()
    seen = (await provider.inspect([ServiceTarget("api", "http", url=f"http://127.0.0.1:{port}/")]))["api"]
    await provider.aclose()
    assert (seen.state, seen.health, seen.detail) == (ProcessState.STOPPED, Status.CRIT, "connection refused")
    assert seen.latency_ms is None


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        (socket.gaierror(-2, "Name or service not known"), "the name does not resolve: Name or service not known"),
        (ssl.SSLCertVerificationError(1, "certificate verify failed"), "TLS: "),
        (OSError(113, "x"), "no route to host"),
        (None, "cannot connect"),
    ],
)
async def test_what_cannot_be_reached_is_not_known_to_be_stopped(reason: Exception | None, why: str) -> None:
    error = httpx.ConnectError("")
    error.__cause__ = reason
    seen = await ask(error)
    assert (seen.state, seen.health) == (ProcessState.UNKNOWN, Status.CRIT)
    assert seen.detail.startswith(why)


async def test_no_answer_in_time_is_bad_but_not_known_to_be_stopped() -> None:
    seen = await ask(httpx.ReadTimeout("slow"))
    assert (seen.state, seen.health, seen.detail) == (ProcessState.UNKNOWN, Status.CRIT, "no answer within 5 s")


async def test_nonsense_is_unknown_and_said() -> None:
    seen = await ask(httpx.RemoteProtocolError("illegal status line"))
    assert (seen.state, seen.health, seen.detail) == (ProcessState.UNKNOWN, Status.UNKNOWN, "illegal status line")
    provider = HttpProvider()
    odd = await provider.inspect([ServiceTarget("a", "http", url="no url at all"), ServiceTarget("b", "http", url="")])
    await provider.aclose()
    assert {seen.state for seen in odd.values()} == {ProcessState.UNKNOWN}
