"""`tls`: whether a server's certificate is trusted, names it and lasts, and which version of TLS it speaks.

Expired, of another name, self-signed and signed by somebody unknown are told apart. Of the whole chain the
certificate that ends first counts. TLS may be asked for within SMTP, IMAP, POP3, FTP and PostgreSQL.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from switchover_checks.api import Context, Effect, Finding, Measured, Metric, ProbeError, Result, Status
from switchover_checks.kinds.network.certificates import CertificateFacts, certificate_facts, names_fit, now_utc
from switchover_checks.kinds.network.starttls import STARTTLS
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, expected_in
from switchover_checks.language.fields import LocalPort, Threshold
from switchover_checks.language.thresholds import Range, judge, parse_range
from switchover_checks.runtime.network.connecting import tls_words

__all__ = ["TlsCheck", "TlsConfig"]

NAMES: dict[str, NameType] = {
    "days_left": "number",
    "subject": "text",
    "issuer": "text",
    "names": "list",
    "version": "text",
    "cipher": "text",
    "self_signed": "bool",
    "chain_length": "number",
}
_OTHER_NAME = (62, 64)
_UNKNOWN_ISSUER = (20, 21)
"""Reasons for which OpenSSL does not trust a certificate."""


@dataclass(frozen=True)
class TlsConfig:
    """A server that speaks TLS, and what its certificate must be."""

    host: str
    """The host that is connected to."""
    port: LocalPort = 443
    """The port."""
    server_name: str = ""
    """The name that is asked for and must be proved; without it that is `host`."""
    starttls: Literal["", "smtp", "imap", "pop3", "ftp", "postgres"] = ""
    """The protocol in which TLS is asked for first."""
    ca: str | None = None
    """A file of certificates that are trusted, instead of those of the system."""
    verify: bool = True
    """Whether the chain and the name must be trusted. The time left is judged anyway."""
    warn: Threshold | None = None
    """Days left that warn. Without `warn` and `crit`: `21:`, less than three weeks."""
    crit: Threshold | None = None
    """Days left that are critical. Without `warn` and `crit`: `7:`, less than a week."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What else must be true."""

    def __post_init__(self) -> None:
        for limit in (self.warn, self.crit):
            if limit is not None and limit.dimension:
                raise ValueError(f"{limit.text!r} has a unit; days are a bare number such as 21:")


@dataclass(frozen=True, slots=True)
class _Session:
    """What one handshake showed: the chain from the leaf up, version and cipher, and how long it took in seconds."""

    chain: tuple[CertificateFacts, ...]
    version: str
    cipher: str
    seconds: float


class TlsCheck:
    """Make a handshake."""

    kind: ClassVar[str] = "tls"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = TlsConfig
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("days_left", "", "days until the first certificate of the chain ends"),
        Measured("tls", "s", "the handshake"),
    )
    example: ClassVar[str] = """
    kind: tls
    host: shop.example.org
    warn: "30:"
    crit: "7:"
    expect: version in ['TLSv1.2', 'TLSv1.3']
    """

    async def probe(self, cfg: TlsConfig, ctx: Context) -> Result:
        """Make one handshake that is verified, and a second one that only shows the certificate where that fails."""
        distrust: ssl.SSLCertVerificationError | None = None
        try:
            session = await _handshake(cfg, ctx, verify=cfg.verify)
        except ssl.SSLCertVerificationError as error:
            distrust = error
            session = await _handshake(cfg, ctx, verify=False)
        ctx.enter("assert")
        now = now_utc()
        leaf = session.chain[0]
        first = min(session.chain, key=lambda c: c.ends)
        findings = _trust(cfg, leaf, distrust)
        warn, crit = (cfg.warn, cfg.crit) if cfg.warn or cfg.crit else (_DEFAULT_WARN, _DEFAULT_CRIT)
        days = first.days_left(now)
        findings.append(_time_left(first, leaf, days, warn, crit))
        if leaf.begins > now:
            findings.append(Finding("begins", "in the past", f"{leaf.begins:%Y-%m-%d %H:%M} UTC", Status.CRIT))
        facts: dict[str, Any] = {
            "days_left": days,
            "subject": leaf.subject,
            "issuer": leaf.issuer,
            "names": list(leaf.names),
            "version": session.version,
            "cipher": session.cipher,
            "self_signed": leaf.self_signed,
            "chain_length": len(session.chain),
        }
        findings += [e.check(facts) for e in cfg.expect]
        metrics = [Metric("days_left", days), Metric("tls", session.seconds, "s")]
        ok = f"{leaf.subject}, {days:.0f} days left, {session.version}"
        return Result.of(findings, metrics=metrics, phase="tls" if distrust else "assert", ok=ok)


