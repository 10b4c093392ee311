"""From the event to the screen: how long after the kernel or a daemon knew of it a change stands on the terminal.

The zero is the source's own clock: the moment before the signal for a process, the time that dockerd gives its event,
and the time that systemd gives the unit's change of state. Both run on this machine's clock.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyte
import pytest
from tests.bench.support.recorder import Recorder, usage
from tests.bench.support.table import print_table

_SIZE = (120, 40)
_ROUNDS = 20
_MANY = 200
_SPACING_S = 0.7
_PATIENCE_S = 10.0
_SETTLE_S = 20.0  # by then all has been read once, and what sleeps is known to
_IDLE_S = 20.0


def run() -> None:
    """Measure and print."""
    rows = [["process (kill -9)", *_summary(_processes())]]
    notes = []
    try:
        delays, idle = _containers()
        rows.append(["container (kill)", *_summary(delays)])
        notes.append(f"agent beside {_MANY} idle containers, all listed: {idle:.2f} % of one core (aim 1)")
    except (Exception, pytest.skip.Exception) as error:  # what is missing is said, the rest is measured
        notes.append(f"containers not measured: {error}")
    try:
        rows.append(["unit (its process is killed)", *_summary(_units())])
    except (Exception, pytest.skip.Exception) as error:
        notes.append(f"units not measured: {error}")
    print_table("From event to screen, ms", ["", "median", "p95", "worst", "aim p95"], rows, "\n".join(notes))


def _summary(delays: list[float]) -> list[str]:
    ordered = sorted(delays)
    at95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    return [f"{1000 * value:.0f}" for value in (statistics.median(ordered), at95, ordered[-1])] + ["100"]


@contextmanager
def _screens(folder: Path, plan: str, env: Mapping[str, str] | None = None) -> Iterator[Recorder]:
    path = folder / "plan.yaml"
    path.write_text(plan, encoding="utf-8")
    whole = {"SWITCHOVER_STATE": f"{folder}/state", **(env or {})}
    argv = [sys.executable, "-m", "switchover", str(path)]
    try:
        with Recorder(argv, _SIZE, whole) as recorder:
            recorder.watch_for("Services")
            recorder.send("2")
            recorder.watch_for("running")
            recorder.watch(3.0)
            yield recorder
    finally:
        stop = [sys.executable, "-m", "switchover", "agent", "stop", str(path)]
        subprocess.run(stop, env={**os.environ, **whole}, capture_output=True, check=False)


def _stopped(name: str) -> Callable[[pyte.Screen], bool]:
    def look(screen: pyte.Screen) -> bool:
        return any(f" {name} " in line and "running" not in line for line in screen.display)

    return look


def _processes() -> list[float]:
    children = [subprocess.Popen(["sleep", "3600"]) for _ in range(_ROUNDS)]
    try:
        with tempfile.TemporaryDirectory(prefix="switchover-bench-") as scratch:
            folder = Path(scratch)
            lines = []
            for number, child in enumerate(children):
                (folder / f"{number}.pid").write_text(f"{child.pid}\n")
                lines.append(f"  p{number:02}: {{kind: process, pid_file: {folder}/{number}.pid}}\n")
            with _screens(folder, f"schema: 1\nid: bench\ntitle: events\nservices:\n{''.join(lines)}") as recorder:
                moments = [_one(recorder, f"p{n:02}", child.kill) for n, child in enumerate(children)]
                return [seen - began for began, seen in moments]
    finally:
        for child in children:
            child.kill()
            child.wait()


def _one(recorder: Recorder, name: str, end: Callable[[], Any], spacing: float = _SPACING_S) -> tuple[float, float]:
    """Return when `end` was called, and when the service left the screen as running."""
    began = time.perf_counter()
    end()
    recorder.watch(spacing)
    while (taken := recorder.seconds_until(_stopped(name), began)) is None:
        if time.perf_counter() - began > _PATIENCE_S:
            raise TimeoutError(f"{name} does not leave the screen as running")
        recorder.watch(spacing)
    return began, began + taken


def _containers() -> tuple[list[float], float]:
    from tests.support.servers.dockerd import run_dockerd

    with run_dockerd() as daemon, tempfile.TemporaryDirectory(prefix="switchover-bench-") as scratch:
        names = [f"c{number:03}" for number in range(_MANY)]
        for name in names:
            daemon.run("sleep", "3600", name=name)
        watched = names[:_ROUNDS]
        lines = "".join(f"  {name}: {{kind: docker, container: {name}}}\n" for name in watched)
        plan = f"schema: 1\nid: bench\ntitle: events\nservices:\n{lines}"
        with _screens(Path(scratch), plan, {"DOCKER_HOST": daemon.url}) as recorder:
            recorder.send("o")
            recorder.watch(_SETTLE_S)
            idle = _agent_cpu(Path(scratch), recorder)
            known = _EventTimes(daemon)
            delays = []
            for name in watched:
                pid = daemon.client.api.inspect_container(name)["State"]["Pid"]
                _, seen = _one(recorder, name, partial(os.kill, pid, signal.SIGKILL), _SPACING_S + 0.5)
                delays.append(seen - known.of(name))
            return delays, idle


def _units() -> list[float]:
    from tests.support.servers.dockerd import run_dockerd
    from tests.support.servers.systemd_container import run_systemd

    files = {"victim@.service": "[Service]\nExecStart=/bin/sleep 3600\n"}
    with run_dockerd() as daemon, run_systemd(daemon, files) as host, tempfile.TemporaryDirectory() as scratch:
        units = {f"u{number:02}": f"victim@{number}.service" for number in range(_ROUNDS)}
        host.systemctl("start", *units.values())
        lines = "".join(f"  {name}: {{kind: systemd, unit: {victim}}}\n" for name, victim in units.items())
        plan = f"schema: 1\nid: bench\ntitle: events\nservices:\n{lines}"
        with _screens(Path(scratch), plan, {"DBUS_SYSTEM_BUS_ADDRESS": host.bus}) as recorder:
            offset = time.perf_counter() - time.time()
            delays = []
            for name, unit in units.items():
                _, seen = _one(recorder, name, partial(host.systemctl, "kill", "--signal=KILL", unit))
                said = host.systemctl("show", "--timestamp=us+utc", "--value", "--property=StateChangeTimestamp", unit)
                at = datetime.strptime(said, "%a %Y-%m-%d %H:%M:%S.%f %Z").replace(tzinfo=UTC).timestamp()
                delays.append(seen - (at + offset))
            return delays


class _EventTimes:
    """When dockerd says that a container died, on `time.perf_counter`'s scale."""

    def __init__(self, daemon: Any) -> None:
        self._daemon = daemon
        self._since = time.time()
        self._offset = time.perf_counter() - time.time()

    def of(self, name: str) -> float:
        for event in self._daemon.client.api.events(
            since=int(self._since), until=int(time.time()) + 1, filters={"event": "die", "container": name}, decode=True
        ):
            return float(event["timeNano"]) / 1e9 + self._offset
        raise LookupError(name)


def _agent_cpu(folder: Path, recorder: Recorder) -> float:
    import psutil

    agents = [p for p in psutil.process_iter(["cmdline", "environ"]) if _is_agent(p.info, f"{folder}/state")]
    if not agents:
        raise LookupError("no agent found")
    before = usage(agents[0].pid)[0]
    recorder.watch(_IDLE_S)
    return 100 * (usage(agents[0].pid)[0] - before) / _IDLE_S


def _is_agent(info: Mapping[str, Any], state: str) -> bool:
    line = " ".join(info["cmdline"] or ())
    return "switchover" in line and "agent" in line and (info["environ"] or {}).get("SWITCHOVER_STATE") == state
