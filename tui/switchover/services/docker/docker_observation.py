"""What the Docker API says about a container, as an `Observation`. Pure."""

from __future__ import annotations

import hashlib
import json
import re
import signal
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from switchover.services.provider_api import Capability, Observation, ProcessState
from switchover_checks.api import Status

__all__ = [
    "SILENT",
    "at_rest",
    "config_digest",
    "exit_words",
    "fingerprint",
    "health_of_summary",
    "name_of",
    "observation_from_attributes",
    "observation_from_summary",
]

_AT_REST = frozenset(("created", "exited, exit 0", "exited, exit 130 (SIGINT)", "exited, exit 143 (SIGTERM)"))
SILENT = "Docker says nothing of this one, though it answers otherwise"
_HEALTH = {"healthy": Status.OK, "starting": Status.PENDING, "unhealthy": Status.CRIT}
_ALWAYS = frozenset({Capability.INSPECT, Capability.LOGS, Capability.REMOVE})
_CAN: Mapping[str, frozenset[Capability]] = {
    "running": _ALWAYS
    | {Capability.STOP, Capability.RESTART, Capability.PAUSE, Capability.KILL, Capability.EXEC, Capability.STATS},
    "paused": _ALWAYS | {Capability.START, Capability.STOP, Capability.RESTART, Capability.KILL, Capability.STATS},
    "restarting": _ALWAYS | {Capability.STOP, Capability.RESTART},
    "created": _ALWAYS | {Capability.START},
    "exited": _ALWAYS | {Capability.START},
    "dead": frozenset({Capability.INSPECT, Capability.REMOVE}),
    "removing": frozenset({Capability.INSPECT}),
}
_EXITS = {125: "the daemon could not run it", 126: "its command cannot be run", 127: "its command was not found"}
# Docker starts its wait between restarts anew once a container has run this long.
_SETTLED_S = 10.0
_STATUS = re.compile(r"(?:Exited|Restarting) \((-?\d+)\)")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")
_INTERVAL_S = 30.0  # between two health checks, where nothing else is set
_SAID_LIMIT = 160


def name_of(data: Mapping[str, Any]) -> str:
    """Return a container's name from either form of answer."""
    if "Names" in data:
        # Names of links have a second slash; the container's own has one.
        names = [str(name).lstrip("/") for name in data["Names"] or () if str(name).count("/") == 1]
        return names[0] if names else str(data.get("Id", ""))[:12]
    return str(data.get("Name", "")).lstrip("/")


def observation_from_attributes(
    data: Mapping[str, Any], *, now: float | None = None, last_exit: int | None = None, digest_key: bytes = b""
) -> Observation:
    """Read what `docker inspect` says about one container.

    `now` (epoch seconds) tells a freshly restarted container from one that has settled. `last_exit` is the exit code
    before that, where the daemon told it. The digest of its configuration is keyed with `digest_key`.
    """
    state = data.get("State") or {}
    config = data.get("Config") or {}
    status = str(state.get("Status", "unknown"))
    if status == SILENT:
        return Observation(ProcessState.UNKNOWN, Status.UNKNOWN, status)
    restarts = int(data.get("RestartCount", 0))
    common: dict[str, Any] = {
        "restarts": restarts,
        "identity": str(data.get("Id", "")),
        "image": _image(str(config.get("Image", "")), str(data.get("Image", ""))),
        "config": config_digest(data, digest_key),
        "ports": _bound_ports((data.get("NetworkSettings") or {}).get("Ports") or {}),
        "user": str(config.get("User", "")) or "root",
        "can": _CAN.get(status, frozenset({Capability.INSPECT})),
    }
    if status in ("running", "paused"):
        started = _epoch(str(state.get("StartedAt", "")))
        since, or_before = None, False
        if status == "paused":
            health, detail = Status.CRIT, "paused"
        else:
            health, detail = _running(
                state, restarts, last_exit, None if now is None or started is None else now - started
            )
            if health is Status.CRIT:
                since, or_before = _failing_since(state.get("Health") or {}, config.get("Healthcheck") or {})
        return Observation(
            ProcessState.RUNNING,
            health,
            detail,
            pid=int(state.get("Pid", 0)) or None,
            started_at=started,
            since=since,
            since_or_before=or_before,
            **common,
        )
    code = state.get("ExitCode")
    code = int(code) if isinstance(code, int) else None
    oom = bool(state.get("OOMKilled"))
    ended = _epoch(str(state.get("FinishedAt", "")))
    if status == "restarting":  # it has fallen before, and nothing says when it did so first
        detail = f"restarting, {exit_words(code, oom=oom)}, {_times(restarts)}"
        return Observation(
            ProcessState.STOPPED, Status.CRIT, detail, since=ended, since_or_before=restarts > 1, **common
        )
    known = status in ("created", "exited", "dead", "removing")
    words = [status] if status == "created" else [status, exit_words(code, oom=oom)]
    if said := _line(str(state.get("Error", ""))):
        words.append(said)
    if not known:
        return Observation(ProcessState.UNKNOWN, Status.CRIT, status, **common)
    return Observation(ProcessState.STOPPED, Status.CRIT, ", ".join(words), since=ended, **common)


