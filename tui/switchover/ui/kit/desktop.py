"""Desktop notifications by the operator's own terminal (OSC 9), also through SSH and tmux."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from textual.app import App

from switchover.redaction import sanitize

__all__ = ["desktop_sequence", "tell_desktop"]

_LONGEST = 200


def desktop_sequence(text: str, *, inside_tmux: bool) -> str:
    """Return what makes a terminal show the text. Nothing in the text can end the sequence."""
    plain = " ".join(sanitize(text).split())[:_LONGEST]
    shown = f"\x1b]9;{plain}\x07"
    return f"\x1bPtmux;\x1b{shown}\x1b\\" if inside_tmux else shown  # tmux passes it on where that is allowed


def tell_desktop(app: App[Any], texts: Iterable[str], environ: Mapping[str, str] | None = None) -> None:
    """Ask the terminal for a notification each. One that does not know the sequence shows nothing."""
    inside_tmux = bool((os.environ if environ is None else environ).get("TMUX"))
    driver = app._driver  # noqa: SLF001 - the way that Textual's own clipboard takes
    if driver is not None:
        for text in texts:
            driver.write(desktop_sequence(text, inside_tmux=inside_tmux))
