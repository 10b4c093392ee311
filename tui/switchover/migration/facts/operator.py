"""Who acts: every record of the journal names them."""

from __future__ import annotations

import os
import pwd
import socket
from dataclasses import dataclass

__all__ = ["Operator"]


@dataclass(frozen=True, slots=True)
class Operator:
    """A person (or a job) at a terminal. `who` is the login name; behind sudo it is the one who called sudo.

    `uid` is the account as the kernel named it to an agent, on that `machine`. `account` is its name there. None where
    nobody vouches for it. No process vouches for itself: what it sees can be made up.
    """

    who: str
    host: str
    tty: str = ""
    uid: int | None = None
    machine: str = ""
    account: str = ""

    @classmethod
    def current(cls) -> Operator:
        """Return the operator of this process."""
        return cls(_login_name(), socket.gethostname(), _terminal())

    def is_another_than(self, other: Operator) -> bool:
        """Whether they are surely two people: both vouched for, neither one account of one machine nor of one name.

        Of one number on two machines only the name decides; one name on two machines counts as one person.
        """
        if self.uid is None or other.uid is None or (self.machine, self.uid) == (other.machine, other.uid):
            return False
        return self.account != other.account

    def __str__(self) -> str:
        place = f"{self.who}@{self.host}"
        return f"{place} ({self.tty})" if self.tty else place


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
