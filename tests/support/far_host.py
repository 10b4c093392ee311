"""Another machine as far as steps can tell: a real sshd here, with a home of its own, and how ssh finds it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.servers.sshd import run_sshd

from switchover.hosts.host_lines import HostLines
from switchover.migration.steps.far_parts import FAR_PARTS

__all__ = ["FarHost", "run_far_host"]


@dataclass(frozen=True)
class FarHost:
    """`ssh -F client far` logs in there."""

    folder: Path
    home: Path

    @property
    def client(self) -> Path:
        """The configuration of ssh."""
        return self.folder / "client"

    def lines(self) -> HostLines:
        """Return lines that reach it."""
        return HostLines(FAR_PARTS, ("-F", str(self.client)))

    @property
    def attempts(self) -> list[Path]:
        """The folders that lie there."""
        return sorted(self.home.glob(".switchover-far/*/*"))


@contextmanager
def run_far_host(folder: Path, *, more: str = "", home: Path | None = None) -> Iterator[FarHost]:
    """Run it. Other names are the same machine for ssh: far1, far2, … `more` is for its sshd."""
    if home is None:
        home = folder / "home"
        home.mkdir()
    with run_sshd(folder, {"HOME": str(home)}, more) as server:
        hosts = (folder / "hosts").read_text().split(" ", 1)[1]
        names = ["far", *(f"far{number}" for number in range(1, 6))]
        (folder / "hosts").write_text("".join(f"{name} {hosts}" for name in names))
        (folder / "client").write_text("".join(server.client_configuration(name) for name in names))
        yield FarHost(folder, home)
