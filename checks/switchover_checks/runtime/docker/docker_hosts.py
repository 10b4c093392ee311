"""Where a Docker daemon is: named outright, else as the docker command finds it (DOCKER_HOST, its contexts).

The SDK is imported on first use only.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from switchover_checks.runtime.docker.docker_errors import DockerAwayError

__all__ = ["Endpoint", "named_endpoint", "open_client", "reason_of", "usual_endpoint"]

USUAL = "unix:///var/run/docker.sock"
_ANY_VERSION = "1.41"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A daemon's address, as DOCKER_HOST has it, and the TLS settings of the SDK where it takes any."""

    url: str
    tls: Any = None

    @property
    def socket_path(self) -> str:
        """Return the path of its unix socket; empty where it has none."""
        return "/" + self.url.removeprefix("unix:").lstrip("/") if self.url.startswith("unix:") else ""


def named_endpoint(url: str, environ: Mapping[str, str] | None = None) -> Endpoint:
    """Return the daemon at `url`; over TCP with the certificates that the environment names (DOCKER_TLS_VERIFY)."""
    if not url.startswith(("tcp:", "https:")):
        return Endpoint(url)
    import docker

    known = docker.utils.kwargs_from_env(dict(os.environ if environ is None else environ))
    return Endpoint(url, known.get("tls"))


def usual_endpoint(environ: Mapping[str, str] | None = None) -> Endpoint:
    """Return where the docker command would go: DOCKER_HOST, DOCKER_CONTEXT, the context in use, the usual socket.

    Raise `DockerAwayError` where a context is named that is not there.
    """
    import docker
    from docker.context.config import get_current_context_name

    known = os.environ if environ is None else environ
    given = docker.utils.kwargs_from_env(dict(known))
    if given.get("base_url"):
        return Endpoint(str(given["base_url"]), given.get("tls"))
    name = known.get("DOCKER_CONTEXT") or get_current_context_name()
    if name in ("", "default"):
        return Endpoint(USUAL)
    try:
        context = docker.ContextAPI.get_context(name)
    except Exception as error:  # the SDK raises bare Exceptions for a damaged file
        raise DockerAwayError(f"the docker context {name} cannot be read: {error}") from None
    if context is None or not context.Host:
        raise DockerAwayError(f"there is no docker context {name}; docker context ls shows those there are")
    host = str(context.Host).removeprefix("http+")
    return Endpoint(host, context.TLSConfig)


def open_client(endpoint: Endpoint, timeout: float, quiet: float | None = None) -> Any:
    """Return a low-level client of the SDK that speaks the daemon's version. Blocks for `timeout` seconds at most.

    A stream from another host may be silent for `quiet` seconds before it is taken for dead. Raise `DockerAwayError`,
    or what the SDK raises (see `reason_of`).
    """
    _knock(endpoint)
    from switchover_checks.runtime.docker.docker_client import DockerClient

    where: dict[str, Any] = {
        "base_url": endpoint.url,
        "socket_path": endpoint.socket_path,
        "tls": endpoint.tls or False,
    }
    # A client that asks for the version by itself leaks its connection when nobody answers.
    try:
        client = DockerClient(version=_ANY_VERSION, quiet=quiet, timeout=timeout, **where)
    except ValueError as error:
        raise DockerAwayError(str(error)) from None
    try:
        client.speak(str(client.version(api_version=False)["ApiVersion"]))
    except BaseException:
        client.close()
        raise
    return client


def _knock(endpoint: Endpoint) -> None:
    """Raise `OSError` when nobody listens at a unix socket: that costs nothing, a client of the SDK a millisecond."""
    if endpoint.socket_path:
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.settimeout(2)
            knocking.connect(endpoint.socket_path)


def reason_of(error: BaseException) -> str:
    """Find the reason behind what the SDK wrapped: in words of the operating system where there are any."""
    seen: BaseException | None = error
    for _ in range(10):
        if isinstance(seen, TimeoutError) or type(seen).__name__ in ("ReadTimeout", "ReadTimeoutError"):
            return "it takes connections and does not answer"
        if isinstance(seen, DockerAwayError):
            return str(seen)
        if isinstance(seen, OSError) and seen.strerror:
            return seen.strerror.lower()
        inner = next((a for a in getattr(seen, "args", ()) if isinstance(a, BaseException)), None)
        seen = inner or (seen.__cause__ or seen.__context__ if seen is not None else None)
        if seen is None:
            break
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__
