"""The kinds that look at the machine itself, asked about this very machine and about made-up answers of others."""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from switchover_checks.api import ProbeError, Result, Status
from switchover_checks.kinds.host.kernel_param import KernelParamConfig
from switchover_checks.kinds.host.package import PackageConfig
from switchover_checks.kinds.host.pressure import read_pressure
from switchover_checks.runtime.config import ConfigError, build_config

Probe = Callable[..., Awaitable[Result]]
ME = pwd.getpwuid(os.getuid())


def found(result: Result, what: str) -> Status:
    """Return the status of one finding."""
    return next(f.status for f in result.findings if f.what == what)


def sysctl(name: str) -> str:
    """Read a setting of this kernel."""
    return " ".join((Path("/proc/sys") / name).read_text().split())


@pytest.mark.parametrize(
    ("limits", "status"),
    [({"warn": "1000000"}, Status.OK), ({"warn": "@0:1000000"}, Status.WARN), ({"crit": "@0:1000000"}, Status.CRIT)],
)
async def test_the_load_is_judged_for_each_processor(probe: Probe, limits: dict[str, str], status: Status) -> None:
    result = await probe("load_average", **limits)
    assert result.status is status
    assert [m.name for m in result.metrics] == ["load1", "load5", "load15"]
    assert f"on {len(os.sched_getaffinity(0))} CPUs" in result.findings[0].observed


def test_pressure_is_read_for_some_and_for_all_tasks() -> None:
    text = "some avg10=1.50 avg60=2.25 avg300=0.75 total=123\nfull avg10=0.00 avg60=0.10 avg300=0.00 total=4\n"
    assert read_pressure(text) == {
        "some": {"avg10": 1.5, "avg60": 2.25, "avg300": 0.75},
        "full": {"avg10": 0.0, "avg60": 0.1, "avg300": 0.0},
    }


@pytest.mark.parametrize("text", ["", "some\n", "some avg10=1.0\n", "rubbish"])
def test_pressure_that_cannot_be_read_is_not_made_up(text: str) -> None:
    assert read_pressure(text) == {}


