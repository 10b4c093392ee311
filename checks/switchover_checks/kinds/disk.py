"""`disk`: space and inodes left on the file system of a path. Nagios ranges judge them: `20%:` alerts below 20 % free.

A folder whose file system is not mounted has room too: that of the file system below it. `mounted`, `device` and
`fstype` say which one is meant.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import BeforeValidator

from switchover_checks.api import Context, Effect, Finding, Measured, Metric, ProbeError, Result, Status
from switchover_checks.language.fields import FreeThreshold
from switchover_checks.language.thresholds import Range, judge
from switchover_checks.language.units import format_bytes
from switchover_checks.runtime.mounts import MountRules, mount_findings

__all__ = ["DiskCheck", "DiskConfig", "judge_share"]


def _mounted(value: object) -> object:
    """Read what a template filled in: `true` and `false` are no places."""
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


Mounted = Annotated[bool | str | None, BeforeValidator(_mounted, json_schema_input_type=bool | str)]


@dataclass(frozen=True)
class DiskConfig:
    """A file system: what must be free on it, and how it must be mounted."""

    path: str = "/"
    """A path on it."""
    warn: FreeThreshold | None = None
    """Free space that warns. A bare number means percent."""
    crit: FreeThreshold | None = None
    """Free space that is critical."""
    inodes_warn: FreeThreshold | None = None
    """Free inodes that warn."""
    inodes_crit: FreeThreshold | None = None
    """Free inodes that are critical."""
    mounted: Mounted = None
    """`true`: something is mounted at the path itself. `false`: nothing is. A path: what is mounted there holds it."""
    device: str | None = None
    """What is mounted there: `/dev/sdb1`, `UUID=…`, `LABEL=…`, `server:/export`."""
    fstype: str | None = None
    """The type of the file system: `ext4`, `xfs`, `nfs4`, …"""
    writable: bool | None = None
    """Whether it takes writes; `false` where it must be mounted read-only."""

    def __post_init__(self) -> None:
        for limit in (self.warn, self.crit, self.inodes_warn, self.inodes_crit):
            if limit is not None and limit.dimension == "duration":
                raise ValueError(f"{limit.text!r} is a duration; write a share such as 20%: or a size such as 5GiB:")
        limits = (self.warn, self.crit, self.inodes_warn, self.inodes_crit)
        if not any(limits) and (self.mounted, self.device, self.fstype, self.writable) == (None,) * 4:
            raise ValueError("set warn or crit, such as 20%: to alert below 20 % free, or what must be mounted")


class DiskCheck:
    """Look at a file system."""

    kind: ClassVar[str] = "disk"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = DiskConfig
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("free", "B", "free space"),
        Measured("free_percent", "%", "free space, of what may be used"),
    )
    example: ClassVar[str] = """
    kind: disk
    path: /
    warn: "20%:"
    crit: "10%:"
    """

    async def probe(self, cfg: DiskConfig, ctx: Context) -> Result:
        """Ask the kernel once; in a thread, because a dead network file system never answers."""
        path = ctx.base_dir / cfg.path
        place = str(ctx.base_dir / cfg.mounted) if isinstance(cfg.mounted, str) else cfg.mounted
        rules = MountRules(place, cfg.device, cfg.fstype)
        ctx.enter("stat")
        try:
            stat = await ctx.in_thread(lambda: os.statvfs(path))
            findings = await ctx.in_thread(lambda: mount_findings(rules, path))
        except OSError as error:
            raise ProbeError(f"{path}: {error.strerror or error}", status=Status.UNKNOWN) from None
        if cfg.writable is not None:
            findings.append(_writable(cfg.writable, bool(stat.f_flag & os.ST_RDONLY)))
        total, free = stat.f_blocks * stat.f_frsize, stat.f_bavail * stat.f_frsize
        if not total:
            findings.append(Finding("space", "a size", f"the file system of {path} has none", Status.UNKNOWN))
            return Result.of(findings)
        usable = total - (stat.f_bfree - stat.f_bavail) * stat.f_frsize
        metrics = [Metric("free", free, "B"), Metric("free_percent", 100 * free / usable, "%")]
        if cfg.warn or cfg.crit:
            findings.append(judge_share("space free", free, usable, cfg.warn, cfg.crit))
        if cfg.inodes_warn or cfg.inodes_crit:
            findings.append(_inodes(stat.f_favail, stat.f_files, cfg))
        ok = f"{100 * free / usable:.0f} % free ({format_bytes(free)}) on {cfg.path}"
        return Result.of(findings, metrics=metrics, ok=ok)


def _writable(wanted: bool, read_only: bool) -> Finding:
    words = {True: "writable", False: "read-only"}
    return Finding.compare("mounted", words[wanted], words[not read_only], wanted is not read_only)


def judge_share(
    what: str, part: float, whole: float, warn: Range | None, crit: Range | None, show: str = "bytes"
) -> Finding:
    """Judge a part of a whole by each range's own dimension: a share, or an amount."""
    percent = 100 * part / whole
    amount = format_bytes(part) if show == "bytes" else f"{part:.0f}"
    observed = f"{percent:.3g} % ({amount})"
    last: Finding | None = None
    for limit, as_warn in ((crit, False), (warn, True)):
        if limit is None:
            continue
        value = percent if limit.dimension in ("", "percent") else part
        shown = limit if limit.dimension else Range(limit.text, limit.low, limit.high, limit.inside, "percent")
        finding = judge(what, value, shown if as_warn else None, None if as_warn else shown, observed=observed)
        if finding.status is not Status.OK:
            return finding
        last = finding
    return last or Finding(what, "any value", observed, Status.OK)


def _inodes(free: int, total: int, cfg: DiskConfig) -> Finding:
    if not total:
        return Finding("inodes free", "a number", "this file system does not count inodes", Status.UNKNOWN)
    return judge_share("inodes free", free, total, cfg.inodes_warn, cfg.inodes_crit, show="count")
