"""What runs on this machine, as far as a first plan is about it: containers, units, listeners, processes, disks.

Nothing of a command line is kept but the name of the program: arguments hold passwords.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from switchover.services.provider_api import Found, Lists, ProcessState, Provider
from switchover.services.provider_registry import make_providers

__all__ = ["Item", "survey"]

_KINDS = ("docker", "systemd", "process")
_DEADLINE_S = 20.0
_SETTLED_S = 60.0  # a process that is younger may be a command that ends
_OF_THE_SYSTEM = re.compile(
    r"(?:systemd-|getty@|serial-getty@|user@|user-runtime-dir@|session-|dbus|polkit|rtkit|udisks|upower|modem|networkd-)"
)
_HELPERS = frozenset({"docker-proxy", "rootlesskit", "slirp4netns", "containerd-shim", "containerd-shim-runc-v2"})
_OUR_OWN = re.compile(
    r"(?:^|[ /.])(?:switchover(?:[ .]|$)|launcher\.py$|shim\.py$)"
)  # an agent is not what is migrated
_NAME = re.compile(r"[\w.@+-]{2,48}")
_DISKS = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs", "reiserfs"})
_REDIS = ("redis-server", "valkey-server")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that runs: a service of the plan, or a check. `keys` are as they stand in the plan."""

    section: str
    name: str
    keys: dict[str, object]


async def survey(without: Collection[str] = ()) -> tuple[Item, ...]:
    """Look around, and return what was found: services first, then checks. Kinds of `without` are not asked."""
    kinds = [kind for kind in _KINDS if kind not in without]
    providers = {provider.kind: provider for provider in make_providers(Path("/"), time.monotonic, only=kinds)}
    try:
        found = {kind: await _running(provider) for kind, provider in providers.items()}
    finally:
        for provider in providers.values():
            await provider.aclose()
    listening, others = _processes(found.get("process", ()))
    items = [
        *_containers(found.get("docker", ())),
        *_units(found.get("systemd", ())),
        *_listeners(listening),
        *_others(others),
        *_disks(),
    ]
    return tuple(_named_once(items))


async def _running(provider: Provider) -> tuple[Found, ...]:
    if not isinstance(provider, Lists):
        return ()
    with suppress(TimeoutError):
        async with asyncio.timeout(_DEADLINE_S):
            await provider.discover()  # the first listing comes without the ports
            found = await provider.discover()
            return tuple(one for one in found if one.observation.state is ProcessState.RUNNING)
    return ()


def _containers(found: tuple[Found, ...]) -> Iterator[Item]:
    for one in sorted(found, key=lambda one: one.title):
        where: dict[str, object] = {"container": one.target.container}
        host = {"docker_host": one.target.docker_host} if one.target.docker_host else {}
        yield Item("services", one.title, {"kind": "docker", **where, **host})
        host = {"host": one.target.docker_host} if one.target.docker_host else {}
        yield Item("checks", f"{one.title}_runs", {"kind": "docker", **where, **host, "expect": ["restarts < 5"]})


def _units(found: tuple[Found, ...]) -> Iterator[Item]:
    for one in sorted(found, key=lambda one: one.title):
        if not _OF_THE_SYSTEM.match(one.title.rpartition("/")[2].rpartition(":")[2]):
            yield Item("services", one.title, {"kind": "systemd", "unit": one.target.unit})


def _processes(found: tuple[Found, ...]) -> tuple[list[Found], list[Found]]:
    """Return those that listen, and those that go on by themselves without it."""
    ours = _ancestors()
    apart = [one for one in found if one.target.pid not in ours and not one.group.startswith("container ")]
    known = [one for one in apart if not _OUR_OWN.search(one.title)]
    listening = [one for one in known if one.observation.ports and one.title not in _HELPERS]
    settled = time.time() - _SETTLED_S
    others = [
        one
        for one in known
        if one not in listening
        and not one.group.endswith((".service", ".scope"))
        and one.observation.parent in (1, None)
        and one.target.pid != 1
        and (one.observation.started_at or settled + 1) <= settled
    ]
    return listening, others


def _listeners(found: list[Found]) -> Iterator[Item]:
    ports: set[int] = set()
    for one in sorted(found, key=lambda one: (one.title, one.target.pid or 0)):
        own: dict[int, str] = {}
        for place in one.observation.ports:
            address, _, port = place.rpartition(":")
            if port.isdecimal() and int(port) not in ports:
                own.setdefault(int(port), address.strip("[]"))
        ports |= own.keys()
        if own and not one.group.endswith(".service"):
            yield Item("services", one.title, {"kind": "process", "listen": min(own)})
        for number, address in sorted(own.items()):
            only: dict[str, object] = {"address": address} if address not in ("*", "") else {}
            yield Item("checks", f"{one.title}_port_{number}", {"kind": "port", "port": number} | only)
            if one.title.partition(" ")[0] in _REDIS:
                yield Item("checks", f"{one.title}_answers_{number}", {"kind": "redis", "port": number})


def _others(found: list[Found]) -> Iterator[Item]:
    seen: set[str] = set()
    for one in sorted(found, key=lambda one: one.title):
        word = one.title.rpartition(" ")[2]
        if word in seen or word.startswith("-") or not _NAME.fullmatch(word):
            continue
        seen.add(word)
        pattern = rf"(^|/){re.escape(word)}( |$)"
        yield Item("services", word, {"kind": "process", "pattern": pattern})
        yield Item("checks", f"{word}_runs", {"kind": "process", "pattern": pattern})


def _disks() -> Iterator[Item]:
    devices: set[str] = set()
    for line in Path("/proc/self/mounts").read_text("utf-8", "replace").splitlines():
        device, place, kind, *_ = line.split(" ")
        if (kind in _DISKS or place == "/") and device not in devices and "\\" not in place:
            devices.add(device)
            name = "disk" + (place.replace("/", "_") if place != "/" else "")
            yield Item("checks", name, {"kind": "disk", "path": place, "warn": "10%:", "crit": "5%:"})


def _ancestors() -> set[int]:
    """Return this process and those that started it: they end with the terminal."""
    import psutil

    with suppress(psutil.Error):
        return {os.getpid(), *(parent.pid for parent in psutil.Process().parents() if parent.pid != 1)}
    return {os.getpid()}


def _named_once(items: list[Item]) -> Iterator[Item]:
    taken: set[str] = set()
    for item in items:
        name = re.sub(r"[^A-Za-z0-9_]+", "_", item.name).strip("_")[:56] or "service"
        name = name if not name[0].isdigit() else f"_{name}"
        number, chosen = 1, name
        while chosen in taken:
            number += 1
            chosen = f"{name}_{number}"
        taken.add(chosen)
        yield Item(item.section, chosen, item.keys)
