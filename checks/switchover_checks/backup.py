"""`backup`: could this backup be restored? Exists, size, share of the one before, age, digest, format, restore test.

Each is a finding of its own. Only a file whose content was proved by something (its digest, its format or a restore
test) is OK: a file that is merely there is not a backup.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

from switchover_checks.api import Context, Effect, Finding, Metric, Result, Status
from switchover_checks.archives import FORMATS, check_format, format_of
from switchover_checks.command import argv_of, ending, run_clearly
from switchover_checks.effects import DeclaredEffect, command_changes
from switchover_checks.fields import Duration, Share, Size
from switchover_checks.file import age_findings, sha256_of, size_findings
from switchover_checks.units import format_bytes, format_duration

__all__ = ["BackupCheck", "BackupConfig"]

_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_TEMPLATE = re.compile(r"\{\{\s*path\s*(\|\s*q\s*)?\}\}")


@dataclass(frozen=True)
class BackupConfig:
    """The file and what must be true of it. `path` may be a pattern such as `backups/*.dump`: the newest is meant.

    `sha256` is a digest, or `sidecar` for FILE.sha256 beside it. `previous` is the backup before (the newest other file
    that fits the pattern when it is not set), `min_share` the least part of its size. `restore_test` is a shell command
    in which `{{ path | q }}` stands for the file; also `$BACKUP_PATH` does. `effect: read`
    says that it changes nothing. `format` is taken from the name unless it is set.
    """

    path: str
    min_size: Size = 1
    max_age: Duration | None = None
    sha256: str | None = None
    previous: str | None = None
    min_share: Share | None = None
    format: str | None = None
    restore_test: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    effect: DeclaredEffect = None

    def __post_init__(self) -> None:
        if self.sha256 is not None and self.sha256 != "sidecar" and not _DIGEST.fullmatch(self.sha256):
            raise ValueError("sha256 is 64 hexadecimal digits, or sidecar for the file beside it")
        if self.format is not None and self.format not in (*FORMATS, "none"):
            raise ValueError(f"format is {', '.join(FORMATS)} or none, not {self.format!r}")


class BackupCheck:
    """Look at a backup."""

    kind: ClassVar[str] = "backup"
    effect: ClassVar[Effect] = "read"
    runs_a_process: ClassVar[bool] = True
    config: ClassVar[type] = BackupConfig

    def changes(self, cfg: BackupConfig) -> str:
        """Judge the restore test; without one a backup is only read."""
        if cfg.restore_test is None:
            return ""
        text = _TEMPLATE.sub("BACKUP", cfg.restore_test)
        return command_changes(text, cfg.environment, cfg.effect, "its restore_test")

    def measures(self, keys: Mapping[str, Any]) -> frozenset[str]:
        """Return what is always measured."""
        del keys
        return frozenset(("size", "age"))

    async def probe(self, cfg: BackupConfig, ctx: Context) -> Result:
        """Look once: the file itself in a thread, then the restore test."""
        looked = await ctx.in_thread(lambda: _look(cfg, ctx))
        findings = list(looked.findings)
        evidence: dict[str, str] = {}
        if looked.path is not None and cfg.restore_test is not None:
            if any(f.status is Status.CRIT for f in findings):
                findings.append(Finding("restore test", "exit code 0", "not tried on a bad file", Status.UNKNOWN))
            else:
                finding, evidence = await _restore(cfg, looked.path, ctx)
                findings.append(finding)
        if looked.path is not None and not looked.proved and cfg.restore_test is None:
            hint = "set sha256, format or restore_test"
            findings.append(Finding("content", "proved by something", "nothing looked inside", Status.WARN, hint))
        ok = ""
        if looked.path is not None:
            ok = f"{looked.path.name}: {format_bytes(looked.size)}, {format_duration(max(0.0, looked.age))} old"
        metrics = [Metric("size", looked.size, "B"), Metric("age", looked.age, "s")] if looked.path else []
        return Result.of(findings, metrics=metrics, evidence=evidence, ok=ok)


@dataclass(frozen=True, slots=True)
class _Looked:
    findings: tuple[Finding, ...]
    path: Path | None = None
    size: int = 0
    age: float = 0.0
    proved: bool = False


def _look(cfg: BackupConfig, ctx: Context) -> _Looked:
    import time

    path, others = _newest(cfg.path, ctx.base_dir)
    if path is None:
        return _Looked((Finding("backup", "there", f"{cfg.path} is not there", Status.CRIT),))
    try:
        info = path.stat()
        if not path.is_file():
            return _Looked((Finding("backup", "a file", f"{path} is not a file", Status.CRIT),))
    except OSError as error:
        return _Looked((Finding("backup", "there", f"{path}: {error.strerror or error}", Status.UNKNOWN),))
    age = time.time() - info.st_mtime
    findings = [Finding("backup", "there", str(path), Status.OK)]
    findings += size_findings(info.st_size, max(1, cfg.min_size), None)
    findings += _share(cfg, info.st_size, others, ctx.base_dir)
    findings += age_findings(age, cfg.max_age)
    proved = False
    if cfg.sha256 is not None:
        ctx.enter("sha256")
        findings.append(_digest(cfg.sha256, path, ctx.deadline))
        proved = True
    kind = cfg.format or format_of(path)
    if kind not in (None, "none") and info.st_size:
        ctx.enter("format")
        findings.append(check_format(kind, path, ctx.deadline))
        proved = True
    return _Looked(tuple(findings), path, info.st_size, age, proved)


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
    if previous is None or not previous.is_file():
        text = f"{previous} is not there" if previous else "there is no previous backup"
        return [Finding("share", expected, text, Status.UNKNOWN)]
    before = previous.stat().st_size
    if not before:
        return [Finding("share", expected, f"the previous backup {previous.name} is empty", Status.UNKNOWN)]
    observed = f"{size / before:.0%} of {format_bytes(before)}"
    return [Finding.compare("share", expected, observed, size >= Fraction(str(cfg.min_share)) * before)]


def _digest(wanted: str, path: Path, deadline: float) -> Finding:
    if wanted == "sidecar":
        sidecar = path.with_name(path.name + ".sha256")
        try:
            with sidecar.open(encoding="utf-8", errors="replace") as file:
                text = file.read(4096)
        except FileNotFoundError:
            return Finding("sha256", f"a digest in {sidecar.name}", "the file is not there", Status.CRIT)
        except OSError as error:
            return Finding("sha256", f"a digest in {sidecar.name}", error.strerror or str(error), Status.UNKNOWN)
        lines = [line.split() for line in text.splitlines() if line.strip()]
        named = [line[0] for line in lines if len(line) > 1 and line[1].lstrip("*").rpartition("/")[2] == path.name]
        found = (named or [line[0] for line in lines[:1]] or [""])[0]
        if not _DIGEST.fullmatch(found):
            return Finding("sha256", f"a digest in {sidecar.name}", "no digest in it", Status.UNKNOWN)
        wanted = found
    try:
        actual = sha256_of(path, deadline)
    except OSError as error:
        return Finding("sha256", wanted.lower(), error.strerror or str(error), Status.UNKNOWN)
    return Finding.compare("sha256", wanted.lower(), actual, actual == wanted.lower())


async def _restore(cfg: BackupConfig, path: Path, ctx: Context) -> tuple[Finding, dict[str, str]]:
    text = _TEMPLATE.sub(lambda _: shlex.quote(str(path)), cfg.restore_test or "")
    output = await run_clearly(ctx, argv_of(text), {**cfg.environment, "BACKUP_PATH": str(path)})
    passed = output.exit_code == 0
    said = (output.stderr.strip() or output.stdout.strip())[-500:]
    observed = ending(output.exit_code) + (f": {said.splitlines()[-1][:200]}" if said and not passed else "")
    return Finding.compare("restore test", "exit code 0", observed, passed), {} if passed else {"restore test": said}
