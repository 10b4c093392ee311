"""Real units of a real systemd fail; the host has no plan."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.real.triage.conftest import Room
from tests.support.servers.dockerd import DockerDaemon
from tests.support.servers.systemd_container import SystemdHost, run_systemd

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
    look = await client.request("trouble.look", entry=problem.known, about=problem.service)
    command = next(text for text in look["diagnose"] if text.startswith("systemctl show"))
    said = machine.container.exec_run(["sh", "-c", command], environment={"UNIT": "looper.service"}).output.decode()
    assert "NRestarts=3" in said
    assert "ExecMainStatus=3" in said
    assert not {one.service for one in room.last.problems} & {"systemd:finisher.service", "systemd:stopped.service"}
