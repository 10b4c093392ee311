"""The lines of one process: one for each destination, made at the first need, shared by steps, checks and looks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from switchover.hosts.far_program import far_program
from switchover.hosts.host_line import HostLine

__all__ = ["HostLines"]


@dataclass
class HostLines:
    """Gives the line to a destination. `parts` are the files that the program over there is made of, besides its own.

    `options` are put into each call of ssh.
    """

    parts: tuple[Path, ...] = ()
    options: tuple[str, ...] = ()
    _lines: dict[str, HostLine] = field(default_factory=dict)

    def to(self, destination: str) -> HostLine:
        """Return the line to a destination, as ssh names it."""
        if destination not in self._lines:
            self._lines[destination] = HostLine(destination, far_program(self.parts), self.options)
        return self._lines[destination]

    def close(self) -> None:
        """Let go of all at once."""
        for line in self._lines.values():
            line.drop()

    async def aclose(self) -> None:
        """Let go of all."""
        lines, self._lines = list(self._lines.values()), {}
        await asyncio.gather(*(line.aclose() for line in lines))
