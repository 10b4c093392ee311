"""A real sshd on loopback for this user alone, with keys of its own."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Sshd", "run_sshd"]

_START_S = 10.0


@dataclass
class Sshd:
    """A running server."""

    folder: Path
    port: int
    address: str = "127.0.0.1"

    def client_configuration(self, name: str) -> str:
        """Return what an ssh configuration must say for `ssh NAME` to log in here."""
        return (
            f"Host {name}\n  HostName {self.address}\n  Port {self.port}\n  User {getpass.getuser()}\n"
            f"  IdentityFile {self.folder}/user\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {self.folder}/hosts\n  GlobalKnownHostsFile /dev/null\n  HostKeyAlias {name}\n"
            "  StrictHostKeyChecking yes\n"
        )


@contextmanager
def run_sshd(
    folder: Path,
    environment: Mapping[str, str],
    more: str = "",
    address: str = "127.0.0.1",
    inside: Sequence[str] = (),
) -> Iterator[Sshd]:
    """Run it; commands there find `environment` around them. `more` goes into its configuration.

    `inside` is what puts it elsewhere, such as into another network.
    """
    from tests.conftest import missing

    program = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if program is None:
        missing("sshd (Debian package openssh-server)")
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    (folder / "known").write_bytes((folder / "user.pub").read_bytes())
    (folder / "hosts").write_text(f"far {(folder / 'host.pub').read_text()}")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    variables = "".join(f'SetEnv "{name}={value}"\n' for name, value in environment.items())
    (folder / "config").write_text(
        f"Port {port}\nListenAddress {address}\nHostKey {folder}/host\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {folder}/known\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
        f"{variables}{more}"
    )
    words = [*inside, program, "-D", "-f", str(folder / "config"), "-E", str(folder / "sshd.log")]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL) as server:
        try:
            _wait_for(address, port)
            yield Sshd(folder, port, address)
        finally:
            server.terminate()


def _wait_for(address: str, port: int) -> None:
    limit = time.monotonic() + _START_S
    while True:
        try:
            socket.create_connection((address, port), 1).close()
        except OSError:
            if time.monotonic() > limit:
                raise
            time.sleep(0.02)
        else:
            return
