"""A daemon that listens on TCP, with certificates on both sides."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import missing
from tests.support.servers.docker_watch import target, watching
from tests.support.servers.dockerd import DockerDaemon, run_dockerd

from switchover.services.docker.docker_provider import DockerProvider
from switchover.services.provider_api import ProcessState


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def _make_certificates(folder: Path) -> None:
    """Lay down what DOCKER_CERT_PATH must hold, and `server.pem` with its key."""
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    (folder / "for").write_text("subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n")
    _openssl(folder, "req", "-x509", *key, "-keyout", "ca-key.pem", "-out", "ca.pem", "-days", "2", "-subj", "/CN=ca")
    for name, subject in (("server", "server"), ("", "client")):
        own, request, certificate = (f"{name}-{end}".lstrip("-") for end in ("key.pem", "req.pem", "cert.pem"))
        _openssl(folder, "req", *key, "-keyout", own, "-out", request, "-subj", f"/CN={subject}")
        sign = ("-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial", "-days", "2", "-extfile", "for")
        _openssl(folder, "x509", "-req", "-in", request, *sign, "-out", certificate)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[tuple[DockerDaemon, str]]:
    """A daemon, and its address on TCP; the certificates lie in the test's folder."""
    if not shutil.which("openssl"):
        missing("openssl")
    _make_certificates(tmp_path)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    files = ("--tlscacert", "ca.pem", "--tlscert", "server-cert.pem", "--tlskey", "server-key.pem")
    options = [str(tmp_path / word) if word.endswith(".pem") else word for word in files]
    with run_dockerd("--host", url, "--tlsverify", *options) as daemon:
        yield daemon, url


async def test_a_daemon_on_tcp_is_asked_with_the_certificates_of_the_environment(
    guarded: tuple[DockerDaemon, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon, url = guarded
    await asyncio.to_thread(daemon.run, name="web")
    wanted = target("web", url)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/certs/ca-certificates.crt")  # which is not to be asked
    for name in ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    provider = DockerProvider()
    seen = (await provider.inspect([wanted]))["web"]
    assert (seen.state, provider.off()) == (ProcessState.UNKNOWN, seen.detail)
    assert "HTTPS" in seen.detail
    await provider.aclose()

    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    provider = DockerProvider()
    provider.fleet.daemon(url)
    async with watching(provider) as watched:
        await watched.until_seen(wanted, lambda seen: seen.state is ProcessState.RUNNING)
        await asyncio.to_thread(daemon.client.containers.get("web").kill)
        await watched.until_told("died", ref=f"{url}/web")

    monkeypatch.setenv("DOCKER_HOST", url)
    provider = DockerProvider()
    assert [one.title for one in await provider.discover()] == ["web"]
    await provider.aclose()
