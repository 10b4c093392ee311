"""`user`: an account of this machine, wherever it comes from (files, LDAP, SSSD), and what it must be."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from typing import ClassVar

from switchover_checks.api import Context, Effect, Finding, Measured, Result
from switchover_checks.kinds.host.group import group_name
from switchover_checks.language.fields import Texts

__all__ = ["UserCheck", "UserConfig"]


@dataclass(frozen=True)
class UserConfig:
    """An account, and what it must be."""

    name: str
    """Its name."""
    exists: bool = True
    """Whether there must be such an account."""
    uid: int | None = None
    """Its number."""
    gid: int | None = None
    """The number of its first group."""
    groups: Texts = ()
    """Groups to which it must belong, by name; it may belong to more."""
    home: str | None = None
    """Its home folder."""
    shell: str | None = None
    """Its shell."""

    def __post_init__(self) -> None:
        if not self.exists and (self.groups or (self.uid, self.gid, self.home, self.shell) != (None,) * 4):
            raise ValueError("an account that must not exist has no other properties")


class UserCheck:
    """Look an account up."""

    kind: ClassVar[str] = "user"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = UserConfig
    metrics: ClassVar[tuple[Measured, ...]] = ()
    example: ClassVar[str] = """
    kind: user
    name: postgres
    groups: [ssl-cert]
    home: /var/lib/postgresql
    """

    async def probe(self, cfg: UserConfig, ctx: Context) -> Result:
        """Ask the name service once, in a thread: a dead directory server never answers."""
        return await ctx.in_thread(lambda: _look(cfg))


def _look(cfg: UserConfig) -> Result:
    try:
        entry = pwd.getpwnam(cfg.name)
    except KeyError:
        return Result.of([_there(cfg, "there is none")], ok="there is none, as it must be")
    findings = [_there(cfg, f"uid {entry.pw_uid}")]
    if not cfg.exists:
        return Result.of(findings)
    facts = {"uid": entry.pw_uid, "gid": entry.pw_gid, "home": entry.pw_dir, "shell": entry.pw_shell}
    for what, observed in facts.items():
        wanted = getattr(cfg, what)
        if wanted is not None:
            findings.append(Finding.compare(what, wanted, observed, wanted == observed))
    if cfg.groups:
        mine = sorted(group_name(gid) for gid in os.getgrouplist(cfg.name, entry.pw_gid))
        findings += [Finding.compare(f"group {g}", "a member", f"in {', '.join(mine)}", g in mine) for g in cfg.groups]
    return Result.of(findings, ok=f"uid {entry.pw_uid}, as expected")


def _there(cfg: UserConfig, observed: str) -> Finding:
    there = observed != "there is none"
    wanted = "an account" if cfg.exists else "there is none"
    return Finding.compare(f"user {cfg.name}", wanted, observed, there is cfg.exists)
