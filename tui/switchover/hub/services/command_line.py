"""The command line of a process, as somebody would have typed it. Secrets in it are taken out elsewhere."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

from switchover.services.processes.process_table import read_command, read_row

__all__ = ["as_typed", "command_line_of", "without_secrets"]

_HEAD = re.compile(r"--?[\w.-]+=|-\w|[A-Za-z_]\w*=")  # an option or a name that stands before its value

_INNER = str.maketrans(";|\n", "\ue000\ue001\ue002")  # characters that end a command for who reads it as text
_OUTER = str.maketrans("\ue000\ue001\ue002", ";|\n")


def command_line_of(pid: int, identity: str) -> str:
    """Return what process `pid` was started with, or in words why that is not known. Blocks."""
    row = read_row(pid)
    if row is None or row.identity != identity:
        return "(it has ended)"
    words = read_command(pid)
    return as_typed(words) if words else "(none, or this user may not read it)"


def as_typed(words: tuple[str, ...]) -> str:
    """Join words with the quotes that a shell needs. An option stays before them, where it is expected."""
    return " ".join(map(_quoted, words))


def without_secrets(text: str, redact: Callable[[str], str]) -> str:
    """Take secrets out of a command line, also behind an argument in which a command seems to end."""
    return redact(text.translate(_INNER)).translate(_OUTER)


def _quoted(word: str) -> str:
    head = _HEAD.match(word)
    if head is None:
        return shlex.quote(word)
    return head[0] + (shlex.quote(rest) if (rest := word[head.end() :]) else "")
