"""What is done to all containers of a Compose service or project: level by level, each level side by side."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from switchover.errors import RefusedError
from switchover.redaction import sanitize
from switchover.services.compose.compose_cli import compose_program, scale_command, why_no_scale
from switchover.services.compose.compose_observation import Member, done_jobs, levels
from switchover.services.docker.compose_labels import conditions, project_of, title_of
from switchover.services.docker.docker_actions import act_on
from switchover.services.docker.docker_daemon import Daemon
from switchover.services.docker.docker_observation import name_of
from switchover.services.provider_api import Capability, ServiceTarget
from switchover_checks.runtime.threads import Threads

__all__ = ["act_on_members"]

_SCALE_S = 120.0
_HEALTHY_S = 60.0
_LOOK_S = 0.2
_MOST = 200


async def act_on_members(
    daemon: Daemon, target: ServiceTarget, members: Sequence[Member], action: Capability, argument: str
) -> str:
    """Do it and return what came of it. Raise `RefusedError` saying which containers it failed for."""
    match action:
        case Capability.SCALE if target.service:
            return await _scale(target, members[0], argument)
        case Capability.START | Capability.RESTART:
            jobs = done_jobs(members)
            wanted = [one for one in members if one.service not in jobs]
            if action is Capability.START:
                wanted = [one for one in wanted if Capability.START in one.observation.can]
            return await _in_turn(daemon, levels(wanted), action, waits=True)
        case Capability.STOP:
            running = [one for one in members if Capability.STOP in one.observation.can]
            known = any(conditions(one.entry) for one in running)
            return await _in_turn(daemon, levels(running)[::-1] if known else [running], action)
        case Capability.REMOVE:
            said = await _in_turn(daemon, [list(members)], action)
            if not target.service:
                await daemon.act(partial(_remove_networks, project=target.project))
            return said
    raise RefusedError(f"a project of Compose has no {action}")


async def _in_turn(
    daemon: Daemon, in_order: Sequence[Sequence[Member]], action: Capability, *, waits: bool = False
) -> str:
    done: list[str] = []
    special: list[str] = []
    failed: list[str] = []
    for number, level in enumerate(in_order):
        answers = await asyncio.gather(*(_one(daemon, one, action) for one in level), return_exceptions=True)
        for one, answer in zip(level, answers, strict=True):
            if isinstance(answer, RefusedError):
                failed.append(answer.title)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                done.append(answer)
                if "did not heed" in answer:
                    special.append(f"{title_of(one.entry)}: {answer}")
        later = [one for rest in in_order[number + 1 :] for one in rest]
        if waits and later and (unwell := await _not_healthy(daemon, level, later)):
            failed.append(f"{', '.join(unwell)} did not become healthy, so {len(later)} more were not touched")
            break
    words = {Capability.START: "started", Capability.STOP: "stopped", Capability.RESTART: "restarted"}
    text = f"{words.get(action, 'removed')} {len(done)} container{'' if len(done) == 1 else 's'}"
    if failed:
        raise RefusedError("; ".join([*failed, text]))
    return "; ".join([text, *special])


async def _one(daemon: Daemon, member: Member, action: Capability) -> str:
    identity = str(member.entry.get("Id", ""))
    return await daemon.act(partial(act_on, container=name_of(member.entry), action=action, identity=identity))


async def _not_healthy(daemon: Daemon, level: Sequence[Member], later: Sequence[Member]) -> list[str]:
    """Wait for the containers that those after them need healthy; return the names of those that do not become so."""
    needed = {s for one in later for s, condition in conditions(one.entry).items() if condition == "service_healthy"}
    waiting = [name_of(one.entry) for one in level if one.service in needed]
    limit = asyncio.get_running_loop().time() + _HEALTHY_S
    while waiting and asyncio.get_running_loop().time() < limit:
        details = await daemon.details(waiting)
        waiting = [name for name in waiting if _health(details[name]) not in ("healthy", "")]
        if waiting:
            daemon.changed("", *waiting)
            await asyncio.sleep(_LOOK_S)
    return waiting


def _health(data: Mapping[str, Any] | None) -> str:
    return str((((data or {}).get("State") or {}).get("Health") or {}).get("Status", ""))


async def _scale(target: ServiceTarget, member: Member, argument: str) -> str:
    if not argument.strip().isdigit() or int(argument) > _MOST:
        raise RefusedError(f"{argument!r} is no number of containers (0 to {_MOST})")
    program = compose_program(target.docker_host)
    if why := why_no_scale(program, member.entry):
        raise RefusedError(why)
    count = str(int(argument))
    command = scale_command(program, project_of(member.entry), target.service, count, member.entry)
    code, said = await Threads(4).run(partial(_run, command))
    if code != 0:
        raise RefusedError(f"{' '.join(program)} ended with exit {code}: {said}")
    unset = f" (it says: {said})" if "is not set" in said else ""
    return f"scaled to {count}{unset}"


def _run(command: Sequence[str]) -> tuple[int, str]:
    """Run a command; return its exit code and the last line that it said."""
    environment = {**os.environ, "COMPOSE_INTERACTIVE_NO_CLI": "1", "DOCKER_CLI_HINTS": "false"}
    try:
        ended = subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SCALE_S,
            env=environment,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        return 124, f"not done within {_SCALE_S:.0f} s"
    except OSError as error:
        return 127, str(error)
    lines = [line.strip() for line in sanitize(ended.stdout).splitlines() if line.strip()]
    telling = [line for line in lines if "is not set" in line] if ended.returncode == 0 else lines
    return ended.returncode, telling[-1][:200] if telling else ""


def _remove_networks(api: Any, project: str) -> None:
    """Remove the networks of a project, as `down` does; one that others use stays."""
    from docker.errors import APIError

    for one in api.networks(filters={"label": f"com.docker.compose.project={project}"}):
        try:
            api.remove_network(one["Id"])
        except APIError:
            continue
