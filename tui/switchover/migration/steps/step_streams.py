"""What a step writes: hidden where it must be, captured where a later step asks for it, kept within bounds.

Standard library only, and as Python 3.6 reads it: it is sent to other hosts with the shim.
"""

from __future__ import annotations

import fcntl
import os
import struct
import termios
from contextlib import suppress
from typing import Any

READ_BYTES = 1 << 18
WITHHELD = b"[this output is too long to be looked through for its secret, and was not kept]\n"


class StepStreams:
    """The command's output streams, by descriptor, on their way to its output file."""

    def __init__(self, request: dict[str, Any], kit: Any) -> None:
        self.request = request
        self.kit = kit
        self.output = kit.output(request["directory"], request["head_bytes"], request["segment_bytes"])
        self.captures = kit.captures(request["captures"], request["hidden"])
        self.veiled = kit.captures(request["captures"], [])  # the same from what may be read
        self.streams: dict[int, StepStream] = {}
        self.joined: Any = None  # what of both streams comes together in the output may be a secret only there

    def read_from(self, out: int, err: int) -> None:
        """Read from these two, which are one where nothing is captured."""
        secrets = self.request["secrets"]
        self.streams[out] = StepStream(self.kit.redactor(secrets), self.captures)
        if err != out:
            self.streams[err] = StepStream(self.kit.redactor(secrets), None)
            self.joined = self.kit.redactor(secrets)
        for descriptor in self.streams:
            os.set_blocking(descriptor, False)
            with suppress(OSError):
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, 1 << 20)

    def copy(self, descriptor: int, most: int = READ_BYTES) -> int:
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

    def waits(self) -> bool:
        """Whether something is held back until it is quiet."""
        joined = self.joined is not None and self.joined.holds
        return any(stream.waits and (joined or stream.redactor.holds) for stream in self.streams.values())

    def rest(self) -> None:
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

    def drain(self) -> None:
        """Take what was written up to now, and no more: what runs on may write for ever."""
        for descriptor, stream in self.streams.items():
            waiting = struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, b"\0" * 4))[0]
            while stream.open and waiting > 0:
                count = self.copy(descriptor, min(waiting, READ_BYTES))
                waiting -= count
                if not count:
                    break
            self._take(stream, b"", last=True)
        if self.joined is not None:
            self.output.write(self.joined.finish())


class StepStream:
    """One of the command's output streams."""

    def __init__(self, redactor: Any, captures: Any) -> None:
        self.redactor = redactor
        self.captures = captures
        self.open = True
        self.line = b""  # what is not a whole line yet, where values are captured that nobody may read
        self.hides = 0  # how many of those were captured
        self.waits = False  # something came since it was quiet
