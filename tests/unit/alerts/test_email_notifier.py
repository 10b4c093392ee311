"""Mail reaches a real SMTP server; no password goes out without TLS; refusals count as what they are."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from switchover.alerts.alert_state import AlertEvent
from switchover.alerts.notifier_api import Notification
from switchover.alerts.notifiers.email_notifier import EmailNotifierConfig, _send
from switchover.alerts.sending_once import send_once
from switchover.plan.kind_calls import KindCalls
from switchover.plan.model import NotifierSpec

NOTE = Notification(
    "k", AlertEvent.FIRED, "alert fires: slow", "metric > 1", 1.0, name="slow", id="abc", link="https://r/1"
)


class Receiver:
    def __init__(self) -> None:
        self.got: list[Any] = []
        self.answer = "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.got.append(envelope)
        return self.answer


@pytest.fixture
def receiver() -> Iterator[tuple[Receiver, str]]:
    handler = Receiver()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(
        handler,
        hostname="127.0.0.1",
        port=port,
        auth_require_tls=False,
        authenticator=lambda *_: AuthResult(success=True),
    )
    controller.start()
    yield handler, f"127.0.0.1:{port}"
    controller.stop()


async def send(keys: dict[str, Any]) -> str:
    calls = KindCalls()
    try:
        return await send_once(NotifierSpec.model_validate({"kind": "email", **keys}), calls, NOTE)
    finally:
        await calls.aclose()


async def test_a_mail_reaches_everybody_and_says_what_it_is(receiver: tuple[Receiver, str]) -> None:
    handler, server = receiver
    assert await send({"to": ["a@example.org", "b@example.org"], "server": server, "user": "u", "password": "p"}) == ""
    (mail,) = handler.got
    text = mail.content.decode()
    assert mail.rcpt_tos == ["a@example.org", "b@example.org"]
    assert "Subject: [switchover] alert fires: slow" in text
    assert "Message-ID: <abc@switchover." in text
    assert "runbook: https://r/1" in text


async def test_subject_and_body_of_ones_own_are_filled_and_end_no_header(receiver: tuple[Receiver, str]) -> None:
    handler, server = receiver
    keys = {"subject": "Alert: {{ alert.name }}\nBcc: x@y", "body": "{{ alert.instance }}: {{ alert.text }}"}
    assert await send({"to": "a@example.org", "server": server, **keys}) == ""
    text = handler.got[0].content.decode()
    assert "Subject: Alert: slow Bcc: x@y" in text
    assert "slow: alert fires: slow" in text
    assert handler.got[0].rcpt_tos == ["a@example.org"]


@pytest.mark.parametrize(("answer", "said"), [("451 later", "451"), ("554 no", "554")])
async def test_a_refusal_is_said_with_its_code(receiver: tuple[Receiver, str], answer: str, said: str) -> None:
    handler, server = receiver
    handler.answer = answer
    assert await send({"to": "a@example.org", "server": server}) == f"the mail server answered {said}"


async def test_no_server_and_no_tls_are_said(receiver: tuple[Receiver, str]) -> None:
    assert "cannot be reached" in await send({"to": "a@example.org", "server": "127.0.0.1:1"})
    said = await send({"to": "a@example.org", "server": receiver[1], "tls": "always"})
    assert said == "the mail server offers no TLS"


def test_a_password_is_not_sent_without_tls(receiver: tuple[Receiver, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", _to_loopback)
    cfg = EmailNotifierConfig("a@b", f"mail.example:{receiver[1].rpartition(':')[2]}", user="u", password="p")
    with pytest.raises(Exception, match="the password is not sent without"):
        _send(EmailMessage(), cfg)


def _to_loopback(host: str, port: Any, *args: Any, **kinds: Any) -> Any:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", int(port)))]
