"""Requests for many small probes: kept-alive connections, time for each phase, and a plain reason for each failure.

A probe costs a tenth of what a general client takes. That lets one agent watch hundreds of endpoints. Proxy variables
of the environment are ignored: a probe looks at the address that the plan names.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import quote, unquote, urljoin, urlsplit

from switchover_checks.api import HttpReply, ProbeError, Status
from switchover_checks.runtime.network.connecting import Address, dialled, resolved, tls_context, tls_words
from switchover_checks.runtime.network.http_wire import HttpAnswer, StaleError, Wire
from switchover_checks.unknown_secrets import redact_unknown

__all__ = ["HttpPool"]

_OLDEST_S = 30.0
"""Connections are given up after this long, so that a name that now points elsewhere is noticed."""
_MOST_IDLE = 100
_MOST_REDIRECTS = 5
_RESEND = frozenset({"GET", "HEAD", "OPTIONS"})
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})

Key = tuple[str, str, int, bool, str]


@dataclass(frozen=True, slots=True)
class _Target:
    scheme: Literal["http", "https"]
    host: str
    port: int
    host_header: str
    path: str
    authorization: str
    dial: tuple[str, int]
    """Where it is connected to."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """The requested `Host`: the name under which a server is asked, at an address the name may not lead to."""

    name: str

    def at(self, url: str, target: _Target) -> str:
        """Return `url` at the address of `target` where it leads to this name."""
        parts = urlsplit(url)
        if not self.name or (parts.hostname or "") != self.name:
            return url  # somewhere else
        host = f"[{target.host}]" if ":" in target.host else target.host
        port = f":{parts.port}" if parts.port else ""
        return parts._replace(netloc=f"{host}{port}").geturl()


class HttpPool:
    """Connections shared by all HTTP probes of a process. `await aclose()` at the end."""

    def __init__(self) -> None:
        self._idle: dict[Key, list[Wire]] = {}
        self._tls: dict[bool, ssl.SSLContext] = {}
        self._targets: dict[str, _Target] = {}

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        follow_redirects: bool = False,
        verify: bool = True,
        max_body: int = 1 << 20,
        connect: str = "",
        enter: Callable[[str], None] = lambda _phase: None,
    ) -> HttpReply:
        """Make a request. Raise `ProbeError` that says in which phase it failed and why.

        `connect` is the address that is connected to instead of the one that the URL's name leads to. It holds for
        redirects to the same name, too.
        """
        phases: dict[str, float] = {}
        sent = dict(headers or {})
        asked = _asked_host(sent)
        shown = url
        first = self._target(url).host
        cookies: dict[str, str] = {}
        for _ in range(_MOST_REDIRECTS + 1):
            target = self._target(url)
            if connect and target.host == first:
                target = replace(target, dial=_dialled(connect, target.port))
            message = _message(method, target, _with_cookies(sent, cookies), body)
            answer = await self._exchange(method, message, target, _asked_host(sent), verify, max_body, phases, enter)
            location = answer.headers.get("location")
            if not (follow_redirects and location and answer.status in (301, 302, 303, 307, 308)):
                return HttpReply(
                    answer.status,
                    answer.headers,
                    answer.body,
                    phases,
                    redact_unknown(shown),
                    answer.truncated,
                    answer.certificate,
                )
            _keep_cookies(cookies, answer.headers.get("set-cookie", ""))
            named = shown = urljoin(shown, location)
            url = asked.at(named, target) if asked else named
            after = self._target(url)
            if (after.scheme, after.host, after.port) != (target.scheme, target.host, target.port):
                sent = {k: v for k, v in sent.items() if k.lower() not in ("authorization", "cookie", "host")}
                cookies.clear()
                if asked and url != named:
                    sent["Host"] = self._target(named).host_header
            if answer.status == 303 or (answer.status in (301, 302) and method == "POST"):
                method, body = "GET", None
        raise ProbeError(
            f"more than {_MOST_REDIRECTS} redirects, the last to {redact_unknown(shown)}", phase="first_byte"
        )

    async def aclose(self) -> None:
        """Close all connections."""
        wires = [wire for group in self._idle.values() for wire in group]
        self._idle.clear()
        for wire in wires:
            wire.close()
        if wires:
            await asyncio.sleep(0)  # lets the transports report the end before the loop may close

    async def _exchange(
        self,
        method: str,
        message: bytes,
        target: _Target,
        asked: _Asked | None,
        verify: bool,
        max_body: int,
        phases: dict[str, float],
        enter: Callable[[str], None],
    ) -> HttpAnswer:
        now = asyncio.get_running_loop().time
        name = asked.name if asked and asked.name else target.host
        key = (target.scheme, *target.dial, verify, name)
        while True:
            wire = self._reuse(key)
            if wire is None:
                wire = await self._connect(target, name, verify, phases, enter)
            try:
                enter("send")
                start = now()
                wire.send(message)
                _add(phases, "send", now() - start)
                enter("first_byte")
                start = now()
                answer = await wire.read(method, max_body)
            except StaleError:
                wire.close()
                if method not in _RESEND:
                    raise ProbeError("the kept connection was closed without an answer", phase="first_byte") from None
                continue
            except BaseException:
                wire.close()
                raise
            _add(phases, "first_byte", max(0.0, answer.first_byte_at - start))
            _add(phases, "body", now() - answer.first_byte_at)
            if wire.usable:
                group = self._idle.setdefault(key, [])
                if len(group) < _MOST_IDLE:
                    group.append(wire)
                else:
                    wire.close()
            return answer

    def _reuse(self, key: Key) -> Wire | None:
        group = self._idle.get(key)
        oldest = asyncio.get_running_loop().time() - _OLDEST_S
        while group:
            wire = group.pop()
            if wire.usable and wire.opened_at > oldest:
                return wire
            wire.close()
        return None

    async def _connect(
        self, target: _Target, name: str, verify: bool, phases: dict[str, float], enter: Callable[[str], None]
    ) -> Wire:
        """Open a connection; over TLS the other side is asked for, and has to prove, that it is `name`."""
        loop = asyncio.get_running_loop()
        enter("dns")
        start = loop.time()
        addresses = await resolved(*target.dial)
        _add(phases, "dns", loop.time() - start)
        enter("connect")
        start = loop.time()
        wire = await _open(addresses, target.dial[1])
        _add(phases, "connect", loop.time() - start)
        if target.scheme == "https":
            enter("tls")
            start = loop.time()
            try:
                transport = await loop.start_tls(wire.transport, wire, self._tls_context(verify), server_hostname=name)
            except BaseException as error:
                wire.close()
                if isinstance(error, OSError):
                    raise ProbeError(tls_words(error), phase="tls") from None
                if isinstance(error, ValueError):
                    raise ProbeError(
                        f"{name!r} is no name for TLS: {error}", phase="tls", status=Status.UNKNOWN
                    ) from None
                raise
            if transport is None:
                wire.close()
                raise ProbeError("the connection was closed during the TLS handshake", phase="tls")
            wire.connection_made(transport)
            _add(phases, "tls", loop.time() - start)
        return wire

    def _tls_context(self, verify: bool) -> ssl.SSLContext:
        if verify not in self._tls:
            self._tls[verify] = tls_context(verify=verify)
        return self._tls[verify]

    def _target(self, url: str) -> _Target:
        known = self._targets.get(url)
        if known is None:
            if len(self._targets) > 10_000:
                self._targets.clear()
            known = self._targets[url] = _parse_url(url)
        return known


def _add(phases: dict[str, float], phase: str, seconds: float) -> None:
    phases[phase] = phases.get(phase, 0.0) + seconds


def _parse_url(url: str) -> _Target:
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname
        if host and not host.isascii():
            host = host.encode("idna").decode("ascii")
    except ValueError as error:
        raise ProbeError(f"{redact_unknown(url)!r} is not a URL: {error}", status=Status.UNKNOWN) from None
    if parts.scheme not in ("http", "https") or not host or re.search(r"[\x00-\x20\x7f]", host):
        raise ProbeError(f"{redact_unknown(url)!r} is not an http or https URL", status=Status.UNKNOWN)
    scheme: Literal["http", "https"] = "https" if parts.scheme == "https" else "http"
    usual = 443 if scheme == "https" else 80
    shown = f"[{host}]" if ":" in host else host
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    if parts.query:
        path += "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~-._?[]")
    authorization = ""
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        authorization = "Basic " + base64.b64encode(pair).decode()
    header = shown if port in (None, usual) else f"{shown}:{port}"
    return _Target(scheme, host, port or usual, header, path, authorization, (host, port or usual))


def _dialled(connect: str, port: int) -> tuple[str, int]:
    """Read `HOST`, `HOST:PORT`, `[ADDRESS]:PORT`; without a port it is the URL's. Raise `ProbeError`."""
    try:
        parts = urlsplit(f"//{connect}" if connect.count(":") < 2 or connect.startswith("[") else f"//[{connect}]")
        if parts.hostname and parts.netloc == parts.netloc.rpartition("@")[2] and not parts.path:
            return parts.hostname, parts.port or port
    except ValueError:
        pass
    raise ProbeError(f"connect: {connect!r} is no address to connect to", status=Status.UNKNOWN)


