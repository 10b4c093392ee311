"""`backup`: could this file or folder be restored? There, size, share of the one before, age, digest, format, test.

Each is a finding of its own. A backup is OK only if something proves its content: its digest, its format or a restore
test. That a file exists proves nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

from switchover_checks.api import Context, Effect, Finding, Measured, Metric, Result, Status
from switchover_checks.data.archives import FORMATS, FolderFacts, check_folder, check_format, facts_of, format_of
from switchover_checks.data.digests import DIGEST, digest_findings
from switchover_checks.kinds.command import argv_of, ending, run_clearly
from switchover_checks.kinds.file import age_findings, size_findings
from switchover_checks.kinds.files.backup_memory import identity_of, remembered
from switchover_checks.kinds.files.backup_s3 import is_s3, s3_digest, s3_objects
from switchover_checks.kinds.files.backup_series import newer_findings, series_findings
from switchover_checks.language.effects import DeclaredEffect, by_word, command_changes
from switchover_checks.language.fields import Duration, Share, Size
from switchover_checks.language.units import format_bytes, format_duration

__all__ = ["BackupCheck", "BackupConfig"]


@dataclass(frozen=True)
class BackupConfig:
    """A backup, and what must be true of it. What proves its content makes it OK: digest, format or restore test."""

    path: str
    """The file or folder. Of a pattern such as `backups/*.dump`, the newest. In S3: `s3://BUCKET/KEY`, or a pattern."""
    min_size: Size = 1
    """The least size."""
    max_age: Duration | None = None
    """The greatest age."""
    newer_than: str | None = None
    """`run`, or a step: it was written since that began."""
    keep_for: Duration | None = None
    """So long after the run's end it must still be there: `30d`. Its age does not count any more then."""
    sha256: str | None = None
    """Its digest, or `sidecar` for FILE.sha256 beside it; of a folder also SHA256SUMS in it."""
    previous: str | None = None
    """The backup before, for `min_share`. Without it the newest other one that fits the pattern."""
    min_share: Share | None = None
    """The least part of the size of the previous backup."""
    count: int | None = None
    """How many backups that are not empty must fit the pattern."""
    keep: int | None = None
    """How many may fit it at most; more warn, because then nothing removes the old ones."""
    every_day: int | None = None
    """Of each of so many days before today there must be one."""
    region: str = ""
    """The region of the bucket; without it the one that is configured."""
    format: str | None = None
    """The format. Without it name and content tell; `none` leaves the content unread."""
    restore_test: str | None = None
    """A shell command that restores it; the backup is `"$BACKUP_PATH"`."""
    env: dict[str, str] = field(default_factory=dict)
    """Variables for the restore test."""
    effect: DeclaredEffect = None
    """`read` is the author's word that the restore test changes nothing."""

    def __post_init__(self) -> None:
        if self.sha256 is not None and self.sha256 != "sidecar" and not DIGEST.fullmatch(self.sha256):
            raise ValueError("sha256 is 64 hexadecimal digits, or sidecar for the file beside it")
        if self.format is not None and self.format not in (*FORMATS, "none"):
            raise ValueError(f"format is {', '.join(FORMATS)} or none, not {self.format!r}")
        in_s3 = is_s3(self.path)
        if in_s3 and (self.previous or self.format not in (None, "none")):
            raise ValueError("a backup in S3 is not read here: give sha256 or restore_test, no format and no previous")
        for name in ("count", "keep", "every_day"):
            if (number := getattr(self, name)) is not None and number < 1:
                raise ValueError(f"{name} is at least 1, not {number}")
        if (self.count or self.keep or self.every_day) and not any(c in self.path for c in "*?["):
            raise ValueError("count, keep and every_day are of the backups that fit a pattern; path names one only")
        if self.region and not in_s3:
            raise ValueError("region is that of a bucket; path is none")


