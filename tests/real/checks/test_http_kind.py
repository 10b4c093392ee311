"""The `http` and `tcp` kinds against real sockets on loopback."""

from __future__ import annotations

import asyncio
import gzip
import json
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.conftest import missing

from switchover_checks.api import Result, Status

Run = Callable[..., Awaitable[Result]]
HEALTHY = json.dumps({"status": "healthy", "items": [1, 2]}).encode()


def answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


ANSWERS = {
    "/health": answer(HEALTHY, "200 OK", "Content-Type: application/json"),
    "/broken": answer(b'{"error": "down"}', "500 Internal Server Error"),
    "/moved": answer(b"", "302 Found", "Location: /health"),
    "/loop": answer(b"", "302 Found", "Location: /loop"),
    "/text": answer(b"hello there"),
    "/empty": answer(b"[]"),
    "/gzip": answer(gzip.compress(HEALTHY), "200 OK", "Content-Encoding: gzip"),
    "/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;x=y\r\nhello\r\n6\r\n there\r\n0\r\nT: 1\r\n\r\n",
    "/close": b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
    "/early": b"HTTP/1.1 103 Early Hints\r\n\r\n" + answer(b"late"),
    "/nothing": b"HTTP/1.1 204 No Content\r\n\r\n",
    "/big": answer(b"x" * 3_000_000),
    "/short": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
    "/badchunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello",
    "/badlength": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
    "/nohttp": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "/headless": b"",
    "/endless": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000,
    "/badgzip": answer(b"not gzip", "200 OK", "Content-Encoding: gzip"),
    "/stats": answer(b'{"query_ms": 12.5, "name": "x"}'),
    "/nan": answer(b'{"v": NaN}'),
    "/deep": answer(b"[" * 100_000),
}
ENDS = {"/close", "/short", "/badchunk", "/nohttp", "/headless", "/endless"}


@dataclass
class Server:
    """A server that counts connections and keeps what it was asked."""

    port: int = 0
    connections: int = 0
    requests: list[str] = field(default_factory=list)
    drop_kept: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        served = 0
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests.append(head.decode())
                path = head.split(b" ", 2)[1].decode()
                if path == "/hang":
                    await reader.read()
                    return
                if self.drop_kept and served:
                    return
                writer.write(ANSWERS.get(path, answer(b"no such page", "404 Not Found")))
                await writer.drain()
                served += 1
                if path in ENDS:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    served = Server()
    listener = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    served.port = listener.sockets[0].getsockname()[1]
    yield served
    listener.close()
    await listener.wait_closed()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not shutil.which("openssl"):
        missing("openssl")
    folder = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost "
        "-keyout key.pem -out cert.pem"
    )
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    return folder


async def test_status_time_headers_and_body_are_compared(run: Run, server: Server) -> None:
    expect = [
        "status == 200",
        "time < 5s",
        "body.status == 'healthy'",
        "len(body.items) == 2",
        "headers['content-type'] contains 'json'",
        "size < 1KiB",
    ]
    result = await run("http", url=f"{server.url}/health", expect=expect)
    assert result.status is Status.OK, result
    assert len(result.findings) == 6
    assert {m.name for m in result.metrics} >= {"time", "connect", "first_byte", "body"}


async def test_an_error_page_is_never_fine_because_of_its_body(run: Run, server: Server) -> None:
    result = await run("http", url=f"{server.url}/broken", expect="len(body) > 0")
    assert result.status is Status.CRIT
    assert result.summary == "status: expected 200 to 299, observed 500"
    assert "down" in result.evidence["body"]


@pytest.mark.parametrize("path", ["/gzip", "/chunked", "/close", "/early", "/nothing", "/text", "/deep"])
async def test_every_way_to_send_a_body_is_understood(run: Run, server: Server, path: str) -> None:
    assert (await run("http", url=server.url + path)).status is Status.OK


async def test_bodies_come_whole(run: Run, server: Server) -> None:
    for path, text in (("/chunked", "hello there"), ("/close", "until the end"), ("/early", "late")):
        assert (await run("http", url=server.url + path, expect=f"text == '{text}'")).status is Status.OK, path


@pytest.mark.parametrize(
    ("path", "phase", "said"),
    [
        ("/short", "body", "broke off after 4 of 100 bytes"),
        ("/badchunk", "body", "not a number"),
        ("/badlength", "body", "not a number"),
        ("/nohttp", "first_byte", "does not speak HTTP"),
        ("/headless", "first_byte", "without an answer"),
        ("/endless", "first_byte", "longer than 64 KiB"),
        ("/badgzip", "body", "damaged"),
        ("/loop", "first_byte", "more than 5 redirects"),
    ],
)
async def test_a_broken_answer_is_critical_and_names_its_phase(
    run: Run, server: Server, path: str, phase: str, said: str
) -> None:
    result = await run("http", url=server.url + path, follow_redirects=True)
    assert (result.status, result.phase) == (Status.CRIT, phase)
    assert said in result.summary


