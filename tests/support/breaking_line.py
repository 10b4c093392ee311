"""Lines to another machine that break where a test says: what serves them, or a shim there, ends in the midst of it."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from switchover.hosts.far_program import FarProgram, far_program
from switchover.hosts.host_line import FarMessage, HostLine
from switchover.hosts.host_lines import HostLines

__all__ = ["BreakingLines"]

_BOOT_ID = "/proc/sys/kernel/random/boot_id"


class BreakingLines(HostLines):
    """`die_at` is a point at which the first step's server or shim there kills itself.

    `boot_id` is a file that the machine there takes its boot's id from.
    """

    die_at: str = ""
    boot_id: Path | None = None

    def to(self, destination: str) -> HostLine:
        if destination not in self._lines:
            program = far_program(self.parts)
            if self.boot_id is not None:
                text = zlib.decompress(program).replace(_BOOT_ID.encode(), str(self.boot_id).encode())
                program = FarProgram(zlib.compress(text))
            self._lines[destination] = _BreakingLine(destination, program, self.options, self)
        return self._lines[destination]


class _BreakingLine(HostLine):
    def __init__(self, destination: str, program: FarProgram, options: tuple[str, ...], lines: BreakingLines) -> None:
        super().__init__(destination, program, options)
        self._breaking = lines

    async def stream(self, what: str, quiet_s: float | None = None, **question: Any) -> AsyncIterator[FarMessage]:
        if what == "go":
            question["request"] = {**question["request"], "die_at": self._breaking.die_at}
            self._breaking.die_at = ""
        async for message in super().stream(what, quiet_s, **question):
            yield message
