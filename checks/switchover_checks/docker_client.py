"""The SDK's client with what it lacks: SSH through the operator's ssh, and streams that may not be silent for ever.

Imports the SDK: import this inside functions.
"""

from __future__ import annotations

from typing import Any

import docker
import urllib3
from docker.transport import UnixHTTPAdapter

from switchover_checks.docker_hosts import DockerAwayError
from switchover_checks.docker_ssh import SshDestination, SshTunnel

__all__ = ["Client"]

_PLACEHOLDER = "unix:///behind/ssh"
_HOST_KEY = "Host key verification failed"


class Client(docker.APIClient):  # type: ignore[misc]
    """A low-level client. `quiet` is how long a stream may be silent, where the SDK would wait for ever."""

    def __init__(
        self, *, base_url: str, quiet: float | None = None, destination: SshDestination | None = None, **known: Any
    ) -> None:
        super().__init__(base_url=base_url if destination is None else _PLACEHOLDER, **known)
        self._quiet = quiet
        self._ssh: _SshAdapter | None = None
        if destination is not None:
            self._ssh = _SshAdapter(destination, self.timeout)
            self.mount("http+docker://", self._ssh)

    def speak(self, version: str) -> None:
        """Speak this version of the API from now on."""
        self._version = version

    def get(self, url: str, **known: Any) -> Any:
        """Ask as `requests` does; without a time limit that of a quiet stream holds."""
        if known.get("timeout") is None:
            known["timeout"] = self._quiet
        return super().get(url, **known)

    def send(self, request: Any, **known: Any) -> Any:
        """Send as `requests` does. Raise `DockerAwayError` with what ssh says where it cannot get through."""
        try:
            return super().send(request, **known)
        except Exception as error:
            said = self._ssh.said() if self._ssh is not None else ""
            if not said:
                raise
            hint = "; log in there once by hand, so that its key is known" if _HOST_KEY in said else ""
            raise DockerAwayError(f"ssh says: {said}{hint}") from error

    def close(self) -> None:
        """Let go of all connections."""
        super().close()
        if self._ssh is not None:
            self._ssh.end()


class _SshAdapter(UnixHTTPAdapter):  # type: ignore[misc]
    """Opens a tunnel for each connection."""

    def __init__(self, destination: SshDestination, timeout: float) -> None:
        super().__init__("http+unix:///behind/ssh", timeout)
        self._tunnels: list[SshTunnel] = []
        self._pool = _SshPool(destination, timeout, self._tunnels)

    def get_connection(self, url: str, proxies: Any = None) -> Any:  # noqa: ARG002
        """Return the one pool of connections there is."""
        return self._pool

    def said(self) -> str:
        """Return what the newest ssh wrote."""
        return self._tunnels[-1].said() if self._tunnels else ""

    def end(self) -> None:
        """Close the connections and end every ssh."""
        self._pool.close()
        for tunnel in self._tunnels:
            tunnel.end()


class _SshPool(urllib3.connectionpool.HTTPConnectionPool):
    def __init__(self, destination: SshDestination, timeout: float, tunnels: list[SshTunnel]) -> None:
        super().__init__("localhost", timeout=timeout, maxsize=4)
        self._destination = destination
        self._tunnels = tunnels

    def _new_conn(self) -> Any:
        return _SshConnection(self._destination, self._tunnels, self.timeout)


class _SshConnection(urllib3.connection.HTTPConnection):
    def __init__(self, destination: SshDestination, tunnels: list[SshTunnel], timeout: Any) -> None:
        super().__init__("localhost", timeout=timeout)
        self._destination = destination
        self._tunnels = tunnels

    def connect(self) -> None:
        tunnel = SshTunnel(self._destination)
        tunnel.socket.settimeout(self.timeout if isinstance(self.timeout, int | float) else None)
        self._tunnels[:] = [*(one for one in self._tunnels if one.running), tunnel]
        self.sock = tunnel.socket
