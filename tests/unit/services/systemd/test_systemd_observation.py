from __future__ import annotations

from typing import Any

import pytest

from switchover.services.journalctl import journal_command
from switchover.services.provider_api import Capability, LogSpan, ProcessState
from switchover.services.systemd.systemd_bus import path_of_unit, unit_of_path
from switchover.services.systemd.systemd_observation import (
    Flaps,
    SystemdUnit,
    observe_listed,
    observe_unit,
    parse_unit,
)
from switchover.services.systemd.systemd_provider import _what
from switchover.services.systemd.systemd_usage import UnitUsage
from switchover_checks.api import Status

_RUNS = {"LoadState": "loaded", "ActiveState": "active", "SubState": "running", "Result": "success", "MainPID": 7}
_FAILED = {"LoadState": "loaded", "ActiveState": "failed", "SubState": "failed", "Result": "exit-code"}


def unit(said: dict[str, Any], **more: Any) -> SystemdUnit:
    return parse_unit("api.service", {**said, **more})


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("api.service", "/org/freedesktop/systemd1/unit/api_2eservice"),
        ("my-app@1.service", "/org/freedesktop/systemd1/unit/my_2dapp_401_2eservice"),
        ("1st.service", "/org/freedesktop/systemd1/unit/_31st_2eservice"),
        ("sys-fs-\\x2dx.mount", "/org/freedesktop/systemd1/unit/sys_2dfs_2d_5cx2dx_2emount"),
    ],
)
def test_a_unit_and_its_object_name_each_other(name: str, path: str) -> None:
    assert path_of_unit(name) == path
    assert unit_of_path(path) == name


@pytest.mark.parametrize(
    ("said", "state", "health", "detail"),
    [
        (_RUNS, ProcessState.RUNNING, Status.OK, ""),
        ({**_RUNS, "SubState": "exited"}, ProcessState.RUNNING, Status.OK, "exited"),
        ({**_RUNS, "ActiveState": "reloading"}, ProcessState.RUNNING, Status.OK, "reads its configuration anew"),
        ({**_RUNS, "ActiveState": "activating", "SubState": "start"}, ProcessState.RUNNING, Status.PENDING, "starting"),
        ({**_RUNS, "ActiveState": "deactivating"}, ProcessState.RUNNING, Status.WARN, "stopping"),
        (
            {
                **_FAILED,
                "ActiveState": "activating",
                "SubState": "auto-restart",
                "ExecMainCode": 1,
                "ExecMainStatus": 7,
            },
            ProcessState.STOPPED,
            Status.CRIT,
            "waits to be started again by systemd after exit 7",
        ),
        ({**_FAILED, "ExecMainCode": 1, "ExecMainStatus": 3}, ProcessState.STOPPED, Status.CRIT, "failed: exit 3"),
        (
            {**_FAILED, "ExecMainCode": 2, "ExecMainStatus": 9, "Result": "signal"},
            ProcessState.STOPPED,
            Status.CRIT,
            "failed: killed by SIGKILL",
        ),
        (
            {**_FAILED, "ExecMainCode": 3, "ExecMainStatus": 11, "Result": "core-dump"},
            ProcessState.STOPPED,
            Status.CRIT,
            "failed: killed by SIGSEGV, core dumped",
        ),
        (
            {**_FAILED, "ExecMainCode": 2, "ExecMainStatus": 9, "Result": "oom-kill"},
            ProcessState.STOPPED,
            Status.CRIT,
            "failed: out of memory",
        ),
        (
            {**_FAILED, "Result": "start-limit-hit", "ExecMainCode": 1, "ExecMainStatus": 1},
            ProcessState.STOPPED,
            Status.CRIT,
            "failed: started too often, systemd has given up (at last exit 1)",
        ),
        (
            {**_FAILED, "ExecMainCode": 1, "ExecMainStatus": 217},
            ProcessState.STOPPED,
            Status.CRIT,
            "failed: exit 217 (its user does not exist)",
        ),
        (
            {**_FAILED, "ExecMainCode": 1, "ExecMainStatus": 1, "NRestarts": 5},
            ProcessState.STOPPED,
            Status.CRIT,
            "failed: exit 1; systemd gave up after 5 restarts",
        ),
        ({**_FAILED, "Result": "something-new"}, ProcessState.STOPPED, Status.CRIT, "failed: something new"),
        (
            {"LoadState": "not-found", "ActiveState": "inactive", "SubState": "dead"},
            ProcessState.STOPPED,
            Status.CRIT,
            "there is no such unit",
        ),
        (
            {"LoadState": "bad-setting", "ActiveState": "inactive", "SubState": "dead"},
            ProcessState.STOPPED,
            Status.CRIT,
            "its unit file is bad setting",
        ),
        (
            {"LoadState": "loaded", "ActiveState": "inactive", "SubState": "dead"},
            ProcessState.STOPPED,
            Status.CRIT,
            "not started",
        ),
        ({}, ProcessState.UNKNOWN, Status.UNKNOWN, "systemd says nothing about it"),
    ],
)
def test_a_state_of_a_unit_is_said_in_words(
    said: dict[str, Any], state: ProcessState, health: Status, detail: str
) -> None:
    seen = observe_unit(unit(said), 0, None, planned=True)
    assert (seen.state, seen.health, seen.detail) == (state, health, detail)


