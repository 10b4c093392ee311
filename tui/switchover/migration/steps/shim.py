"""The shim: watches one step from before its start to after its end, and outlives everybody else.

It lives in a session of its own, so no terminal and no engine takes it along. What it knows is in three small records
in the attempt's directory, each complete when it appears:

    claim         who owns this attempt; whoever makes it first. A shim that loses it does nothing
    started.json  written before the command may execute, into the file that was set aside for it
    exit.json     written after the end; then the engine, where one waits, is told, and the record is flushed

Each names the journal and the `StepStarted` that it belongs to. Where the folder was taken away meanwhile, the end is
written into a new one. Without the files that were set aside, nothing is executed.

`remote.json` notes which programs were seen that hand work to another machine. It is there before the command may
execute. So only a note that names none says that there were none.

The flush happens while the engine journals the end. Until one of the two is on disk nobody is told that it ended. After
a loss of power before that, the outcome is unknown.

Standard library only: the launcher loads this file on its own, and hands it the redactor.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple, NoReturn

RECORD_BYTES = 4096  # set aside for each record before the step starts, so that a full disk cannot take it away
SWEEP_LIMIT_S = 10.0
FIRST_LOOK_S = 0.02  # after which it is looked for programs that hand work elsewhere
READ_BYTES = 1 << 18
PR_SET_NAME = 15
WITHHELD = b"[this output is too long to be looked through for its secret, and was not kept]\n"
QUIET_S = 0.25  # after which the end of a line is let go that might have been the beginning of a secret
PR_SET_CHILD_SUBREAPER = 36
MARK = "SWITCHOVER_MARK"  # in a step's environment: the hash of its `StepStarted`, and the session it began in

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
        _leave_a_note(request["directory"], error)
    finally:
        os._exit(code)


def start_time(pid: int | str) -> int:
    """Return a process's start time in clock ticks since the boot; with the pid it names one process for good."""
    with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - no pathlib here
        return int(file.read().rpartition(b")")[2].split()[19])


def shim_name(started: str) -> str:
    """Return the name that the kernel shows for the shim of an attempt. It finds the shim without any record."""
    return f"sw-{started[:12]}"


