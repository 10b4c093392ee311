"""The only writer of standard error: what went wrong, what to do about it, and the exit code.

A user never sees a traceback. An unexpected error is one line, with the details in a private file.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from switchover import __version__
from switchover.errors import PlanError, SwitchoverError
from switchover.private_files import make_private_dir, open_private
from switchover.redaction import sanitize
from switchover_checks.unknown_secrets import MARK, redact_unknown

__all__ = [
    "INTERRUPTED",
    "clear_line",
    "describe",
    "fill_in_with",
    "redact_with",
    "report_error",
    "report_unexpected",
    "say",
    "say_in_place",
]

INTERRUPTED = 130
_KEPT_REPORTS = 10
_SECRET_NAME = re.compile(r"PASS|SECRET|TOKEN|KEY|CREDENTIAL", re.IGNORECASE)
_CLEAR = "\x1b[K"
_in_place: list[bool] = []
_redactors: list[Callable[[str], str]] = []
_fill_in: list[Callable[[str], str]] = []


def say(text: str) -> None:
    """Write a line to standard error; nothing happens where nobody reads it."""
    stream = sys.stderr
    if stream is None:
        return
    clear_line()
    with suppress(OSError, ValueError):
        for fill_in in _fill_in:
            text = fill_in(text)
        line = redact_unknown(sanitize(text)) + "\n"
        stream.write(line.encode(stream.encoding or "utf-8", "backslashreplace").decode(stream.encoding or "utf-8"))
        stream.flush()


def say_in_place(text: str) -> bool:
    """Write a line over the one written so before. Return False where standard error is no terminal that can."""
    stream = sys.stderr
    if stream is None or os.environ.get("TERM", "dumb") == "dumb":
        return False
    with suppress(OSError, ValueError):
        if stream.isatty():
            columns = shutil.get_terminal_size().columns
            line = redact_unknown(sanitize(text)).replace("\n", " ")
            if len(line) >= columns:
                line = f"{line[: columns - 2]}…"
            encoding = stream.encoding or "utf-8"
            stream.write(f"\r{_CLEAR}{line}".encode(encoding, "replace").decode(encoding))
            stream.flush()
            _in_place[:] = [True]
            return True
    return False


def clear_line() -> None:
    """Take away what `say_in_place` wrote."""
    if _in_place:
        _in_place.clear()
        with suppress(OSError, ValueError):
            sys.stderr.write(f"\r{_CLEAR}")
            sys.stderr.flush()


def describe(error: SwitchoverError) -> str:
    """Word an error: the program's name and the title, then the hint. A plan's problems stand alone, one a line."""
    if isinstance(error, PlanError):
        count = len(error.problems)
        lines = [str(p) for p in error.problems]
        lines.append(f"switchover: {count} problem{'' if count == 1 else 's'} in the plan")
    else:
        lines = [f"switchover: {error.title}"]
    if error.hint:
        lines.append(f"  {error.hint}")
    return "\n".join(lines)


def report_error(error: SwitchoverError) -> int:
    """Tell the user and return the exit code."""
    say(describe(error))
    return error.exit_code


def fill_in_with(fill_in: Callable[[str], str]) -> None:
    """Let commands be said as they work: `fill_in` knows which plan, state and journal are meant."""
    _fill_in[:] = [fill_in]


def redact_with(redactor: Callable[[str], str]) -> None:
    """Take secrets out of all later reports with `redactor`, in addition to what is always taken out."""
    _redactors.append(redactor)


def report_unexpected(error: BaseException, root: Path) -> int:
    """Write the details of a defect to a private file under `root`, tell where in one line, and return 1."""
    name = type(error).__name__
    try:
        place = _write_report(error, root)
    except OSError:
        say(f"switchover: unexpected {name}; its details could not be written anywhere")
        return 1
    say(f"switchover: unexpected {name}; this is a defect of switchover, its details are in {place}")
    return 1


def _write_report(error: BaseException, root: Path) -> Path:
    text = "".join(traceback.format_exception(error))
    text = _redact(f"switchover {__version__}, Python {sys.version.split()[0]}\n{text}")
    try:
        folder = root / "crashes"
        make_private_dir(folder)
        for old in sorted(folder.glob("*.txt"))[: -_KEPT_REPORTS + 1 or None]:
            old.unlink(missing_ok=True)
        path = folder / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}.txt"
        descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    except OSError:
        descriptor, name = tempfile.mkstemp(prefix="switchover-", suffix=".txt")
        path = Path(name)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    return path


def _redact(text: str) -> str:
    for redactor in _redactors:
        text = redactor(text)
    for name, value in os.environ.items():
        if len(value) >= 6 and _SECRET_NAME.search(name):
            text = text.replace(value, MARK)
    return redact_unknown(text)