async def test_silence_until_the_deadline_is_unknown_with_the_phase(run: Run, server: Server) -> None:
    result = await run("http", timeout_s=0.2, url=f"{server.url}/hang")
    assert (result.status, result.phase) == (Status.UNKNOWN, "first_byte")
    assert result.summary == "no answer within 200 ms"


async def test_redirects_are_followed_only_when_asked_for(run: Run, server: Server) -> None:
    assert (await run("http", url=f"{server.url}/moved")).status is Status.CRIT
    assert (await run("http", url=f"{server.url}/moved", expect="status == 302")).status is Status.OK
    assert (await run("http", url=f"{server.url}/moved", follow_redirects=True)).status is Status.OK


async def test_an_empty_list_is_not_something(run: Run, server: Server) -> None:
    assert (await run("http", url=f"{server.url}/empty", expect="len(body) > 0")).status is Status.CRIT


async def test_a_body_that_was_cut_off_proves_nothing(run: Run, server: Server) -> None:
    for expect in ("not (text contains 'error')", "len(body) > 0", "size > 1KiB"):
        result = await run("http", url=f"{server.url}/big", expect=expect)
        assert result.status is Status.UNKNOWN, result
    assert (
        await run("http", url=f"{server.url}/big", max_body="4MiB", expect="len(text) == 3000000")
    ).status is Status.OK


async def test_connections_are_kept_and_one_that_was_closed_meanwhile_is_replaced(run: Run, server: Server) -> None:
    for _ in range(3):
        assert (await run("http", url=f"{server.url}/health")).status is Status.OK
    assert server.connections == 1
    server.drop_kept = True
    assert (await run("http", url=f"{server.url}/health")).status is Status.OK
    assert server.connections == 2


