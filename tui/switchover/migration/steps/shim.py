"""The shim: watches one step from before its start to after its end, and outlives everybody else.

It lives in a session of its own, so no terminal and no engine takes it along. What it knows is in three small records
in the attempt's directory, each complete when it appears:

    claim         who owns this attempt; whoever makes it first. A shim that loses it does nothing.
    started.json  written before the command may execute, into the file that was set aside for it
    exit.json     written after the end; then the engine, where one waits, is told, and the record is flushed

Each names the journal and the `StepStarted` that it belongs to. Where the folder was taken away meanwhile, the end is
written into a new one. Without the files that were set aside, nothing is executed.

`remote.json` notes which programs were seen that hand work to another machine. It is there before the command may
execute. So only a note that names none says that there were none.

The flush happens while the engine journals the end. Until one of the two is on disk nobody is told that it ended. After
a loss of power before that, the outcome is unknown.

Standard library only. The launcher loads it with the files that it imports, and hands it the redactor. The same files
are sent to other hosts, where Python 3.6 reads them.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, NoReturn

from switchover.migration.steps.shim_records import ShimRecords, leave_a_note, shim_name, start_time
from switchover.migration.steps.step_processes import become, descendants, somebody_holds
from switchover.migration.steps.step_streams import READ_BYTES, StepStreams

SWEEP_LIMIT_S = 10.0
FIRST_LOOK_S = 0.02  # after which it is looked for programs that hand work elsewhere
PR_SET_NAME = 15
QUIET_S = 0.25  # after which the end of a line is let go that might have been the beginning of a secret
PR_SET_CHILD_SUBREAPER = 36

_prctl = ctypes.CDLL(None).prctl


class Kit(NamedTuple):
    """What the shim builds with, loaded by the launcher."""

    redactor: Callable[[dict[str, str]], Any]
    output: Callable[[str, int, int], Any]
    captures: Callable[[dict[str, str], list[str]], Any]
    remote: Callable[[int], Any]
    seal: Callable[[bytes, str, str], str]


def run(request: dict[str, Any], kit: Kit, telling: int) -> NoReturn:
    """Watch the step that `request` describes, then end this process. `telling` is closed once its end is recorded."""
    code = 1
    try:
        Shim(request, kit, telling).watch()
        code = 0
    except BaseException as error:
        leave_a_note(request["directory"], error)
    finally:
        os._exit(code)


class Shim(ShimRecords):
    """One attempt at one step."""

    def __init__(self, request: dict[str, Any], kit: Kit, telling: int) -> None:
        super().__init__(request, telling, kit.remote(os.getpid()))
        self.seal = kit.seal
        self.written = StepStreams(request, kit)
        self.status: int | None = None
        self.aborts = 0
        self.pid = 0

    def watch(self) -> None:
        """Claim the attempt, run the command, record its end."""
        os.setsid()
        _prctl(PR_SET_NAME, shim_name(self.request["started"]).encode(), 0, 0, 0)
        _prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.wake, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._on_abort)
        self._die_at("before-claim")
        if not self._claim():
            return
        self._die_at("after-claim")
        release, failure = self._fork()
        self._record(
            "started.json", {"pid": self.pid, "pid_start": start_time(self.pid), **self._identity(), "at": time.time()}
        )
        self._note_remote()
        self._die_at("after-started")
        began = time.monotonic()
        with suppress(BrokenPipeError):
            os.write(release, b"!")
        os.close(release)
        self._die_at("after-release")
        ending = self._pump(began)
        record = self._ending(ending, failure, time.monotonic() - began)
        self._die_at("before-exit")
        self._record("exit.json", record, last=True)
        self._die_at("after-exit")
        self._leave_daemons_alone()

    def _on_abort(self, *_: object) -> None:
        self.aborts += 1

    def _fork(self) -> tuple[int, int]:
        """Fork the command, held until it is released; return the release and the failure pipe."""
        release_read, release = os.pipe2(os.O_CLOEXEC)
        failure, failure_write = os.pipe2(os.O_CLOEXEC)
        out_read, out_write = os.pipe2(os.O_CLOEXEC)
        apart = bool(self.request["captures"])
        # One pipe keeps the order of what is written; where lines are captured, standard output is read on its own.
        err_read, err_write = os.pipe2(os.O_CLOEXEC) if apart else (out_read, out_write)
        environment = dict(self.request["env"])
        self.pid = os.fork()
        if self.pid == 0:
            os.close(release)
            become(self.request, environment, release_read, failure_write, out_write, err_write)
        for descriptor in {release_read, failure_write, out_write, err_write}:
            os.close(descriptor)
        self.written.read_from(out_read, err_read)
        return release, failure

    def _pump(self, began: float) -> str:
        """Copy output until the command has ended; return why it ended: exited, timeout or aborted."""
        poll = select.poll()
        poll.register(self.wake, select.POLLIN)
        for descriptor in self.written.streams:
            poll.register(descriptor, select.POLLIN)
        deadline = began + self.request["timeout_s"]
        ending, kill_at, look_at = "exited", 0.0, began + FIRST_LOOK_S
        self._reap()
        while True:
            now = time.monotonic()
            if ending == "exited":
                if self.status is not None:
                    break
                if self.aborts or now >= deadline:
                    ending = "aborted" if self.aborts else "timeout"
                    kill_at = now + self.request["grace_s"]
                    self._look()
                    self._signal_group(signal.SIGTERM)
            elif not self._has_children():
                break
            elif now >= kill_at or self.aborts > 1:
                self._sweep()
                break
            if ending == "exited" and now >= look_at:
                look_at = now + self._look()
            wait = (kill_at if ending != "exited" else min(deadline, look_at)) - now
            if self.written.waits():
                wait = min(wait, QUIET_S)
            ready = poll.poll(max(0.0, min(wait, 3600.0)) * 1000 + 1)
            if not ready:
                self.written.rest()
            for descriptor, _ in ready:
                if descriptor == self.wake:
                    with suppress(BlockingIOError):
                        os.read(self.wake, 4096)
                    self._reap()
                elif not self.written.copy(descriptor):
                    poll.unregister(descriptor)
        if self.status:
            self._look()
        self.written.drain()
        return ending

    def _look(self) -> float:
        """Look for programs that hand work elsewhere, and leave a note of them; return when to look again."""
        known = len(self.remote.seen)
        pause: float = self.remote.look()
        if len(self.remote.seen) > known:
            self._note_remote()
        return pause

    def _reap(self) -> None:
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self.pid:
                    self.status = status

    def _has_children(self) -> bool:
        while True:
            self._reap()
            try:
                if os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                    return True
            except ChildProcessError:
                return False

    def _signal_group(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def _sweep(self) -> None:
        """Kill the group, then every descendant wherever it fled: as their reaper we are above all of them."""
        self._signal_group(signal.SIGKILL)
        give_up = time.monotonic() + SWEEP_LIMIT_S
        poll = select.poll()
        poll.register(self.wake, select.POLLIN)
        while self._has_children() and time.monotonic() < give_up:
            for pid in descendants(os.getpid()):
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            poll.poll(5)
            with suppress(BlockingIOError):
                os.read(self.wake, 4096)

    def _ending(self, ending: str, failure: int, duration: float) -> dict[str, Any]:
        os.set_blocking(failure, False)
        problem = b""
        with suppress(BlockingIOError):
            problem = os.read(failure, 256)
        code = None if self.status is None else os.waitstatus_to_exitcode(self.status)
        values, veiled, output = self.written.captures.values, self.written.veiled.values, self.written.output
        return {
            "ending": "error" if problem else ending,
            "exit_code": None if problem else code,
            "problem": problem.decode(),
            "duration_s": duration,
            "at": time.time(),
            "outputs": self._sealed(values),
            "veiled": self._sealed({n: veiled.get(n, "") for n, value in values.items() if veiled.get(n) != value}),
            "output_bytes": output.total,
            "output_lost": output.lost,
            "output_gone": output.gone,
            "remote": list(self.remote.seen),
            "survivors": sorted(descendants(os.getpid())) if ending != "exited" else [],
            **self._belongs(),
        }

    def _sealed(self, values: dict[str, str]) -> dict[str, str]:
        """Return what was captured as only the engine can read it, which says whether all may."""
        key, about = bytes.fromhex(self.request["seal_key"]), self.request["sealed_about"]
        return {name: self.seal(key, value, f"{about}{name}") for name, value in values.items() if key}

    def _leave_daemons_alone(self) -> None:
        """Keep reading, from a process that holds nothing else, for services that were started and still hold the pipe.

        Without a reader their next line of output would end them.
        """
        held = [descriptor for descriptor, stream in self.written.streams.items() if stream.open]
        if not held or not somebody_holds(held):
            return
        if os.fork():
            return
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _prctl(PR_SET_NAME, b"sw-reader", 0, 0, 0)  # the shim itself is through
        os.chdir("/")
        poll = select.poll()
        for descriptor in held:
            poll.register(descriptor, select.POLLIN)
        while held:
            for descriptor, _ in poll.poll():
                with suppress(BlockingIOError):
                    if not os.read(descriptor, READ_BYTES):
                        poll.unregister(descriptor)
                        held.remove(descriptor)
