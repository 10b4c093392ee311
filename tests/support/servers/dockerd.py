"""A real dockerd in a folder of its own: no registry, no bridge, nothing but a unix socket, and no survivors.

Its images are made here: `local/host` is the host's own `/usr` (mounted read-only), `local/busybox` one static binary.
"""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

__all__ = ["BUSYBOX", "HOST", "DockerDaemon", "host_tree", "run_dockerd", "until"]

HOST = "local/host"
BUSYBOX = "local/busybox"
_START_S = 30.0
_STOP_S = 20.0
_HOST_LINKS = ("bin", "sbin", "lib", "lib64")
_HOST_FILES = ("etc/passwd", "etc/group", "etc/alternatives", "etc/nsswitch.conf", "etc/ld.so.cache", "etc/services")


def until(true: Callable[[], object], what: str, seconds: float = 10.0) -> None:
    """Wait until `true()` is, or fail saying what did not come about."""
    limit = time.monotonic() + seconds
    while not true():
        if time.monotonic() > limit:
            pytest.fail(f"not within {seconds:.0f} s: {what}", pytrace=False)
        time.sleep(0.01)


def host_tree() -> dict[str, str | bytes]:
    """Return what an image over the host's `/usr` holds: text is where a link points, bytes are a file's content."""
    tree: dict[str, str | bytes] = {name: f"usr/{name}" for name in _HOST_LINKS if Path("/", name).exists()}
    for name in _HOST_FILES:
        path = Path("/", name)
        if path.is_file():
            tree[name] = path.read_bytes()
        elif path.is_dir():
            tree |= {
                str(one.relative_to("/")): str(one.readlink()) if one.is_symlink() else one.read_bytes()
                for one in path.iterdir()
                if one.is_symlink() or one.is_file()
            }
    return tree


