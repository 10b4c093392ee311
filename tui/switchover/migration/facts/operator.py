"""Who acts: every record of the journal names them."""

from __future__ import annotations

import os
import pwd
import socket
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Operator"]


@dataclass(frozen=True, slots=True)
class Operator:
    """A person (or a job) at a terminal. `who` is the login name; behind sudo it is the one who called sudo.

    `uid` is the account as the kernel vouches for it (None where nobody did): only that tells two people apart.
    """

    who: str
    host: str
    tty: str = ""
    uid: int | None = None

    @classmethod
    def current(cls) -> Operator:
        """Return the operator of this process."""
        return cls(_login_name(), socket.gethostname(), _terminal(), _own_uid())

    def __str__(self) -> str:
        place = f"{self.who}@{self.host}"
        return f"{place} ({self.tty})" if self.tty else place


def _own_uid() -> int | None:
    """Return the account of this process; None in a user namespace, where anybody is whoever they like."""
    try:
        mapped = Path("/proc/self/uid_map").read_text(encoding="ascii").split()
    except OSError:
        return None
    return os.getuid() if mapped == ["0", "0", "4294967295"] else None


def _login_name() -> str:
    if os.geteuid() == 0 and (caller := os.environ.get("SUDO_USER")):
        return caller
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid-{os.getuid()}"


def _terminal() -> str:
    for descriptor in (0, 1, 2):
        try:
            return os.ttyname(descriptor).removeprefix("/dev/")
        except OSError:
            continue
    return ""
