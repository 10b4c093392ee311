"""Machines with a network of their own: a namespace and a sshd each, whose line can be cut."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.breaking_line import BreakingLines
from tests.support.servers.sshd import run_sshd

from switchover.migration.steps.far_parts import FAR_PARTS

__all__ = ["FarNet", "run_far_net"]

_SOON = ("-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=1", "-o", "ConnectTimeout=1")


@dataclass(frozen=True)
class FarNet:
    """`net1`, `net2`, … are its machines for ssh."""

    folder: Path
    links: tuple[str, ...]

    def lines(self) -> BreakingLines:
        """Return lines that notice soon when they are cut."""
        return BreakingLines(FAR_PARTS, ("-F", str(self.folder / "client"), *_SOON))

    def cut(self, number: int) -> None:
        """Cut the line to a machine."""
        _ip("link", "set", self.links[number - 1], "down")

    def mend(self, number: int) -> None:
        """Let it be whole again."""
        _ip("link", "set", self.links[number - 1], "up")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextmanager
def _network(number: int) -> Iterator[tuple[str, str, str]]:
    """Make a namespace with a line to it; return its name, the line's end here, and its address."""
    name = f"sw{os.getpid() % 100000}n{number}"
    link = f"{name}a"
    net = f"10.213.{os.getpid() % 250}.{4 * number}"
    here, there = (f"{net.rpartition('.')[0]}.{4 * number + host}" for host in (1, 2))
    try:
        _ip("netns", "add", name)
        _ip("link", "add", link, "type", "veth", "peer", "name", f"{name}b", "netns", name)
        _ip("addr", "add", f"{here}/30", "dev", link)
        _ip("link", "set", link, "up")
        for words in (("addr", "add", f"{there}/30", "dev", f"{name}b"), ("link", "set", f"{name}b", "up")):
            _ip("netns", "exec", name, "ip", *words)
        yield name, link, there
    finally:
        subprocess.run(["ip", "link", "del", link], check=False, capture_output=True)
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


@contextmanager
def run_far_net(folder: Path, count: int) -> Iterator[FarNet]:
    """Run so many machines."""
    from tests.conftest import missing

    if os.geteuid() != 0 or shutil.which("ip") is None:
        missing("root and ip (Debian package iproute2)")
    links, texts = [], []
    with ExitStack() as stack:
        for number in range(1, count + 1):
            own = folder / f"net{number}"
            (own / "home").mkdir(parents=True)
            try:
                name, link, address = stack.enter_context(_network(number))
            except subprocess.CalledProcessError as error:
                missing(f"network namespaces ({error.stderr.decode().strip()})")
            inside = ("ip", "netns", "exec", name)
            server = stack.enter_context(run_sshd(own, {"HOME": str(own / "home")}, "", address, inside))
            (own / "hosts").write_text((own / "hosts").read_text().replace("far ", f"net{number} "))
            links.append(link)
            texts.append(server.client_configuration(f"net{number}"))
        (folder / "client").write_text("".join(texts))
        yield FarNet(folder, tuple(links))