class Shim:
    """One attempt at one step."""

    def __init__(self, request: dict[str, Any], kit: Kit, telling: int) -> None:
        self.request = request
        self.kit = kit
        self.telling = telling
        self.directory: str = request["directory"]
        self.output = kit.output(self.directory, request["head_bytes"], request["segment_bytes"])
        self.captures = kit.captures(request["captures"], request["hidden"])
        self.veiled = kit.captures(request["captures"], [])  # the same from what may be read
        self.status: int | None = None
        self.aborts = 0
        self.pid = 0
        self.identity: dict[str, Any] = {}
        self.streams: dict[int, StepStream] = {}
        self.joined: Any = None  # what of both streams comes together in the output may be a secret only there
        self.remote = kit.remote(os.getpid())

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

    def _die_at(self, point: str) -> None:
        if self.request.get("die_at") == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def _identity(self) -> dict[str, Any]:
        if not self.identity:
            self.identity = {
                "shim": os.getpid(),
                "shim_start": start_time("self"),
                "boot_id": self.request["boot_id"],
                **self._belongs(),
            }
        return self.identity

    def _belongs(self) -> dict[str, str]:
        return {"journal": self.request["journal"], "started": self.request["started"]}

    def _claim(self) -> bool:
        os.close(self._fill(".claim", self._identity()))
        try:
            os.link(f"{self.directory}/.claim", f"{self.directory}/claim")
        except FileExistsError:
            return False
        return True

    def _fill(self, name: str, record: dict[str, Any], *, make: bool = False) -> int:
        """Write a record into the file set aside for it, made where it is gone if `make`; return the descriptor."""
        flags = os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_CREAT if make else 0)
        descriptor = os.open(f"{self.directory}/{name}", flags, 0o600)
        data = json.dumps(record).encode()
        try:
            _write_all(descriptor, data.ljust(RECORD_BYTES))
        except OSError:
            # Only what was set aside is sure: rather an end without its outputs than no end at all.
            short = json.dumps({**record, "outputs": {}, "veiled": {}, "record_cut": True}).encode()
            os.lseek(descriptor, 0, os.SEEK_SET)
            _write_all(descriptor, short.ljust(RECORD_BYTES))
            os.ftruncate(descriptor, max(len(short), RECORD_BYTES))
        return descriptor

    def _record(self, name: str, record: dict[str, Any], *, last: bool = False) -> None:
        spare = f".{name.partition('.')[0]}"
        if last:
            os.makedirs(self.directory, 0o700, exist_ok=True)  # noqa: PTH103 - no pathlib
        descriptor = self._fill(spare, record, make=last)
        if last:
            self._die_at("before-exit-rename")
        os.rename(f"{self.directory}/{spare}", f"{self.directory}/{name}")  # noqa: PTH104 - no pathlib
        if last:
            os.close(self.telling)
            self._die_at("before-exit-flush")
            # Appeared and flushed in this order, one flush does for both on most file systems. What a loss of power
            # leaves of an unflushed record does not parse, and counts as none.
            os.fsync(descriptor)
            folder = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            os.fsync(folder)
            os.close(folder)
        os.close(descriptor)

    def _fork(self) -> tuple[int, int]:
        """Fork the command, held until it is released; return the release and the failure pipe."""
        release_read, release = os.pipe2(os.O_CLOEXEC)
        failure, failure_write = os.pipe2(os.O_CLOEXEC)
        out_read, out_write = os.pipe2(os.O_CLOEXEC)
        secrets = self.request["secrets"]
        apart = bool(self.request["captures"])
        # One pipe keeps the order of what is written; where lines are captured, standard output is read on its own.
        err_read, err_write = os.pipe2(os.O_CLOEXEC) if apart else (out_read, out_write)
        self.streams[out_read] = StepStream(self.kit.redactor(secrets), self.captures)
        if apart:
            self.streams[err_read] = StepStream(self.kit.redactor(secrets), None)
            self.joined = self.kit.redactor(secrets)
        environment = dict(self.request["env"])
        self.pid = os.fork()
        if self.pid == 0:
            os.close(release)
            _become(self.request, environment, release_read, failure_write, out_write, err_write)
        for descriptor in {release_read, failure_write, out_write, err_write}:
            os.close(descriptor)
        for descriptor in self.streams:
            os.set_blocking(descriptor, False)
            with suppress(OSError):
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, 1 << 20)
        return release, failure

    def _pump(self, began: float) -> str:
        """Copy output until the command has ended; return why it ended: exited, timeout or aborted."""
        poll = select.poll()
        poll.register(self.wake, select.POLLIN)
        for descriptor in self.streams:
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
            if self._waits():
                wait = min(wait, QUIET_S)
            ready = poll.poll(max(0.0, min(wait, 3600.0)) * 1000 + 1)
            if not ready:
                self._rest()
            for descriptor, _ in ready:
                if descriptor == self.wake:
                    with suppress(BlockingIOError):
                        os.read(self.wake, 4096)
                    self._reap()
                elif not self._copy(descriptor):
                    poll.unregister(descriptor)
        if self.status:
            self._look()
        self._drain()
        return ending

    def _look(self) -> float:
        """Look for programs that hand work elsewhere, and leave a note of them; return when to look again."""
        known = len(self.remote.seen)
        pause: float = self.remote.look()
        if len(self.remote.seen) > known:
            self._note_remote()
        return pause

    def _note_remote(self) -> None:
        """Note what was seen. Where that cannot be, no note is left: the one before would say that there was none."""
        try:
            descriptor = self._fill("remote.json", {"remote": list(self.remote.seen), **self._belongs()}, make=True)
        except OSError:
            with suppress(OSError):
                os.unlink(f"{self.directory}/remote.json")  # noqa: PTH108 - no pathlib
            return
        try:
            if self.remote.seen:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _copy(self, descriptor: int, most: int = READ_BYTES) -> int:
        """Copy what is there; return how many bytes, 0 at the end of the stream."""
        try:
            data = os.read(descriptor, most)
        except BlockingIOError:
            return 1
        stream = self.streams[descriptor]
        if data:
            stream.waits = True
            self._take(stream, data)
        else:
            stream.open = False
            self._take(stream, b"", last=True)
        return len(data)

    def _take(self, stream: StepStream, data: bytes, *, last: bool = False) -> None:
        """Capture from what was really written; let go of what may be seen."""
        data = self._seen(stream, data, last=last)
        data = stream.redactor.feed(data)
        if last:
            data += stream.redactor.finish(cut=self.joined is None)
        self._write(stream, data)
        if last and stream.captures is not None:
            self.veiled.finish()

    def _seen(self, stream: StepStream, data: bytes, *, last: bool) -> bytes:
        """Feed the captures. Where some are hidden, whole lines are let go, once it is known what stands in them."""
        captures = stream.captures
        if captures is None:
            return data
        captures.feed(data)
        if last:
            captures.finish()
        if not captures.hidden:
            return data
        stream.line += data
        if captures.waits_for_all and captures.document.too_long:
            stream.line = b""  # what cannot be looked through for a secret is not kept
            return WITHHELD if last else b""
        if captures.waits_for_all and not last:
            return b""
        end = len(stream.line) if last else len(stream.line) - len(captures.rest)
        data, stream.line = stream.line[:end], stream.line[end:]
        if len(captures.secrets) > stream.hides:
            stream.hides = len(captures.secrets)
            step = self.request["sealed_about"].split("/")[1]
            self._hide({f"{step}.{name}": value for name, value in captures.secrets.items()})
        return data

    def _hide(self, more: dict[str, str]) -> None:
        """Keep these out of everything from here on. What redactors still hold is let go first: it came before."""
        secrets = {**self.request["secrets"], **more}
        for stream in self.streams.values():
            self._write(stream, stream.redactor.finish(cut=False))
            stream.redactor = self.kit.redactor(secrets)
        if self.joined is not None:
            self.output.write(self.joined.finish())
            self.joined = self.kit.redactor(secrets)

    def _waits(self) -> bool:
        joined = self.joined is not None and self.joined.holds
        return any(stream.waits and (joined or stream.redactor.holds) for stream in self.streams.values())

    def _rest(self) -> None:
        """Let go of what nobody should wait for."""
        for stream in self.streams.values():
            stream.waits = False
            self._write(stream, stream.redactor.rest())
        if self.joined is not None:
            self.output.write(self.joined.rest())

    def _write(self, stream: StepStream, data: bytes) -> None:
        self.output.write(data if self.joined is None else self.joined.feed(data))
        if stream.captures is not None:
            self.veiled.feed(data)

    def _drain(self) -> None:
        """Take what was written up to now, and no more: what runs on may write for ever."""
        for descriptor, stream in self.streams.items():
            waiting = struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, b"\0" * 4))[0]
            while stream.open and waiting > 0:
                count = self._copy(descriptor, min(waiting, READ_BYTES))
                waiting -= count
                if not count:
                    break
            self._take(stream, b"", last=True)
        if self.joined is not None:
            self.output.write(self.joined.finish())

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
        return {
            "ending": "error" if problem else ending,
            "exit_code": None if problem else code,
            "problem": problem.decode(),
            "duration_s": duration,
            "at": time.time(),
            "outputs": self._sealed(self.captures.values),
            "veiled": self._sealed(
                {
                    name: self.veiled.values.get(name, "")
                    for name, value in self.captures.values.items()
                    if self.veiled.values.get(name) != value
                }
            ),
            "output_bytes": self.output.total,
            "output_lost": self.output.lost,
            "output_gone": self.output.gone,
            "remote": list(self.remote.seen),
            "survivors": sorted(descendants(os.getpid())) if ending != "exited" else [],
            **self._belongs(),
        }

    def _sealed(self, values: dict[str, str]) -> dict[str, str]:
        """Return what was captured as only the engine can read it, which says whether all may."""
        key, about = bytes.fromhex(self.request["seal_key"]), self.request["sealed_about"]
        return {name: self.kit.seal(key, value, f"{about}{name}") for name, value in values.items() if key}

    def _leave_daemons_alone(self) -> None:
        """Keep reading, from a process that holds nothing else, for services that were started and still hold the pipe.

        Without a reader their next line of output would end them.
        """
        held = [descriptor for descriptor, stream in self.streams.items() if stream.open]
        if not held or not _somebody_holds(held):
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