async def test_pressure_judges_the_span_and_the_tasks_that_are_asked_for(
    probe: Probe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("switchover_checks.kinds.host.pressure._FOLDER", tmp_path)
    (tmp_path / "io").write_text("some avg10=40.00 avg60=5.00 avg300=1.00 total=9\n")
    assert (await probe("pressure", resource="io", over="10s", crit=30)).status is Status.CRIT
    assert (await probe("pressure", resource="io", crit=30)).status is Status.OK
    assert (await probe("pressure", resource="io", who="full", crit=30)).status is Status.UNKNOWN
    missing = await probe("pressure", resource="cpu", crit=30)
    assert missing.status is Status.UNKNOWN
    assert "psi=1" in missing.findings[0].hint


async def test_a_kernel_setting_is_compared_as_it_runs(probe: Probe) -> None:
    value = int(sysctl("vm/max_map_count"))
    fine = await probe("kernel_param", name="vm.max_map_count", value=value, expect=f"value >= {value}")
    assert (fine.status, fine.metrics[0].value) == (Status.OK, value)
    off = await probe("kernel_param", name="vm.max_map_count", value=value + 1)
    assert (off.status, off.findings[0].observed) == (Status.CRIT, str(value))
    several = sysctl("net/ipv4/ip_local_port_range")
    assert (await probe("kernel_param", name="net.ipv4.ip_local_port_range", value=several)).status is Status.OK


@pytest.mark.parametrize("name", ["swappiness", "../../etc/passwd", "vm..x", "vm.", "", "vm.swap piness"])
def test_only_the_name_of_a_kernel_setting_is_taken(name: str) -> None:
    with pytest.raises(ConfigError, match="is not the name of a kernel setting"):
        build_config(KernelParamConfig, {"name": name, "value": 1})


@pytest.mark.parametrize("name", ["vm.no_such_setting", "net.ipv4", "vm.swappiness.deeper"])
async def test_a_kernel_setting_that_is_none_is_told(probe: Probe, name: str) -> None:
    with pytest.raises(ProbeError, match=r"has no setting|is a group of settings"):
        await probe("kernel_param", name=name, value=1)


async def test_an_account_is_compared_in_all_that_is_named(probe: Probe) -> None:
    first = grp.getgrgid(ME.pw_gid).gr_name
    fine = await probe(
        "user", name=ME.pw_name, uid=ME.pw_uid, gid=ME.pw_gid, groups=first, home=ME.pw_dir, shell=ME.pw_shell
    )
    assert (fine.status, len(fine.findings)) == (Status.OK, 6)
    off = await probe("user", name=ME.pw_name, uid=ME.pw_uid + 1, groups=["no-such-group"])
    assert (found(off, "uid"), found(off, "group no-such-group")) == (Status.CRIT, Status.CRIT)


async def test_an_account_that_must_not_exist(probe: Probe) -> None:
    assert (await probe("user", name="no-such-user", exists=False)).status is Status.OK
    assert (await probe("user", name="no-such-user")).status is Status.CRIT
    assert (await probe("user", name=ME.pw_name, exists=False)).status is Status.CRIT


async def test_a_group_knows_those_whose_first_group_it_is(probe: Probe) -> None:
    first = grp.getgrgid(ME.pw_gid)
    fine = await probe("group", name=first.gr_name, gid=first.gr_gid, members=ME.pw_name)
    assert fine.status is Status.OK
    off = await probe("group", name=first.gr_name, members=["no-such-user"])
    assert off.status is Status.CRIT
    assert (await probe("group", name="no-such-group", exists=False)).status is Status.OK
    assert (await probe("group", name="no-such-group")).status is Status.CRIT


MANAGERS = {
    "dpkg": ("dpkg-query", "installed\\t1:15.6-0\\n", 0, "config-files\\t1:15.6-0\\n", 0),
    "rpm": ("rpm", "installed\\t15.6-0\\n", 0, "package tool is not installed\\n", 1),
    "apk": ("apk", "tool-15.6-0\\n", 0, "", 1),
    "pacman": ("pacman", "tool 15.6-0\\n", 0, "", 1),
}


@pytest.mark.parametrize("manager", MANAGERS)
async def test_each_package_manager_is_read(
    probe: Probe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manager: str
) -> None:
    """The managers are stand-ins that print what the real ones do."""
    command, yes, yes_exit, no, no_exit = MANAGERS[manager]
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    async def ask(text: str, code: int, **keys: Any) -> Result:
        (tmp_path / command).write_text(f"#!/bin/sh\nprintf '{text}'\nexit {code}\n")
        (tmp_path / command).chmod(0o755)
        return await probe("package", name="tool", manager=manager, **keys)

    assert (await ask(yes, yes_exit, version=["14", "15"])).status is Status.OK
    assert (await ask(yes, yes_exit, version="15.6-0")).status is Status.OK
    assert (await ask(yes, yes_exit, version="1")).status is Status.CRIT
    assert (await ask(yes, yes_exit, installed=False)).status is Status.CRIT
    assert (await ask(no, no_exit)).status is Status.CRIT
    assert (await ask(no, no_exit, installed=False)).status is Status.OK
    assert (await ask("", 2)).status is Status.UNKNOWN


async def test_without_a_package_manager_nothing_is_known(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    result = await probe("package", name="tool")
    assert (result.status, result.summary) == (Status.UNKNOWN, "there is no dpkg or rpm or apk or pacman here to ask")


@pytest.mark.parametrize("name", ["-W", "", "a b"])
def test_an_option_is_no_package(name: str) -> None:
    with pytest.raises(ConfigError, match="is not the name of a package"):
        build_config(PackageConfig, {"name": name})


async def test_a_mount_is_compared_with_its_options(probe: Probe, tmp_path: Path) -> None:
    fine = await probe("mount", path="/proc", fstype="proc", options=["rw", "!ro"])
    assert fine.status is Status.OK
    off = await probe("mount", path="/proc", options=["!rw"], fstype="ext4")
    assert (found(off, "option !rw"), found(off, "file system")) == (Status.CRIT, Status.CRIT)
    assert (await probe("mount", path=str(tmp_path), exists=False)).status is Status.OK
    assert (await probe("mount", path=str(tmp_path))).status is Status.CRIT
    assert (await probe("mount", path="/proc", exists=False)).status is Status.CRIT
