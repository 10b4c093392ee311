"""What is kept of an unexpected error: one line for the operator, all of it in a private file."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

from switchover.private_files import make_private_dir, open_private
from switchover_checks.unknown_secrets import redact_unknown

__all__ = ["keep_crash"]


def keep_crash(error: Exception, path: Path | None) -> str:
    """Write all of it to the end of the file, and return the line."""
    first = str(error).splitlines()
    line = redact_unknown(f"{type(error).__name__}: {first[0]}" if first else type(error).__name__)
    if path is None:
        return line
    try:
        make_private_dir(path.parent)
        descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        with os.fdopen(descriptor, "a", encoding="utf-8") as log:
            log.write(redact_unknown("".join(traceback.format_exception(error))) + "\n")
    except OSError:
        return f"{line}, and {path} cannot be written"
    return line
