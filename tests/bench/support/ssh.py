"""A real sshd on loopback, for this user alone, and the command that goes through it."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["serving_ssh"]


@contextmanager
def serving_ssh(folder: Path) -> Iterator[list[str] | None]:
    """Run an sshd; give the `ssh …` that logs in with a terminal, or None where there is no sshd."""
    program = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if program is None or shutil.which("ssh") is None:
        yield None
        return
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    (folder / "known").write_bytes((folder / "user.pub").read_bytes())
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {folder}/known\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
        "AcceptEnv SWITCHOVER_* GLANCES\n"
    )
    with subprocess.Popen(
        [program, "-D", "-f", str(folder / "config"), "-E", str(folder / "log")], stdin=subprocess.DEVNULL
    ) as server:
        try:
            _wait_for(port)
            yield [
                *("ssh", "-tt", "-p", str(port), "-i", str(folder / "user"), "-o", "StrictHostKeyChecking=no"),
                *("-o", f"UserKnownHostsFile={folder}/hosts", "-o", "LogLevel=ERROR", "-o", "SendEnv=SWITCHOVER_*"),
                f"{getpass.getuser()}@127.0.0.1",
            ]
        finally:
            server.terminate()


def _wait_for(port: int) -> None:
    end = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return
