"""Shims, steps and what the kernel knows of them, in memory: a step costs no process, and dies where it is told.

The shim's records are written by the real shim's own code. What ran is in a ledger that no loss ever touches.
"""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import Any

import pytest

from switchover import redaction
from switchover.migration.steps import attempt, bounded_output, remote_clients, sealing, shim
from switchover.migration.steps.spawn import LauncherLostError, ShimRequest, ShimWatch

__all__ = ["Fate", "ModelKernel"]

_FIRST_PID = 1 << 23  # above all that the real kernel gives, so that nobody else is ever meant
_KIT = shim.Kit(
    redaction.Redactor,
    bounded_output.BoundedOutput,
    bounded_output.Captures,
    remote_clients.RemoteClients,
    sealing.seal,
)


@dataclass(frozen=True)
class Fate:
    """What becomes of one launch: `how` is through, stops, dies or none; `lost` is the launcher, after the fork."""

    how: str = "through"
    point: str = ""
    exit_code: int = 0
    lost: bool = False


class ModelShim(shim.Shim):
    """One attempt. It lives as far as it is let, point by point."""

    def __init__(self, kernel: ModelKernel, request: dict[str, Any], telling: int, exit_code: int) -> None:
        super().__init__(request, _KIT, telling)
        self.kernel, self.exit_code = kernel, exit_code
        self.shim_pid, self.pid = next(kernel.pids), next(kernel.pids)
        self.identity = {
            "shim": self.shim_pid,
            "shim_start": self.shim_pid,
            "boot_id": request["boot_id"],
            **self._belongs(),
        }
        self.reading, self._writing = os.pipe()
        self.alive, self.step_alive = True, False
        self._life = self._live()

    def _live(self) -> Iterator[str]:
        yield "before-claim"
        if not self._claim():
            return
        yield "after-claim"
        self._record("started.json", {"pid": self.pid, "pid_start": self.pid, **self.identity, "at": 0.0})
        self._note_remote()
        yield "after-started"
        self.step_alive = True
        self.kernel.write("begin", self)
        yield "after-release"
        ending = "aborted" if self.aborts else "exited"
        code = -signal.SIGTERM if self.aborts else self.exit_code
        self.end_step(code)
        yield "before-exit"
        known = {"duration_s": 0.1, "at": 0.0, "outputs": {}, "output_bytes": 0, "remote": [], "survivors": []}
        self._record("exit.json", {"ending": ending, "exit_code": code, **known, **self._belongs()}, last=True)
        self.telling = -1
        yield "after-exit"

    def end_step(self, code: int) -> None:
        """Let the step itself end; only one that was through has written its end."""
        self.step_alive = False
        if code == 0:
            self.kernel.write("end", self)

    def go(self, until: str = "") -> None:
        """Live on, to a point or to the end."""
        try:
            for point in self._life:
                if point == until:
                    return
        except OSError:
            self.step_alive = False  # its records cannot be written, so nothing is released
        self.die()

    def die(self) -> None:
        """Be gone; a step that was released goes on alone."""
        if self.alive:
            self.alive = False
            self._life.close()  # type: ignore[attr-defined]
            for descriptor in (self._writing, self.telling):
                if descriptor >= 0:
                    os.close(descriptor)


class ModelKernel:
    """Starts shims as the launcher does, and answers what is asked of /proc."""

    def __init__(self) -> None:
        self.pids = itertools.count(_FIRST_PID)
        self.shims: list[ModelShim] = []
        self.fates: list[Fate] = []
        self.ledger: dict[str, list[str]] = {}  # by run
        self._watched: dict[int, ModelShim] = {}

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Be asked in the place of the real kernel, about processes that are not real."""
        kill, send = os.kill, signal.pidfd_send_signal
        for name in ("living_shim", "marked_processes", "session_members", "open_process"):
            patch.setattr(attempt, name, getattr(self, name))

        def killed(pid: int, number: int) -> None:
            self._kill(pid) if pid >= _FIRST_PID else kill(pid, number)

        def signalled(descriptor: int, number: int) -> None:
            watched = self._watched.get(descriptor)
            send(descriptor, number) if watched is None else self._stop(watched)

        patch.setattr(os, "kill", killed)
        patch.setattr(signal, "pidfd_send_signal", signalled)

    # As the launcher

    def warm_up(self) -> None:
        """Nothing has to be started."""

    def close(self) -> None:
        """Nothing has to be ended."""

    async def start(self, request: ShimRequest) -> ShimWatch:
        """Start a shim, which goes as far as its fate says."""
        fate = self.fates.pop(0) if self.fates else Fate()
        if fate.how == "none":
            raise LauncherLostError("the launcher was killed")
        told, telling = os.pipe()
        body = {field.name: getattr(request, field.name) for field in fields(request)}
        one = ModelShim(self, body, telling, fate.exit_code)
        self.shims.append(one)
        one.go(fate.point)
        if fate.how == "dies":
            one.die()
        if fate.lost:
            os.close(told)
            raise LauncherLostError("the launcher was killed")
        return ShimWatch(self._watch(one), told)

    # As the kernel

    def living_shim(self, started: str) -> int | None:
        return next((self._watch(s) for s in self.shims if s.alive and s.request["started"] == started), None)

    def marked_processes(self, started: str) -> tuple[int, ...]:
        return tuple(s.pid for s in self.shims if s.step_alive and s.request["started"] == started)

    def session_members(self, leader: int, began: int) -> tuple[int, ...]:
        return tuple(s.pid for s in self.shims if s.step_alive and (s.pid, s.pid) == (leader, began))

    def open_process(self, pid: int, began: int) -> int | None:
        return next((self._watch(s) for s in self.shims if s.alive and (s.shim_pid,) * 2 == (pid, began)), None)

    def _watch(self, one: ModelShim) -> int:
        descriptor = os.dup(one.reading)
        self._watched[descriptor] = one
        return descriptor

    def _stop(self, one: ModelShim) -> None:
        if one.alive:
            one.aborts += 1
            one.go()

    def _kill(self, pid: int) -> None:
        for one in self.shims:
            if one.pid == pid:
                one.step_alive = False

    def write(self, word: str, one: ModelShim) -> None:
        """Write a line of the ledger, as a step would."""
        name, _, number = os.path.basename(one.directory).rpartition(".")  # noqa: PTH119
        unit = name.replace("-", ":") if name.startswith("rollback-") else name
        run = one.request["env"]["SWITCHOVER_RUN_ID"]
        self.ledger.setdefault(run, []).append(f"{word} {unit} {number}")

    @property
    def living(self) -> list[ModelShim]:
        """The shims and steps that are there."""
        return [one for one in self.shims if one.alive or one.step_alive]

    def end_all(self) -> None:
        """Let the machine go down."""
        for one in self.shims:
            one.die()
            one.step_alive = False

    def forget(self) -> None:
        """Close what is open."""
        self.end_all()
        for one in self.shims:
            with suppress(OSError):
                os.close(one.reading)
