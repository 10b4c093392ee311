"""The agent's own log: bounded, private, and without secrets."""

from __future__ import annotations

import logging
import logging.handlers
import os
import time
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path

from switchover.private_files import open_private

__all__ = ["open_log"]

_LARGEST = 1024 * 1024
_KEPT = 2


class _Formatter(logging.Formatter):
    """Takes secrets out of the whole record, its traceback included."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._redact = redact

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802, ARG002
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))


class _PrivateFile(logging.handlers.RotatingFileHandler):
    """Each part is made for its owner alone, and never written through a link."""

    def _open(self) -> TextIOWrapper:
        descriptor = open_private(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        return open(descriptor, "a", encoding=self.encoding, errors=self.errors)  # noqa: PTH123


def open_log(path: Path, redact: Callable[[str], str]) -> logging.Handler:
    """Send this program's log to `path`, readable by its owner only; older parts are kept beside it, then dropped."""
    handler = _PrivateFile(path, maxBytes=_LARGEST, backupCount=_KEPT, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(_Formatter(redact))
    logger = logging.getLogger()
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING)
    logging.getLogger("switchover").setLevel(logging.INFO)
    logging.raiseExceptions = False  # a full disk costs log lines, not the agent
    return handler
