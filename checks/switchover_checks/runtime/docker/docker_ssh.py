"""A Docker daemon behind SSH, by way of the operator's own ssh: its configuration, its agent, its known hosts.

The SDK's own way needs paramiko, which knows none of these. So this does what the docker command does: `ssh HOST docker
system dial-stdio` for each connection.
"""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from dataclasses import dataclass
from urllib.parse import urlsplit

__all__ = ["SshDestination", "SshTunnel"]

_OPTIONS = ("BatchMode=yes", "ConnectTimeout=5", "ServerAliveInterval=5", "ServerAliveCountMax=2", "LogLevel=ERROR")
_SAID_LIMIT = 4000


@dataclass(frozen=True, slots=True)
class SshDestination:
    """Where to: `ssh://[USER@]HOST[:PORT]`."""

    host: str
    user: str = ""
    port: int | None = None

    @classmethod
    def parse(cls, url: str) -> SshDestination:
        """Read an address. Raise `ValueError` where it names no host."""
        parts = urlsplit(url)
        if not parts.hostname or parts.hostname.startswith("-"):
            raise ValueError(f"{url} names no host; it is written as ssh://USER@HOST")
        return cls(parts.hostname, parts.username or "", parts.port)

    def argv(self) -> list[str]:
        """Return the command that speaks with the daemon on its standard input and output."""
        options = [word for option in _OPTIONS for word in ("-o", option)]
        user = ["-l", self.user] if self.user else []
        port = ["-p", str(self.port)] if self.port else []
        return ["ssh", "-T", *options, *user, *port, "--", self.host, "docker", "system", "dial-stdio"]


class SshTunnel:
    """One connection. `socket` is a real one, so that time limits hold; ssh ends once it is closed."""

    def __init__(self, destination: SshDestination) -> None:
        self.socket, theirs = socket.socketpair()
        try:
            self._process = subprocess.Popen(
                destination.argv(),
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError:
            self.socket.close()
            raise
        finally:
            theirs.close()
        self._said = b""
        self._reaper = threading.Thread(target=self._reap, name="ssh", daemon=True)
        self._reaper.start()

    def _reap(self) -> None:
        with self._process:
            assert self._process.stderr is not None
            while piece := os.read(self._process.stderr.fileno(), 1024):
                self._said = (self._said + piece)[-_SAID_LIMIT:]

    @property
    def running(self) -> bool:
        """Whether ssh still runs."""
        return self._process.poll() is None

    def end(self) -> None:
        """End ssh; what its socket still holds is lost."""
        if self.running:
            self._process.terminate()

    def said(self, patience: float = 0.5) -> str:
        """Return the last line that ssh wrote about a failure, once it has ended or `patience` seconds have passed."""
        self._reaper.join(patience)
        lines = [line for line in self._said.decode(errors="replace").splitlines() if line.strip()]
        return lines[-1].strip() if lines else ""
