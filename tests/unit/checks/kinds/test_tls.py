"""`tls` against a real TLS server (OpenSSL, in this process) with chains of every kind."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.support.made_chains import Issuer, issue, server_context
from tests.support.stand_ins.tcp_server import serving

from switchover_checks.api import ProbeError, Result, Status
from switchover_checks.kinds.network.certificates import names_fit

Probe = Callable[..., Awaitable[Result]]
ROOT = issue("test root", authority=True, days=3650)
BETWEEN = issue("between", ROOT, authority=True)
BETWEEN_SOON = issue("between soon", ROOT, authority=True, days=3)
BETWEEN_ENDED = issue("between ended", ROOT, authority=True, days=-2)


@asynccontextmanager
async def server(context: ssl.SSLContext | None, talk: bytes = b"") -> AsyncIterator[int]:
    """Serve on a port of this machine: with `context` TLS at once, else `talk` to everybody who comes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(talk)
        await reader.read()

    async with serving(serve, context) as port:
        yield port


def statuses(result: Result) -> dict[str, Status]:
    """Return the status of each finding."""
    return {f.what: f.status for f in result.findings}


@pytest.mark.parametrize(
    ("leaf", "between", "expected"),
    [
        pytest.param(issue("localhost", BETWEEN), [BETWEEN], {}, id="fine"),
        pytest.param(issue("localhost", BETWEEN, days=20), [BETWEEN], {"certificate": Status.WARN}, id="soon"),
        pytest.param(issue("localhost", BETWEEN, days=5), [BETWEEN], {"certificate": Status.CRIT}, id="very-soon"),
        pytest.param(
            issue("localhost", BETWEEN, days=-3),
            [BETWEEN],
            {"certificate": Status.CRIT, "chain": Status.CRIT},
            id="ended",
        ),
        pytest.param(
            issue("localhost", BETWEEN, begins=2),
            [BETWEEN],
            {"begins": Status.CRIT, "chain": Status.CRIT},
            id="not-yet",
        ),
        pytest.param(issue("shop.example.org", BETWEEN), [BETWEEN], {"name": Status.CRIT}, id="other-name"),
        pytest.param(issue("localhost"), [], {"chain": Status.CRIT}, id="self-signed"),
        pytest.param(issue("localhost", BETWEEN), [], {"chain": Status.CRIT}, id="nothing-between"),
        pytest.param(
            issue("localhost", BETWEEN_SOON),
            [BETWEEN_SOON],
            {"certificate of between soon in the chain": Status.CRIT},
            id="between-ends-first",
        ),
        pytest.param(
            issue("localhost", BETWEEN_ENDED),
            [BETWEEN_ENDED],
            {"chain": Status.CRIT, "certificate of between ended in the chain": Status.CRIT},
            id="between-ended",
        ),
    ],
)
async def test_each_fault_of_a_certificate_is_told_apart(
    probe: Probe, tmp_path: Path, leaf: Issuer, between: list[Issuer], expected: dict[str, Status]
) -> None:
    (tmp_path / "root.pem").write_bytes(ROOT.pem)
    async with server(server_context(tmp_path, leaf, *between)) as port:
        result = await probe("tls", host="127.0.0.1", server_name="localhost", port=port, ca="root.pem")
    assert {what: status for what, status in statuses(result).items() if status is not Status.OK} == expected
    assert [m.name for m in result.metrics] == ["days_left", "tls"]


async def test_without_verifying_only_the_time_is_judged(probe: Probe, tmp_path: Path) -> None:
    async with server(server_context(tmp_path, issue("other.example.org", days=2))) as port:
        result = await probe("tls", host="127.0.0.1", port=port, verify=False, warn="3:")
        strict = await probe("tls", host="127.0.0.1", port=port, verify=False, crit="3:", expect="self_signed == false")
    assert statuses(result) == {"certificate": Status.WARN}
    assert set(statuses(strict).values()) == {Status.CRIT}


