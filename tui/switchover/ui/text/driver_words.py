"""Who drives, in words. Pure, and small: the first frame needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from switchover.snapshot import Header, Holder

__all__ = ["person", "who_drives"]


def person(holder: Holder) -> str:
    """Write who it is and where they sit."""
    return f"{holder.who}@{holder.host}" + (f" ({holder.tty.removeprefix('/dev/')})" if holder.tty else "")


def who_drives(header: Header, pid: int) -> str:
    """Return who drives where that is not the screen of process `pid`; empty where this one may act."""
    if header.driver is not None and header.driver.pid != pid:
        return person(header.driver)
    here = (header.agent_pid, header.host)
    if header.holder is not None and header.agent_pid and (header.holder.pid, header.holder.host) != here:
        return person(header.holder)
    return ""