def observation_from_summary(data: Mapping[str, Any]) -> Observation:
    """Read one entry of the list of containers. It says less than `docker inspect`, but one call covers all."""
    status = str(data.get("State", "unknown"))
    said = str(data.get("Status", ""))
    matched = _STATUS.match(said)
    code = int(matched[1]) if matched else None
    common: dict[str, Any] = {
        "identity": str(data.get("Id", "")),
        "image": _image(str(data.get("Image", "")), str(data.get("ImageID", ""))),
        "ports": _listed_ports(data.get("Ports") or ()),
        "can": _CAN.get(status, frozenset({Capability.INSPECT})),
    }
    if status == "running":
        word = health_of_summary(data)
        return Observation(ProcessState.RUNNING, _HEALTH.get(word, Status.OK), word, **common)
    if status == "paused":
        return Observation(ProcessState.RUNNING, Status.CRIT, "paused", **common)
    if status == "restarting":
        return Observation(ProcessState.STOPPED, Status.CRIT, f"restarting, {exit_words(code)}", **common)
    if status in ("created", "exited", "dead", "removing"):
        detail = status if status == "created" else f"{status}, {exit_words(code)}"
        return Observation(ProcessState.STOPPED, Status.CRIT, detail, **common)
    return Observation(ProcessState.UNKNOWN, Status.CRIT, status, **common)


def health_of_summary(data: Mapping[str, Any]) -> str:
    """Return healthy, starting or unhealthy from the words of the list; empty without a health check."""
    said = str(data.get("Status", ""))
    if "(health: starting)" in said:
        return "starting"
    return next((word for word in ("unhealthy", "healthy") if f"({word})" in said), "")