def _keep_cookies(cookies: dict[str, str], lines: str) -> None:
    """Take up what an answer sets; what it lets end at once goes."""
    for line in lines.split("\n"):
        pair, _, rest = line.partition(";")
        name, equals, value = pair.strip().partition("=")
        if equals and name:
            cookies[name] = value
            if re.search(r"(?i)(^|;)\s*max-age=\s*(0|-\d+)\s*(;|$)", rest):
                del cookies[name]


def _with_cookies(headers: Mapping[str, str], cookies: Mapping[str, str]) -> Mapping[str, str]:
    """Add the cookies of the answers so far to the request's own."""
    if not cookies:
        return headers
    given = next((name for name in headers if name.lower() == "cookie"), "Cookie")
    own = [headers[given]] if given in headers else []
    return {**headers, given: "; ".join([*own, *(f"{name}={value}" for name, value in cookies.items())])}


def _asked_host(headers: Mapping[str, str]) -> _Asked | None:
    given = [value for name, value in headers.items() if name.lower() == "host"]
    if not given:
        return None
    host = re.sub(r":\d*$", "", given[0].strip()).strip("[]").lower()
    with contextlib.suppress(UnicodeError):
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    return _Asked(host)


def _message(method: str, target: _Target, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """Write the request. `headers` go as they are given, and stand for the defaults of the same names."""
    given = [name.lower() for name in headers]
    if len(given) > len(set(given)):
        twice = next(name for name in headers if given.count(name.lower()) > 1)
        raise ProbeError(f"the header {twice} is given twice", status=Status.UNKNOWN)
    defaults = {"Host": target.host_header, "User-Agent": "switchover", "Accept": "*/*", "Accept-Encoding": "identity"}
    if target.authorization:
        defaults["Authorization"] = target.authorization
    if body is not None or method in _WITH_BODY:
        defaults["Content-Length"] = str(len(body or b""))
    host = [f"{name}: {value}" for name, value in headers.items() if name.lower() == "host"]
    lines = [f"{method} {target.path} HTTP/1.1", *host]
    lines += [f"{name}: {value}" for name, value in defaults.items() if name.lower() not in given]
    lines += [f"{name}: {value}" for name, value in headers.items() if name.lower() != "host"]
    for line in lines:
        if "\r" in line or "\n" in line or "\0" in line:
            raise ProbeError("a header or the method holds a line break", status=Status.UNKNOWN)
    return "\r\n".join([*lines, "", ""]).encode("utf-8") + (body or b"")


async def _open(addresses: list[Address], port: int) -> Wire:
    loop = asyncio.get_running_loop()

    async def dial(address: Address) -> Wire:
        _, wire = await loop.create_connection(Wire, address[1], port, family=address[0])
        return wire

    return await dialled(addresses, port, dial)