_DEFAULT_WARN, _DEFAULT_CRIT = parse_range("21:"), parse_range("7:")


def _trust(cfg: TlsConfig, leaf: CertificateFacts, distrust: ssl.SSLCertVerificationError | None) -> list[Finding]:
    """Say whether name and chain are trusted, each apart; nothing where that is not asked for."""
    if not cfg.verify:
        return []
    name = cfg.server_name or cfg.host
    shown = ", ".join(leaf.names[:6]) + (", …" if len(leaf.names) > 6 else "") or f"only {leaf.subject}, as a subject"
    findings = [Finding.compare("name", name, shown, names_fit(name, leaf.names))]
    if distrust is None:
        return [*findings, Finding("chain", "trusted", f"trusted, signed by {leaf.issuer}", Status.OK)]
    if distrust.verify_code in _OTHER_NAME and findings[0].status is not Status.OK:
        return findings
    reason = "self-signed" if leaf.self_signed else distrust.verify_message
    between = distrust.verify_code in _UNKNOWN_ISSUER and not leaf.self_signed
    hint = "is a certificate between this one and the root's missing? the server must send it" if between else ""
    return [*findings, Finding("chain", "trusted", f"{reason}, signed by {leaf.issuer}", Status.CRIT, hint)]


def _time_left(
    first: CertificateFacts, leaf: CertificateFacts, days: float, warn: Range | None, crit: Range | None
) -> Finding:
    which = "certificate" if first == leaf else f"certificate of {first.subject} in the chain"
    when = f"{first.ends:%Y-%m-%d %H:%M} UTC"
    if days < 0:
        return Finding(which, "one that has not ended", f"ended {when}, {-days:.1f} days ago", Status.CRIT)
    return judge(which, days, warn, crit, observed=f"ends {when}, {days:.1f} days left")


async def _handshake(cfg: TlsConfig, ctx: Context, *, verify: bool) -> _Session:
    """Connect and shake hands. Raise `SSLCertVerificationError` only where it must be trusted and is not."""
    context = await ctx.in_thread(lambda: _context(cfg, ctx.base_dir, verify))
    reader, writer = await ctx.connect(cfg.host, cfg.port)
    try:
        if cfg.starttls:
            ctx.enter("starttls")
            await STARTTLS[cfg.starttls](reader, writer)
        ctx.enter("tls")
        start = time.monotonic()
        try:
            await writer.start_tls(context, server_hostname=cfg.server_name or cfg.host)
        except ssl.SSLCertVerificationError:
            raise
        except (OSError, asyncio.IncompleteReadError) as error:
            raise ProbeError(tls_words(error), phase="tls") from None
        except ValueError as error:
            raise ProbeError(f"that is no name for TLS: {error}", phase="tls", status=Status.UNKNOWN) from None
        seconds = time.monotonic() - start
        shown = writer.get_extra_info("ssl_object")
        try:
            sent = _chain(shown, verify)  # not in a thread: the loop goes on reading from this very connection
            chain = await ctx.in_thread(lambda: tuple(certificate_facts(der) for der in sent))
        except ValueError as error:
            raise ProbeError(f"its certificate cannot be read: {error}", phase="tls") from None
        cipher = shown.cipher()
        return _Session(chain, shown.version() or "", cipher[0] if cipher else "", seconds)
    finally:
        writer.transport.abort()


def _context(cfg: TlsConfig, base: Path, verify: bool) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(base / cfg.ca) if cfg.ca else None)
    except OSError as error:  # ssl.SSLError is one
        reason = error.strerror or str(error)
        raise ProbeError(f"ca: {cfg.ca}: {reason}", phase="tls", status=Status.UNKNOWN) from None
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _chain(shown: ssl.SSLObject, verified: bool) -> Sequence[bytes]:
    """Return the certificates from the leaf up: those that were verified, else those that were sent.

    Python makes these public in 3.13; before, the object below has them.
    """
    inner: Any = shown if hasattr(shown, "get_verified_chain") else getattr(shown, "_sslobj", None)
    try:
        found = inner.get_verified_chain() if verified else inner.get_unverified_chain()
        chain = [c if isinstance(c, bytes) else c.public_bytes(2) for c in found or ()]
    except (AttributeError, TypeError):
        chain = []
    leaf = shown.getpeercert(binary_form=True)
    return chain or ([leaf] if leaf else [])
