"""A real systemd as PID 1 of a container, with its bus and its journal reachable from outside."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.servers.dockerd import DockerDaemon, host_tree, until

__all__ = ["SystemdHost", "run_systemd"]

_IMAGE = "local/systemd"
_PROGRAMS = ("/lib/systemd/systemd", "/usr/bin/dbus-daemon", "/usr/bin/busctl")
_READY_S = 30.0


@dataclass
class SystemdHost:
    """A machine of its own, as far as systemd can tell. `units` is its /etc/systemd/system."""

    container: Any
    folder: Path

    @property
    def units(self) -> Path:
        """Return the folder of its unit files, seen from outside."""
        return self.folder / "units"

    @property
    def bus(self) -> str:
        """Return the address of its bus."""
        return f"unix:path={self.folder}/run/dbus/system_bus_socket"

    @property
    def journal(self) -> Path:
        """Return the folder of its journal."""
        return self.folder / "run" / "log" / "journal"

    def systemctl(self, *words: str) -> str:
        """Run `systemctl` in it and return what it says."""
        return self.run("systemctl", *words)

    def run(self, *words: str) -> str:
        """Run a command in it and return what it says."""
        return str(self.container.exec_run(list(words)).output.decode("utf-8", "replace")).strip()

    def write(self, name: str, text: str) -> None:
        """Write a unit file; it is known after `systemctl daemon-reload`."""
        (self.units / name).write_text(text)

    def until_up(self) -> None:
        """Wait until it has booted."""
        until(lambda: self.systemctl("is-system-running") in ("running", "degraded"), "systemd has booted", _READY_S)

    def restart(self) -> None:
        """Boot it anew: its bus goes away and comes back."""
        self.container.restart(timeout=1)
        self.until_up()


@contextmanager
def run_systemd(daemon: DockerDaemon, units: Mapping[str, str]) -> Iterator[SystemdHost]:
    """Boot systemd in a container, with `units` known to it."""
    from tests.conftest import missing

    for program in _PROGRAMS:
        if not Path(program).exists():
            missing(f"{program} (Debian packages systemd and dbus)")
    folder = Path(tempfile.mkdtemp(prefix="so-s-", dir="/tmp"))
    host = SystemdHost(None, folder)
    for name in ("units", "run"):
        (folder / name).mkdir()
    (host.units / "default.target").symlink_to("/lib/systemd/system/multi-user.target")
    for name, text in units.items():
        host.write(name, text)
    if not daemon.client.images.list(_IMAGE):
        tree = {f"{name}/": b"" for name in ("tmp", "run", "root", "var/log/journal", "var/lib", "etc/systemd/system")}
        dbus = {"etc/machine-id": b"", "usr/": b""}
        daemon.import_image(_IMAGE, host_tree() | tree | dbus)
    try:
        host.container = daemon.client.containers.run(
            _IMAGE,
            ["/lib/systemd/systemd"],
            detach=True,
            network_mode="none",
            cgroupns="private",
            cap_add=["SYS_ADMIN"],
            security_opt=["seccomp=unconfined"],
            volumes=["/usr:/usr:ro", f"{folder}/run:/run", f"{folder}/units:/etc/systemd/system"],
            tmpfs={"/tmp": ""},
            environment={"container": "docker"},
            stop_signal="SIGRTMIN+3",
        )
        host.until_up()
        yield host
    finally:
        if host.container is not None:
            with suppress(Exception):
                host.container.remove(force=True, v=True)
        shutil.rmtree(folder, ignore_errors=True)
