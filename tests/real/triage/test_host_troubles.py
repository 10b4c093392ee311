# ruff: noqa: E501 - a command reads best in one line
"""Real things go wrong on this host, and the entry that fits is there with what its commands found."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg
import pytest
from tests.conftest import missing
from tests.real.conftest import PostgresServer
from tests.real.triage.conftest import Room, free_port, held_port

from switchover.triage.known.shared_commands import LISTENERS


def fail(log: Path, *argv: str) -> None:
    """Run Python with its errors in a log; it has to fail."""
    with log.open("wb") as errors:
        assert subprocess.run([sys.executable, *argv], stderr=errors, check=False, timeout=30).returncode


async def test_a_port_that_is_taken_is_told_from_the_log_of_what_could_not_start(room: Room) -> None:
    log = room.folder / "web.log"
    with held_port() as port:
        fail(log, "-m", "http.server", str(port), "--bind", "127.0.0.1")
        room.write(f"services:\n  web: {{kind: process, pid_file: web.pid, logs: [{log}], every: 0.5s}}\n")
        client = await room.client()
        problem, view = await room.known(client, "web", "port-taken")
        assert view.because == ("its log says: OSError: [Errno 98] Address already in use",)
        assert problem.next == 'd: diagnose "Its port is taken by another program"'


async def test_who_holds_a_port_is_found_with_what_the_host_has(room: Room) -> None:
    with held_port() as port:
        room.write(f"checks:\n  free: {{kind: port, port: {port}, open: false, every: 0.5s}}\n")
        client = await room.client()
        problem, view = await room.known(client, "free", "port-taken")
        assert f"port {port}: expected free, observed open on" in view.because[0]
        assert f"pid={os.getpid()}," in "".join(one["output"] for one in await room.diagnose(client, problem))


def test_who_holds_a_port_is_found_on_a_host_without_tools(tmp_path: Path) -> None:
    for tool in ("sh", "awk", "readlink", "tr", "printf", "grep"):
        if (found := shutil.which(tool)) is not None:
            (tmp_path / tool).symlink_to(found)
    with held_port() as port:
        environment = {"PATH": str(tmp_path), "PORT": str(port)}
        said = subprocess.run(
            ["/bin/sh", "-c", LISTENERS.command],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert f"pid {os.getpid()}: " in said.stdout
    assert said.stderr == ""


async def test_a_connection_that_is_refused(room: Room) -> None:
    port = free_port()
    room.write(f"checks:\n  up: {{kind: tcp, port: {port}, every: 0.5s}}\n")
    client = await room.client()
    problem, view = await room.known(client, "up", "connection-refused")
    assert view.because == (f"up observed (connect): 127.0.0.1:{port}: connection refused, nothing listens there",)
    outputs = "\n".join(one["output"] for one in await room.diagnose(client, problem))
    assert f"nobody listens on port {port} now" in outputs
    assert "refused" in outputs


async def test_a_name_that_does_not_resolve(room: Room) -> None:
    room.write('checks:\n  up: {kind: http, url: "http://nothing.invalid/", every: 0.5s}\n')
    client = await room.client()
    problem, view = await room.known(client, "up", "name-does-not-resolve")
    assert "the name nothing.invalid cannot be resolved" in view.because[0]
    outputs = "\n".join(one["output"] for one in await room.diagnose(client, problem))
    assert "nothing.invalid: no answer" in outputs or "nothing.invalid" in outputs


@pytest.fixture
def expired(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A TLS server whose certificate, of an authority that is trusted, ended years ago: its port and the authority."""
    if shutil.which("openssl") is None:
        missing("openssl")
    (tmp_path / "ca").mkdir()

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=tmp_path, check=True, capture_output=True, timeout=60)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test",
            "-days", "3650", "-addext", "keyUsage=critical,keyCertSign", "-addext", "basicConstraints=critical,CA:TRUE")  # fmt: skip
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "s.key", "-out", "s.csr", "-subj", "/CN=localhost")
    (tmp_path / "index").touch()
    (tmp_path / "serial").write_text("01\n")
    (tmp_path / "ca.cnf").write_text(
        "[ca]\ndefault_ca=d\n[d]\ndatabase=index\nserial=serial\nnew_certs_dir=ca\ndefault_md=sha256\npolicy=p\n"
        "x509_extensions=e\n[p]\ncommonName=supplied\n[e]\nsubjectAltName=DNS:localhost\n"
    )
    openssl("ca", "-batch", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-in", "s.csr", "-out", "s.pem",
            "-startdate", "20200101000000Z", "-enddate", "20210101000000Z", "-notext")  # fmt: skip
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "s.pem", tmp_path / "s.key")
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1], tmp_path / "ca.pem"
    server.shutdown()
    server.server_close()
    thread.join()


async def test_a_certificate_that_has_expired(
    room: Room, expired: tuple[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, authority = expired
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    room.write(
        f'services:\n  site: {{kind: http, url: "https://localhost:{port}/", every: 0.5s}}\n'
        f'checks:\n  site_up: {{kind: http, url: "https://localhost:{port}/", service: site, every: 0.5s}}\n'
    )
    client = await room.client()
    problem, view = await room.known(client, "site_up", "certificate-expired")
    assert "certificate has expired" in view.because[0]
    outputs = "\n".join(one["output"] for one in await room.diagnose(client, problem))
    assert "notAfter=Jan  1 00:00:00 2021 GMT" in outputs


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 65536):
            pass


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one MiB that is full."""
    place = tmp_path / "small"
    place.mkdir()
    if (
        os.geteuid()
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(place)], check=False, capture_output=True
        ).returncode
    ):
        missing("the right to mount a tmpfs")
    try:
        fill(place / "filler")
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


async def test_a_full_disk_is_the_one_cause_of_what_fails_with_it(room: Room, full_disk: Path) -> None:
    log = room.folder / "writer.log"
    program = f"open('{full_disk}/more', 'w', buffering=1).write('x' * 100_000)"
    fail(log, "-c", program)
    assert "No space left on device" in log.read_text()
    room.write(
        f"services:\n  writer: {{kind: process, pid_file: w.pid, logs: [{log}], every: 0.5s, owner: team-w}}\n"
        "  reader: {kind: process, pid_file: r.pid, needs: [writer], every: 0.5s}\n"
        f'checks:\n  disk: {{kind: disk, path: {full_disk}, crit: "10%:", every: 0.5s}}\n'
    )
    client = await room.client()
    snapshot = await room.see(client, lambda now: len(now.problems) == 1 and len(now.problems[0].waiting) == 2)
    (problem,) = snapshot.problems
    assert (problem.subject, problem.known) == ("disk", "disk-full")
    assert set(problem.waiting) == {"writer", "reader"}
    outputs = "\n".join(one["output"] for one in await room.diagnose(client, problem))
    assert str(full_disk) in outputs
    assert "100%" in outputs


async def test_a_database_without_room_for_more_clients(room: Room, own_postgres: PostgresServer) -> None:
    room.write(f'checks:\n  rows: {{kind: sql, database: "{own_postgres.url}", query: "select 1", every: 0.5s}}\n')
    taken: list[psycopg.Connection] = []
    try:
        with suppress(psycopg.OperationalError):
            while len(taken) < 500:
                taken.append(psycopg.connect(own_postgres.url))
        assert 90 < len(taken) < 500
        client = await room.client()
        problem, view = await room.known(client, "rows", "database-connections")
        assert "too many clients" in view.because[0]
        assert problem.status in {"crit", "unknown"}
    finally:
        for connection in taken:
            connection.close()
    await room.see(client, lambda now: not now.problems)
