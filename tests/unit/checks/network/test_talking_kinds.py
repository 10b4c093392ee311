"""`tcp` dialogues, `smtp` and `load` against servers of the test: stand-ins that speak as real ones do."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.support.made_chains import issue, server_context
from tests.support.stand_ins.json_routes import json_routes
from tests.support.stand_ins.tcp_server import serving

from switchover_checks.api import ProbeError, Result, Status
from switchover_checks.kinds.tcp import TcpConfig
from switchover_checks.runtime.config import ConfigError, build_config
from switchover_checks.runtime.probe_ports import ProbePorts
from switchover_checks.runtime.registry import Registry

Probe = Callable[..., Awaitable[Result]]
EXTENSIONS = ["250-mail.example.org", "250-PIPELINING", "250-AUTH PLAIN LOGIN", "250-SIZE 1024", "250 STARTTLS"]
RIGHT = base64.b64encode(b"\0probe\0pw").decode()


def mail(context: ssl.SSLContext | None = None, taken: list[str] | None = None, *, refuse: str = "") -> Any:
    """Return a mail server that knows one account."""
    answers = {"MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go on", "QUIT": "221 bye"}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org ESMTP\r\n")
        while line := (await reader.readline()).decode().strip():
            word = line.split()[0].upper()
            if word == refuse:
                answer = f"550 {word} refused"
            elif word == "EHLO":
                answer = "\r\n".join(EXTENSIONS)
            elif word == "STARTTLS":
                writer.write(b"220 ready\r\n")
                assert context is not None
                await writer.start_tls(context)
                continue
            elif word == "AUTH":
                answer = "235 welcome" if line.split()[2] == RIGHT else "535 wrong password"
            elif word == "DATA":
                writer.write(b"354 go on\r\n")
                message = (await reader.readuntil(b"\r\n.\r\n")).decode()
                (taken if taken is not None else []).append(message)
                answer = "250 taken"
            else:
                answer = answers.get(word, "502 what?")
            writer.write(f"{answer}\r\n".encode())

    return serve


@pytest.mark.parametrize(
    ("turns", "status"),
    [
        ([{"read": "^220 "}, {"send": "EHLO me\r\n"}, {"read": "250 STARTTLS"}], Status.OK),
        ([{"read": "^220 "}, {"send": "EHLO me\r\n"}, {"read": "250 NOTHING"}], Status.CRIT),
        ([{"read": "^250 "}], Status.CRIT),
        ([{"read": "^220 "}, {"send": "NOOP\r\n"}, {"read": "502"}, {"send": "QUIT\r\n"}, {"read": "221"}], Status.OK),
    ],
)
async def test_a_dialogue_goes_on_as_long_as_it_is_answered(
    probe: Probe, monkeypatch: pytest.MonkeyPatch, turns: Any, status: Status
) -> None:
    monkeypatch.setattr("switchover_checks.kinds.network.tcp_dialogue._QUIET_S", 0.2)
    async with serving(mail()) as port:
        result = await probe("tcp", port=port, dialogue=turns)
    assert result.status is status, result
    assert result.phase == ("" if status is Status.OK else "assert")


@pytest.mark.parametrize(
    "keys",
    [
        {"dialogue": [{"send": "x"}]},
        {"dialogue": [{"read": "x", "send": "y"}]},
        {"dialogue": [{}]},
        {"dialogue": [{"read": "("}]},
        {"dialogue": [{"say": "x"}]},
        {"dialogue": [{"read": "x"}], "send": "y"},
    ],
)
def test_a_dialogue_that_proves_nothing_is_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        build_config(TcpConfig, {"port": 25, **keys})


def test_what_a_dialogue_sends_writes_unless_the_plan_says_it_reads() -> None:
    turns = [{"read": "220"}, {"send": "QUIT"}, {"read": "221"}]
    changes = Registry().changes
    assert changes("tcp", {"port": 25, "dialogue": turns}) != ""
    assert changes("tcp", {"port": 25, "dialogue": turns, "effect": "read"}) == ""
    assert changes("tcp", {"port": 25, "dialogue": turns[:1]}) == ""
    assert changes("smtp", {"deliver": "a@b", "sender": "c@d"}) != ""


@pytest.mark.parametrize(
    ("keys", "status"),
    [
        ({}, Status.OK),
        ({"expect": ["extensions contains 'PIPELINING'", "size == 1024B", "banner contains 'ESMTP'"]}, Status.OK),
        ({"expect": "extensions contains '8BITMIME'"}, Status.CRIT),
        ({"expect": "tls == 'TLSv1.3'"}, Status.UNKNOWN),
    ],
)
async def test_a_mail_server_greets_and_tells_what_it_can(probe: Probe, keys: dict[str, Any], status: Status) -> None:
    async with serving(mail()) as port:
        result = await probe("smtp", port=port, **keys)
    assert result.status is status, result


async def test_a_login_goes_over_tls_and_a_message_is_taken(probe: Probe, tmp_path: Path) -> None:
    taken: list[str] = []
    context = server_context(tmp_path, issue("localhost"))
    keys: dict[str, Any] = {"host": "localhost", "tls": "starttls", "verify": False, "user": "probe"}
    async with serving(mail(context, taken)) as port:
        keys["port"] = port
        right = await probe("smtp", **keys, password="pw", sender="a@b.c", deliver="d@e.f", expect="tls == 'TLSv1.3'")
        with pytest.raises(ProbeError) as wrong:
            await probe("smtp", **keys, password="nonsense")
        with pytest.raises(ProbeError) as untrusted:
            await probe("smtp", **{**keys, "verify": True}, password="pw")
    assert right.status is Status.OK, right
    assert "To: <d@e.f>" in taken[0]
    assert (wrong.value.phase, untrusted.value.phase) == ("auth", "tls")
    assert "nonsense" not in str(wrong.value)


async def test_a_recipient_that_is_refused_is_told(probe: Probe) -> None:
    async with serving(mail(refuse="RCPT")) as port:
        with pytest.raises(ProbeError, match="RCPT TO is answered with 550") as refused:
            await probe("smtp", port=port, sender="a@b.c", deliver="d@e.f")
    assert refused.value.phase == "send"


@pytest.mark.parametrize(
    ("code", "keys", "status"),
    [
        (200, {"expect": ["requests == 20", "errors == 0%", "p95 < 30s"]}, Status.OK),
        (500, {}, Status.CRIT),
        (200, {"expect": "p50 < 1us"}, Status.CRIT),
    ],
)
async def test_a_service_bears_a_load_or_not(probe: Probe, code: int, keys: dict[str, Any], status: Status) -> None:
    with json_routes({"/health": (code, {})}) as server:

        async def service(_name: str) -> Mapping[str, Any]:
            return {"url": server.address, "state": "running"}

        load = {"rps": 200, "for": "100ms", "path": "/health", **keys}
        result = await probe("load", ports=ProbePorts(service), about="api", **load)
    assert result.status is status, result


async def test_only_the_url_of_a_service_is_loaded(probe: Probe) -> None:
    async def service(_name: str) -> Mapping[str, Any]:
        return {"state": "running"}

    with pytest.raises(ProbeError, match="no url"):
        await probe("load", ports=ProbePorts(service), about="api", rps=1)
