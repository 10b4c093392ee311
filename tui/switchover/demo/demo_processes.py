"""Start and end a demo's processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from typing import Any, Final

from switchover.demo.demo_marks import ancestors, marked, start_time
from switchover.demo.layout import MARKER_VARIABLE, Demo, Part

__all__ = ["DemoError", "ask", "end", "end_all", "is_running", "marked_environment", "recorded", "start"]

_START_S: Final = 20.0
_GRACE_S: Final = 3.0
_ROUNDS: Final = 5


class DemoError(Exception):
    """A part of the demo does not do what was asked of it."""


def marked_environment(demo: Demo) -> dict[str, str]:
    """Return this process's environment with the demo's mark."""
    return {**os.environ, MARKER_VARIABLE: str(demo.directory)}


def recorded(demo: Demo, part: Part) -> int | None:
    """Return the pid of a part as recorded, if that very process still lives."""
    try:
        pid, started = map(int, demo.record(part).read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return None
    return pid if start_time(pid) == started else None


def ask(demo: Demo, part: Part, path: str, *, timeout_s: float = 10.0) -> tuple[int, dict[str, Any]]:
    """GET `path` from a part; return status and JSON. Raise `DemoError` where there is no answer."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            demo.url(part, path), timeout=timeout_s
        ) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        with error:
            try:
                return error.code, json.load(error)
            except ValueError:
                return error.code, {}
    except (OSError, ValueError) as error:
        raise DemoError(f"{part} does not answer at {demo.url(part, path)}: {error}") from error


def is_running(demo: Demo, part: Part) -> bool:
    """Whether the process lives and answers."""
    if recorded(demo, part) is None:
        return False
    try:
        ask(demo, part, "/_door" if part == "door" else "/health")
    except DemoError:
        return False
    return True


def start(demo: Demo, part: Part) -> int:
    """Start a part unless it runs, wait until it answers, and return its pid. Raise `DemoError`."""
    if not is_running(demo, part):
        end(demo, part)
        module = ["switchover.demo.front_door"] if part == "door" else ["switchover.demo.shop"]
        command = [sys.executable, "-P", "-m", *module, str(demo.directory), *([] if part == "door" else [part])]
        environment = marked_environment(demo)
        try:
            done = subprocess.run(
                command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=_START_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise DemoError(f"{part} did not start within {_START_S:.0f} s; see {demo.log(part)}") from error
        if done.returncode:
            words = done.stderr.decode(errors="replace").strip().splitlines()
            raise DemoError(words[-1] if words else f"{part} ended with {done.returncode}")
        ask(demo, part, "/_door" if part == "door" else "/health", timeout_s=_START_S)
    pid = recorded(demo, part)
    if pid is None:
        raise DemoError(f"{part} ended right after its start; see {demo.log(part)}")
    return pid


def end(demo: Demo, part: Part) -> bool:
    """End a part by its record; return whether it ran."""
    pid = recorded(demo, part)
    if pid is not None:
        _end(lambda: {pid} if recorded(demo, part) == pid else set())
    demo.record(part).unlink(missing_ok=True)
    return pid is not None


def end_all(demo: Demo, others: Iterable[int] = ()) -> int:
    """End `others` and everything that carries the demo's mark, whatever became of its records; return how many."""
    spared = ancestors()
    more = {pid: started for pid in others if (started := start_time(pid)) is not None}

    def left() -> set[int]:
        return (marked(demo) | {pid for pid, started in more.items() if start_time(pid) == started}) - spared

    return len(_end(left))


def _end(left: Callable[[], set[int]]) -> set[int]:
    """Ask what is `left` to end, give it time, then kill, until nothing is left. Return all that there was."""
    met: set[int] = set()
    for turn in range(_ROUNDS):
        found = left()
        met |= found
        if not found:
            return met
        _signal(found, signal.SIGTERM if turn == 0 else signal.SIGKILL)
        limit = time.monotonic() + _GRACE_S
        while left() & found and time.monotonic() < limit:
            time.sleep(0.02)
    if found := left():
        raise DemoError(f"these processes cannot be ended: {', '.join(map(str, sorted(found)))}")
    return met


def _signal(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
        except PermissionError as error:
            raise DemoError(f"process {pid} belongs to another user") from error
