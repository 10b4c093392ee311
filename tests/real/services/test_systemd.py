"""systemd as PID 1 of a container: units that run, fail, flap, stop slowly; a bus that goes away and comes back."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from tests.support.servers.dockerd import DockerDaemon, until
from tests.support.servers.systemd_container import SystemdHost, run_systemd

from switchover.clock import SystemClock
from switchover.errors import RefusedError
from switchover.services.provider_api import (
    Capability,
    Found,
    LogSource,
    LogSpan,
    Observation,
    ProcessState,
    ServiceEvent,
    ServiceTarget,
)
from switchover.services.systemd.systemd_provider import SystemdProvider
from switchover_checks.api import Status

_SLEEP = "ExecStart=/bin/sleep 1000\n"
_UNITS = {
    "api.service": f"[Unit]\nWants=store.service\nAfter=store.service\n[Service]\nExecReload=/bin/true\n{_SLEEP}",
    "store.service": f"[Service]\n{_SLEEP}",
    "bad.service": "[Service]\nExecStart=/bin/sh -c 'echo it is broken; exit 3'\n",
    "nothing.service": "[Service]\nExecStart=/no/such/program\n",
    "flapping.service": "[Unit]\nStartLimitIntervalSec=60\nStartLimitBurst=4\n"
    "[Service]\nExecStart=/bin/sh -c 'exit 7'\nRestart=on-failure\nRestartSec=10ms\n",
    "slow.service": "[Service]\nExecStart=/bin/sh -c 'trap \"\" TERM; while :; do sleep 0.1; done'\nTimeoutStopSec=1\n",
    "edited.service": f"[Service]\n{_SLEEP}",
    "killed.service": f"[Service]\n{_SLEEP}",
    "tick.timer": "[Timer]\nOnCalendar=hourly\n",
    "tick.service": "[Service]\nType=oneshot\nExecStart=/bin/true\n",
}


class Ear:
    """Hears what the provider tells, and waits for it."""

    def __init__(self) -> None:
        self.heard: list[ServiceEvent] = []
        self._more = asyncio.Event()

    def __call__(self, told: ServiceEvent) -> None:
        self.heard.append(told)
        self._more.set()

    async def hear(self, wanted: Callable[[ServiceEvent], object]) -> ServiceEvent:
        """Wait until something is told that fits; what is told before it is forgotten."""
        async with asyncio.timeout(30):
            while True:
                for place, told in enumerate(self.heard):
                    if wanted(told):
                        del self.heard[: place + 1]
                        return told
                self._more.clear()
                await self._more.wait()


@pytest.fixture(scope="module")
def host(docker_daemon: DockerDaemon) -> Iterator[SystemdHost]:
    with run_systemd(docker_daemon, _UNITS) as made:
        yield made


@pytest.fixture
async def provider(host: SystemdHost) -> AsyncIterator[SystemdProvider]:
    made = SystemdProvider(SystemClock().monotonic, host.bus, str(host.journal))
    yield made
    await made.aclose()


@pytest.fixture
async def ear(provider: SystemdProvider) -> AsyncIterator[Ear]:
    made = Ear()
    task = asyncio.create_task(provider.watch(made))
    await made.hear(lambda told: told.listing)
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def planned(unit: str) -> ServiceTarget:
    return ServiceTarget(unit, "systemd", ref=f"{unit}.service", unit=unit)


async def probe(provider: SystemdProvider, unit: str) -> Observation:
    return (await provider.inspect([planned(unit)]))[unit]


async def listed(provider: SystemdProvider) -> dict[str, Found]:
    return {found.target.ref: found for found in await provider.discover()}


async def ask(host: SystemdHost, *words: str) -> str:
    return await asyncio.to_thread(host.systemctl, *words)


async def fail(host: SystemdHost, unit: str) -> None:
    """Start a unit that fails, and wait until it has."""
    await ask(host, "start", unit)
    await asyncio.to_thread(until, lambda: host.systemctl("is-failed", unit) == "failed", f"{unit} has failed")


async def test_a_unit_that_fails_is_told_with_its_exit_status_and_when(
    host: SystemdHost, provider: SystemdProvider, ear: Ear
) -> None:
    await ask(host, "start", "--no-block", "bad")
    told = await ear.hear(lambda told: (told.ref, told.what) == ("bad.service", "failed"))
    assert told.observation is not None
    assert (told.observation.state, told.observation.health, told.observation.detail) == (
        ProcessState.STOPPED,
        Status.CRIT,
        "failed: exit 3",
    )
    assert told.at is not None
    assert abs(time.time() - told.at) < 30
    assert told.observation.since == told.at
    assert told.observation.can == {Capability.START}


async def test_a_unit_whose_program_is_not_there_says_so(host: SystemdHost, provider: SystemdProvider) -> None:
    await fail(host, "nothing")
    assert (await probe(provider, "nothing")).detail == "failed: exit 203 (its program cannot be executed)"


async def test_a_unit_that_is_killed_is_told_with_the_signal(
    host: SystemdHost, provider: SystemdProvider, ear: Ear
) -> None:
    await ask(host, "start", "killed")
    told = await ear.hear(lambda told: (told.ref, told.what) == ("killed.service", "started"))
    assert told.observation is not None
    assert told.observation.pid is not None
    assert told.observation.identity
    await ask(host, "kill", "--signal=SEGV", "killed")
    told = await ear.hear(lambda told: (told.ref, told.what) == ("killed.service", "failed"))
    assert told.observation is not None
    assert "killed by SIGSEGV" in told.observation.detail


async def test_a_unit_that_flaps_until_systemd_gives_up_says_both(
    host: SystemdHost, provider: SystemdProvider, ear: Ear
) -> None:
    await ask(host, "start", "--no-block", "flapping")
    told = await ear.hear(lambda told: (told.ref, told.what) == ("flapping.service", "failed"))
    assert told.observation is not None
    assert told.observation.health is Status.CRIT
    assert "exit 7" in told.observation.detail
    assert "gave up after" in told.observation.detail
    assert told.observation.restarts


async def test_what_runs_and_what_failed_is_listed_and_the_rest_is_not(
    host: SystemdHost, provider: SystemdProvider, ear: Ear
) -> None:
    await ask(host, "start", "api")
    await fail(host, "bad")
    found = await listed(provider)
    assert found["bad.service"].observation.health is Status.CRIT
    assert next(iter(found.values())).observation.health is Status.CRIT
    assert (found["api.service"].title, found["api.service"].observation.state) == ("api", ProcessState.RUNNING)
    assert "rescue.service" not in found
    assert "slow.service" not in found
    await ear.hear(lambda told: told.listing)
    found = await listed(provider)
    api = found["api.service"]
    assert (api.group, api.needs) == ("system.slice", ("store.service",))
    assert api.observation.pid is not None
    assert api.observation.memory_bytes is None or api.observation.memory_bytes > 0


async def test_a_unit_that_was_stopped_stays_listed_so_that_it_can_be_started(
    host: SystemdHost, provider: SystemdProvider
) -> None:
    await ask(host, "start", "store")
    target = (await listed(provider))["store.service"].target
    assert await provider.act(target, Capability.STOP) == "store.service is stopped"
    found = (await listed(provider))["store.service"]
    assert (found.observation.state, found.observation.health) == (ProcessState.STOPPED, Status.OK)
    assert found.observation.can <= {Capability.START}
    assert (await provider.act(target, Capability.START)).startswith("store.service runs, pid ")


async def test_start_restart_reload_and_stop_are_done_when_they_say_so(
    host: SystemdHost, provider: SystemdProvider
) -> None:
    await ask(host, "stop", "api")
    assert (await probe(provider, "api")).state is ProcessState.STOPPED
    assert (await provider.act(planned("api"), Capability.START)).startswith("api.service runs, pid ")
    first = await probe(provider, "api")
    assert first.can == {Capability.STOP, Capability.RESTART, Capability.KILL, Capability.RELOAD}
    assert (await provider.act(planned("api"), Capability.RELOAD)).startswith("api.service has read its config")
    await provider.act(planned("api"), Capability.RESTART)
    second = await probe(provider, "api")
    assert (second.pid != first.pid, second.identity != first.identity) == (True, True)
    await provider.act(planned("api"), Capability.STOP)
    assert (await probe(provider, "api")).detail == "not started"


async def test_a_unit_that_stops_slowly_is_waited_for(host: SystemdHost, provider: SystemdProvider, ear: Ear) -> None:
    await ask(host, "start", "slow")
    await ear.hear(lambda told: (told.ref, told.what) == ("slow.service", "started"))
    stopping = asyncio.create_task(provider.act(planned("slow"), Capability.STOP))
    await ear.hear(
        lambda told: told.ref == "slow.service" and told.observation and told.observation.detail == "stopping"
    )
    assert "did not answer in time" in await stopping


async def test_what_systemd_refuses_is_said_in_plain_words(host: SystemdHost, provider: SystemdProvider) -> None:
    with pytest.raises(RefusedError, match=r"no unit absent.service|absent.service"):
        await provider.act(planned("absent"), Capability.START)
    with pytest.raises(RefusedError, match="cannot be asked to reload"):
        await provider.act(planned("store"), Capability.RELOAD)
    with pytest.raises(RefusedError, match="cannot be asked to scale"):
        await provider.act(planned("store"), Capability.SCALE)
    assert (await probe(provider, "absent")).detail == "there is no such unit"


async def test_a_unit_that_was_restarted_meanwhile_is_left_alone(host: SystemdHost, provider: SystemdProvider) -> None:
    await ask(host, "start", "api")
    seen = await probe(provider, "api")
    meant = ServiceTarget("api", "systemd", ref="api.service", unit="api", identity=seen.identity)
    await ask(host, "restart", "api")
    with pytest.raises(RefusedError, match="was restarted meanwhile"):
        await provider.act(meant, Capability.STOP)
    assert (await probe(provider, "api")).state is ProcessState.RUNNING


async def test_a_unit_file_that_changed_on_disk_is_said_until_it_is_loaded(
    host: SystemdHost, provider: SystemdProvider, ear: Ear
) -> None:
    await ask(host, "start", "edited")
    before = await probe(provider, "edited")
    assert before.health is Status.OK
    host.write("edited.service", f"[Service]\nEnvironment=LEVEL=debug\n{_SLEEP}")
    other = SystemdProvider(SystemClock().monotonic, host.bus)
    stale = await probe(other, "edited")
    await other.aclose()
    assert (stale.health, stale.config) == (Status.WARN, before.config)
    assert "daemon-reload" in stale.detail
    await ask(host, "daemon-reload")
    await ear.hear(lambda told: told.what == "reload")
    after = await probe(provider, "edited")
    assert (after.health, after.config != before.config) == (Status.OK, True)
    assert "LEVEL" not in repr(after)


async def test_the_journal_of_a_unit_is_read_by_the_command_that_is_given(
    host: SystemdHost, provider: SystemdProvider
) -> None:
    await fail(host, "bad")
    source = await provider.log_source(planned("bad"), LogSpan(tail=50, follow=False))
    assert isinstance(source, LogSource)
    assert (source.kind, source.parse) == ("command", "journal-json")
    process = await asyncio.create_subprocess_exec(*source.argv, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert b'"MESSAGE":"it is broken"' in output


async def test_a_command_line_is_what_a_person_would_type(provider: SystemdProvider) -> None:
    line = provider.command_line
    assert line(planned("api"), Capability.RESTART) == ("systemctl", "restart", "api.service")
    assert line(planned("api"), Capability.KILL) == ("systemctl", "kill", "--signal=KILL", "api.service")
    assert line(ServiceTarget("x", "systemd", ref="user:x.service"), Capability.STOP) == (
        "systemctl",
        "--user",
        "stop",
        "x.service",
    )
    assert line(planned("api"), Capability.SCALE) == ()


async def test_a_systemd_that_boots_anew_is_found_again_without_being_asked(
    host: SystemdHost, provider: SystemdProvider, ear: Ear
) -> None:
    await ask(host, "start", "api")
    assert (await probe(provider, "api")).state is ProcessState.RUNNING
    restarting = asyncio.create_task(asyncio.to_thread(host.restart))
    await ear.hear(lambda told: told.listing and told.text)
    assert provider.off()
    await ear.hear(lambda told: told.listing and not told.text)
    await restarting
    assert provider.off() == ""
    assert (await probe(provider, "api")).state is ProcessState.STOPPED
    await ask(host, "start", "--no-block", "bad")
    await ear.hear(lambda told: (told.ref, told.what) == ("bad.service", "failed"))


async def test_a_host_without_systemd_says_so_at_once(tmp_path: object) -> None:
    provider = SystemdProvider(SystemClock().monotonic, f"unix:path={tmp_path}/bus")
    seen = await probe(provider, "api")
    assert (seen.state, seen.detail) == (ProcessState.UNKNOWN, f"no bus at {tmp_path}/bus")
    assert provider.off() == f"no bus at {tmp_path}/bus"
    assert await provider.discover() == []


async def test_who_may_not_act_is_told_what_it_takes(host: SystemdHost) -> None:
    if os.geteuid() != 0:
        pytest.skip("takes root, to become somebody else")
    await ask(host, "start", "store")
    provider = SystemdProvider(SystemClock().monotonic, host.bus)
    host.folder.chmod(0o711)
    os.seteuid(65534)  # the bus asks the kernel who it is that connects
    try:
        assert (await probe(provider, "store")).state is ProcessState.RUNNING
        with pytest.raises(RefusedError, match=r"not allowed to stop store.service: it takes root"):
            await provider.act(planned("store"), Capability.STOP)
    finally:
        os.seteuid(0)
        await provider.aclose()


async def test_units_of_the_users_own_manager_are_called_so(
    host: SystemdHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "systemd").mkdir()
    (tmp_path / "bus").symlink_to(host.folder / "run" / "dbus" / "system_bus_socket")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    await ask(host, "start", "api")
    provider = SystemdProvider(SystemClock().monotonic)
    try:
        found = (await listed(provider))["user:api.service"]
        assert (found.title, found.group, found.target.name) == ("user:api", "user", "systemd:user:api.service")
        assert (await provider.act(found.target, Capability.RESTART)).startswith("api.service runs")
        source = await provider.log_source(found.target, LogSpan())
        assert isinstance(source, LogSource)
        assert source.argv[-1] == "--user-unit=api.service"
        assert (await probe(provider, "user:api")).state is ProcessState.RUNNING
    finally:
        await provider.aclose()
