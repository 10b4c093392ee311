"""Which process listens on which TCP port: the kernel's list of listeners, and who holds their sockets.

Who holds a socket is only found by reading every open file of every process. So that is done only where a socket is new
or its holder has gone. New processes are tried at once, all of them now and then.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field

__all__ = ["Listeners", "read_listening"]

_LISTENING = b"0A"
_HEAD = b"socket:["
_SEARCH_S = 30.0


@dataclass(slots=True)
class Listeners:
    """Who listens where, as far as it may be seen. `holders` are pids by the socket's inode."""

    sockets: dict[int, tuple[str, int]] = field(default_factory=dict)
    holders: dict[int, set[int]] = field(default_factory=dict)
    _hidden: set[int] = field(default_factory=set)  # sockets that nobody whom we may look at holds
    _seen: set[int] = field(default_factory=set)
    _searched_mono: float | None = None

    def probe(self, pids: AbstractSet[int], mono: float, wanted: int | None = None) -> None:
        """Look again; `pids` are the processes that there are, `wanted` is a port whose holder is asked for now."""
        self.sockets = read_listening()
        alive = {inode: held & set(pids) for inode, held in self.holders.items() if inode in self.sockets}
        self.holders = {inode: held for inode, held in alive.items() if held}
        self._hidden &= self.sockets.keys()
        new = set(pids) - self._seen
        self._search(new)  # a new socket is a new process's, mostly
        self._seen = set(pids)
        unknown = self._unknown()
        if not unknown:
            return
        due = self._searched_mono is None or mono - self._searched_mono >= _SEARCH_S
        if due or any(self.sockets[inode][1] == wanted for inode in unknown):
            self._searched_mono = mono
            self._search(set(pids) - new)
            self._hidden = self._unknown() | self._hidden

    def _unknown(self) -> set[int]:
        return self.sockets.keys() - self.holders.keys() - self._hidden

    def _search(self, pids: Iterable[int]) -> None:
        if not self._unknown():
            return
        for pid in pids:
            for inode in _sockets_of(pid) & self.sockets.keys():
                self.holders.setdefault(inode, set()).add(pid)

    def ports_of(self) -> dict[int, tuple[str, ...]]:
        """Return the addresses by pid, the lowest port first."""
        found: dict[int, dict[tuple[int, str], None]] = {}
        for inode, held in self.holders.items():
            address, port = self.sockets[inode]
            for pid in held:
                found.setdefault(pid, {})[port, f"{address}:{port}"] = None
        return {pid: tuple(text for _, text in sorted(places)) for pid, places in found.items()}

    def holders_of(self, port: int) -> set[int] | None:
        """Return who listens on `port`: nobody may be seen (an empty set), or nobody listens (None)."""
        inodes = [inode for inode, (_, number) in self.sockets.items() if number == port]
        return set().union(*(self.holders.get(inode, ()) for inode in inodes)) if inodes else None


def read_listening() -> dict[int, tuple[str, int]]:
    """Return address and port by the inode of each listening socket; `*` is every address."""
    found: dict[int, tuple[str, int]] = {}
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError), open(path, "rb") as lines:  # noqa: PTH123 - an iterator over lines is all it takes
            next(lines, b"")
            for line in lines:
                words = line.split()
                if words[3] != _LISTENING:
                    break  # the kernel lists those that listen first: thousands of connections are never read
                address, _, port = words[1].partition(b":")
                found[int(words[9])] = _address(address.decode("ascii")), int(port, 16)
    return found


def _address(text: str) -> str:
    """Read an address as the kernel writes it: words of 32 bits in the byte order of the machine."""
    data = b"".join(struct.pack("=I", int(text[at : at + 8], 16)) for at in range(0, len(text), 8))
    if not any(data):
        return "*"
    if len(data) == 4:
        return socket.inet_ntop(socket.AF_INET, data)
    return f"[{socket.inet_ntop(socket.AF_INET6, data)}]"


def _sockets_of(pid: int) -> set[int]:
    folder = f"/proc/{pid}/fd"
    found: set[int] = set()
    try:
        names = os.listdir(folder)  # noqa: PTH208 - tens of thousands of them: no objects
    except OSError:  # another user's, or it ended
        return found
    for name in names:
        with suppress(OSError, ValueError):
            link = os.readlink(f"{folder}/{name}").encode()  # noqa: PTH115
            if link.startswith(_HEAD):
                found.add(int(link[len(_HEAD) : -1]))
    return found
