"""`smtp`: whether a mail server greets, speaks TLS, takes a login; with `deliver`, whether it takes a message."""

from __future__ import annotations

import base64
import re
import secrets
import time
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from switchover_checks.api import Context, Effect, Finding, Measured, ProbeError, Result, Status, Streams
from switchover_checks.kinds.network.starttls import reply_of
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, Unavailable, expected_in
from switchover_checks.language.fact_numbers import measured_in
from switchover_checks.language.fields import LocalPort
from switchover_checks.language.units import format_duration
from switchover_checks.runtime.network.connecting import shake_hands, tls_context

__all__ = ["SmtpCheck", "SmtpConfig"]

NAMES: dict[str, NameType] = {
    "banner": "text",
    "extensions": "list",
    "tls": "text",
    "size": "size",
    "time": "duration",
}
_ADDRESS = re.compile(r"[^\s<>@\x00-\x1f]+@[^\s<>@\x00-\x1f]+")
_HELLO = "switchover.invalid"


@dataclass(frozen=True)
class SmtpConfig:
    """A mail server, and how far one must come with it."""

    host: str = "127.0.0.1"
    """The host."""
    port: LocalPort = 25
    """The port."""
    tls: Literal["none", "starttls", "tls"] = "none"
    """How TLS is spoken: not at all, asked for after the greeting (587), from the first byte (465)."""
    user: str = ""
    """The account, for a login."""
    password: str = ""
    """Its password: `{{ secret.NAME }}`. It is sent over TLS only."""
    sender: str = ""
    """With `deliver`: from whom the message is."""
    deliver: str = ""
    """An address to which a message is sent: that writes."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of `banner`, `extensions` (a list), `tls` (its version), `size` and `time`.
    `size` is that which a message may have."""
    verify: bool = True
    """Whether the certificate is checked."""

    def __post_init__(self) -> None:
        if self.user and self.tls == "none":
            raise ValueError("a password goes over TLS only: set tls to starttls or tls")
        for address in (self.sender, self.deliver):
            if address and "{{" not in address and not _ADDRESS.fullmatch(address):
                raise ValueError(f"{address!r} is no address of mail")
        if bool(self.deliver) != bool(self.sender):
            raise ValueError("deliver and sender go together")


class SmtpCheck:
    """Talk to a mail server."""

    kind: ClassVar[str] = "smtp"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = SmtpConfig
    metrics: ClassVar[tuple[Measured, ...]] = (Measured("time", "s", "the whole talk"),)
    example: ClassVar[str] = """
    kind: smtp
    host: mail.example.org
    port: 587
    tls: starttls
    expect: extensions contains 'PIPELINING'
    """

    def changes(self, cfg: SmtpConfig) -> str:
        """Judge whether a message is sent."""
        return f"it sends a message to {cfg.deliver}" if cfg.deliver else ""

    async def probe(self, cfg: SmtpConfig, ctx: Context) -> Result:
        """Talk once."""
        start = time.monotonic()
        trust: Literal["verified", "any"] = "verified" if cfg.verify else "any"
        streams = await ctx.connect(cfg.host, cfg.port, tls=trust if cfg.tls == "tls" else None)
        talk = _Talk(streams, ctx)
        facts: dict[str, Any] = {"tls": Unavailable("it was not spoken")}
        try:
            facts["banner"] = await talk.greeting()
            extensions = await talk.hello()
            if cfg.tls == "starttls":
                await talk.command("STARTTLS", 220, "starttls")
                ctx.enter("tls")
                await shake_hands(streams[1], tls_context(verify=cfg.verify), cfg.host)
                extensions = await talk.hello()
            if cfg.tls != "none":
                facts["tls"] = str(streams[1].get_extra_info("ssl_object").version())
            if cfg.user:
                await talk.log_in(cfg.user, cfg.password, extensions)
            if cfg.deliver:
                await talk.deliver(cfg.sender, cfg.deliver)
        except ConnectionError as error:
            raise ProbeError(f"the connection broke: {error}", phase="send") from None
        finally:
            streams[1].transport.abort()
        ctx.enter("assert")
        size = next((word.split()[1] for word in extensions if word.upper().startswith("SIZE ")), "")
        facts |= {
            "extensions": [word.split()[0].upper() for word in extensions if word.split()],
            "size": int(size) if size.isdecimal() else Unavailable("the server does not tell"),
            "time": time.monotonic() - start,
        }
        told = "a message taken" if cfg.deliver else "logged in" if cfg.user else "greeted"
        findings = [Finding(f"{cfg.host}:{cfg.port}", told, told, Status.OK), *(e.check(facts) for e in cfg.expect)]
        ok = f"{told} in {format_duration(facts['time'])}"
        return Result.of(findings, metrics=measured_in(facts, self.metrics), ok=ok)


class _Talk:
    """One conversation, line by line."""

    def __init__(self, streams: Streams, ctx: Context) -> None:
        self._reader, self._writer = streams
        self._ctx = ctx

    async def greeting(self) -> str:
        """Read what the server says first."""
        self._ctx.enter("first_byte")
        code, lines = await reply_of(self._reader, "SMTP", "first_byte")
        if code != 220:
            raise ProbeError(f"it greets with {code} {lines[-1]}"[:200], phase="first_byte")
        return lines[0]

    async def hello(self) -> list[str]:
        """Say who asks; return what the server can do."""
        return (await self.command(f"EHLO {_HELLO}", 250, "send"))[1:]

    async def command(self, line: str, wanted: int, phase: str, shown: str = "") -> list[str]:
        """Send a line; return the answer's. Raise `ProbeError` where it has another code."""
        self._ctx.enter(phase)
        self._writer.write(line.encode() + b"\r\n")
        await self._writer.drain()
        code, lines = await reply_of(self._reader, "SMTP", phase)
        if code != wanted:
            said = f"{shown or line.partition(' ')[0]} is answered with {code} {lines[-1]}"
            raise ProbeError(said[:200], phase=phase)
        return lines

    async def log_in(self, user: str, password: str, extensions: list[str]) -> None:
        """Log in by PLAIN, else by LOGIN."""
        offered = next((word.upper().split()[1:] for word in extensions if word.upper().startswith("AUTH")), [])
        if "PLAIN" in offered:
            words = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
            await self.command(f"AUTH PLAIN {words}", 235, "auth", "AUTH")
        elif "LOGIN" in offered:
            await self.command("AUTH LOGIN", 334, "auth", "AUTH")
            await self.command(base64.b64encode(user.encode()).decode(), 334, "auth", "the account")
            await self.command(base64.b64encode(password.encode()).decode(), 235, "auth", "the password")
        else:
            words = ", ".join(offered) or "no way"
            raise ProbeError(f"it takes {words} of logging in, not PLAIN or LOGIN", phase="auth", status=Status.UNKNOWN)

    async def deliver(self, sender: str, recipient: str) -> None:
        """Send a message that says what it is."""
        await self.command(f"MAIL FROM:<{sender}>", 250, "send", "MAIL FROM")
        await self.command(f"RCPT TO:<{recipient}>", 250, "send", "RCPT TO")
        await self.command("DATA", 354, "send")
        text = "\r\n".join(
            [
                f"From: <{sender}>",
                f"To: <{recipient}>",
                "Subject: switchover checks that mail is taken",
                f"Message-ID: <{secrets.token_hex(12)}@{_HELLO}>",
                "Auto-Submitted: auto-generated",
                "",
                "This message was sent by a check. Nobody has to answer it.",
                ".",
            ]
        )
        await self.command(text, 250, "send", "the message")
