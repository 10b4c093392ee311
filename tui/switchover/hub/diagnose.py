"""Runs the bounded commands of a troubleshooting entry: time, output and process tree have an end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

from switchover_checks.commands import Child
from switchover_checks.units import format_duration

__all__ = ["OUTPUT_LIMIT", "TIMEOUT_S", "run_bounded"]

TIMEOUT_S = 20.0
OUTPUT_LIMIT = 200 * 1024
_CUT_OFF = 124  # what timeout(1) says


async def run_bounded(
    command: str,
    directory: Path,
    *,
    environment: Mapping[str, str] | None = None,
    timeout_s: float = TIMEOUT_S,
    redact: Callable[[str], str] | None = None,
) -> tuple[str, int, str]:
    """Run `command` with /bin/sh and return (command, exit code, output); 124 stands for a command that was cut off.

    Output beyond the limit is thrown away, and said so. At the deadline, and when the shell has ended, all that it
    started is ended too.
    """
    try:
        child = Child(["/bin/sh", "-c", f"exec 2>&1\n{command}"], env=environment, cwd=directory)
    except OSError as error:
        return command, 127, f"cannot be run: {error.strerror}"
    late = False
    try:
        async with asyncio.timeout(timeout_s):
            await child.exited()
            await child.drain()
    except TimeoutError:
        late = True
    finally:
        await child.close()
    kept = bytes(child.stdout.data[:OUTPUT_LIMIT])
    dropped = child.stdout.dropped + len(child.stdout.data) - len(kept)
    note = f"\n({dropped} more bytes were thrown away)" if dropped else ""
    if late:
        note += f"\n(cut off after {format_duration(timeout_s)})"
    text = kept.decode("utf-8", errors="replace")
    return command, _CUT_OFF if late else child.exit_code, (redact(text) if redact else text) + note