class BackupCheck:
    """Look at a backup."""

    kind: ClassVar[str] = "backup"
    effect: ClassVar[Effect] = "read"
    runs_a_process: ClassVar[bool] = True
    config: ClassVar[type] = BackupConfig
    apart: ClassVar[bool] = True
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("size", "B", "the size of the backup"),
        Measured("age", "s", "the time since it was written"),
    )
    example: ClassVar[str] = """
    kind: backup
    path: backups/*.dump
    min_size: 1MiB
    max_age: 1h
    sha256: sidecar
    min_share: 80%
    """

    def changes(self, cfg: BackupConfig) -> str:
        """Judge the restore test; without one a backup is only read."""
        if cfg.restore_test is None:
            return by_word(cfg.effect, "")
        return command_changes(cfg.restore_test, cfg.env, cfg.effect, "its restore_test")

    async def probe(self, cfg: BackupConfig, ctx: Context) -> Result:
        """Look once: the file itself in a thread, then the restore test."""
        known = ctx.since("read")
        looked = await (_look_in_s3(cfg, ctx) if is_s3(cfg.path) else ctx.in_thread(lambda: _look(cfg, ctx, known)))
        findings = list(looked.findings)
        evidence: dict[str, str] = {}
        if looked.path is not None and cfg.restore_test is not None:
            if any(f.status is Status.CRIT for f in findings):
                findings.append(Finding("restore test", "exit code 0", "not tried on a bad file", Status.UNKNOWN))
            else:
                finding, evidence = await _restore(cfg, looked.path, ctx)
                findings.append(finding)
        if looked.path is not None and not looked.proved and cfg.restore_test is None:
            expected = "proved: give sha256, format or restore_test"
            findings.append(Finding("content", expected, "nothing looked inside", Status.WARN))
        ok = ""
        if looked.path is not None:
            name = str(looked.path).rpartition("/")[2]
            ok = f"{name}: {format_bytes(looked.size)}, {format_duration(max(0.0, looked.age))} old"
        metrics = [Metric("size", looked.size, "B"), Metric("age", looked.age, "s")] if looked.path else []
        return Result.of(findings, metrics=metrics, evidence=evidence, ok=ok)


@dataclass(frozen=True, slots=True)
class _Looked:
    findings: tuple[Finding, ...]
    path: Path | str | None = None
    size: int = 0
    age: float = 0.0
    proved: bool = False


def _look(cfg: BackupConfig, ctx: Context, known: dict[str, Any]) -> _Looked:
    path, others = _newest(cfg.path, ctx.base_dir)
    if path is None:
        return _Looked((Finding("backup", "there", f"{cfg.path} is not there", Status.CRIT),))
    try:
        info = path.stat()
        folder = facts_of(path) if path.is_dir() else None
        if folder is None and not path.is_file():
            return _Looked((Finding("backup", "a file or a folder", f"{path} is neither", Status.CRIT),))
    except FileNotFoundError as error:
        return _Looked((Finding("backup", "whole", f"{error.filename} leads nowhere", Status.CRIT),))
    except OSError as error:
        return _Looked((Finding("backup", "there", f"{path}: {error.strerror or error}", Status.UNKNOWN),))
    size = info.st_size if folder is None else folder.size
    age = time.time() - (info.st_mtime if folder is None else folder.written_at)
    findings = [Finding("backup", "there", str(path), Status.OK)]
    findings += size_findings(size, max(1, cfg.min_size), None)
    findings += _share(cfg, size, others, ctx.base_dir)
    findings += age_findings(age, cfg.max_age)
    findings += newer_findings(cfg.newer_than, time.time() - age)
    findings += _series(
        cfg, [one for one in (path, *others) if (facts_of(one).size if one.is_dir() else one.stat().st_size)]
    )
    beside = [one for one in (path.with_name(f"{path.name}.sha256"),) if one.exists()]
    identity = identity_of((*(folder.files if folder else [path]), *beside), cfg.sha256, cfg.format)
    read, proved = remembered(known, identity, lambda: _content(cfg, ctx, path, folder))
    return _Looked((*findings, *read), path, size, age, proved)


def _series(cfg: BackupConfig, paths: list[Path]) -> list[Finding]:
    times = [facts_of(one).written_at if one.is_dir() else one.stat().st_mtime for one in paths]
    return series_findings(times, time.time(), count=cfg.count, keep=cfg.keep, days=cfg.every_day)


