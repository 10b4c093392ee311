"""Serves one line from afar: prepares attempts, starts their shims, tells what they write and how they end.

It ends with its line. The shims that it forked go on. Each message is a length, a line of JSON, and bytes behind it.
Standard library only, Python 3.6.
"""

from __future__ import annotations

import base64
import json
import os
import select
import signal
import struct
import sys
import time
from contextlib import suppress
from typing import Any

shim: Any = sys.modules.get("shim")
bounded_output: Any = sys.modules.get("bounded_output")
remote_clients: Any = sys.modules.get("remote_clients")
sealing: Any = sys.modules.get("sealing")
keystream: Any = sys.modules.get("keystream")
far_folder: Any = sys.modules.get("far_folder")
far_command: Any = sys.modules.get("far_command")

LENGTH = struct.Struct("!I")
LOOK_S = 0.05  # how often it is looked at what nobody tells of
REMOVE_S = 5.0
CHUNK = 1 << 18


class Plain:
    """Stands where a redactor stands: over here nothing is hidden, but all is covered, and values go with it."""

    holds = False

    def __init__(self, directory: str, key: bytes, secrets: dict[str, str], output: Any) -> None:
        if secrets:
            data = json.dumps({name: sealing.seal(key, value, "hidden") for name, value in secrets.items()}).encode()
            try:
                descriptor = os.open(f"{directory}/.hidden", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)
                os.rename(f"{directory}/.hidden", f"{directory}/hidden")  # noqa: PTH104
            except OSError:
                output.shut = True  # rather no output than one that shows it

    def feed(self, data: bytes) -> bytes:
        """Return it as it is."""
        return data

    def rest(self) -> bytes:
        """Return nothing: nothing is held."""
        return b""

    def finish(self, *, cut: bool = True) -> bytes:  # noqa: ARG002
        """Return nothing: nothing is held."""
        return b""


def make_output(key: bytes, telling: int) -> Any:
    """Return how an output is made: covered with the key, each write told of."""

    class CoveredOutput(bounded_output.BoundedOutput):  # type: ignore[misc]
        """The output of a step, as nobody can read it on this disk."""

        def __init__(self, directory: str, head_bytes: int, segment_bytes: int) -> None:
            super().__init__(directory, head_bytes, segment_bytes)
            self.stream = keystream.Keystream(key)
            self.shut = False

        def write(self, data: bytes) -> None:
            if self.shut:
                self.lost = True
                return
            super().write(self.stream.cross(self.total, data))
            with suppress(OSError):
                os.write(telling, b".")

    return CoveredOutput


class FarKit:
    """What a shim builds with over here."""

    def __init__(self, request: dict[str, Any], telling: int) -> None:
        key = bytes.fromhex(request["seal_key"])
        made: list[Any] = []

        def output(*sizes: Any) -> Any:
            made.append(make_output(key, telling)(*sizes))
            return made[0]

        self.output = output
        self.redactor = lambda secrets: Plain(request["directory"], key, secrets, made[0])
        self.captures = bounded_output.Captures
        self.remote = remote_clients.RemoteClients
        self.seal = sealing.seal


class Follower:
    """Tells one attempt's output and end."""

    def __init__(self, number: int, ask: dict[str, Any], told: int = -1) -> None:
        self.number = number
        self.folder = far_folder.FarFolder(ask)
        self.offset = int(ask.get("offset", 0))
        self.told = told
        self.hidden = 0.0

    def output(self) -> bytes | None:
        """Return what follows in the stream, after moving to where it goes on; None where nothing follows yet."""
        for start, path in self._files():
            with suppress(OSError), open(path, "rb") as file:  # noqa: PTH123
                size = os.fstat(file.fileno()).st_size
                if start + size > self.offset:
                    self.offset = max(self.offset, start)
                    file.seek(self.offset - start)
                    return file.read(CHUNK)
        return None

    def news_of_hidden(self) -> dict[str, str] | None:
        """Return the values that nobody may read, where there are more since."""
        path = f"{self.folder.directory}/hidden"
        with suppress(OSError):
            changed = os.stat(path).st_mtime_ns  # noqa: PTH116
            if changed != self.hidden:
                self.hidden = changed
                with open(path, "rb") as file:  # noqa: PTH123
                    found: dict[str, str] = json.loads(file.read().decode())
                    return found
        return None

    def _files(self) -> list[tuple[int, str]]:
        with suppress(OSError):
            names = os.listdir(self.folder.directory)  # noqa: PTH208
            return sorted((int(n[4:]), f"{self.folder.directory}/{n}") for n in names if n.startswith("out-"))
        return []


