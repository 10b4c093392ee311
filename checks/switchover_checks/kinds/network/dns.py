"""`dns`: what a name server answers for a name: a named server, or those of this machine.

Names are absolute: no search list is tried. Answers are compared as sets, because their order means nothing. A name
that must not exist is expected as `rcode == 'NXDOMAIN'`.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from switchover_checks.api import Context, Effect, Finding, Measured, Metric, ProbeError, Result, Status
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, expected_in
from switchover_checks.language.fields import Texts
from switchover_checks.language.units import format_duration

if TYPE_CHECKING:
    from dns.message import Message

__all__ = ["DnsCheck", "DnsConfig", "dns_records", "written_record"]

NAMES: dict[str, NameType] = {
    "rcode": "text",
    "answers": "list",
    "ttl": "number",
    "authoritative": "bool",
    "time": "duration",
}
_ANSWER_S = 5.0


@dataclass(frozen=True)
class DnsConfig:
    """A name, whom to ask about it, and what the answer must be."""

    name: str
    """The name, such as `shop.example.org`. For `PTR` an address will do."""
    record: Literal["A", "AAAA", "CNAME", "MX", "NS", "TXT", "SRV", "CAA", "SOA", "PTR"] = "A"
    """The type of record that is asked for."""
    server: str | None = None
    """The server that is asked: `192.0.2.53`, with a port `192.0.2.53:5353` or `[2001:db8::53]:5353`."""
    transport: Literal["udp", "tcp"] = "udp"
    """How it is asked. Over `udp`, an answer that is too long is asked for again over TCP."""
    answers: Texts = ()
    """The records that must come, no other, in any order."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true. Without `answers` and without an expectation of `rcode` or `answers`, a record must come."""

    def __post_init__(self) -> None:
        if self.server is not None:
            _address(self.server)


class DnsCheck:
    """Ask a name server."""

    kind: ClassVar[str] = "dns"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = DnsConfig
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("time", "s", "until the answer"),
        Measured("answers", "", "how many records came"),
    )
    example: ClassVar[str] = """
    kind: dns
    name: shop.example.org
    server: 192.0.2.53
    answers: [203.0.113.10, 203.0.113.11]
    """

    async def probe(self, cfg: DnsConfig, ctx: Context) -> Result:
        """Ask once; where this machine names several servers, the next one if one does not answer."""
        import dns.flags
        import dns.rcode
        import dns.rdatatype

        ctx.enter("dns")
        start = time.monotonic()
        reply, server = await _ask(cfg)
        seconds = time.monotonic() - start
        ctx.enter("assert")
        wanted = dns.rdatatype.from_text(cfg.record)
        sets = [rrset for rrset in reply.answer if rrset.rdtype == wanted]
        answers = _records(reply, cfg.record)
        rcode = dns.rcode.to_text(reply.rcode())
        facts: dict[str, Any] = {
            "rcode": rcode,
            "answers": answers,
            "ttl": min((rrset.ttl for rrset in sets), default=0),
            "authoritative": bool(reply.flags & dns.flags.AA),
            "time": seconds,
        }
        findings = [e.check(facts) for e in cfg.expect]
        shown = ", ".join(answers) or f"no {cfg.record} record ({rcode})"
        if cfg.answers:
            asked = sorted(_shown(text, cfg.record) for text in cfg.answers)
            findings.insert(0, Finding.compare(f"{cfg.record} records", ", ".join(asked), shown, asked == answers))
        elif not any({"rcode", "answers"} & e.names for e in cfg.expect):
            findings.insert(0, Finding.compare(f"{cfg.record} records", "at least one", shown, bool(answers)))
        metrics = [Metric("time", seconds, "s"), Metric("answers", len(answers))]
        return Result.of(findings, metrics=metrics, ok=f"{shown}, from {server} in {format_duration(seconds)}")


async def dns_records(cfg: DnsConfig) -> list[str]:
    """Return the records of a name, so written that equal ones are equal. Raise `ProbeError`."""
    reply, _ = await _ask(cfg)
    return _records(reply, cfg.record)


def written_record(text: str, record: str) -> str:
    """Write a record as `dns_records` does."""
    return _shown(text, record)