async def test_what_the_plan_sends_arrives_and_the_proxy_of_the_environment_is_ignored(
    run: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    url = f"http://user:pa%20ss@127.0.0.1:{server.port}/a b?q=ü"
    result = await run("http", url=url, method="POST", json={"x": 1}, headers={"X-A": "b"}, expect="status == 404")
    assert result.status is Status.OK
    request = server.requests[0]
    assert request.startswith("POST /a%20b?q=%C3%BC HTTP/1.1\r\n")
    for line in (
        "Authorization: Basic dXNlcjpwYSBzcw==",
        "X-A: b",
        "Content-Length: 8",
        f"Host: 127.0.0.1:{server.port}",
    ):
        assert f"{line}\r\n" in request


async def test_a_secret_is_sent_and_shown_nowhere(run: Run, server: Server) -> None:
    result = await run("http", url=f"{server.url}/broken", bearer="t0p-secret")
    assert "Authorization: Bearer t0p-secret" in server.requests[0]
    assert "t0p-secret" not in repr(result)


async def test_a_line_break_in_a_header_is_refused(run: Run, server: Server) -> None:
    result = await run("http", url=server.url, headers={"X": "a\r\nEvil: 1"})
    assert result.status is Status.UNKNOWN
    assert server.requests == []


@pytest.mark.parametrize("url", ["ftp://h/", "no url", "http://", "http://[::1", "http://h:99999/", "http://h x/"])
async def test_what_is_no_url_is_unknown(run: Run, url: str) -> None:
    assert (await run("http", url=url)).status is Status.UNKNOWN


async def test_nothing_listening_and_no_such_name_are_critical(run: Run, server: Server) -> None:
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    listener.close()
    await listener.wait_closed()
    refused = await run("http", url=f"http://127.0.0.1:{port}/")
    assert (refused.status, refused.phase) == (Status.CRIT, "connect")
    assert "connection refused" in refused.summary
    nameless = await run("http", url="http://no-such-host.invalid/")
    assert (nameless.status, nameless.phase) == (Status.CRIT, "dns")
    closed = await run("tcp", port=port)
    assert (closed.status, closed.phase) == (Status.CRIT, "connect")


async def test_a_certificate_that_is_not_trusted_is_told_clearly(run: Run, certificate: Path, server: Server) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    port = listener.sockets[0].getsockname()[1]
    result = await run("http", url=f"https://localhost:{port}/health")
    assert (result.status, result.phase) == (Status.CRIT, "tls")
    assert "certificate is not trusted: self-signed certificate" in result.summary
    trusted = await run("http", url=f"https://localhost:{port}/health", verify=False)
    assert trusted.status is Status.OK, trusted
    assert "tls" in {m.name for m in trusted.metrics}
    listener.close()
    await listener.wait_closed()


async def test_https_to_a_server_that_speaks_no_tls_is_critical(run: Run) -> None:
    async def plain(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    listener = await asyncio.start_server(plain, "127.0.0.1", 0)
    result = await run("http", url=f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}/", verify=False)
    assert (result.status, result.phase) == (Status.CRIT, "tls")
    assert result.summary == "the other side does not speak TLS"
    listener.close()
    await listener.wait_closed()


async def test_tcp_connects_and_reads_what_is_expected(run: Run, server: Server) -> None:
    assert (await run("tcp", port=server.port)).status is Status.OK
    banner = {"send": "GET /nohttp HTTP/1.1\r\n\r\n", "expect": 'text matches "^SSH-2"'}
    assert (await run("tcp", port=server.port, **banner)).status is Status.OK
    assert (
        await run("tcp", port=server.port, send="GET /x HTTP/1.1\r\n\r\n", expect="text contains 'SSH'")
    ).status is Status.CRIT
    silent = await run("tcp", timeout_s=0.2, port=server.port, expect="text contains 'SSH'")
    assert (silent.status, silent.phase) == (Status.UNKNOWN, "first_byte")


async def test_numbers_of_the_body_are_metrics_of_the_check(server: Server, run: Run) -> None:
    result = await run("http", url=f"{server.url}/stats", metrics={"query_ms": "body.query_ms", "fields": "len(body)"})
    assert result.status is Status.OK
    assert {m.name: (m.value, m.unit) for m in result.metrics}["query_ms"] == (12.5, "ms")
    assert {m.name: m.value for m in result.metrics}["fields"] == 2


async def test_a_metric_that_is_not_there_is_never_a_pass(server: Server, run: Run) -> None:
    for path in ("body.query_m", "body.name"):
        result = await run("http", url=f"{server.url}/stats", metrics={"query_ms": path})
        assert result.status is Status.UNKNOWN, path
        assert [f.what for f in result.findings if f.status is Status.UNKNOWN] == ["metric query_ms"]


def host_of(request: str) -> list[str]:
    return [line.partition(": ")[2] for line in request.split("\r\n") if line.lower().startswith("host:")]


@pytest.mark.parametrize(("name", "value"), [("Host", "shop.example.org"), ("host", "Shop.Example.org:8443")])
async def test_the_host_that_is_asked_for_is_sent_once_and_as_it_is_given(
    run: Run, server: Server, name: str, value: str
) -> None:
    await run("http", url=f"{server.url}/health", headers={name: value})
    assert host_of(server.requests[0]) == [value]
    twice = await run("http", url=f"{server.url}/health", headers={"Host": "a", "host": "b"})
    assert (twice.status, len(server.requests)) == (Status.UNKNOWN, 1)


async def test_a_redirect_to_the_name_stays_at_the_address_that_is_asked(run: Run, server: Server) -> None:
    name = f"shop.invalid:{server.port}"
    ANSWERS["/to-name"] = answer(b"", "301 Moved", f"Location: http://{name}/health")
    result = await run(
        "http",
        url=f"{server.url}/to-name",
        headers={"Host": name},
        follow_redirects=True,
        expect=["status == 200", f"url == 'http://{name}/health'"],
    )
    assert result.status is Status.OK, result
    assert [host_of(r) for r in server.requests] == [[name], [name]]


async def test_a_redirect_elsewhere_does_not_take_the_name_along(run: Run, server: Server) -> None:
    ANSWERS["/away"] = answer(b"", "301 Moved", f"Location: http://localhost:{server.port}/health")
    headers = {"Host": "shop.invalid", "Authorization": "x"}
    await run("http", url=f"{server.url}/away", headers=headers, follow_redirects=True)
    assert host_of(server.requests[1]) == [f"localhost:{server.port}"]
    assert "uthorization" not in server.requests[1]


async def test_over_tls_the_name_is_asked_for_and_has_to_be_proved(
    run: Run, certificate: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    asked: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}/health"
    fine = await run("http", url=url, headers={"Host": "localhost"})
    assert fine.status is Status.OK, fine
    other = await run("http", url=url, headers={"Host": "other.example.org"})
    assert (other.status, other.phase) == (Status.CRIT, "tls")
    assert asked == ["localhost", "other.example.org"]
    listener.close()
    await listener.wait_closed()


async def test_a_header_is_never_sent_twice(run: Run, server: Server) -> None:
    headers = {"content-type": "application/x", "authorization": "mine", "accept": "text/plain"}
    await run("http", url=f"{server.url}/health", method="POST", json={}, bearer="t0p-secret", headers=headers)
    names = [line.partition(":")[0].lower() for line in server.requests[0].split("\r\n")[1:] if line]
    assert len(names) == len(set(names))
    await run("http", url=f"{server.url}/health", method="POST")
    assert "Content-Length: 0\r\n" in server.requests[1]
