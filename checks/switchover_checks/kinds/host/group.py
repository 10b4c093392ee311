"""`group`: a group of this machine, wherever it comes from, and who must belong to it."""

from __future__ import annotations

import grp
import pwd
from dataclasses import dataclass
from typing import ClassVar

from switchover_checks.api import Context, Effect, Finding, Measured, Result
from switchover_checks.language.fields import Texts

__all__ = ["GroupCheck", "GroupConfig", "group_name"]


@dataclass(frozen=True)
class GroupConfig:
    """A group, and what it must be."""

    name: str
    """Its name."""
    exists: bool = True
    """Whether there must be such a group."""
    gid: int | None = None
    """Its number."""
    members: Texts = ()
    """Accounts that must belong to it; more may."""

    def __post_init__(self) -> None:
        if not self.exists and (self.members or self.gid is not None):
            raise ValueError("a group that must not exist has no other properties")


class GroupCheck:
    """Look a group up."""

    kind: ClassVar[str] = "group"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = GroupConfig
    metrics: ClassVar[tuple[Measured, ...]] = ()
    example: ClassVar[str] = """
    kind: group
    name: docker
    members: [deploy]
    """

    async def probe(self, cfg: GroupConfig, ctx: Context) -> Result:
        """Ask the name service once, in a thread: a dead directory server never answers."""
        return await ctx.in_thread(lambda: _look(cfg))


def _look(cfg: GroupConfig) -> Result:
    wanted = "a group" if cfg.exists else "there is none"
    try:
        entry = grp.getgrnam(cfg.name)
    except KeyError:
        finding = Finding.compare(f"group {cfg.name}", wanted, "there is none", not cfg.exists)
        return Result.of([finding], ok="there is none, as it must be")
    findings = [Finding.compare(f"group {cfg.name}", wanted, f"gid {entry.gr_gid}", cfg.exists)]
    if cfg.gid is not None:
        findings.append(Finding.compare("gid", cfg.gid, entry.gr_gid, cfg.gid == entry.gr_gid))
    for name in cfg.members:
        inside = name in entry.gr_mem or _first_group(name) == entry.gr_gid
        findings.append(Finding.compare(f"member {name}", "inside", "inside" if inside else "not inside", inside))
    return Result.of(findings, ok=f"gid {entry.gr_gid}, as expected")


def _first_group(name: str) -> int | None:
    """Return the number of an account's first group, in which no list of members names it."""
    try:
        return pwd.getpwnam(name).pw_gid
    except KeyError:
        return None


def group_name(gid: int) -> str:
    """Return a group's name, or its number where it has none."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
