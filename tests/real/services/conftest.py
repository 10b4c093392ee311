"""Providers over real daemons."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.support.servers.docker_watch import Watched, watching
from tests.support.servers.dockerd import DockerDaemon

from switchover.services.docker.docker_provider import DockerProvider


@pytest.fixture
def dockerd(containers: DockerDaemon, monkeypatch: pytest.MonkeyPatch) -> DockerDaemon:
    """The shared daemon, as the one that the docker command would use."""
    for name in ("DOCKER_HOST", "DOCKER_CONFIG"):
        monkeypatch.setenv(name, containers.environment[name])
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)
    return containers


@pytest.fixture
async def watched(dockerd: DockerDaemon) -> AsyncIterator[Watched]:
    """A provider that watches the daemon."""
    async with watching(DockerProvider()) as one:
        yield one
