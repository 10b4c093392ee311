"""What all tests share: a state directory of their own, and nothing of the operator's environment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings
from tests.support.servers.dockerd import DockerDaemon, run_dockerd

_OPERATORS_OWN = (
    "SWITCHOVER_STATE",
    "SWITCHOVER_JOURNAL",
    "SWITCHOVER_DEMO_DIR",
    "XDG_RUNTIME_DIR",
    "NO_COLOR",
    "TEXTUAL_ANIMATIONS",
    "COLUMNS",
    "LINES",
)

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")  # no test of properties falls because others keep the machine busy


@pytest.fixture(scope="session", autouse=True)
def own_state_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep every test, and every process that one starts, away from the state of whoever runs them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in _OPERATORS_OWN:
            patch.delenv(name, raising=False)
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        yield


@pytest.fixture(autouse=True)
def own_host_registry(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the accounts of this host be those of one test: what another has begun on the same target is not met."""
    folder = tmp_path_factory.mktemp("host")
    (folder / "registry").mkdir(0o700)
    (folder / "switchover").mkdir()
    (folder / "switchover" / "settings.toml").write_text(f'registry = "{folder}/registry"\n', encoding="utf-8")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    return folder / "registry"


@pytest.fixture(scope="session")
def docker_daemon() -> Iterator[DockerDaemon]:
    """A dockerd that all tests of a worker share; see `containers`."""
    with run_dockerd() as daemon:
        yield daemon


@pytest.fixture
def containers(docker_daemon: DockerDaemon) -> Iterator[DockerDaemon]:
    """The shared dockerd, empty; what the test leaves there is removed by force."""
    yield docker_daemon
    docker_daemon.remove_all()


def missing(what: str) -> NoReturn:
    """Skip the test because `what` is not here; where all should be here (CI=true), fail instead."""
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(f"{what} is missing, and CI must have it", pytrace=False)
    pytest.skip(f"{what} is missing")
