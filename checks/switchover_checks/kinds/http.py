"""`http`: asks a URL and compares status, time, headers and body with what is expected.

Redirects are not followed unless asked for. When no expectation looks at `status`, it must be 200 to 299. So an error
page never passes because its body is long enough. A server that cannot be connected to is critical. One that accepts
and then is silent until the deadline is unknown, with the phase it hung in.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, Literal

from switchover_checks.api import Context, Effect, Finding, HttpReply, Measured, Metric, Result, Status
from switchover_checks.language.effects import DeclaredEffect, http_changes
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, Unavailable, expected_in
from switchover_checks.language.fields import Size
from switchover_checks.language.text_numbers import unit_of
from switchover_checks.language.units import format_bytes, format_duration

__all__ = ["HttpCheck", "HttpConfig"]

NAMES: Mapping[str, NameType] = {
    "status": "number",
    "time": "duration",
    "first_byte": "duration",
    "body": "any",
    "text": "text",
    "headers": "any",
    "size": "size",
    "url": "text",
    "certificate": "any",
}

_METRICS = (
    Measured("time", "s", "the whole request"),
    Measured("dns", "s", "finding the address"),
    Measured("connect", "s", "connecting"),
    Measured("tls", "s", "the handshake"),
    Measured("send", "s", "sending"),
    Measured("first_byte", "s", "waiting for the first byte"),
    Measured("body", "s", "reading the body"),
)


@dataclass(frozen=True)
class HttpConfig:
    """What to ask, and what the answer must be."""

    url: str
    """The address. A header `Host` asks it under that name: over TLS too, and where it redirects to the name."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of `status`, `time`, `first_byte`, `body`, `text`, `headers`, `size`, `url`.
    Of a `certificate` also its `days_left`, `subject`, `issuer` and `names`."""
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = "GET"
    """The method. Others than GET, HEAD and OPTIONS are taken to change something."""
    headers: dict[str, str] = field(default_factory=dict)
    """Headers of the request."""
    body: str | None = None
    """What is sent, as text."""
    json: Any = None
    """What is sent, as JSON."""
    bearer: str | None = None
    """The bearer token, by a template: `{{ secret.NAME }}`."""
    user: str | None = None
    """The name for basic authentication."""
    password: str | None = None
    """The password, by a template: `{{ secret.NAME }}`."""
    follow_redirects: bool = False
    """Whether redirects are followed."""
    verify: bool = True
    """Whether the certificate is checked."""
    connect: str = ""
    """The address that is connected to, `192.0.2.7` or `192.0.2.7:8443`, whatever the URL's name leads to. So a new
    host is checked under its old name before DNS changes. The name is sent, and proved over TLS, as it stands."""
    max_body: Size = 1 << 20
    """How much of the body is read at most."""
    metrics: dict[str, Annotated[Expectation, expected_in(NAMES, value=True)]] = field(default_factory=dict)
    """Numbers out of the answer, by the paths of `expect`: `query_ms: body.query_ms`."""
    effect: DeclaredEffect = None
    """`read` is the author's word that a POST or PATCH only asks."""

    def __post_init__(self) -> None:
        if self.body is not None and self.json is not None:
            raise ValueError("set body or json, not both")
        names = [name.lower() for name in self.headers]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"headers: {', '.join(twice)} is given twice")
        if self.effect == "read" and self.method in ("PUT", "PATCH", "DELETE"):
            raise ValueError(f"effect: read cannot be true of {self.method}")
        taken = sorted({m.name for m in _METRICS} & self.metrics.keys())
        if taken:
            raise ValueError(f"metrics: {', '.join(taken)} is measured anyway; choose another name")


