"""Kinds that look at this machine: processes, ports, disk, memory, and Debian's monitoring plugins."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from tests.conftest import missing

from switchover_checks.api import Result, Status

Run = Callable[..., Awaitable[Result]]
PLUGINS = Path("/usr/lib/nagios/plugins")
MARK = f"marked-for-{uuid.uuid4().hex}"  # other runs on this host have processes of their own
LISTENER = """
import socket, sys, time
listener = socket.socket(); listener.bind(("127.0.0.1", 0)); listener.listen()
print(listener.getsockname()[1], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def listening() -> Iterator[tuple[int, int]]:
    """A process of ours with a port: its pid and the port."""
    process = subprocess.Popen(
        [sys.executable, "-c", LISTENER, MARK],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    yield process.pid, int(process.stdout.readline())
    process.communicate()


async def test_a_process_is_found_by_pattern_port_and_pid_file(
    run: Run, listening: tuple[int, int], tmp_path: Path
) -> None:
    pid, port = listening
    (tmp_path / "it.pid").write_text(f"{pid}\n")
    for config in ({"pattern": f"{MARK}$"}, {"listen": port}, {"pid_file": "it.pid"}):
        result = await run("process", **config, count="1:1")
        assert result.status is Status.OK, result
        assert str(pid) in result.summary


async def test_all_ways_must_hold_together(run: Run, listening: tuple[int, int]) -> None:
    result = await run("process", listen=listening[1], pattern="another name")
    assert (result.status, result.findings[0].observed) == (Status.CRIT, "0")


async def test_too_many_processes_are_critical_too(run: Run, listening: tuple[int, int]) -> None:
    assert (await run("process", pattern=f"{MARK}$", count="2:")).status is Status.CRIT


async def test_use_is_judged(run: Run, listening: tuple[int, int]) -> None:
    result = await run("process", listen=listening[1], memory_crit="~:1KiB", cpu_warn="~:99")
    assert {f.what: f.status for f in result.findings} == {
        "processes": Status.OK,
        "memory": Status.CRIT,
        "cpu": Status.OK,
    }


@pytest.mark.parametrize(
    ("content", "status"), [("", Status.UNKNOWN), ("abc", Status.UNKNOWN), ("99999999999", Status.UNKNOWN)]
)
async def test_a_pid_file_without_a_pid_proves_nothing(run: Run, tmp_path: Path, content: str, status: Status) -> None:
    (tmp_path / "it.pid").write_text(content)
    result = await run("process", pid_file="it.pid")
    assert result.findings[0].status is status
    assert result.status is not Status.OK


async def test_a_pid_that_now_belongs_to_another_process_is_critical(
    run: Run, listening: tuple[int, int], tmp_path: Path
) -> None:
    path = tmp_path / "old.pid"
    path.write_text(str(listening[0]))
    os.utime(path, (time.time() - 3600, time.time() - 3600))
    result = await run("process", pid_file="old.pid")
    assert result.status is Status.CRIT
    assert "belongs to another process" in result.findings[0].observed


async def test_a_process_that_ended_is_critical(run: Run, tmp_path: Path) -> None:
    ended = await asyncio.create_subprocess_exec("true")
    await ended.wait()
    (tmp_path / "it.pid").write_text(str(ended.pid))
    assert (await run("process", pid_file="it.pid")).status is Status.CRIT
    assert (await run("process", pid_file="never-written.pid")).status is Status.CRIT


async def test_a_port_tells_who_listens(run: Run, listening: tuple[int, int]) -> None:
    pid, port = listening
    result = await run("port", port=port, address="127.0.0.1", process=MARK)
    assert result.status is Status.OK, result
    assert f"pid {pid}" in result.findings[0].observed
    assert (await run("port", port=port, address="0.0.0.0")).status is Status.CRIT
    assert (await run("port", port=port, process="another")).status is Status.CRIT
    assert (await run("port", port=port, open=False)).status is Status.CRIT
    assert (await run("port", port=1)).status is Status.CRIT
    assert (await run("port", port=1, open=False)).status is Status.OK


async def test_disk_and_memory_alert_below_a_share_or_an_amount(run: Run) -> None:
    for kind, extra in (("disk", {"path": "/"}), ("memory", {})):
        assert (await run(kind, **extra, warn="0.001%:", crit="1B:")).status is Status.OK
        assert (await run(kind, **extra, warn="99.999%:")).status is Status.WARN
        crit = await run(kind, **extra, warn="99.999%:", crit="900TiB:")
        assert crit.status is Status.CRIT
        assert crit.findings[0].expected == "at least 900 TiB"
        assert "%" in crit.findings[0].observed


async def test_a_path_that_is_not_there_is_unknown(run: Run) -> None:
    assert (await run("disk", path="/no/such/path", warn="1%:")).status is Status.UNKNOWN


@pytest.fixture
def plugin() -> Callable[[str], str]:
    def find(name: str) -> str:
        if not (PLUGINS / name).exists():
            missing("monitoring-plugins-basic (Debian package)")
        return str(PLUGINS / name)

    return find


@pytest.mark.parametrize("code", [0, 1, 2, 3])
async def test_a_plugin_says_the_status(run: Run, plugin: Callable[[str], str], code: int) -> None:
    result = await run("nagios", command=[plugin("check_dummy"), str(code), "as told"])
    assert result.status is Status(code)
    assert "as told" in result.summary


async def test_performance_data_of_real_plugins_becomes_metrics(run: Run, plugin: Callable[[str], str]) -> None:
    disk = await run("nagios", command=[plugin("check_disk"), "-w", "1%", "-c", "0%", "-p", "/"])
    assert disk.status is Status.OK, disk
    assert disk.metrics[0].name == "/"
    assert disk.metrics[0].unit == "B"
    load = await run("nagios", command=f"{plugin('check_load')} -w 1000,1000,1000 -c 2000,2000,2000")
    assert [m.name for m in load.metrics] == ["load1", "load5", "load15"]


async def test_a_plugin_that_is_not_there_or_used_wrongly_is_unknown(run: Run, plugin: Callable[[str], str]) -> None:
    assert (await run("nagios", command=[str(PLUGINS / "check_nothing")])).status is Status.UNKNOWN
    assert (await run("nagios", command=[plugin("check_disk")])).status is Status.UNKNOWN
    assert (await run("nagios", command="exit 4")).status is Status.UNKNOWN
