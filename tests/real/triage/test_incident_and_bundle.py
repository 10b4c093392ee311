"""Incidents outlive the agent; a bundle of a real agent holds no secret."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest
from tests.real.triage.conftest import Room, free_port
from tests.support.stand_ins.metadata_service import metadata_service_stand_in

from switchover.agent.process.lifecycle import ask
from switchover.errors import RefusedError
from switchover.triage.known import known_entry

CANARY = "cAnaRy-9f2c41aa"


def private(path: Path) -> bytes:
    """Return what is in a file that nobody else may read."""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return path.read_bytes()


def everything_in(folder: Path) -> bytes:
    return b"".join(private(file) for file in folder.iterdir())


async def test_an_incident_goes_on_in_the_next_agent_and_ends_in_a_report(room: Room) -> None:
    port = free_port()
    room.write(f"checks:\n  up: {{kind: tcp, port: {port}, every: 0.5s}}\n")
    client = await room.client()
    await room.see(client, lambda now: now.problems)
    assert await client.request("incident.open", title="api down") == {"id": "1"}
    with pytest.raises(RefusedError, match="incident 1 is open"):
        await client.request("incident.open", title="another")
    await client.request("incident.note", text=f"looked; password={CANARY}")
    now = await room.see(client, lambda now: now.incident is not None and now.incident.notes)
    assert now.incident is not None
    assert (now.incident.title, now.incident.opened_by) == ("api down", "ann")
    info = ask(room.workspace)
    assert info is not None
    os.kill(info.pid, signal.SIGKILL)
    again = await room.client("ben")
    now = await room.see(again, lambda now: now.incident is not None and now.problems)
    server = await asyncio.start_server(lambda _r, writer: writer.close(), "127.0.0.1", port)
    async with server:
        await room.see(again, lambda now: not now.problems)
        await again.request("incident.note", text="it answers again")
        path = Path((await again.request("incident.close", text="it was not started"))["path"])
    text = private(path).decode()
    for said in ("# Incident 1: api down", "ann@h", "closed", "by ben@h", "it answers again", "up crit", "up ok",
                 "## What was wrong", "crit up: 127.0.0.1"):  # fmt: skip
        assert said in text
    assert CANARY not in text
    await room.see(again, lambda now: now.incident is None)
    listed = await again.request("incident.list")
    assert [(one["id"], one["closed_by"], one["path"]) for one in listed] == [("1", "ben", str(path))]
    assert CANARY.encode() not in everything_in(path.parent)


async def test_who_only_watches_opens_nothing(room: Room) -> None:
    room.write("checks: {}\n")
    client = await room.client(read_only=True)
    for method, params in (("incident.open", {"title": "x"}), ("incident.note", {"text": "x"}),
                           ("issue.solve", {"entry": "plan:0", "solution": 0})):  # fmt: skip
        with pytest.raises(RefusedError, match="only watches"):
            await client.request(method, **params)


async def test_no_secret_is_found_in_a_bundle(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_SECRET", CANARY)
    (room.folder / "web.log").write_text(
        f"INFO start\nERROR login with {CANARY} failed\nERROR api_key=other-{CANARY}x\n"
    )
    (room.folder / "file-secret").write_text(f"file-{CANARY}")
    room.write(
        "secrets:\n  one: {ref: 'env:TRIAGE_SECRET'}\n  two: {ref: 'file:file-secret'}\n"
        f"services:\n  web: {{kind: process, pid_file: web.pid, logs: [{room.folder}/web.log], every: 0.5s}}\n"
        f"checks:\n  up: {{kind: tcp, port: {free_port()}, every: 0.5s}}\n"
        f"contacts:\n  - {{name: Ana, note: 'token={CANARY}z'}}\n"
    )
    client = await room.client()
    await room.see(client, lambda now: len(now.problems) == 2)
    made = await client.request("bundle.make")
    path = Path(made["path"])
    assert len(private(path)) == made["bytes"]
    with tarfile.open(path) as archive:
        parts = {one.name.partition("/")[2]: archive.extractfile(one).read().decode() for one in archive}  # type: ignore[union-attr]
    assert {"README.md", "problems.md", "timeline.md", "snapshot.json", "doctor.txt", "journal.txt", "plan.yaml",
            "logs/web.log"} <= set(parts)  # fmt: skip
    for name, text in parts.items():
        assert CANARY not in text, name
    assert "ERROR login with (secret one) failed" in parts["logs/web.log"]
    assert "Nothing listens where it connects to" in parts["problems.md"]
    assert "switchover is usable here" in parts["doctor.txt"]
    await room.see(client, lambda now: any("made a bundle" in row.text for row in now.timeline))


def test_the_notice_of_a_spot_instance_is_read_as_aws_wants_it_read(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = known_entry("spot-interruption")
    assert entry is not None
    with metadata_service_stand_in() as service:
        service.data["spot/instance-action"] = '{"action": "terminate", "time": "2026-01-28T15:04:00Z"}'
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", service.address)
        command = ["/bin/sh", "-c", entry.looks[0].command]
        said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert '"action": "terminate"' in said.stdout
