"""The SDK's client with what it lacks: SSH through the operator's ssh, and streams with a limit on silence.

Imports the SDK: import this inside functions.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial
from typing import Any

import docker
import urllib3
from docker.transport import UnixHTTPAdapter

from switchover_checks.runtime.docker.docker_errors import DockerAwayError
from switchover_checks.runtime.docker.docker_ssh import SshDestination, SshTunnel

__all__ = ["DockerClient"]

_PLACEHOLDER = "unix:///somewhere"
_HOST_KEY = "Host key verification failed"
# Gets a connected socket within so many seconds (None: for ever).
_Open = Callable[[float | None], socket.socket]


class DockerClient(docker.APIClient):  # type: ignore[misc]
    """A low-level client. `quiet` is how long a stream from another host may be silent before it is taken for dead.

    Over a unix socket it goes its own way too, because the SDK leaves a socket open when nobody answers.
    """

    def __init__(self, *, base_url: str, socket_path: str = "", quiet: float | None = None, **known: Any) -> None:
        ssh = SshDestination.parse(base_url) if base_url.startswith("ssh:") else None
        super().__init__(base_url=_PLACEHOLDER if ssh or socket_path else base_url, **known)
        if known.get("tls"):
            self.trust_env = False  # else REQUESTS_CA_BUNDLE takes the place of the daemon's own authority
        self._quiet = quiet if not socket_path else None  # the kernel says when nobody is at the other end any more
        self._tunnels: list[SshTunnel] = []
        if ssh is not None:
            self.mount("http+docker://", _Adapter(partial(self._dig, ssh), self.timeout))
        elif socket_path:
            self.mount("http+docker://", _Adapter(partial(_connect, socket_path), self.timeout))

    def speak(self, version: str) -> None:
        """Speak this version of the API from now on."""
        self._version = version

    def get(self, url: str, **known: Any) -> Any:
        """Ask as `requests` does; without a time limit that of a quiet stream holds."""
        if known.get("timeout") is None:
            known["timeout"] = self._quiet
        return super().get(url, **known)

    def send(self, request: Any, **known: Any) -> Any:
        """Send as `requests` does. Raise `DockerAwayError` where ssh says why it cannot get through."""
        try:
            return super().send(request, **known)
        except Exception as error:
            said = self._tunnels[-1].said() if self._tunnels else ""
            if not said:
                raise
            hint = "; log in there once by hand, so that its key is known" if _HOST_KEY in said else ""
            raise DockerAwayError(f"ssh says: {said.rstrip('.')}{hint}") from error

    def close(self) -> None:
        """Let go of all connections."""
        super().close()
        for tunnel in self._tunnels:
            tunnel.end()

    def _dig(self, destination: SshDestination, timeout: float | None) -> socket.socket:
        tunnel = SshTunnel(destination)
        self._tunnels = [*(one for one in self._tunnels if one.running), tunnel]
        tunnel.socket.settimeout(timeout)
        return tunnel.socket


def _connect(path: str, timeout: float | None) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(timeout)
        connection.connect(path)
    except BaseException:
        connection.close()
        raise
    return connection


class _Adapter(UnixHTTPAdapter):  # type: ignore[misc]
    """Has one pool, whose connections come from `connect`."""

    def __init__(self, connect: _Open, timeout: float) -> None:
        super().__init__("http+unix:///somewhere", timeout)
        self._pool = _Pool(connect, timeout)

    def get_connection(self, url: str, proxies: Any = None) -> Any:  # noqa: ARG002
        """Return the one pool of connections there is."""
        return self._pool

    def close(self) -> None:
        """Close the connections."""
        super().close()
        self._pool.close()


class _Pool(urllib3.connectionpool.HTTPConnectionPool):
    def __init__(self, connect: _Open, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout, maxsize=4)
        self._connect = connect

    def _new_conn(self) -> Any:
        return _Connection(self._connect, self.timeout)


class _Connection(urllib3.connection.HTTPConnection):
    def __init__(self, connect: _Open, timeout: Any) -> None:
        super().__init__("localhost", timeout=timeout)
        self._get_socket = connect

    def connect(self) -> None:
        self.sock = self._get_socket(self.timeout if isinstance(self.timeout, int | float) else None)
