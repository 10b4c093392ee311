"""What runs lay down on other machines: noted first, removed there once its end is on record here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from switchover.hosts.host_line import LineError, RefusedByHostError
from switchover.hosts.host_lines import HostLines
from switchover.private_files import make_private_dir, read_private, replace_private

__all__ = ["FarLeft", "LeftThere", "list_left"]

_FOLDER = "over-there"
_AT_THE_END_S = 5.0


@dataclass(frozen=True, slots=True)
class LeftThere:
    """A folder on another machine that is not known to be gone."""

    host: str
    ssh: str
    run: str
    name: str

    def __str__(self) -> str:
        return f"{self.host}: ~/.switchover-far/{self.run}/{self.name} (ssh {self.ssh})"


def list_left(workspace_directory: Path, run: str = "*") -> tuple[LeftThere, ...]:
    """Return what runs of a workspace have left on other machines. A note that cannot be read is said too."""
    found = []
    for path in sorted(workspace_directory.glob(f"runs/{run}/{_FOLDER}/*.json")):
        try:
            found.append(LeftThere(**json.loads(read_private(path))))
        except FileNotFoundError:
            continue  # gone meanwhile
        except (OSError, ValueError, TypeError):
            found.append(LeftThere("an unknown machine", f"not known: {path} cannot be read", "*", path.stem))
    return tuple(found)


def _forget(note: Path) -> None:
    note.unlink(missing_ok=True)
    with suppress(OSError):
        note.parent.rmdir()


class FarLeft:
    """Notes and removes the folders of attempts on other machines."""

    def __init__(self, hosts: HostLines) -> None:
        self._hosts = hosts
        self._removing: set[asyncio.Task[None]] = set()

    def note(self, run_directory: Path, left: LeftThere) -> None:
        """Note what is about to be made. Raise `OSError`."""
        make_private_dir(run_directory / _FOLDER)
        replace_private(run_directory / _FOLDER / f"{left.name}.json", json.dumps(asdict(left)).encode())

    def remove(self, run_directory: Path, name: str, records: Mapping[str, Any]) -> None:
        """Remove it there, beside what else goes on. Where that fails the note stays."""
        task = asyncio.ensure_future(self._remove(run_directory / _FOLDER / f"{name}.json", records))
        self._removing.add(task)
        task.add_done_callback(self._removing.discard)

    def sweep(self, run_directory: Path, needed: Collection[str]) -> None:
        """Remove whatever is noted of a run and not needed any more."""
        for note in sorted((run_directory / _FOLDER).glob("*.json")):
            if note.stem not in needed:
                self.remove(run_directory, note.stem, {})

    async def _remove(self, note: Path, records: Mapping[str, Any]) -> None:
        with suppress(OSError, ValueError, TypeError, LineError, RefusedByHostError):
            left = LeftThere(**json.loads(read_private(note)))
            line = self._hosts.to(left.ssh)
            if not (await line.ask("remove", **{**records, "run": left.run, "name": left.name})).head.get("left"):
                _forget(note)

    async def aclose(self) -> None:
        """Wait for what is being removed, but not long."""
        if self._removing:
            await asyncio.wait(self._removing, timeout=_AT_THE_END_S)
        for task in self._removing:
            task.cancel()
