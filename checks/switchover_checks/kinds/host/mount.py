"""`mount`: what is mounted at a folder, from where, of which type and with which options."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from switchover_checks.api import Context, Effect, Finding, Measured, Result
from switchover_checks.language.fields import Texts
from switchover_checks.runtime.mounts import MountRules, current_mounts, mount_findings, mount_of

__all__ = ["MountCheck", "MountConfig"]


@dataclass(frozen=True)
class MountConfig:
    """A folder, and what must be mounted there."""

    path: str
    """The folder at which it is mounted."""
    exists: bool = True
    """Whether something must be mounted there."""
    device: str | None = None
    """What is mounted: `/dev/sdb1`, `UUID=…`, `LABEL=…`, `server:/export`."""
    fstype: str | None = None
    """The type of the file system: `ext4`, `xfs`, `nfs4`, …"""
    options: Texts = ()
    """Options that must be set, such as `ro` or `noexec`; with `!` before it, one that must not be."""

    def __post_init__(self) -> None:
        if not self.exists and (self.options or self.device or self.fstype):
            raise ValueError("where nothing must be mounted, there are no other properties")


class MountCheck:
    """Look at what is mounted."""

    kind: ClassVar[str] = "mount"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = MountConfig
    metrics: ClassVar[tuple[Measured, ...]] = ()
    example: ClassVar[str] = """
    kind: mount
    path: /var/lib/postgresql
    fstype: ext4
    options: [rw, "!noexec"]
    """

    async def probe(self, cfg: MountConfig, ctx: Context) -> Result:
        """Ask the kernel once; in a thread, because a dead network file system never answers."""
        path = ctx.base_dir / cfg.path
        ctx.enter("stat")
        return await ctx.in_thread(lambda: _look(cfg, path))


def _look(cfg: MountConfig, path: Path) -> Result:
    findings = mount_findings(MountRules(cfg.exists, cfg.device, cfg.fstype), path)
    found = mount_of(os.path.realpath(path), current_mounts())
    if cfg.options and found is not None:
        shown = ",".join(found.options)
        for option in cfg.options:
            wanted = not option.startswith("!")
            fine = (option.removeprefix("!") in found.options) is wanted
            findings.append(Finding.compare(f"option {option}", "set" if wanted else "not set", shown, fine))
    return Result.of(findings, ok=f"{found} is mounted there" if cfg.exists else "nothing is mounted there")