def fingerprint(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what is the same in a list's entry and in the details while nothing has happened to the container."""
    if "Names" in data:
        matched = _STATUS.match(str(data.get("Status", "")))
        status = str(data.get("State", ""))
        code = matched[1] if matched else ""
        return (str(data.get("Id", "")), name_of(data), status, health_of_summary(data), code)
    state = data.get("State") or {}
    status = str(state.get("Status", ""))
    code = str(state.get("ExitCode", "")) if status in ("exited", "restarting") else ""
    word = str((state.get("Health") or {}).get("Status", "")) if status == "running" else ""
    return (str(data.get("Id", "")), name_of(data), status, word if word != "none" else "", code)


def config_digest(data: Mapping[str, Any], key: bytes = b"") -> str:
    """Return a short digest of how a container is set up: command, environment, mounts, ports, limits.

    With a `key` that is thrown away, nobody can guess a secret of the environment from it.
    """
    config = data.get("Config") or {}
    host = data.get("HostConfig") or {}
    mounts = sorted(f"{m.get('Source')}:{m.get('Destination')}:{m.get('RW')}" for m in data.get("Mounts") or ())
    parts = [
        [config.get(name) for name in ("Cmd", "Entrypoint", "User", "WorkingDir", "Healthcheck", "StopSignal")],
        sorted(config.get("Env") or ()),
        mounts,
        [host.get(name) for name in ("PortBindings", "NetworkMode", "Memory", "NanoCpus", "RestartPolicy")],
    ]
    text = json.dumps(parts, sort_keys=True, default=str).encode()
    return hashlib.blake2b(text, key=key, digest_size=8).hexdigest()


def _running(state: Mapping[str, Any], restarts: int, last_exit: int | None, up_s: float | None) -> tuple[Status, str]:
    check = state.get("Health") or {}
    word = str(check.get("Status", ""))
    if restarts and up_s is not None and up_s < _SETTLED_S:
        after = f", last {exit_words(last_exit)}" if last_exit is not None else ""
        return Status.WARN, f"restarted {_times(restarts)}{after}, up for less than {_SETTLED_S:.0f} s"
    if word == "unhealthy":
        log = check.get("Log") or [{}]
        said = _line(str((log[-1] or {}).get("Output", "")))
        streak = int(check.get("FailingStreak") or 0)
        failed = f" after {streak} failure{'' if streak == 1 else 's'}" if streak else ""
        return Status.CRIT, f"unhealthy{failed}: {said}" if said else f"unhealthy{failed}"
    return _HEALTH.get(word, Status.OK), "" if word == "none" else word


def _failing_since(check: Mapping[str, Any], setup: Mapping[str, Any]) -> tuple[float | None, bool]:
    """Return when the first of the failures in a row began, and whether that is only the latest possible time.

    The daemon counts all of them and keeps five; between two of them lies the interval at least.
    """
    log = [one or {} for one in check.get("Log") or ()]
    failed: list[Mapping[str, Any]] = []
    for one in reversed(log):
        if one.get("ExitCode") == 0:
            break
        failed.append(one)
    if not failed:
        return None, False
    began = _epoch(str(failed[-1].get("Start", "")))
    before = int(check.get("FailingStreak") or 0) - len(failed)
    if began is None or before <= 0 or len(failed) < len(log):
        return began, False
    return began - before * (int(setup.get("Interval") or 0) / 1e9 or _INTERVAL_S), True


def exit_words(code: int | None, *, oom: bool = False) -> str:
    """Say how a container ended: its exit code, and what that one means."""
    if code is None:
        return "exit ?"
    if oom:
        return f"exit {code}, out of memory"
    if code > 128:
        try:
            return f"exit {code} ({signal.Signals(code - 128).name})"
        except ValueError:
            return f"exit {code}"
    return f"exit {code} ({_EXITS[code]})" if code in _EXITS else f"exit {code}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _line(text: str) -> str:
    """Return the last line that says something, cut to what a row can show."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return ""
    return lines[-1] if len(lines[-1]) <= _SAID_LIMIT else f"{lines[-1][: _SAID_LIMIT - 1]}…"


def _image(name: str, digest: str) -> str:
    """Return an image as NAME@DIGEST, its digest cut to twelve digits: the same name may be another image tomorrow."""
    short = digest.removeprefix("sha256:")[:12]
    if not name or name.startswith("sha256:") or name == short:
        return short
    return f"{name}@{short}" if short and "@" not in name else name


def _bound_ports(ports: Mapping[str, Any]) -> tuple[str, ...]:
    """Read NetworkSettings.Ports: {"80/tcp": [{"HostIp": …, "HostPort": …}] or None}."""
    found = {
        _port(str(binding.get("HostIp", "")), str(binding.get("HostPort", "")), inside)
        for inside, bindings in ports.items()
        for binding in bindings or [{}]
    }
    return tuple(sorted(found))


def _listed_ports(ports: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    found = {
        _port(
            str(one.get("IP", "")), str(one.get("PublicPort", "")), f"{one.get('PrivatePort')}/{one.get('Type', 'tcp')}"
        )
        for one in ports
    }
    return tuple(sorted(found))


def _port(address: str, outside: str, inside: str) -> str:
    if not outside:
        return inside
    return f"{outside}->{inside}" if address in ("", "0.0.0.0", "::") else f"{address}:{outside}->{inside}"  # noqa: S104


def _epoch(text: str) -> float | None:
    """Read Docker's RFC 3339 time, which has nine digits after the point. Its zero (year 1) is None."""
    if not text or text.startswith("0001"):
        return None
    matched = _TIME.fullmatch(text)
    if matched is None:
        return None
    zone = "+00:00" if matched[3] == "Z" else matched[3]
    try:
        return datetime.fromisoformat(matched[1] + zone).timestamp() + float(matched[2] or 0)
    except ValueError:
        return None


def at_rest(seen: Observation) -> Observation:
    """Excuse an unplanned container that ended well, was asked to end, or was never started.

    A container that was killed may have ignored a request to stop. Nobody can see that afterwards, so it is a warning.
    """
    if seen.state is ProcessState.STOPPED and seen.detail in _AT_REST:
        return replace(seen, health=Status.SKIPPED)
    killed = seen.state is ProcessState.STOPPED and seen.detail == "exited, exit 137 (SIGKILL)"
    return replace(seen, health=Status.WARN) if killed else seen
