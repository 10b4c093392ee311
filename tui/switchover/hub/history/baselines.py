"""How things were before the migration: recorded once when a run starts, kept beside the journal."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from switchover.metrics.sampler import Sampler
from switchover.private_files import read_private, replace_private

__all__ = ["Baselines"]

_log = logging.getLogger("switchover.hub")
_STILL_BEFORE_S = 30.0


class Baselines:
    """The file of recorded baselines: {"run": id, "values": {metric: number}}."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._run = ""

    def follow(self, run_id: str, started_at: float | None, sampler: Sampler, now: float) -> None:
        """Give `sampler` the baselines of this run: those on file, else those of now if it has only just started."""
        if run_id == self._run:
            return
        self._run = run_id
        values = self._read(run_id)
        if values is not None:
            sampler.set_baselines(values)
        elif started_at is not None and now - started_at < _STILL_BEFORE_S:
            self._write(run_id, sampler.record_baselines())

    def _read(self, run_id: str) -> dict[str, float] | None:
        try:
            found = json.loads(read_private(self._path))
            if found["run"] == run_id:
                return {str(name): float(value) for name, value in found["values"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return None

    def _write(self, run_id: str, values: dict[str, float]) -> None:
        if not values:
            return
        try:
            replace_private(self._path, json.dumps({"run": run_id, "values": values}).encode())
        except OSError as error:  # a full disk must not end the watch; the numbers stay in memory
            _log.warning("baselines are not kept: %s", error)