def test_a_unit_that_nobody_planned_for_may_rest() -> None:
    assert observe_listed("inactive", "dead").health is Status.OK
    assert observe_listed("failed", "failed").health is Status.CRIT


def test_a_unit_that_systemd_restarts_again_and_again_is_critical_even_while_it_runs() -> None:
    flaps = Flaps()
    assert flaps.note(unit(_RUNS, NRestarts=40), 1000.0) == 0
    assert flaps.note(unit(_RUNS, NRestarts=43), 1010.0) == 3
    seen = observe_unit(unit(_RUNS, NRestarts=43), 3, None, planned=True)
    assert (seen.health, seen.detail) == (Status.CRIT, "systemd has restarted it 3 times in 5 minutes")
    assert flaps.note(unit(_RUNS, NRestarts=43), 1311.0) == 0
    assert flaps.note(unit(_RUNS, NRestarts=0), 1312.0) == 0


def test_a_unit_file_that_is_not_loaded_is_a_warning_beside_whatever_else_is_wrong() -> None:
    seen = observe_unit(unit(_RUNS, NeedDaemonReload=True), 0, None, planned=True)
    assert (seen.health, seen.detail.count("daemon-reload")) == (Status.WARN, 1)
    seen = observe_unit(unit(_FAILED, NeedDaemonReload=True), 0, None, planned=True)
    assert seen.health is Status.CRIT
    assert seen.detail.startswith("failed: exit code; its unit file")


def test_the_setup_of_a_unit_has_a_digest_that_its_runs_do_not_change() -> None:
    command = ["/bin/api", ["/bin/api", "--token=hunter2"], False]
    one = unit(_RUNS, ExecStart=[[*command, 1, 2, 3, 4, 5, 0, 0]])
    again = unit(_RUNS, ExecStart=[[*command, 6, 7, 8, 9, 10, 1, 1]])
    other = unit(_RUNS, ExecStart=[[*command, 1, 2, 3, 4, 5, 0, 0]], Environment=["A=1"])
    assert one.config == again.config != other.config
    assert "hunter2" not in repr(one)


def test_what_a_unit_needs_are_services_that_it_requires_or_wants_before_itself() -> None:
    made = unit(
        _RUNS,
        Requires=["sysinit.target", "db.service"],
        BindsTo=["net.service"],
        Wants=["cache.service", "later.service"],
        After=["cache.service"],
    )
    assert made.needs == ("cache.service", "db.service", "net.service")


