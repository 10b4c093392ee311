"""What systemd says about a unit, as an `Observation`. Pure: from properties to words."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

from switchover.services.provider_api import Capability, Observation, ProcessState
from switchover_checks.api import Status, worst

__all__ = ["Flaps", "SystemdUnit", "observe_listed", "observe_unit", "parse_unit"]

_UNSET = 2**64 - 1
_FLAP_WINDOW_S = 300.0
_FLAP_RESTARTS = 3
_NEVER_STARTED = {
    200: "its working directory cannot be entered",
    203: "its program cannot be executed",
    208: "its standard input cannot be set up",
    209: "its standard output cannot be set up",
    216: "its group does not exist",
    217: "its user does not exist",
    226: "its namespace cannot be set up",
}
_RESULTS = {
    "timeout": "did not answer in time",
    "watchdog": "gave no sign of life to the watchdog",
    "oom-kill": "out of memory",
    "start-limit-hit": "started too often, systemd has given up",
    "resources": "systemd lacks what it takes to start it",
    "protocol": "did not do what its Type= says",
    "exec-condition": "its condition to start is not met",
    "condition": "its condition to start is not met",
    "assert": "its assertion to start is not met",
}
_SETUP = (
    *("FragmentPath", "DropInPaths", "ExecStartPre", "ExecStart", "ExecStartPost", "ExecReload", "Environment"),
    *("EnvironmentFiles", "User", "Group", "WorkingDirectory", "Restart", "Type", "MemoryMax", "LimitNOFILE"),
)


class SystemdUnit(NamedTuple):
    """A unit as systemd has it loaded. Times are epoch seconds, None where it never happened."""

    name: str
    load: str
    active: str
    sub: str
    result: str
    exit_code: int
    exit_status: int
    restarts: int
    pid: int | None
    cpu_ns: int | None
    memory_bytes: int | None
    started_at: float | None
    since: float | None
    reload_needed: bool
    invocation: str
    cgroup: str
    slice: str
    can_start: bool
    can_stop: bool
    can_reload: bool
    needs: tuple[str, ...]
    config: str


def parse_unit(name: str, said: Mapping[str, Any]) -> SystemdUnit:
    """Read the properties of a unit; what a kind of unit does not have is left at nothing."""
    after = set(said.get("After", ()))
    needs = {unit for key in ("Requires", "Requisite", "BindsTo") for unit in said.get(key, ())}
    needs |= {unit for unit in said.get("Wants", ()) if unit in after}
    setup = [(key, _without_times(said[key]) if key.startswith("Exec") else said[key]) for key in _SETUP if key in said]
    return SystemdUnit(
        name,
        str(said.get("LoadState", "")),
        str(said.get("ActiveState", "")),
        str(said.get("SubState", "")),
        str(said.get("Result", "success")),
        int(said.get("ExecMainCode", 0)),
        int(said.get("ExecMainStatus", 0)),
        int(said.get("NRestarts", 0)),
        int(said.get("MainPID", 0)) or None,
        _number(said.get("CPUUsageNSec")),
        _number(said.get("MemoryCurrent")),
        _seconds(said.get("ActiveEnterTimestamp")) if said.get("ActiveState") in ("active", "reloading") else None,
        _seconds(said.get("StateChangeTimestamp")),
        bool(said.get("NeedDaemonReload", False)),
        bytes(said.get("InvocationID", b"")).hex(),
        str(said.get("ControlGroup", "")),
        str(said.get("Slice", "")),
        bool(said.get("CanStart", True)) and not said.get("RefuseManualStart", False),
        bool(said.get("CanStop", True)) and not said.get("RefuseManualStop", False),
        bool(said.get("CanReload", False)),
        tuple(sorted(unit for unit in needs if unit.endswith(".service"))),
        sha256(repr(setup).encode("utf-8", "surrogateescape")).hexdigest()[:16] if setup else "",
    )


def _without_times(commands: Any) -> list[Any]:
    """Return what is executed; when it ran and how it ended stands behind."""
    return [list(command[:3]) for command in commands]


def _number(value: Any) -> int | None:
    return int(value) if value is not None and int(value) != _UNSET else None


def _seconds(value: Any) -> float | None:
    return int(value) / 1_000_000 if value else None


@dataclass(slots=True)
class Flaps:
    """When each unit was seen to have been restarted by systemd, over the last five minutes."""

    _seen: dict[str, tuple[int, deque[float]]] = field(default_factory=dict)

    def note(self, unit: SystemdUnit, mono: float) -> int:
        """Note how often systemd has restarted it, and return how often in these five minutes."""
        before, times = self._seen.get(unit.name, (unit.restarts, deque()))
        times.extend([mono] * min(max(unit.restarts - before, 0), 100))
        while times and mono - times[0] > _FLAP_WINDOW_S:
            times.popleft()
        self._seen[unit.name] = unit.restarts, times
        return len(times)

    def forget(self, name: str) -> None:
        """Forget a unit."""
        self._seen.pop(name, None)


def why_failed(unit: SystemdUnit) -> str:
    """Say how the unit's main process ended, or what else went wrong; empty where nothing did."""
    ended = ""
    if unit.exit_code == 1 and unit.exit_status:
        why = _NEVER_STARTED.get(unit.exit_status, "")
        ended = f"exit {unit.exit_status}" + (f" ({why})" if why else "")
    elif unit.exit_code in (2, 3):
        number = unit.exit_status
        name = signal.Signals(number).name if number in signal.valid_signals() else f"signal {number}"
        ended = f"killed by {name}" + (", core dumped" if unit.exit_code == 3 else "")
    if unit.result == "success":
        return ""
    words = _RESULTS.get(unit.result, "")
    if words and ended and unit.result != "oom-kill":
        return f"{words} (at last {ended})"
    return words or ended or unit.result.replace("-", " ")


