"""`email`: a mail by SMTP, with TLS wherever the server has it."""

from __future__ import annotations

import smtplib
import socket
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from typing import ClassVar, Literal

from switchover.alerts.alert_values import alert_text
from switchover.alerts.notifier_api import Notification, Notifier, NotSentError
from switchover_checks.api import Context

__all__ = ["EmailNotifier", "EmailNotifierConfig"]

_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class EmailNotifierConfig:
    """Whom to write to, and the server that takes the mail."""

    to: str | tuple[str, ...]
    """The addresses."""
    server: str = "localhost:25"
    """The SMTP server, HOST or HOST:PORT. Port 465 speaks TLS from the first byte."""
    sender: str = ""
    """The address that it comes from; without it `switchover@` and the name of this host."""
    user: str = ""
    """The account at the server."""
    password: str = ""
    """Its password: write `{{ secret.NAME }}`. It is sent over TLS only, except to this host."""
    tls: Literal["auto", "always", "never"] = "auto"
    """auto: where the server offers it. always: else no mail is sent."""
    subject: str = ""
    """The subject, with `{{ alert.name }}` and its like; without it the first line of the text."""
    body: str = ""
    """The text; without it what happened, the rule and the runbook."""


class EmailNotifier(Notifier[EmailNotifierConfig]):
    """Sends one mail."""

    kind: ClassVar[str] = "email"
    config: ClassVar[type] = EmailNotifierConfig
    takes_secrets: ClassVar[bool] = True
    fills: ClassVar[bool] = True
    timeout_s: ClassVar[float] = 30.0
    pauses_s: ClassVar[tuple[float, ...]] = (10.0, 60.0)
    example: ClassVar[str] = """
    kind: email
    to: oncall@example.org
    server: smtp.example.org:587
    user: alerts
    password: "{{ secret.smtp }}"
    """

    async def send(self, notification: Notification, cfg: EmailNotifierConfig, ctx: Context) -> None:
        """Send it from a thread: the library waits."""
        message = _message(notification, cfg)

        def work() -> None:
            _send(message, cfg)

        try:
            await ctx.in_thread(work)
        except smtplib.SMTPResponseException as error:
            again = 400 <= error.smtp_code < 500
            raise NotSentError(f"the mail server answered {error.smtp_code}", again=again) from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = sorted({code for code, _ in error.recipients.values()})
            again = all(400 <= code < 500 for code in codes)
            raise NotSentError(f"the mail server takes none of the addresses ({codes[0]})", again=again) from None
        except smtplib.SMTPException as error:
            raise NotSentError(f"the mail server: {type(error).__name__}") from None
        except ssl.SSLError:
            raise NotSentError("no TLS with the mail server: its certificate is not trusted") from None
        except OSError as error:
            raise NotSentError(f"the mail server cannot be reached: {error.strerror or type(error).__name__}") from None


def _message(notification: Notification, cfg: EmailNotifierConfig) -> EmailMessage:
    host = socket.gethostname()
    first = notification.sentence.partition("\n")[0]
    message = EmailMessage()
    message["Subject"] = " ".join((alert_text(cfg.subject, notification) or f"[switchover] {first}").split())[:200]
    message["From"] = cfg.sender or f"switchover@{host}"
    message["To"] = ", ".join((cfg.to,) if isinstance(cfg.to, str) else cfg.to)
    message["Date"] = formatdate(localtime=True)
    message["Message-ID"] = f"<{notification.id or 'test'}@switchover.{host}>"
    message["Auto-Submitted"] = "auto-generated"
    lines = [notification.sentence, "", f"rule: {notification.rule}", f"host: {host}"]
    lines += [f"runbook: {notification.link}"] if notification.link else []
    message.set_content(alert_text(cfg.body, notification) or "\n".join(lines))
    return message


def _send(message: EmailMessage, cfg: EmailNotifierConfig) -> None:
    host, _, port = cfg.server.rpartition(":") if cfg.server.rpartition(":")[2].isdecimal() else (cfg.server, "", "25")
    context = ssl.create_default_context()
    with (
        smtplib.SMTP_SSL(host, int(port), timeout=_TIMEOUT_S, context=context)
        if port == "465"
        else smtplib.SMTP(host, int(port), timeout=_TIMEOUT_S)
    ) as server:
        safe = port == "465" or _secured(server, cfg, context)
        if cfg.user:
            if not safe and host not in ("localhost", "127.0.0.1", "::1"):
                raise NotSentError("the mail server offers no TLS, and the password is not sent without", again=False)
            server.login(cfg.user, cfg.password)
        server.send_message(message)


def _secured(server: smtplib.SMTP, cfg: EmailNotifierConfig, context: ssl.SSLContext) -> bool:
    server.ehlo()
    if cfg.tls == "never":
        return False
    if server.has_extn("starttls"):
        server.starttls(context=context)
        server.ehlo()
        return True
    if cfg.tls == "always":
        raise NotSentError("the mail server offers no TLS", again=False)
    return False
