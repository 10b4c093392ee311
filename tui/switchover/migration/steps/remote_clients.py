"""Programs that hand work to another machine or to a server: ending them here does not end it there.

Standard library only: the launcher loads this file on its own. It also runs on other hosts, with Python 3.6.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from contextlib import suppress

SHORTEST_PAUSE_S = 0.05
PAUSE_BY_COST = 30  # a look costs at most this part of the time
_COMM_BYTES = 15  # of a program's name the kernel keeps no more

REMOTE_SHELLS = frozenset(
    (
        *("ssh", "slogin", "autossh", "sshpass", "scp", "sftp", "mosh", "mosh-client", "plink", "pscp", "psftp"),
        *("dbclient", "rsh", "rexec", "telnet", "pssh", "pdsh", "clush", "dsh", "session-manager-plugin"),
        *("ansible", "ansible-playbook", "salt", "salt-ssh", "bolt"),
    )
)
# A statement that was sent is carried out by the server, whatever becomes of its client.
DATABASE_CLIENTS = frozenset(
    (
        *("psql", "pg_restore", "vacuumdb", "reindexdb", "clusterdb", "createdb", "dropdb"),
        *("mysql", "mariadb", "mysqladmin", "mysqlimport", "mongosh", "mongo", "mongorestore"),
        *("redis-cli", "valkey-cli", "sqlplus", "sqlcmd", "cqlsh", "clickhouse-client"),
    )
)
SUPERVISORS = frozenset(("systemd-run", "machinectl"))
# Of these it depends on what they are asked for: what they run is a child of a daemon, here or elsewhere.
CONTAINER_CLIENTS = frozenset(
    ("docker", "docker-compose", "podman", "nerdctl", "kubectl", "oc", "crictl", "ctr", "lxc", "incus", "nomad")
)
_RUNS_THERE = frozenset(("exec", "run", "attach", "start", "debug", "rsh", "cp", "up"))
_OTHER_HOST = ("-H", "--host", "-c", "--context")
_OTHER_HOST_VARIABLES = (b"DOCKER_HOST=", b"DOCKER_CONTEXT=", b"CONTAINER_HOST=")

_ALWAYS = REMOTE_SHELLS | DATABASE_CLIENTS | SUPERVISORS
_BY_COMM = {name[:_COMM_BYTES]: name for name in (*_ALWAYS, *CONTAINER_CLIENTS, "rsync")}
_NAMED = re.compile(rf"(?<![\w.-])({'|'.join(sorted(REMOTE_SHELLS, key=len, reverse=True))})(?![\w.-])")


def named_in(text: str) -> str:
    """Return the first remote shell that a command names; empty for none."""
    found = _NAMED.search(text)
    return found[1] if found else ""


def remote_client(comm: str, words: list[str], environ: bytes = b"") -> str:
    """Return what to call a process that hands work elsewhere; empty for every other."""
    name = _BY_COMM.get(comm[:_COMM_BYTES], "")
    if name in _ALWAYS:
        return name
    arguments = _arguments(comm, words)
    if name == "rsync":  # over ssh it has an ssh below it
        return name if any("::" in word or word.startswith("rsync://") for word in arguments) else ""
    if name in CONTAINER_CLIENTS:
        if name.startswith("docker") and _is_on_another_host(arguments, environ):
            return "docker on another host"
        asked = next((word for word in arguments[:8] if word in _RUNS_THERE), "")
        return f"{name} {asked}" if asked else ""
    return ""


def _arguments(comm: str, words: list[str]) -> list[str]:
    """Return what follows the program's name; before that of a script stands its interpreter."""
    names = [word.rpartition("/")[2][:_COMM_BYTES] for word in words]
    return words[names.index(comm) + 1 :] if comm in names else words[1:]


def _is_on_another_host(arguments: list[str], environ: bytes) -> bool:
    if any(word.startswith(_OTHER_HOST_VARIABLES) for word in environ.split(b"\0")):
        return True
    for word in arguments:
        if not word.startswith("-"):
            return False
        if word.partition("=")[0] in _OTHER_HOST or (word.startswith("-H") and not word.startswith("--")):
            return True
    return False


class RemoteClients:
    """Remembers which of them were seen below a process that adopts all orphans below it."""

    def __init__(self, root: int) -> None:
        self.seen: dict[str, None] = {}  # in the order in which they were seen
        self._root = root
        self._known: set[int] = {root}
        self._below: set[int] = set()

    def look(self) -> float:
        """Look once; return after how many seconds to look again."""
        began = time.monotonic()
        there = {int(name) for name in os.listdir("/proc") if name.isdigit()}  # noqa: PTH208 - no pathlib here
        new = _stats(there - self._known)
        self._below &= there
        names = {pid: stat[0] for pid, stat in _stats(self._below).items()}
        while True:
            adopted = [pid for pid, (_, above) in new.items() if above == self._root or above in self._below]
            if not adopted:
                break
            for pid in adopted:
                self._below.add(pid)
                names[pid] = new.pop(pid)[0]
        # Of which the parent was not there yet when its turn came: next time.
        self._known = there - {pid for pid, (_, above) in new.items() if above and above not in there} | {self._root}
        for pid, name in names.items():
            found = remote_client(name, _words(pid), _read(pid, "environ")) if name in _BY_COMM else ""
            if found:
                self.seen[found] = None
        return max(SHORTEST_PAUSE_S, PAUSE_BY_COST * (time.monotonic() - began))


def _stats(pids: Iterable[int]) -> dict[int, tuple[str, int]]:
    """Return name and parent of those that live."""
    found = {pid: _stat(pid) for pid in pids}
    return {pid: stat for pid, stat in found.items() if stat is not None}


def _stat(pid: int) -> tuple[str, int] | None:
    """Return a process's name and its parent; None for one that is gone or a zombie."""
    before, _, after = _read(pid, "stat").rpartition(b")")
    fields = after.split()
    if len(fields) < 2 or fields[0] in (b"Z", b"X"):
        return None
    return before.partition(b"(")[2].decode("utf-8", "replace"), int(fields[1])


def _words(pid: int) -> list[str]:
    return _read(pid, "cmdline").decode("utf-8", "replace").split("\0")


def _read(pid: int, name: str) -> bytes:
    with suppress(OSError), open(f"/proc/{pid}/{name}", "rb") as file:  # noqa: PTH123 - no pathlib here
        return file.read()
    return b""
