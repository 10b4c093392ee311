"""Where a process writes its log, found by itself: the journal, or a log file that it holds open."""

from __future__ import annotations

import os
import re
import shutil
import stat
from contextlib import suppress

from switchover.services.journalctl import journal_command
from switchover.services.provider_api import LogSource, LogSpan

__all__ = ["find_log"]

_LOG = re.compile(r"(?:\.log|\.out|\.err)(?:\.\d+)?$|/log/")
_WRITES = os.O_WRONLY | os.O_RDWR


def find_log(name: str, pid: int, span: LogSpan) -> LogSource | str:
    """Return where process `pid` writes its log, or in words why that is not known. Blocks."""
    folder = f"/proc/{pid}/fd"
    try:
        names = os.listdir(folder)  # noqa: PTH208 - the names are all it takes
    except PermissionError:
        return f"the open files of pid {pid} may not be looked at by this user; name its log under `logs:` in the plan"
    except OSError:
        return f"pid {pid} has ended"
    found: list[tuple[bool, float, str]] = []
    journal = False
    for number in names:
        with suppress(OSError):
            path = os.readlink(f"{folder}/{number}")  # noqa: PTH115 - may be no path (`socket:[1]`)
            output = number in ("1", "2")
            if output and path.startswith("socket:") and _in_unit(pid):
                journal = True
            if not path.startswith("/") or path.endswith(" (deleted)") or not _written(pid, number):
                continue
            status = os.stat(f"{folder}/{number}")  # noqa: PTH116 - through the descriptor, whatever its mount
            if stat.S_ISREG(status.st_mode) and (output or _LOG.search(path)):
                found.append((output, status.st_mtime, path))
    if found:
        return LogSource(name, "file", path=max(found)[2])
    if journal and shutil.which("journalctl"):
        return LogSource(name, "command", argv=journal_command(f"_PID={pid}", span), parse="journal-json")
    return f"pid {pid} holds no log file open; name its log under `logs:` in the plan"


def _written(pid: int, number: str) -> bool:
    with suppress(OSError, ValueError), open(f"/proc/{pid}/fdinfo/{number}", encoding="ascii") as lines:  # noqa: PTH123
        for line in lines:
            if line.startswith("flags:"):
                return bool(int(line.split()[1], 8) & _WRITES)
    return False


def _in_unit(pid: int) -> bool:
    with suppress(OSError), open(f"/proc/{pid}/cgroup", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
        return ".service" in file.read()
    return False