async def _look_in_s3(cfg: BackupConfig, ctx: Context) -> _Looked:
    objects = await s3_objects(ctx, cfg.path, cfg.region)
    if not objects:
        return _Looked((Finding("backup", "there", f"{cfg.path} is not there", Status.CRIT),))
    newest, *others = objects
    age = time.time() - newest.written_at
    findings = [
        Finding("backup", "there", newest.url, Status.OK),
        *size_findings(newest.size, max(1, cfg.min_size), None),
    ]
    findings += _share_of(cfg, newest.size, others[0].size if others else None, "the previous backup")
    findings += age_findings(age, cfg.max_age)
    findings += newer_findings(cfg.newer_than, newest.written_at)
    times = [one.written_at for one in objects if one.size]
    findings += series_findings(times, time.time(), count=cfg.count, keep=cfg.keep, days=cfg.every_day)
    if cfg.sha256 is not None:
        ctx.enter("sha256")
        findings.append(await s3_digest(ctx, newest, cfg.sha256, cfg.region))
    return _Looked(tuple(findings), newest.url, newest.size, age, cfg.sha256 is not None)


def _content(cfg: BackupConfig, ctx: Context, path: Path, folder: FolderFacts | None) -> tuple[list[Finding], bool]:
    """Read a backup to its end, as far as it can be judged."""
    findings: list[Finding] = []
    proved = False
    if cfg.sha256 is not None:
        ctx.enter("sha256")
        findings += digest_findings(cfg.sha256, path, folder, ctx.deadline)
        proved = True
    if folder is not None and cfg.format != "none":
        ctx.enter("format")
        found, looked = check_folder(path, folder, ctx.deadline)
        findings += found
        proved = proved or looked
    kind = cfg.format or (format_of(path) if folder is None else None)
    if folder is None and kind not in (None, "none") and path.stat().st_size:
        ctx.enter("format")
        findings.append(check_format(kind, path, ctx.deadline))
        proved = True
    return findings, proved


def _newest(pattern: str, base_dir: Path) -> tuple[Path | None, list[Path]]:
    """Return the newest file that fits, and the others from newest to oldest."""
    path = base_dir / pattern
    if not any(c in pattern for c in "*?["):
        return (path if path.exists() else None), []
    import glob

    dated = []
    for name in glob.glob(str(path)):  # noqa: PTH207 - Path.glob refuses absolute patterns
        if name.endswith(".sha256"):
            continue
        try:
            dated.append((Path(name).stat().st_mtime, Path(name)))
        except OSError:
            continue
    ordered = [p for _, p in sorted(dated, reverse=True)]
    return (ordered[0], ordered[1:]) if ordered else (None, [])


def _share(cfg: BackupConfig, size: int, others: list[Path], base_dir: Path) -> list[Finding]:
    if cfg.min_share is None:
        return []
    expected = f"at least {cfg.min_share:.0%} of the previous backup"
    previous = base_dir / cfg.previous if cfg.previous else others[0] if others else None
    if previous is None or not previous.exists():
        text = f"{previous} is not there" if previous else "there is no previous backup"
        return [Finding("share", expected, text, Status.UNKNOWN)]
    before = facts_of(previous).size if previous.is_dir() else previous.stat().st_size
    return _share_of(cfg, size, before, f"the previous backup {previous.name}")


def _share_of(cfg: BackupConfig, size: int, before: int | None, what: str) -> list[Finding]:
    if cfg.min_share is None:
        return []
    expected = f"at least {cfg.min_share:.0%} of the previous backup"
    if not before:
        why = "there is no previous backup" if before is None else f"{what} is empty"
        return [Finding("share", expected, why, Status.UNKNOWN)]
    observed = f"{size / before:.0%} of {format_bytes(before)}"
    return [Finding.compare("share", expected, observed, size >= Fraction(str(cfg.min_share)) * before)]


async def _restore(cfg: BackupConfig, path: Path | str, ctx: Context) -> tuple[Finding, dict[str, str]]:
    output = await run_clearly(ctx, argv_of(cfg.restore_test or ""), {**cfg.env, "BACKUP_PATH": str(path)})
    passed = output.exit_code == 0
    said = (output.stderr.strip() or output.stdout.strip())[-500:]
    observed = ending(output.exit_code) + (f": {said.splitlines()[-1][:200]}" if said and not passed else "")
    return Finding.compare("restore test", "exit code 0", observed, passed), {} if passed else {"restore test": said}
