"""One question to a Docker daemon, every failure in words."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

from switchover_checks.api import ProbeError, Status
from switchover_checks.runtime.docker.docker_errors import DockerAwayError
from switchover_checks.runtime.docker.docker_hosts import named_endpoint, open_client, reason_of, usual_endpoint

__all__ = ["ask_docker"]


def ask_docker(host: str | None, seconds: float, question: Callable[[Any], Any]) -> Any:
    """Return what `question` gets of the daemon's client, None where there is no such thing. Raise `ProbeError`."""
    import requests
    from docker.errors import APIError, DockerException, NotFound

    where = host or "the usual address"
    try:
        endpoint = named_endpoint(host) if host else usual_endpoint()
        where = endpoint.url
        with closing(open_client(endpoint, seconds)) as client:
            return question(client)
    except NotFound:
        return None
    except APIError as error:
        raise ProbeError(f"the Docker daemon refuses: {error.explanation or error}", status=Status.UNKNOWN) from None
    except (DockerAwayError, DockerException, requests.RequestException, OSError) as error:
        raise ProbeError(
            f"no Docker daemon answers at {where}: {reason_of(error)}", phase="connect", status=Status.UNKNOWN
        ) from None
    except (KeyError, TypeError, ValueError):
        raise ProbeError("the Docker daemon answered nonsense", status=Status.UNKNOWN) from None
