"""Is the account at the other end of a socket a person's own? In a user namespace anybody is whoever they like.

Whoever has a range of ids of their own (`/etc/subuid`) can speak from inside of one. The account is then nobody's.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["vouched_uid"]

_EVERY_ID_AS_IT_IS = ["0", "0", "4294967295"]


def vouched_uid(pid: int, uid: int, proc: Path = Path("/proc")) -> int | None:
    """Return the account that the kernel named; None where it, or this process, lives in a user namespace.

    A process that is gone, cannot be seen or goes by several accounts is vouched for by nobody.
    """
    ids = [str(uid)] * 4  # real, effective, saved and that of the file system: a number used again shows here
    try:
        seen = pid > 0 and _is_outside(proc / "self") and _is_outside(proc / str(pid)) and _ids(proc / str(pid)) == ids
    except (OSError, UnicodeDecodeError):
        return None
    return uid if seen else None


def _is_outside(process: Path) -> bool:
    return (process / "uid_map").read_text(encoding="ascii").split() == _EVERY_ID_AS_IT_IS


def _ids(process: Path) -> list[str]:
    status = (process / "status").read_bytes()
    return next((line.decode("ascii").split()[1:] for line in status.splitlines() if line.startswith(b"Uid:")), [])
