"""What systemd is asked to do with a unit, its jobs awaited, and its refusals in plain words."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping
from pathlib import Path

from switchover.errors import RefusedError
from switchover.services.provider_api import Capability
from switchover.services.systemd.systemd_bus import BusError
from switchover.services.systemd.systemd_manager import SystemdManager
from switchover.services.systemd.systemd_observation import SystemdUnit, why_failed

__all__ = ["METHODS", "perform"]

METHODS: Mapping[Capability, str] = {
    Capability.START: "StartUnit",
    Capability.STOP: "StopUnit",
    Capability.RESTART: "RestartUnit",
    Capability.RELOAD: "ReloadUnit",
}
_WAIT_S = 30.0
_DENIED = ("AccessDenied", "InteractiveAuthorizationRequired", "AuthFailed")
_RESULTS = {
    "canceled": "another job took its place",
    "timeout": "it did not answer in time",
    "dependency": "a unit that it needs did not start",
    "skipped": "there was nothing to do in its state",
    "invalid": "it cannot be asked that",
    "assert": "its assertion to start is not met",
    "unsupported": "this host cannot do it",
    "collected": "it is no longer there",
    "once": "it may be started once only",
}


async def perform(manager: SystemdManager, name: str, action: Capability, identity: str, *, local: bool) -> str:
    """Do it and return in words what came of it. Raise `RefusedError`.

    `identity` is the invocation that was meant, empty where none is known; `local` says that it is this host's systemd.
    """
    if action not in METHODS and action is not Capability.KILL:
        raise RefusedError(f"a unit cannot be asked to {action}")
    if local and action is not Capability.START and name in _own_units():
        raise RefusedError(f"the agent itself runs in {name}")
    try:
        before = await manager.probe(name, fresh=True)
        if identity and before.invocation and before.invocation != identity:
            raise RefusedError(f"{name} was restarted meanwhile", "look at it again")
        if action is Capability.KILL:
            await manager.bus.manager("KillUnit", "ssi", name, "all", int(signal.SIGKILL))
            return f"SIGKILL was sent to every process of {name}"
        if action is Capability.START and before.active == "failed":
            await manager.bus.manager("ResetFailedUnit", "s", name)  # else the limit of starts still counts
        result = await manager.job(METHODS[action], name, _WAIT_S)
        after = await manager.probe(name, fresh=True)
    except BusError as error:
        raise RefusedError(_words(error, name, action), _hint(error)) from error
    return _outcome(name, action, result, after)


def _outcome(name: str, action: Capability, result: str, unit: SystemdUnit) -> str:
    if result == "done":
        if action is Capability.STOP:
            return f"{name} is stopped" + (f" ({why})" if (why := why_failed(unit)) else "")
        if unit.active in ("active", "reloading"):
            done = "has read its configuration anew" if action is Capability.RELOAD else "runs"
            return f"{name} {done}" + (f", pid {unit.pid}" if unit.pid else "")
        return f"{name} was started and is {unit.active} already"
    if result == "running":
        return f"{name}: the {action} was asked for and is not done after {_WAIT_S:.0f} s ({unit.active})"
    why = _RESULTS.get(result, "") or why_failed(unit) or result
    raise RefusedError(f"{name}: the {action} failed: {why}", "its log may say more")


def _words(error: BusError, name: str, action: Capability) -> str:
    if error.name.endswith(_DENIED):
        return f"not allowed to {action} {name}: it takes root, or a rule of polkit"
    match error.name.rpartition(".")[2]:
        case "NoSuchUnit":
            return f"there is no unit {name}"
        case "UnitMasked":
            return f"{name} is masked"
        case "JobTypeNotApplicable":
            return f"{name} cannot be asked to {action}"
        case "OnlyByDependency":
            return f"{name} is started and stopped by what depends on it only"
        case "NoSuchProcess":
            return f"nothing of {name} runs"
    return f"{name}: {error}"


def _hint(error: BusError) -> str:
    return "run switchover as root, or ask who may" if error.name.endswith(_DENIED) else ""


def _own_units() -> frozenset[str]:
    """Return the units that this process runs in."""
    try:
        path = Path("/proc/self/cgroup").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return frozenset()
    return frozenset(re.findall(r"/([^/\n]+\.(?:service|scope))", path))
