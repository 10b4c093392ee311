"""Finds the process of a service: by its pid file, by a pattern over command lines, or by its port."""

from __future__ import annotations

import os
import re
from pathlib import Path

from switchover.services.processes.process_ports import Listeners
from switchover.services.processes.process_table import ProcessFactsCache, ProcessRow, read_row, read_rows
from switchover.services.provider_api import ServiceTarget

__all__ = ["Finder", "read_pid_file"]


def read_pid_file(path: Path) -> int | None:
    """Return the pid in a pid file; None when the file is not there. Raise `ValueError` for nonsense."""
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return None
    first = text.split()[0] if text.split() else ""
    if not first.isdigit():
        raise ValueError(f"{path.name} holds no pid but {text[:40]!r}")
    return int(first)


class Finder:
    """One search: the process table and the listening ports are read at most once, and only when needed.

    `table` may be given where it was read already.
    """

    def __init__(self, base_dir: Path, book: ProcessFactsCache, listeners: Listeners, mono: float) -> None:
        self._base_dir = base_dir
        self._book = book
        self._listeners = listeners
        self._mono = mono
        self.table: list[ProcessRow] | None = None
        self._probed = False

    def find(self, target: ServiceTarget, known: tuple[int, int] | None) -> ProcessRow | None:
        """Return the process that `target` names, None when none runs. Raise `ValueError`, `OSError` or `re.error`.

        The one that is `known` stays it while it lives and is still what the target says.
        """
        if target.pid is not None:
            return read_row(target.pid)
        row = read_row(known[0]) if known is not None else None
        if row is not None and (row.process != known or row.state in "ZX"):
            row = None
        if target.pid_file:
            pid = read_pid_file(self._base_dir / target.pid_file)
            return row if row is not None and row.pid == pid else read_row(pid) if pid is not None else None
        if target.listen is not None:
            return self._by_port(target.listen, row)
        if target.pattern:
            return row if row is not None else self._by_pattern(target.pattern)
        raise ValueError("needs pid_file, pattern or listen")

    def why(self, target: ServiceTarget) -> str:
        """Say what was searched and not found."""
        if target.pid is not None:
            return f"pid {target.pid} ended"
        if target.pid_file:
            try:
                pid = read_pid_file(self._base_dir / target.pid_file)
            except (OSError, ValueError):
                pid = None
            return f"pid {pid} of {target.pid_file} is gone" if pid is not None else f"no pid file {target.pid_file}"
        if target.listen is not None:
            return f"nothing listens on port {target.listen}"
        return f"no process matches {target.pattern}"

    def rows(self) -> list[ProcessRow]:
        """Return every process."""
        if self.table is None:
            self.table = list(read_rows())
        return self.table

    def listeners(self, wanted: int | None = None) -> Listeners:
        """Return who listens where, now; who listens on the port `wanted` in any case."""
        if not self._probed or (wanted is not None and not self._listeners.holders_of(wanted)):
            self._probed = True
            self._listeners.probe({row.pid for row in self.rows()}, self._mono, wanted)
        return self._listeners

    def _by_port(self, port: int, known: ProcessRow | None) -> ProcessRow | None:
        holders = self.listeners(port).holders_of(port)
        if holders is None:
            return None
        if not holders:
            raise ValueError(f"port {port} is listened on by a process of another user")
        if known is not None and known.pid in holders:
            return known
        rows = [row for pid in holders if (row := read_row(pid)) is not None]
        return min(rows, key=_age, default=None)  # of those that share a socket, the one that the others came from

    def _by_pattern(self, pattern: str) -> ProcessRow | None:
        wanted = re.compile(pattern)
        own = os.getpid()
        matching = (row for row in self.rows() if row.pid != own and (line := self._line(row)) and wanted.search(line))
        return min(matching, key=_age, default=None)

    def _line(self, row: ProcessRow) -> str:
        return "" if row.state in "ZX" else self._book.of(row).line


def _age(row: ProcessRow) -> tuple[int, int]:
    return row.ticks, row.pid