def _records(reply: Message, record: str) -> list[str]:
    import dns.rdatatype

    wanted = dns.rdatatype.from_text(record)
    return sorted(_shown(one.to_text(), record) for rrset in reply.answer if rrset.rdtype == wanted for one in rrset)


def _shown(record: str, kind: str) -> str:
    """Write a record so that equal ones are equal: names in small letters, without the last dot."""
    if kind in ("TXT", "CAA"):
        return record.replace('" "', "").strip('"') if kind == "TXT" else record
    return " ".join(part.rstrip(".").lower() or "." for part in record.split())


def _address(server: str) -> tuple[str, int]:
    """Return the address and port of a server. Raise `ValueError` for a name: it would have to be asked for first."""
    import ipaddress

    host, port = server, "53"
    if server.startswith("["):
        host, _, port = server[1:].partition("]")
        port = port.removeprefix(":") or "53"
    elif server.count(":") == 1:
        host, _, port = server.partition(":")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise ValueError(f"server: {host!r} is not an address; write one such as 192.0.2.53") from None
    if not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise ValueError(f"server: {port!r} is not a port")
    return host, int(port)


async def _ask(cfg: DnsConfig) -> tuple[Message, str]:
    """Return the answer and who gave it. Raise `ProbeError`."""
    import dns.asyncquery
    import dns.exception
    import dns.flags
    import dns.message
    import dns.name
    import dns.resolver
    import dns.reversename

    try:
        absolute = (
            dns.reversename.from_address(cfg.name)
            if cfg.record == "PTR" and not cfg.name.rstrip(".").endswith(".arpa")
            else dns.name.from_text(cfg.name.rstrip(".") + ".")
        )
        query = dns.message.make_query(absolute, cfg.record)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise ProbeError(f"{cfg.name!r} cannot be asked for: {error}", phase="dns", status=Status.UNKNOWN) from None
    if cfg.server is not None:
        servers = [_address(cfg.server)]
    else:
        try:
            servers = [(str(address), 53) for address in dns.resolver.Resolver().nameservers]
        except dns.exception.DNSException as error:
            raise ProbeError(f"this machine names no server: {error}", phase="dns", status=Status.UNKNOWN) from None
    failures = []
    for host, port in servers[:3]:
        try:
            if cfg.transport == "udp":
                reply = await _over_udp(query, host, port)
                if not reply.flags & dns.flags.TC:
                    return reply, host
            return await dns.asyncquery.tcp(query, host, _ANSWER_S, port), host
        except (TimeoutError, dns.exception.Timeout):
            failures.append(f"{host}:{port} does not answer within {format_duration(_ANSWER_S)}")
        except ConnectionRefusedError:
            failures.append(f"{host}:{port}: connection refused, nothing listens there")
        except dns.exception.DNSException as error:
            failures.append(f"{host}:{port} answers what cannot be read: {error or type(error).__name__}")
        except (OSError, EOFError) as error:
            failures.append(f"{host}:{port}: {getattr(error, 'strerror', None) or error or 'the connection broke'}")
    raise ProbeError("; ".join(failures), phase="dns")


class _Datagrams(asyncio.DatagramProtocol):
    """Receives the first datagram, or the error that says that nobody listens."""

    def __init__(self) -> None:
        self.received: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ARG002 - only the server can send here
        if not self.received.done():
            self.received.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.received.done():
            self.received.set_exception(exc)


async def _over_udp(query: Message, host: str, port: int) -> Message:
    """Ask over a connected socket, so that a refused datagram is told at once. dnspython's own is not connected."""
    import dns.message

    loop = asyncio.get_running_loop()
    transport, datagrams = await loop.create_datagram_endpoint(_Datagrams, remote_addr=(host, port))
    try:
        async with asyncio.timeout(_ANSWER_S):
            transport.sendto(query.to_wire())
            reply = dns.message.from_wire(await datagrams.received, ignore_trailing=True)
    finally:
        transport.close()
    if not query.is_response(reply):
        raise ProbeError(f"{host}:{port} answers another question", phase="dns")
    return reply
