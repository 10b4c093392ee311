"""Real units of a real systemd fail; the host has no plan."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from tests.real.triage.conftest import Room
from tests.support.servers.dockerd import DockerDaemon
from tests.support.servers.systemd_container import SystemdHost, run_systemd

from switchover.agent.process.lifecycle import stop

UNITS = {
    "looper.service": "[Unit]\nStartLimitIntervalSec=60\nStartLimitBurst=3\n[Service]\nRestart=always\n"
    "RestartSec=100ms\nExecStart=/bin/sh -c 'exit 3'\n",
    "finisher.service": "[Service]\nType=oneshot\nExecStart=/bin/true\n",
    "stopped.service": "[Service]\nExecStart=/bin/sleep 1000\n",
}


@pytest.fixture
def machine(docker_daemon: DockerDaemon, monkeypatch: pytest.MonkeyPatch) -> Iterator[SystemdHost]:
    with run_systemd(docker_daemon, UNITS) as host:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", host.bus)
        yield host


async def test_a_unit_that_fails_again_and_again_is_found_and_one_that_ended_is_not(
    machine: SystemdHost, room: Room
) -> None:
    client = await room.client()
    await client.request("service.found", wanted=True)
    for words in (("start", "finisher"), ("start", "stopped"), ("stop", "stopped"), ("start", "--no-block", "looper")):
        machine.systemctl(*words)
    problem, view = await room.known(client, "looper", "crash-loop")
    assert problem.service == "systemd:looper.service"
    assert "looper" in view.because[0]
    look = await client.request("issue.look", entry=problem.known, about=problem.service)
    command = next(text for text in look["diagnose"] if text.startswith("systemctl show"))
    said = machine.container.exec_run(["sh", "-c", command], environment={"UNIT": "looper.service"}).output.decode()
    assert "NRestarts=3" in said
    assert "ExecMainStatus=3" in said
    assert not {one.service for one in room.last.problems} & {"systemd:finisher.service", "systemd:stopped.service"}


async def test_a_job_that_failed_and_that_systemd_has_forgotten_is_kept_over_a_new_agent_until_it_is_seen(
    machine: SystemdHost, room: Room
) -> None:
    kept = "failed:systemd:nightly.service"
    client = await room.client()
    await client.request("service.found", wanted=True)
    await room.see(client, lambda now: any(row.kind == "systemd" for row in now.found))
    machine.run("systemd-run", "--unit=nightly", "--collect", "/bin/sh", "-c", "exit 7")
    await room.see(client, lambda now: kept in {one.service for one in now.problems})
    await asyncio.to_thread(stop, room.workspace)
    assert "nightly" not in machine.systemctl("list-units", "--all", "--no-legend")
    again = await room.client()
    await again.request("service.found", wanted=True)
    now = await room.see(again, lambda now: kept in {one.service for one in now.problems})
    (row,) = [row for row in now.found if row.id == kept]
    assert "exit 7" in row.detail
    assert "systemd has forgotten it since" in (await again.request("service.inspect", id=kept))["text"]
    assert "nightly.service" in (await again.request("service.command", id=kept, what="logs"))["text"]
    await again.request("service.seen", id="")
    await room.see(again, lambda now: kept not in {row.id for row in now.found})
    await asyncio.to_thread(stop, room.workspace)
    last = await room.client()
    await last.request("service.found", wanted=True)
    now = await room.see(last, lambda now: any(row.kind == "systemd" for row in now.found))
    assert kept not in {row.id for row in now.found}