@dataclass
class DockerDaemon:
    """A running dockerd. `url` is what DOCKER_HOST would say; `client` speaks with it."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None
    made: int = field(default=0)
    more: tuple[str, ...] = ()
    _client: Any = None
    _starter: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "dockerd"))

    @property
    def url(self) -> str:
        """Return the address of the daemon."""
        return f"unix://{self.folder}/d.sock"

    @property
    def environment(self) -> dict[str, str]:
        """Return what `docker` and `docker-compose` must find around them to speak with this daemon alone."""
        return {**os.environ, "DOCKER_HOST": self.url, "DOCKER_CONFIG": str(self.folder / "config")}

    @property
    def client(self) -> Any:
        """Return the SDK's client."""
        import docker

        if self._client is None:
            self._client = docker.DockerClient(base_url=self.url, version="1.41", timeout=30)
        return self._client

    def start(self) -> None:
        """Start it with the data that it had, and wait until it answers."""
        words = ["setpriv", "--pdeathsig=TERM"] if shutil.which("setpriv") else []
        words += [
            "dockerd",
            "--host",
            self.url,
            "--data-root",
            f"{self.folder}/data",
            "--exec-root",
            f"{self.folder}/x",
        ]
        words += ["--pidfile", f"{self.folder}/pid", "--iptables=false", "--ip6tables=false", "--bridge=none"]
        words += self.more
        with (self.folder / "log").open("ab") as log:
            # It ends with the thread that started it, so that is one which lasts.
            self.process = self._starter.submit(
                lambda: subprocess.Popen(
                    words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, start_new_session=True
                )
            ).result()
        until(lambda: self._answers(self.process), "dockerd answers", _START_S)

    def _answers(self, process: subprocess.Popen[bytes] | None) -> bool:
        import docker
        import requests

        if process is None or process.poll() is not None:
            said = (self.folder / "log").read_text(errors="replace")[-800:]
            pytest.fail(f"dockerd did not start: {said}", pytrace=False)
        if not (self.folder / "d.sock").exists():
            return False
        try:
            with closing(docker.APIClient(base_url=self.url, version="1.41", timeout=2)) as api:
                return bool(api.ping())
        except (requests.RequestException, docker.errors.DockerException, OSError):
            return False

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop it, with what it runs (after a SIGKILL its containers are left: `end` sees to them)."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(how)
        try:
            self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def restart(self) -> None:
        """Stop it and start it again: what had no restart policy is stopped afterwards."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Let it hang: its socket still takes connections, and nothing answers."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def import_image(self, tag: str, tree: Mapping[str, str | bytes]) -> None:
        """Make an image of links (text: where to) and files (bytes); a name with `/` at its end is a folder."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            for name, content in tree.items():
                entry = tarfile.TarInfo(name.rstrip("/"))
                entry.mode = 0o755
                if name.endswith("/"):
                    entry.type = tarfile.DIRTYPE
                    tar.addfile(entry)
                elif isinstance(content, str):
                    entry.type, entry.linkname = tarfile.SYMTYPE, content
                    tar.addfile(entry)
                else:
                    entry.size = len(content)
                    tar.addfile(entry, io.BytesIO(content))
        self.client.api.import_image_from_data(buffer.getvalue(), repository=tag, tag="latest")

    def run(self, *command: str, name: str = "", image: str = BUSYBOX, **options: Any) -> Any:
        """Start a container in the background and return it, as the SDK's `containers.run` does with `options`.

        Without a network of its own; with `image=HOST` the host's `/usr` is there. It stops at once, since most
        commands ignore SIGTERM as PID 1; `stop_signal="SIGTERM"` brings that back.
        """
        self.made += 1
        if image == HOST:
            options["volumes"] = [*options.get("volumes", ()), "/usr:/usr:ro"]
        options = {"network_mode": "none", "stop_signal": "SIGKILL", **options}
        return self.client.containers.run(
            image, list(command) or ["sleep", "1000"], name=name or f"c{self.made}", detach=True, **options
        )

    def remove_all(self) -> None:
        """Remove every container, at once and by force."""
        import docker

        def remove(one: str) -> None:
            with (
                suppress(docker.errors.APIError),
                closing(docker.DockerClient(base_url=self.url, version="1.41")) as own,
            ):
                own.api.remove_container(one, force=True, v=True)

        ids = [one["Id"] for one in self.client.api.containers(all=True)]
        threads = [threading.Thread(target=remove, args=(one,)) for one in ids]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def end(self) -> None:
        """End it and all that it started, and undo its mounts."""
        with suppress(Exception):
            self.remove_all()
        if self._client is not None:
            self._client.close()
        self.stop()
        self._starter.shutdown()
        for survivor in self._survivors():
            for one in (*survivor.children(recursive=True), survivor):
                with suppress(psutil.NoSuchProcess):
                    one.kill()
        mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
        for mount in sorted((one for one in mounts if one.startswith(f"{self.folder}/")), reverse=True):
            subprocess.run(["umount", "-l", mount], check=False, capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _survivors(self) -> list[psutil.Process]:
        """Return containerd and its shims, which name this daemon's folder on their command lines."""
        found = []
        for one in psutil.process_iter(["name", "cmdline"]):
            named = any(f"{self.folder}/" in word for word in one.info["cmdline"] or ())
            if named and str(one.info["name"]).startswith("containerd"):
                found.append(one)
        return found


@contextmanager
def run_dockerd(*more: str) -> Iterator[DockerDaemon]:
    """Run Debian's dockerd with its images at hand, and with `more` options. Needs root."""
    from tests.conftest import missing  # which imports this module

    for program, package in (("dockerd", "docker.io"), ("containerd", "containerd"), ("busybox", "busybox-static")):
        if not shutil.which(program):
            missing(f"{program} (Debian package {package})")
    if os.getuid() != 0:
        missing("root, who alone may run dockerd")
    daemon = DockerDaemon(Path(tempfile.mkdtemp(prefix="so-d-", dir="/tmp")), more=more)
    (daemon.folder / "config").mkdir()
    try:
        daemon.start()
        daemon.import_image(HOST, host_tree() | {"tmp/": b"", "run/": b"", "var/": b""})
        busybox = Path(shutil.which("busybox") or "").read_bytes()
        applets = subprocess.run(["busybox", "--list"], check=True, capture_output=True, text=True).stdout.split()
        links: dict[str, str | bytes] = {f"bin/{name}": "busybox" for name in applets if name != "busybox"}
        daemon.import_image(
            BUSYBOX, {"bin/busybox": busybox, **links, "tmp/": b"", "etc/passwd": b"root:x:0:0::/:/bin/sh\n"}
        )
        yield daemon
    finally:
        daemon.end()