@pytest.mark.parametrize(
    ("said", "can"),
    [
        (_RUNS, {Capability.STOP, Capability.RESTART, Capability.KILL}),
        ({**_RUNS, "CanReload": True}, {Capability.STOP, Capability.RESTART, Capability.KILL, Capability.RELOAD}),
        ({**_RUNS, "RefuseManualStop": True}, {Capability.KILL}),
        (_FAILED, {Capability.START}),
        ({**_FAILED, "RefuseManualStart": True}, set()),
        ({"LoadState": "masked", "ActiveState": "inactive"}, set()),
    ],
)
def test_only_what_is_possible_is_offered(said: dict[str, Any], can: set[Capability]) -> None:
    assert observe_unit(unit(said), 0, None, planned=True).can == can


def test_what_happened_is_one_word() -> None:
    runs, failed = unit(_RUNS, InvocationID=b"\1"), unit(_FAILED)
    rests = unit({"LoadState": "loaded", "ActiveState": "inactive", "SubState": "dead"})
    assert _what(None, failed)[0] == "failed"
    assert _what(runs, failed)[0] == "failed"
    assert _what(failed, runs)[0] == "started"
    assert _what(runs, rests)[0] == "stopped"
    assert _what(runs, unit(_RUNS, InvocationID=b"\2")) == ("restarted", "api.service was restarted")
    assert _what(runs, unit(_RUNS, NRestarts=1))[0] == "restarted"
    assert _what(runs, unit(_RUNS, InvocationID=b"\1", User="api"))[0] == "config"
    assert _what(runs, unit(_RUNS, InvocationID=b"\1", NeedDaemonReload=True))[0] == "config"
    assert _what(runs, runs)[0] == "note"


def test_cpu_is_what_was_used_between_two_looks_at_the_same_run() -> None:
    now = 0.0
    usage = UnitUsage(lambda: now, from_cgroups=False)
    assert usage.of(unit(_RUNS, CPUUsageNSec=1_000_000_000))[1] is None
    now = 2.0
    assert usage.of(unit(_RUNS, CPUUsageNSec=2_000_000_000))[1] == 50.0
    now = 4.0
    assert usage.of(unit(_RUNS, CPUUsageNSec=0, InvocationID=b"2"))[1] is None
    assert usage.of(unit(_RUNS, CPUUsageNSec=2**64 - 1))[1] is None


def test_a_unit_of_which_systemd_does_not_know_the_memory_has_none() -> None:
    assert unit(_RUNS, MemoryCurrent=2**64 - 1).memory_bytes is None
    assert unit(_RUNS, MemoryCurrent=4096).memory_bytes == 4096


def test_the_journal_is_asked_for_a_span() -> None:
    words = journal_command("--unit=api.service", LogSpan(tail=10, since=100.5, until=200.0), "--directory=/j")
    assert words == (
        *("journalctl", "--no-pager", "--quiet", "--all", "--output=json", "--directory=/j"),
        *("--lines=10", "--since=@100.5", "--until=@200", "--unit=api.service"),
    )
    assert "--follow" in journal_command("--unit=x", LogSpan())
    assert "--follow" not in journal_command("--unit=x", LogSpan(follow=False))


def test_a_unit_that_runs_and_is_not_well_has_not_been_so_since_its_start() -> None:
    since = {"StateChangeTimestamp": 1_000_000}
    assert observe_unit(unit(_RUNS, NRestarts=43, **since), 3, None, planned=True).since is None
    assert observe_unit(unit(_RUNS, NeedDaemonReload=True, **since), 0, None, planned=True).since is None
    assert observe_unit(unit(_FAILED, **since), 0, None, planned=True).since == 1.0


def test_the_list_says_nothing_of_how_a_unit_is_set_up_so_a_look_at_it_is_no_change() -> None:
    assert observe_listed("active", "running").config == ""
    probed = parse_unit("x.service", {"ActiveState": "active", "ExecStart": [["/bin/x", ["/bin/x"], False]]})
    assert probed.config