class Server:
    """Everything that goes on over one line."""

    def __init__(self) -> None:
        self.followers: dict[int, Follower] = {}
        self.removals: list[tuple[float, int, dict[str, Any]]] = []
        self.commands: dict[int, Any] = {}
        self.shims: set[int] = set()
        self.poll = select.poll()
        self.poll.register(0, select.POLLIN)
        self.buffer = b""

    def serve(self) -> None:
        """Serve until the line is gone."""
        while True:
            ready = self.poll.poll(self._patience())
            for descriptor, _ in ready:
                if descriptor == 0 and not self._take():
                    for command in self.commands.values():
                        command.kill()
                    return
            self._follow({descriptor for descriptor, _ in ready})
            self._remove()
            self._command({descriptor for descriptor, _ in ready})
            self._reap()

    def _reap(self) -> None:
        for pid in list(self.shims):
            try:
                ended = os.waitpid(pid, os.WNOHANG)[0]
            except ChildProcessError:
                ended = pid
            if ended:
                self.shims.discard(pid)

    def _patience(self) -> float | None:
        if any(not command.open for command in self.commands.values()):
            return 2
        unwatched = self.removals or any(follower.told < 0 for follower in self.followers.values())
        return LOOK_S * 1000 if unwatched or self.commands else None

    def _take(self) -> bool:
        data = os.read(0, 1 << 16)
        self.buffer += data
        while len(self.buffer) >= 4:
            size = LENGTH.unpack(self.buffer[:4])[0]
            if len(self.buffer) < 4 + size:
                break
            message, self.buffer = self.buffer[4 : 4 + size], self.buffer[4 + size :]
            ask = json.loads(message.decode())
            try:
                self._answer(ask)
            except Exception as error:
                trouble = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else repr(error)
                self.tell(ask["number"], {"error": trouble})
        return bool(data)

    def tell(self, number: int, head: dict[str, Any], body: bytes = b"") -> None:
        """Send one message."""
        line = json.dumps(dict(head, number=number)).encode() + b"\n"
        view = memoryview(LENGTH.pack(len(line) + len(body)) + line + body)
        while view:
            view = view[os.write(1, view) :]

    def _answer(self, ask: dict[str, Any]) -> None:
        number, what = ask["number"], ask["ask"]
        if what == "prepare":
            self.tell(number, far_folder.prepare(ask["run"], ask["name"]))
        elif what == "go":
            self._go(ask)
        elif what == "follow":
            self.followers[number] = Follower(number, ask)
        elif what == "state":
            folder = far_folder.FarFolder(ask)
            self.tell(number, dict(folder.find_out(), alive_now=folder.alive()))
        elif what == "abort":
            self.tell(number, {"sent": far_folder.FarFolder(ask).abort(signal.SIGTERM)})
        elif what == "kill_rest":
            alive = far_folder.FarFolder(ask).alive()
            for pid in alive:
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            self.tell(number, {"alive": alive})
        elif what == "remove":
            self.removals.append((time.monotonic() + REMOVE_S, number, ask))
        elif what == "run":
            self.commands[number] = far_command.FarCommand(ask, self.poll)
        elif what == "stop":
            if ask["of"] in self.commands:
                self.commands[ask["of"]].kill()
        else:
            self.tell(number, {"error": "it does not know %r" % what})  # noqa: UP031

    def _go(self, ask: dict[str, Any]) -> None:
        told, telling = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._die_at("server-before-fork", ask)
        pid = os.fork()
        if pid == 0:
            _become_shim(ask, telling)  # never returns
        self.shims.add(pid)
        os.close(telling)
        self._die_at("server-after-fork", ask)
        self.poll.register(told, select.POLLIN)
        self.followers[ask["number"]] = Follower(ask["number"], ask, told)

    def _die_at(self, point: str, ask: dict[str, Any]) -> None:
        if ask["request"].get("die_at") == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def _follow(self, ready: set[int]) -> None:
        for number, follower in list(self.followers.items()):
            over = False
            if follower.told >= 0:
                if follower.told not in ready:
                    continue
                with suppress(BlockingIOError):
                    over = not os.read(follower.told, 4096)
            if over:
                self.poll.unregister(follower.told)
                os.close(follower.told)
                follower.told = -1
            try:
                truth = {"truth": "running"} if follower.told >= 0 else follower.folder.find_out()
            except OSError as error:
                truth = {"error": os.strerror(error.errno or 5)}
            self._tell_output(follower)
            if truth.get("truth") != "running":
                del self.followers[number]
                self.tell(number, truth)

    def _tell_output(self, follower: Follower) -> None:
        while True:
            data = follower.output()
            hidden = follower.news_of_hidden()  # after the output was read: what it hides was noted before
            if hidden is not None:
                self.tell(follower.number, {"hidden": hidden})
            if data is None:
                return
            self.tell(follower.number, {"offset": follower.offset}, data)
            follower.offset += len(data)

    def _remove(self) -> None:
        left = []
        for until, number, ask in self.removals:
            watched = "directory" in ask and far_folder.FarFolder(ask).is_watched()
            if watched and time.monotonic() < until:
                left.append((until, number, ask))  # its shim still flushes its record
            elif watched:
                self.tell(number, {"left": "its watcher still runs"})
            else:
                self.tell(number, {"left": far_folder.remove(ask["run"], ask["name"])})
        self.removals = left

    def _command(self, ready: set[int]) -> None:
        for number, command in list(self.commands.items()):
            if command.step(ready):
                del self.commands[number]
                head, body = command.result()
                self.tell(number, head, body)


def _become_shim(ask: dict[str, Any], telling: int) -> None:
    """Turn into the shim of an attempt, which holds nothing of the line."""
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
            if int(name) > 2 and int(name) != telling:
                with suppress(OSError):
                    os.close(int(name))
        home = os.path.expanduser("~")  # noqa: PTH111
        request = dict(ask["request"], boot_id=far_folder.boot_id(), secrets={}, directory=ask["directory"])
        request["journal"], request["started"] = ask["journal"], ask["started"]
        request["cwd"] = os.path.join(home, request["cwd"])  # noqa: PTH118
        request["umask"] = os.umask(0o022)
        request["env"] = {**os.environ, **request["env"]}
        shim.run(request, FarKit(request, telling), telling)
    finally:
        os._exit(1)


def main(nonce: str) -> None:
    """Say that it is there, then serve."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    python = "%d.%d" % sys.version_info[:2]  # noqa: UP031
    hello = {"python": python, "host": os.uname().nodename, "boot_id": far_folder.boot_id(), "pid": os.getpid()}
    os.write(1, b"\n" + nonce.encode() + b" " + base64.b64encode(json.dumps(hello).encode()) + b"\n")
    Server().serve()
