"""Resources of goss that are about addresses, ports, names and pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from switchover.importing.goss_resource import Resource
from switchover.importing.matchers import number_expectation, output_expectations, value_expectation
from switchover.importing.plan_draft import each_of, names_a_secret, text_of
from switchover.importing.source_keys import Source, as_text

__all__ = ["NETWORK_RESOURCES", "host_and_port"]

_ADDRESS = re.compile(r"(?:(?P<scheme>\w+)://)?(?:\[(?P<v6>[^\]]+)\]|(?P<host>[^:/\[\]]+)):(?P<port>\d{1,5})")
_RECORDS = frozenset({"A", "AAAA", "CNAME", "MX", "NS", "TXT", "SRV", "CAA", "PTR"})


def host_and_port(address: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port of `tcp://host:80` or `[::1]:80`."""
    found = _ADDRESS.fullmatch(address)
    return (found["scheme"] or "tcp", found["v6"] or found["host"], int(found["port"])) if found else None


def _addr(found: Resource) -> None:
    parts = host_and_port(found.text("address") or found.id)
    if parts is None or not parts[0].startswith("tcp"):
        found.source.leave("only addresses over TCP have a check")
    elif not found.flag("reachable"):
        found.source.leave("there is no check that an address elsewhere must not be reachable")
    else:
        found.add({"kind": "tcp", "host": parts[1], "port": parts[2]})


def _port(found: Resource) -> None:
    protocol, _, number = (found.text("port") or found.id).rpartition(":")
    if not number.isdecimal() or protocol not in ("", "tcp", "tcp4", "tcp6"):
        found.source.leave("only TCP ports have a check")
        return
    check: dict[str, Any] = {"kind": "port", "port": int(number), "open": found.flag("listening")}
    addresses = list(each_of(found.source.get("ip")))
    if addresses and as_text(addresses[0].value):
        check["address"] = as_text(addresses[0].value)
        found.carried.append(addresses[0])
    found.add(check)
    for number_of, address in enumerate(addresses[1:], 2):
        if as_text(address.value):
            again = {**check, "kind": "port", "address": as_text(address.value)}
            found.add(again, suffix=f"_address_{number_of}", only=[address])
    if protocol == "tcp6" and not addresses:
        found.source.note("that it listens over IPv6 is not asked: add `address`")


def _dns(found: Resource) -> None:
    name = found.text("resolve") or found.id
    record, colon, rest = name.partition(":")
    check: dict[str, Any] = {"kind": "dns", "name": name}
    if colon and record.upper() in _RECORDS:
        check |= {"name": rest, "record": record.upper()}
    check["server"] = found.text("server") or None
    expect = [] if found.flag("resolvable", "resolveable") else ["len(answers) == 0"]
    addresses = found.source.get("addrs")
    if addresses is not None:
        wanted = value_expectation("answers", addresses.value, is_list=True)
        if wanted is not None:
            expect.append(wanted)
            found.carried.append(addresses)
    found.add({**check, "expect": expect or None})


def _http(found: Resource) -> None:
    check: dict[str, Any] = {"kind": "http", "url": found.text("url") or found.id}
    check["method"] = found.text("method") or None
    check["body"] = found.text("request-body") or None
    check["follow_redirects"] = not found.flag("no-follow-redirects", usual=False)
    if found.flag("allow-insecure", usual=False):
        check["verify"] = False
    expect: list[str] = []
    status = found.source.get("status")
    if status is not None and (wanted := number_expectation("status", status.value)) is not None:
        expect.append(wanted)
        found.take("status")
    body = found.source.get("body")
    if body is not None and not body.templated and (parts := output_expectations("text", body.value)) is not None:
        expect += parts
        found.take("body")
    for header in each_of(found.source.get("headers")):
        name, colon, value = as_text(header.value).partition(":")
        if colon and not value.strip().startswith("/"):
            expect.append(f"headers[{text_of(name.strip().lower())}] contains {text_of(value.strip())}")
            found.carried.append(header)
    _login(found, check)
    check["headers"] = _headers(found) or None
    found.add({**check, "expect": expect or None})


def _login(found: Resource, check: dict[str, Any]) -> None:
    if found.source.text("username") and found.source.text("password"):
        check["user"] = found.text("username")
        found.take("password")
        check["password"] = found.draft.secret(f"{_variable(found.id)}_PASSWORD")
        found.source.note("a password stands there in clear: give it by the reference in the plan")


def _headers(found: Resource) -> dict[str, str]:
    headers: dict[str, str] = {}
    for header in each_of(found.source.get("request-headers")):
        name, colon, value = as_text(header.value).partition(":")
        if colon and value.strip():
            secret = names_a_secret(name) or name.strip().lower() == "cookie"
            headers[name.strip()] = _secret_header(found, header, name.strip()) if secret else value.strip()
            found.carried.append(header)
    return headers


def _secret_header(found: Resource, header: Source, name: str) -> str:
    header.note("a secret stands there in clear: give it by the reference in the plan")
    return found.draft.secret(f"{_variable(found.id)}_{_variable(name)}")


def _variable(text: str) -> str:
    return re.sub(r"\W+", "_", text.partition("://")[2] or text).strip("_").upper()[:40] or "VALUE"


NETWORK_RESOURCES: Mapping[str, Callable[[Resource], None]] = {
    "addr": _addr,
    "port": _port,
    "dns": _dns,
    "http": _http,
}
