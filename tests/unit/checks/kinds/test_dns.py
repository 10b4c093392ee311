"""`dns` against a name server made of dnspython's own messages, over UDP and TCP: a stand-in that answers as told."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from tests.support.stand_ins.tcp_server import serving

from switchover_checks.api import ProbeError, Result, Status
from switchover_checks.kinds.network.dns import DnsConfig
from switchover_checks.runtime.config import ConfigError, build_config

Probe = Callable[..., Awaitable[Result]]
Answer = Callable[[dns.message.Message], bytes]
ZONE = {
    ("shop.example.org.", "A"): ["203.0.113.11", "203.0.113.10"],
    ("shop.example.org.", "MX"): ["10 Mail.example.org."],
    ("shop.example.org.", "TXT"): ['"v=spf1 -all"'],
    ("10.113.0.203.in-addr.arpa.", "PTR"): ["shop.example.org."],
}


def zone(query: dns.message.Message) -> bytes:
    """Answer from the zone; an unknown name does not exist."""
    question = query.question[0]
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.AA
    name, kind = question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype)
    records = ZONE.get((name, kind))
    if records:
        reply.answer.append(dns.rrset.from_text(name, 300, "IN", kind, *records))
    elif not any(known == name for known, _ in ZONE):
        reply.set_rcode(dns.rcode.NXDOMAIN)
    return reply.to_wire()


def cut(query: dns.message.Message) -> bytes:
    """Say that the answer is too long for UDP."""
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.TC
    return reply.to_wire()


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._transport.sendto(self._answer(dns.message.from_wire(data)), addr)


@asynccontextmanager
async def name_server(udp: Answer = zone, tcp: Answer = zone) -> AsyncIterator[str]:
    """Serve on one free port, over both."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = struct.unpack("!H", await reader.readexactly(2))[0]
        wire = tcp(dns.message.from_wire(await reader.readexactly(length)))
        writer.write(struct.pack("!H", len(wire)) + wire)
        await writer.drain()
        await reader.read()

    async with serving(serve) as port:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(udp), local_addr=("127.0.0.1", port))
        yield f"127.0.0.1:{port}"
        transport.close()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_answers_are_compared_as_a_set(probe: Probe, transport: str) -> None:
    async with name_server() as server:
        keys = {"name": "Shop.Example.org", "server": server, "transport": transport}
        fine = await probe("dns", **keys, answers=["203.0.113.10", "203.0.113.11"], expect="authoritative == true")
        fewer = await probe("dns", **keys, answers="203.0.113.10")
    assert fine.status is Status.OK, fine
    assert (fewer.status, fewer.findings[0].observed) == (Status.CRIT, "203.0.113.10, 203.0.113.11")


@pytest.mark.parametrize(
    ("name", "record", "answer"),
    [
        ("shop.example.org", "MX", "10 mail.example.org"),
        ("shop.example.org", "TXT", "v=spf1 -all"),
        ("203.0.113.10", "PTR", "shop.example.org"),
    ],
)
async def test_each_type_of_record_is_written_plainly(probe: Probe, name: str, record: str, answer: str) -> None:
    async with name_server() as server:
        result = await probe("dns", name=name, record=record, server=server, answers=answer)
    assert result.status is Status.OK, result


async def test_a_name_that_does_not_exist_is_fine_only_where_that_is_expected(probe: Probe) -> None:
    async with name_server() as server:
        assert (await probe("dns", name="gone.example.org", server=server)).status is Status.CRIT
        wanted = await probe("dns", name="gone.example.org", server=server, expect="rcode == 'NXDOMAIN'")
        empty = await probe("dns", name="shop.example.org", record="AAAA", server=server)
    assert wanted.status is Status.OK
    assert (empty.status, empty.findings[0].observed) == (Status.CRIT, "no AAAA record (NOERROR)")


async def test_an_answer_too_long_for_udp_is_asked_for_over_tcp(probe: Probe) -> None:
    async with name_server(udp=cut) as server:
        result = await probe("dns", name="shop.example.org", server=server, expect="len(answers) == 2")
    assert result.status is Status.OK, result


async def test_a_server_that_refuses_or_talks_rubbish_is_told(probe: Probe) -> None:
    async with name_server() as server:
        pass
    with pytest.raises(ProbeError, match="connection refused") as refused:
        await probe("dns", name="shop.example.org", server=server)
    async with name_server(tcp=lambda _: b"\x00\x01rubbish") as server:
        with pytest.raises(ProbeError, match="cannot be read") as rubbish:
            await probe("dns", name="shop.example.org", server=server, transport="tcp")
    assert (refused.value.phase, rubbish.value.phase) == ("dns", "dns")


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".org", "\ud800"])
async def test_a_name_that_cannot_be_asked_for_is_told(probe: Probe, name: str) -> None:
    with pytest.raises(ProbeError, match="cannot be asked for"):
        await probe("dns", name=name, server="127.0.0.1:1")


@pytest.mark.parametrize("server", ["ns.example.org", "192.0.2.1:0", "192.0.2.1:x", "[2001:db8::1"])
def test_a_server_is_an_address(server: str) -> None:
    if server.startswith("["):
        assert build_config(DnsConfig, {"name": "x", "server": server + "]:5353"}).server
        return
    with pytest.raises(ConfigError, match="server: "):
        build_config(DnsConfig, {"name": "x", "server": server})
