"""What may be done to a container: by the API, and as the command that a person would type. Blocking."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from typing import Any

from switchover.errors import RefusedError
from switchover.redaction import sanitize
from switchover.services.docker.docker_observation import observation_from_attributes
from switchover.services.provider_api import Capability

__all__ = ["act_on", "docker_command", "where_to"]

_USUAL_STOP_S = 10
_LONGEST_STOP_S = 120
_WORDS: Mapping[Capability, tuple[str, ...]] = {
    Capability.START: ("start",),
    Capability.STOP: ("stop",),
    Capability.RESTART: ("restart",),
    Capability.PAUSE: ("pause",),
    Capability.KILL: ("kill",),
    Capability.REMOVE: ("rm", "--force"),
    Capability.LOGS: ("logs", "--follow", "--tail", "1000"),
    Capability.INSPECT: ("inspect",),
    Capability.EXEC: ("exec", "-it"),
    Capability.STATS: ("stats",),
}
_SHELL = ("sh", "-c", "command -v bash >/dev/null && exec bash || exec sh")


def where_to(host: str, environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return the options that lead a command to the daemon at `host`, or to the usual one of this process.

    A terminal may have another DOCKER_HOST, and then the same name is another container.
    """
    known = os.environ if environ is None else environ
    if host or (host := known.get("DOCKER_HOST", "")):
        return ("--host", host)
    name = known.get("DOCKER_CONTEXT", "")
    return ("--context", name) if name else ()


def docker_command(host: str, container: str, action: Capability, argument: str = "") -> tuple[str, ...]:
    """Return the `docker` command for an action; empty where there is none. `argument` is the signal of a kill."""
    words = _WORDS.get(action)
    if words is None:
        return ()
    if action is Capability.START and argument == "unpause":
        words = ("unpause",)
    if action is Capability.KILL and argument:
        words = ("kill", "--signal", argument)
    return ("docker", *where_to(host), *words, container, *(_SHELL if action is Capability.EXEC else ()))


def act_on(api: Any, container: str, action: Capability, argument: str = "", identity: str = "") -> str:
    """Do it and return what came of it. Raise `RefusedError` with the daemon's reason, or ours.

    With an `identity`, another container that has the name by now is left alone.
    """
    import requests
    from docker.errors import APIError, NotFound

    try:
        before = api.inspect_container(container)
        if identity and before.get("Id") != identity:
            raise RefusedError(f"{container} is another container by now; look at it again")
        return _do(api, before, str(before.get("Id") or container), action, argument)  # its name may change hands now
    except NotFound:
        raise RefusedError(f"there is no container {container} any more") from None
    except APIError as error:
        said = sanitize(str(error.explanation or error)).strip()
        raise RefusedError(f"Docker refuses to {action} {container}: {said}") from None
    except requests.exceptions.ReadTimeout:
        raise RefusedError(
            f"{container}: {action} was asked for and has not ended yet",
            "the daemon goes on with it; watch the row, and kill the container if it must end now",
        ) from None


def _do(api: Any, before: Mapping[str, Any], container: str, action: Capability, argument: str) -> str:
    state = before.get("State") or {}
    match action:
        case Capability.START if state.get("Paused"):
            api.unpause(container)
            return "goes on"
        case Capability.START:
            api.start(container)
            return "started"
        case Capability.STOP:
            return _stop(api, before, container)
        case Capability.RESTART:
            if state.get("Paused"):
                api.unpause(container)
            api.restart(container, timeout=_stop_seconds(before))
            return "restarted"
        case Capability.PAUSE:
            api.pause(container)
            return "paused"
        case Capability.KILL:
            name = _signal(argument)
            if state.get("Paused"):
                api.unpause(container)
            api.kill(container, name)
            return f"sent {name}"
        case Capability.REMOVE:
            api.remove_container(container, force=True)
            return "removed"
    raise RefusedError(f"a container has no {action}")


def _stop(api: Any, before: Mapping[str, Any], container: str) -> str:
    """Stop a container; one whose PID 1 ignores its stop signal takes all its time, which is said."""
    seconds = _stop_seconds(before)
    if (before.get("State") or {}).get("Paused"):
        api.unpause(container)
    began = time.monotonic()
    api.stop(container, timeout=seconds)
    took = time.monotonic() - began
    after = api.inspect_container(container)
    code = (after.get("State") or {}).get("ExitCode")
    if code == 128 + signal.SIGKILL:
        name = (before.get("Config") or {}).get("StopSignal") or "SIGTERM"
        if name in ("SIGKILL", "9") or took < seconds:
            return "stopped by SIGKILL, exit 137"
        return f"stopped, exit 137: it did not heed {name} and was killed after {seconds} s"
    return f"stopped, {observation_from_attributes(after).detail.partition(', ')[2] or 'ended'}"


def _stop_seconds(data: Mapping[str, Any]) -> int:
    given = (data.get("Config") or {}).get("StopTimeout")
    return min(int(given), _LONGEST_STOP_S) if isinstance(given, int) and given >= 0 else _USUAL_STOP_S


def _signal(argument: str) -> str:
    word = argument.strip().upper() or "SIGKILL"
    name = word if word.startswith("SIG") or word.isdigit() else f"SIG{word}"
    known = {one.name for one in signal.Signals} | {str(one.value) for one in signal.Signals}
    if name not in known:
        raise RefusedError(f"{argument} is no signal; SIGTERM, SIGHUP and SIGKILL are the usual ones")
    return name
