"""What programs say about services is never trusted: no secret of it is shown, and no control sequence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.unit.hub.fake_source import DOWN, UP, FakeSource, Host
from tests.unit.hub.hub_fakes import stage

from switchover.redaction import sanitize
from switchover.snapshot import Snapshot

PLAN = "services: {api: {kind: docker, container: api, every: 1h}}\n"
ODD = "unhealthy: login as shop with hunter2 \x1b[31mfailed"


def without_secrets(text: str) -> str:
    return sanitize(text.replace("hunter2", "•••"))


def leaks(snapshot: Snapshot) -> list[str]:
    said = repr((snapshot.found, snapshot.services, snapshot.timeline, snapshot.problems, snapshot.sources))
    return [word for word in ("hunter2", "\\x1b") if word in said]


async def test_what_a_container_says_of_itself_is_shown_without_secrets_and_control_sequences(tmp_path: Path) -> None:
    source = FakeSource(api=replace(UP, detail=ODD, image=ODD, user=ODD, ports=(ODD,)))
    source.groups["api"] = ODD
    async with Host(tmp_path, source, redact=without_secrets) as host:
        row = await host.row("docker:api")
        assert "•••" in row.detail
        assert leaks(host.hub.snapshot) == []
        source.tell("api", "died", replace(DOWN, detail=ODD), text=ODD)
        await host.row("docker:api", "stopped")
        told = await host.until(lambda s: bool(s.timeline))
        assert leaks(told) == []


async def test_the_plans_services_too_say_nothing_secret(tmp_path: Path) -> None:
    source = FakeSource(api=replace(UP, detail=ODD))
    async with stage(PLAN, tmp_path, providers=(source,), redact=without_secrets) as live:
        await live.until(lambda s: s.services[0].state == "running")
        source.tell("api", "died", replace(DOWN, detail=ODD), text=ODD)
        now = await live.until(lambda s: s.services[0].state == "stopped" and bool(s.timeline))
        assert leaks(now) == []


async def test_why_a_source_is_off_is_said_without_secrets(tmp_path: Path) -> None:
    source = FakeSource("api")
    async with Host(tmp_path, source, redact=without_secrets) as host:
        await host.row("docker:api")
        source.why_off = f"Docker at tcp://{ODD}"
        source.tell("api")
        told = await host.until(lambda s: any(note.why for note in s.sources))
        assert leaks(told) == []