class StepStream:
    """One of the command's output streams."""

    def __init__(self, redactor: Any, captures: Any) -> None:
        self.redactor = redactor
        self.captures = captures
        self.open = True
        self.line = b""  # what is not a whole line yet, where values are captured that nobody may read
        self.hides = 0  # how many of those were captured
        self.waits = False  # something came since it was quiet


def descendants(root: int) -> Iterator[int]:
    """Find all processes below `root`."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 - no pathlib here
        if name.isdigit():
            with suppress(OSError, IndexError, ValueError), open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                fields = file.read().rpartition(b")")[2].split()
                if fields[0] != b"Z":
                    parents[int(name)] = int(fields[1])
    for pid in parents:
        above, steps = parents.get(pid, 0), 0
        while above not in (0, 1, root) and steps < 10_000:
            above, steps = parents.get(above, 0), steps + 1
        if above == root:
            yield pid


def _become(
    request: dict[str, Any], environment: dict[str, str], release: int, failure: int, out: int, err: int
) -> NoReturn:
    """Turn into the command: own session, closed standard input, output to the pipes; held until released."""
    doing = "cannot prepare to run"
    try:
        signal.set_wakeup_fd(-1)
        os.setsid()
        environment[MARK] = f"{request['started']}:{os.getpid()}"
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(number, signal.SIG_DFL)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.umask(request["umask"])
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        if os.read(release, 1) != b"!":
            os._exit(0)  # the shim is gone: nothing was released
        doing = f"cannot enter the working directory {request['cwd']}"
        os.chdir(request["cwd"])
        doing = f"cannot execute {request['argv'][0]}"
        os.execvpe(request["argv"][0], request["argv"], environment)  # noqa: S606
    except OSError as error:
        text = (
            "the command or its environment is too long"
            if error.errno == errno.E2BIG
            else os.strerror(error.errno or 0)
        )
        os.write(failure, f"{doing}: {text}".encode()[:256])
    finally:
        os._exit(127)


def _somebody_holds(descriptors: list[int]) -> bool:
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, 0)
    return len([1 for _, event in poll.poll(0) if event & select.POLLHUP]) < len(descriptors)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _leave_a_note(directory: str, error: BaseException) -> None:
    """Say where the shim failed: kind and lines only, never values."""
    places = []
    trace = error.__traceback__
    while trace is not None:
        places.append(f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}")
        trace = trace.tb_next
    text = f"{type(error).__name__} {getattr(error, 'errno', '')} {' '.join(places)}\n"
    with suppress(OSError), open(f"{directory}/shim-error", "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(text)
