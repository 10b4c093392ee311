"""What lies where in a demo's folder, and which ports it uses."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal, get_args

__all__ = ["MARKER_VARIABLE", "PARTS", "SIDES", "Demo", "Part", "Ports", "Side", "write_whole"]

Side = Literal["old", "new"]
Part = Literal["old", "new", "door"]
SIDES: Final[tuple[Side, ...]] = get_args(Side)
PARTS: Final[tuple[Part, ...]] = get_args(Part)
MARKER_VARIABLE: Final = "SWITCHOVER_DEMO_DIR"
"""Every process of a demo has it in its environment, with the real path of its folder.

Nothing with it outlives `--stop`.
"""


@dataclass(frozen=True, slots=True)
class Ports:
    """The loopback ports of the two services and of the front door."""

    old: int
    new: int
    door: int


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo's folder. `directory` is a real path, so that one folder has one name."""

    directory: Path

    @classmethod
    def at(cls, directory: str | Path) -> Demo:
        """Return the demo in `directory`, which need not be there (any more)."""
        return cls(Path(os.path.realpath(directory)))

    @property
    def mark(self) -> Path:
        """The file that says that this folder is a demo; it holds the ports."""
        return self.directory / ".switchover-demo"

    @property
    def plan(self) -> Path:
        """The plan to carry through."""
        return self.directory / "plan.yaml"

    @property
    def live_file(self) -> Path:
        """Names the side that the front door sends its visitors to. Replaced whole, so a switch has no middle."""
        return self.directory / "live"

    @property
    def fault_file(self) -> Path:
        """What `--fault` broke, so that `--mend` can undo it."""
        return self.directory / "run" / "faults.json"

    @property
    def backups(self) -> Path:
        """Where backups go: `nightly` is there from the start."""
        return self.directory / "backups"

    @property
    def nightly(self) -> Path:
        """The backup that was there before the migration began."""
        return self.backups / "nightly" / "old.sqlite"

    def store(self, side: Side) -> Path:
        """Return the SQLite store of a side."""
        return self.directory / "stores" / f"{side}.sqlite"

    def quota(self, side: Side) -> Path:
        """Return the file with the most pages that a side's store may have. Without it there is no such limit."""
        return self.directory / "stores" / f"{side}.quota"

    def record(self, part: Part) -> Path:
        """Who the process of a part is: pid and start time in clock ticks since boot, on one line."""
        return self.directory / "run" / f"{part}.pid"

    def log(self, part: Part) -> Path:
        """Return where a process writes what it has to say."""
        return self.directory / "logs" / f"{part}.log"

    def ports(self) -> Ports:
        """Read the ports. Raise `OSError` or `ValueError` where the folder is no demo (any more)."""
        data = json.loads(self.mark.read_text(encoding="utf-8"))
        try:
            return Ports(**{part: int(data["ports"][part]) for part in PARTS})
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{self.mark} does not name the ports") from error

    def write_mark(self, ports: Ports) -> None:
        """Make the folder a demo."""
        write_whole(self.mark, json.dumps({"ports": asdict(ports)}) + "\n")

    def live(self) -> str:
        """Return the live side as the file has it, known or not. Empty where there is none."""
        try:
            return self.live_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return ""

    def live_side(self) -> Side:
        """Return the side that is live. Raise `ValueError` if the file names neither."""
        live = self.live()
        for side in SIDES:
            if live == side:
                return side
        raise ValueError(f"{self.live_file} names {live!r}, which is neither old nor new")

    def url(self, part: Part, path: str = "") -> str:
        """Return the address of a part."""
        return f"http://127.0.0.1:{getattr(self.ports(), part)}{path}"


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all, also after a crash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
