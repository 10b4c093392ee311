"""`systemd` asks a real one: PID 1 of a container, whose `systemctl` is run by a program of that name on PATH."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from tests.support.servers.dockerd import DockerDaemon, until
from tests.support.servers.systemd_container import SystemdHost, run_systemd

from switchover_checks.api import Result, Status

Run = Callable[..., Awaitable[Result]]
_UNITS = {
    "api.service": "[Service]\nExecStart=/bin/sleep 1000\n",
    "bad.service": "[Service]\nExecStart=/bin/sh -c 'exit 3'\n",
    "dump.service": "[Service]\nType=oneshot\nExecStart=/bin/true\n",
    "dump.timer": "[Timer]\nOnCalendar=*-*-* 04:00:00\nOnActiveSec=1ms\nAccuracySec=1ms\n",
    "failing.service": "[Service]\nType=oneshot\nExecStart=/bin/false\n",
    "failing.timer": "[Timer]\nOnCalendar=*-*-* 04:00:00\nOnActiveSec=1ms\nAccuracySec=1ms\n",
}


@pytest.fixture
def host(docker_daemon: DockerDaemon) -> Iterator[SystemdHost]:
    with run_systemd(docker_daemon, _UNITS) as host:
        yield host


async def test_units_and_timers_are_as_a_real_systemd_says(
    run: Run, host: SystemdHost, docker_daemon: DockerDaemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    within = tmp_path / "systemctl"
    within.write_text(f'#!/bin/sh\nexec docker -H {docker_daemon.url} exec {host.container.name} systemctl "$@"\n')
    within.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    host.systemctl("start", "api.service", "bad.service", "dump.timer", "failing.timer")
    until(lambda: "failed" in host.systemctl("is-active", "bad.service"), "the bad one failed")
    until(lambda: "failed" in host.systemctl("is-active", "failing.service"), "the timer's service failed")
    until(lambda: "success" in host.systemctl("show", "-P", "Result", "dump.service"), "the dump was made")

    async def ask(unit: str, **keys: object) -> Result:
        return await run("systemd", unit=unit, **keys)

    running = await ask("api", enabled=False, expect=["uptime < 10m", "restarts == 0"])
    assert running.status is Status.OK, running
    failed = await ask("bad")
    assert (failed.status, failed.findings[0].observed) == (Status.CRIT, "failed (failed, exit-code)")
    assert (await ask("no-such-unit")).status is Status.CRIT
    assert (await ask("no-such-unit", state="absent")).status is Status.OK
    timer = await ask("dump.timer", max_age="10m", expect="next_run < 25h")
    assert timer.status is Status.OK, timer
    late = await ask("failing.timer", max_age="10m")
    assert (late.status, late.findings[1].what) == (Status.CRIT, "last run")
