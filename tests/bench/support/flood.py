"""Writes lines into a log at a steady rate until ended: `python -m tests.bench.support.flood PATH LINES_PER_SECOND`."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["flooding"]

_LEVELS = ("INFO", "INFO", "DEBUG", "INFO", "WARN", "INFO", "INFO", "INFO")
_MOST_BYTES = 300_000_000


def _write(path: Path, rate: int) -> None:
    began, number = time.monotonic(), 0
    with path.open("a", encoding="utf-8", buffering=1 << 20) as log:
        while True:
            now = time.time()
            stamp = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now % 1 * 1000):03}Z"
            due = int((time.monotonic() - began) * rate)
            for one in range(number, due):
                level = "ERROR" if one % 5000 == 4999 else _LEVELS[one % 8]
                log.write(f"{stamp} {level} request {one} GET /api/items/{one % 977} 200 took {one % 83} ms\n")
            number = due
            log.flush()
            if log.tell() > _MOST_BYTES:
                log.truncate(0)
            time.sleep(0.02)


@contextmanager
def flooding(path: Path, rate: int) -> Iterator[None]:
    """Write lines in a process of its own."""
    with subprocess.Popen([sys.executable, "-m", __name__, str(path), str(rate)]) as writer:
        try:
            yield
        finally:
            writer.terminate()


if __name__ == "__main__":
    _write(Path(sys.argv[1]), int(sys.argv[2]))