def observe_unit(unit: SystemdUnit, flaps: int, cpu_percent: float | None, *, planned: bool) -> Observation:
    """Return what is published about a unit. `flaps` is how often systemd has restarted it in the last five minutes."""
    state, health, detail = _judge(unit, planned=planned)
    since = unit.since
    if flaps >= _FLAP_RESTARTS and health is not Status.CRIT:
        often = f"systemd has restarted it {flaps} times in 5 minutes"
        health, detail, since = Status.CRIT, f"{often}; {detail}" if detail else often, None
    if unit.reload_needed:
        stale = "its unit file has changed and is not loaded (systemctl daemon-reload)"
        since = since if health is Status.CRIT else None
        health, detail = worst((health, Status.WARN)), f"{detail}; {stale}" if detail else stale
    return Observation(
        state,
        health,
        detail,
        pid=unit.pid,
        started_at=unit.started_at,
        cpu_percent=cpu_percent,
        memory_bytes=unit.memory_bytes,
        restarts=unit.restarts,
        identity=unit.invocation,
        config=unit.config,
        can=_can(unit),
        since=since,
    )


def observe_listed(active: str, sub: str) -> Observation:
    """Return what the list of units alone says about one."""
    unit = parse_unit("", {"ActiveState": active, "SubState": sub, "LoadState": "loaded", "Result": "success"})
    return observe_unit(unit, 0, None, planned=False)


def _judge(unit: SystemdUnit, *, planned: bool) -> tuple[ProcessState, Status, str]:
    why = why_failed(unit)
    match unit.active:
        case "active":
            return ProcessState.RUNNING, Status.OK, "" if unit.sub == "running" else unit.sub
        case "reloading":
            return ProcessState.RUNNING, Status.OK, "reads its configuration anew"
        case "activating" if unit.sub.startswith("auto-restart"):
            detail = "waits to be started again by systemd" + (f" after {why}" if why else "")
            return ProcessState.STOPPED, Status.CRIT, detail
        case "activating":
            return ProcessState.RUNNING, Status.PENDING, "starting"
        case "deactivating":
            return ProcessState.RUNNING, Status.WARN, "stopping"
        case "failed":
            tried = f"; systemd gave up after {unit.restarts} restarts" if unit.restarts else ""
            return ProcessState.STOPPED, Status.CRIT, (f"failed: {why}" if why else "failed") + tried
        case "inactive" if unit.load == "not-found":
            return ProcessState.STOPPED, Status.CRIT, "there is no such unit"
        case "inactive" if unit.load not in ("loaded", ""):
            return ProcessState.STOPPED, Status.CRIT, f"its unit file is {unit.load.replace('-', ' ')}"
        case "inactive":
            return ProcessState.STOPPED, Status.CRIT if planned else Status.OK, "not started"
    return ProcessState.UNKNOWN, Status.UNKNOWN, unit.active or "systemd says nothing about it"


def _can(unit: SystemdUnit) -> frozenset[Capability]:
    if unit.load not in ("loaded", ""):
        return frozenset()
    can: set[Capability] = set()
    alive = unit.active in ("active", "reloading", "deactivating", "activating")
    if alive and unit.can_stop:
        can.add(Capability.STOP)
        if unit.can_start:
            can.add(Capability.RESTART)
    if not alive and unit.can_start:
        can.add(Capability.START)
    if alive and (unit.pid is not None or unit.active == "deactivating"):
        can.add(Capability.KILL)
    if unit.active == "active" and unit.can_reload:
        can.add(Capability.RELOAD)
    return frozenset(can)