async def test_a_server_without_tls_is_told_with_the_phase(probe: Probe) -> None:
    async with server(None, b"SSH-2.0-OpenSSH_9.2\r\n") as port:
        with pytest.raises(ProbeError, match="does not speak TLS") as raised:
            await probe("tls", host="127.0.0.1", port=port)
    assert raised.value.phase == "tls"


async def test_a_refused_connection_is_told_with_the_phase(probe: Probe) -> None:
    async with server(None) as free:
        port = free
    with pytest.raises(ProbeError, match="connection refused") as raised:
        await probe("tls", host="127.0.0.1", port=port)
    assert raised.value.phase == "connect"


DIALOGUES = {
    "smtp": [
        (b"220-hello\r\n220 mail\r\n", b"EHLO"),
        (b"250-mail\r\n250 STARTTLS\r\n", b"STARTTLS"),
        (b"220 go\r\n", b""),
    ],
    "imap": [(b"* OK ready\r\n", b"a1 STARTTLS"), (b"* CAPABILITY\r\na1 OK go\r\n", b"")],
    "pop3": [(b"+OK ready\r\n", b"STLS"), (b"+OK go\r\n", b"")],
    "ftp": [(b"220 ready\r\n", b"AUTH TLS"), (b"234 go\r\n", b"")],
    "postgres": [(b"", b"\x00\x00\x00\x08\x04\xd2\x16\x2f"), (b"S", b"")],
}


@asynccontextmanager
async def dialogue(context: ssl.SSLContext, steps: list[tuple[bytes, bytes]]) -> AsyncIterator[int]:
    """Serve a stand-in of a protocol: says each text, waits for its answer, then begins TLS."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for said, awaited in steps:
            writer.write(said)
            if awaited:
                got = await (reader.readexactly(len(awaited)) if awaited[0] == 0 else reader.readline())
                if not got.startswith(awaited):
                    return
        await writer.drain()
        await writer.start_tls(context)
        await reader.read()

    async with serving(serve) as port:
        yield port


@pytest.mark.parametrize("protocol", DIALOGUES)
async def test_tls_is_asked_for_within_a_protocol(probe: Probe, tmp_path: Path, protocol: str) -> None:
    (tmp_path / "root.pem").write_bytes(ROOT.pem)
    context = server_context(tmp_path, issue("localhost", ROOT))
    async with dialogue(context, DIALOGUES[protocol]) as port:
        result = await probe(
            "tls", host="127.0.0.1", server_name="localhost", port=port, starttls=protocol, ca="root.pem"
        )
    assert result.status is Status.OK, result


@pytest.mark.parametrize(
    ("protocol", "said", "message"),
    [
        ("smtp", b"554 no mail here\r\n", "greets with 554 no mail here"),
        ("smtp", b"SSH-2.0-x\r\n", "is not an answer of SMTP"),
        ("imap", b"* BYE\r\n", "is not a greeting of IMAP"),
        ("pop3", b"-ERR\r\n", "it greets with '-ERR'"),
        ("postgres", b"N", "it has no TLS"),
        ("smtp", b"220 " + b"x" * 10_000, "a line of more than 8192 bytes"),
    ],
)
async def test_a_protocol_that_gives_no_tls_is_told(probe: Probe, protocol: str, said: bytes, message: str) -> None:
    async with server(None, said) as port:
        with pytest.raises(ProbeError, match=re.escape(message)) as raised:
            await probe("tls", host="127.0.0.1", port=port, starttls=protocol)
    assert raised.value.phase == "starttls"


@pytest.mark.parametrize(
    ("host", "names", "fits"),
    [
        ("a.example.org", ["*.example.org"], True),
        ("a.b.example.org", ["*.example.org"], False),
        ("example.org", ["*.example.org"], False),
        ("A.Example.ORG.", ["a.example.org"], True),
        ("192.0.2.1", ["192.0.2.1"], True),
        ("192.0.2.1", ["*.0.2.1"], False),
        ("localhost", [], False),
    ],
)
def test_a_name_fits_as_it_does_for_a_browser(host: str, names: list[str], fits: bool) -> None:
    assert names_fit(host, names) is fits
