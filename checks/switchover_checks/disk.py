"""`disk`: space and inodes left on the file system of a path, against Nagios ranges: `20%:` alerts below 20 % free."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import ClassVar

from switchover_checks.api import Context, Effect, Finding, Metric, ProbeError, Result, Status
from switchover_checks.fields import Threshold
from switchover_checks.thresholds import Range, judge
from switchover_checks.units import format_bytes

__all__ = ["DiskCheck", "DiskConfig", "judge_share"]


@dataclass(frozen=True)
class DiskConfig:
    """A path and what must be free there: of space (`warn`, `crit`), of inodes. A bare number means percent."""

    path: str = "/"
    warn: Threshold | None = None
    crit: Threshold | None = None
    inodes_warn: Threshold | None = None
    inodes_crit: Threshold | None = None

    def __post_init__(self) -> None:
        for limit in (self.warn, self.crit, self.inodes_warn, self.inodes_crit):
            if limit is not None and limit.dimension == "duration":
                raise ValueError(f"{limit.text!r} is a duration; write a share such as 20%: or a size such as 5GiB:")
        if not any((self.warn, self.crit, self.inodes_warn, self.inodes_crit)):
            raise ValueError("set warn or crit, such as 20%: to alert below 20 % free")


class DiskCheck:
    """Look at a file system."""

    kind: ClassVar[str] = "disk"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = DiskConfig

    async def probe(self, cfg: DiskConfig, ctx: Context) -> Result:
        """Ask the kernel once; in a thread, because a dead network file system never answers."""
        path = ctx.base_dir / cfg.path
        ctx.enter("stat")
        try:
            stat = await ctx.in_thread(lambda: os.statvfs(path))
        except OSError as error:
            raise ProbeError(f"{path}: {error.strerror or error}", status=Status.UNKNOWN) from None
        total, free = stat.f_blocks * stat.f_frsize, stat.f_bavail * stat.f_frsize
        if not total:
            return Result.unknown(f"the file system of {path} has no size")
        usable = total - (stat.f_bfree - stat.f_bavail) * stat.f_frsize
        findings, metrics = [], [Metric("free", free, "B"), Metric("free_percent", 100 * free / usable, "%")]
        if cfg.warn or cfg.crit:
            findings.append(judge_share("space free", free, usable, cfg.warn, cfg.crit))
        if cfg.inodes_warn or cfg.inodes_crit:
            findings.append(_inodes(stat.f_favail, stat.f_files, cfg))
        ok = f"{100 * free / usable:.0f} % free ({format_bytes(free)}) on {cfg.path}"
        return Result.of(findings, metrics=metrics, ok=ok)


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
