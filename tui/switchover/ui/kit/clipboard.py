"""Copy text to the clipboard of the operator's own terminal, also through SSH and tmux.

OSC 52 asks the terminal itself, wherever it is. tmux ignores that from a program inside it while `set-clipboard` is
`external` (its default). Its own command makes it ask the outer terminal, so both are done there.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from textual.app import App

__all__ = ["MOST_BYTES", "copy"]

MOST_BYTES = 74_994  # what fits the 100,000 characters of base64 that terminals take
_TMUX_S = 2.0


def copy(app: App[Any], text: str, environ: Mapping[str, str] | None = None) -> str:
    """Copy, and return a remark that says how much. A terminal does not answer, so nobody knows whether it took it."""
    data = text.encode("utf-8", "replace")
    cut = data[:MOST_BYTES].decode("utf-8", "ignore")
    app.copy_to_clipboard(cut)
    inside_tmux = bool((os.environ if environ is None else environ).get("TMUX"))
    if inside_tmux:
        app.run_worker(_tell_tmux(cut.encode()), name="clipboard", exit_on_error=False)
    lines = cut.count("\n") + 1
    what = f"{lines:,} lines" if lines > 1 else f"{len(cut):,} characters"
    if len(data) > MOST_BYTES:
        return f"copied the first {what}: a terminal takes no more at once"
    return f"copied {what} to your terminal's clipboard" + (" and to tmux's buffer" if inside_tmux else "")


async def _tell_tmux(data: bytes) -> None:
    """Give tmux the text; -w sends it on to the terminal outside. One that is too old, or gone, is left alone."""
    with suppress(OSError, TimeoutError):
        tmux = await asyncio.create_subprocess_exec(
            "tmux",
            "load-buffer",
            "-w",
            "-",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await asyncio.wait_for(tmux.communicate(data), _TMUX_S)
        except TimeoutError:
            tmux.kill()
            await tmux.wait()