class HttpCheck:
    """Ask a URL."""

    kind: ClassVar[str] = "http"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = HttpConfig
    metrics: ClassVar[tuple[Measured, ...]] = _METRICS
    example: ClassVar[str] = """
    kind: http
    url: https://example.org/health
    expect: [status == 200, time < 1s, body.status == 'healthy']
    """

    def changes(self, cfg: HttpConfig) -> str:
        """Judge the method."""
        return http_changes(cfg.method, cfg.headers, cfg.effect)

    def measures(self, keys: Mapping[str, Any]) -> frozenset[str]:
        """Return what the check takes out of the answer."""
        taken = keys.get("metrics")
        return frozenset(map(str, taken) if isinstance(taken, dict) else ())

    async def probe(self, cfg: HttpConfig, ctx: Context) -> Result:
        """Ask once."""
        headers, body = _prepare(cfg)
        reply = await ctx.http(
            cfg.method,
            cfg.url,
            headers=headers,
            body=body,
            follow_redirects=cfg.follow_redirects,
            verify=cfg.verify,
            max_body=cfg.max_body,
            connect=cfg.connect,
        )
        ctx.enter("assert")
        seconds = reply.seconds
        names: frozenset[str] = frozenset().union(*(e.names for e in (*cfg.expect, *cfg.metrics.values())))
        facts = _facts(reply, names, cfg.max_body)
        findings = [e.check(facts) for e in cfg.expect]
        if not any("status" in e.names for e in cfg.expect):
            fine = 200 <= reply.status <= 299
            hint = "" if fine or not 300 <= reply.status <= 399 else "set follow_redirects, or expect this status"
            findings.insert(0, Finding.compare("status", "200 to 299", reply.status, fine, hint))
        metrics = [Metric("time", seconds, "s"), *(Metric(k, v, "s") for k, v in reply.phases.items())]
        for name, path in cfg.metrics.items():
            value = path.number(facts)
            if isinstance(value, Finding):
                findings.append(replace(value, what=f"metric {name}"))
            else:
                metrics.append(Metric(name, value, unit_of(name)))
        failed = any(f.status is not Status.OK for f in findings)
        evidence = {"body": reply.body[:300].decode("utf-8", "replace")} if failed and reply.body else {}
        return Result.of(
            findings,
            metrics=metrics,
            phase="assert" if failed else "",
            evidence=evidence,
            ok=f"{reply.status} in {format_duration(seconds)}",
        )


def _prepare(cfg: HttpConfig) -> tuple[dict[str, str], bytes | None]:
    headers = dict(cfg.headers)
    body = cfg.body.encode() if cfg.body is not None else None
    if cfg.json is not None:
        body = json.dumps(cfg.json).encode()
        if not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = "application/json"
    if cfg.bearer is not None or cfg.user is not None:
        headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
    if cfg.bearer is not None:
        headers["Authorization"] = f"Bearer {cfg.bearer}"
    elif cfg.user is not None:
        import base64

        login = f"{cfg.user}:{cfg.password or ''}"
        headers["Authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
    return headers, body


def _facts(reply: HttpReply, names: frozenset[str], most: int) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "status": reply.status,
        "time": reply.seconds,
        "first_byte": reply.phases.get("first_byte", 0.0),
        "headers": reply.headers,
        "size": len(reply.body),
        "url": reply.url,
    }
    if "certificate" in names:
        facts["certificate"] = _certificate(reply)
    if reply.truncated:
        cut = Unavailable(f"longer than {format_bytes(most)}; set max_body")
        facts.update(body=cut, text=cut, size=cut)
    elif "body" in names or "text" in names:
        facts["text"] = facts["body"] = _decoded(reply)
        if "body" in names:
            with contextlib.suppress(ValueError, RecursionError):  # a body that is not JSON is compared as text
                facts["body"] = json.loads(reply.body)
    return facts


def _decoded(reply: HttpReply) -> str:
    """Read the body in the character set that the answer names; UTF-8 where it names none that is known."""
    charset = re.search(r"charset\s*=\s*[\"']?([\w.:-]+)", reply.headers.get("content-type", ""), re.IGNORECASE)
    with contextlib.suppress(LookupError):
        return reply.body.decode(charset[1] if charset else "utf-8", "replace")
    return reply.body.decode("utf-8", "replace")


def _certificate(reply: HttpReply) -> dict[str, Any] | Unavailable:
    if reply.certificate is None:
        return Unavailable("it came without TLS")
    from switchover_checks.kinds.network.certificates import certificate_facts, now_utc

    found = certificate_facts(reply.certificate)
    return {
        "days_left": found.days_left(now_utc()),
        "subject": found.subject,
        "issuer": found.issuer,
        "names": list(found.names),
    }
