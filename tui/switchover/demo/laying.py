"""Lay a demo down in a folder, or bring one back that lies there."""

from __future__ import annotations

import fcntl
import os
import random
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from typing import Final

from switchover.demo import shop_store
from switchover.demo.demo_processes import DemoError, is_running, start
from switchover.demo.layout import PARTS, SIDES, Demo, Ports, write_whole

__all__ = ["lay_down"]

_FIRST_PORT: Final = 20_000
_LAST_PORT: Final = 31_999  # below the range from which outgoing connections take theirs
_TRIES: Final = 200


def lay_down(demo: Demo) -> bool:
    """Lay down what is not there yet and start what does not run; return whether anything had to be started.

    Raise `DemoError` for a folder with anything else in it, `OSError` where it cannot be written.
    """
    demo.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(demo):
        if not demo.mark.exists():
            if strangers := sorted(p.name for p in demo.directory.iterdir() if not p.name.startswith(demo.mark.name)):
                raise DemoError(f"{demo.directory} holds other files ({', '.join(strangers[:3])}, …) and is no demo")
            demo.write_mark(_free_ports())
        if not demo.plan.exists():
            write_whole(demo.plan, _plan_text(demo.ports()))
        if not demo.live():
            shop_store.create_empty(demo.store("old"))
            shop_store.fill(demo.store("old"))
            shop_store.back_up(demo, demo.nightly)
            write_whole(demo.live_file, "old\n")
        if not demo.store(demo.live_side()).exists():
            raise DemoError(f"the store of the live side, {demo.live()}, is gone from {demo.directory}")
        wanted = [part for part in PARTS if part == "door" or demo.store(part).exists()]
        asleep = [part for part in wanted if not is_running(demo, part)]
        for part in asleep:
            start(demo, part)
        return bool(asleep)


@contextmanager
def _alone(demo: Demo) -> Iterator[None]:
    """Hold the folder, so that two who lay it down at once do it one after the other."""
    folder = os.open(demo.directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _free_ports() -> Ports:
    found: list[int] = []
    chance = random.SystemRandom()
    for _ in range(_TRIES):
        port = chance.randint(_FIRST_PORT, _LAST_PORT)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
        if len(found) == len(PARTS):
            return Ports(*found)
    raise DemoError(f"no free ports between {_FIRST_PORT} and {_LAST_PORT}")


def _plan_text(ports: Ports) -> str:
    """Return the plan that ships, with the ports of this demo. It has a target of its own: other demos may exist."""
    text = (resources.files("switchover") / "examples" / "demo.yaml").read_text(encoding="utf-8")
    for part in (*SIDES, "door"):
        text, changed = re.subn(
            rf"^(  {part}_port: .*default: )\d+", rf"\g<1>{getattr(ports, part)}", text, count=1, flags=re.MULTILINE
        )
        if not changed:
            raise DemoError(f"the plan that ships does not name {part}_port")
    return re.sub(r"^target: demo$", f"target: demo {ports.door}", text, count=1, flags=re.MULTILINE)
