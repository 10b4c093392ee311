"""`file`: a file or a folder: there or not, size, age, digest, mode, what it holds."""

from __future__ import annotations

import re
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from switchover_checks.api import Context, Effect, Finding, Measured, Metric, Result, Status
from switchover_checks.data.file_digest import sha256_of
from switchover_checks.language.fields import Duration, RegularExpression, Size
from switchover_checks.language.units import format_bytes, format_duration

__all__ = ["FileCheck", "FileConfig", "size_findings"]

_MOST_SEARCHED = 16 << 20


@dataclass(frozen=True)
class FileConfig:
    """A path and what must be true of it."""

    path: str
    """The path."""
    exists: bool = True
    """Whether it must be there."""
    what: str = "file"
    """What it is: `file`, `folder`, `socket` or `any`."""
    min_size: Size | None = None
    """The least size."""
    max_size: Size | None = None
    """The greatest size."""
    max_age: Duration | None = None
    """The longest time since it was written."""
    min_age: Duration | None = None
    """The shortest time since it was written."""
    sha256: str | None = None
    """The digest of its content."""
    contains: str | None = None
    """Plain text that is in it."""
    matches: RegularExpression | None = None
    """A regular expression that fits one of its lines."""
    mode: str | None = None
    """Its permissions as octal digits in quotes, such as "0600"."""

    def __post_init__(self) -> None:
        if self.what not in ("file", "folder", "socket", "any"):
            raise ValueError(f"what is file, folder, socket or any, not {self.what!r}")
        if self.sha256 is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", self.sha256):
            raise ValueError("sha256 is 64 hexadecimal digits")
        if self.mode is not None and not re.fullmatch(r"0?[0-7]{3,4}", self.mode):
            raise ValueError('mode is written in quotes as octal digits, such as "0600"')
        if not self.exists and any((self.min_size, self.max_size, self.max_age, self.sha256, self.contains)):
            raise ValueError("nothing else can be true of a file that must not exist")


class FileCheck:
    """Look at a file."""

    kind: ClassVar[str] = "file"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = FileConfig
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("size", "B", "its size"),
        Measured("age", "s", "the time since it was written"),
    )
    example: ClassVar[str] = """
    kind: file
    path: ready.txt
    matches: ready
    mode: "0600"
    """

    async def probe(self, cfg: FileConfig, ctx: Context) -> Result:
        """Look once, in a thread."""
        return await ctx.in_thread(lambda: _look(cfg, ctx.base_dir / cfg.path, ctx.deadline))


def _look(cfg: FileConfig, path: Path, deadline: float) -> Result:
    try:
        info = path.stat()
    except FileNotFoundError:
        return Result.of([Finding.compare(str(path), "there" if cfg.exists else "absent", "absent", not cfg.exists)])
    except OSError as error:
        return Result.unknown(f"{path}: {error.strerror or error}")
    if not cfg.exists:
        return Result.of([Finding.compare(str(path), "absent", f"there, {format_bytes(info.st_size)}", False)])
    kind = _kind(info.st_mode)
    if cfg.what not in ("any", kind):
        return Result.of([Finding.compare(str(path), f"a {cfg.what}", f"a {kind}", False)])
    findings = [Finding(str(path), "there", f"a {kind}, {format_bytes(info.st_size)}", Status.OK)]
    findings += size_findings(info.st_size, cfg.min_size, cfg.max_size)
    age = time.time() - info.st_mtime
    findings += age_findings(age, cfg.max_age, cfg.min_age)
    if cfg.mode is not None:
        mode = stat.S_IMODE(info.st_mode)
        findings.append(Finding.compare("mode", f"{int(cfg.mode, 8):04o}", f"{mode:04o}", mode == int(cfg.mode, 8)))
    try:
        if cfg.sha256 is not None:
            found = sha256_of(path, deadline)
            findings.append(Finding.compare("sha256", cfg.sha256.lower(), found, found == cfg.sha256.lower()))
        if cfg.contains is not None or cfg.matches is not None:
            findings += _content(cfg, path, deadline)
    except OSError as error:
        findings.append(Finding("content", "readable", f"{error.strerror or error}", Status.UNKNOWN))
    metrics = [Metric("size", info.st_size, "B"), Metric("age", age, "s")]
    return Result.of(findings, metrics=metrics, ok=f"{format_bytes(info.st_size)}, {format_duration(max(0, age))} old")


def size_findings(size: int, least: int | None, most: int | None) -> list[Finding]:
    """Judge a size by both bounds."""
    found = []
    for word, bound, fine in (
        ("least", least, least is None or size >= least),
        ("most", most, most is None or size <= most),
    ):
        if bound is not None:
            shown, observed = format_bytes(bound), format_bytes(size)
            if shown == observed and bound != size:
                shown, observed = f"{bound} B", f"{size} B"
            found.append(Finding.compare("size", f"at {word} {shown}", observed, fine))
    return found


def age_findings(age: float, most: float | None, least: float | None = None) -> list[Finding]:
    """Judge an age by both bounds. A time in the future is unknown: a clock is wrong, and the age with it."""
    if most is None and least is None:
        return []
    if age < -60:
        return [Finding("age", "a time in the past", f"{format_duration(-age)} in the future", Status.UNKNOWN)]
    shown, found = format_duration(max(0.0, age)), []
    if most is not None:
        found.append(Finding.compare("age", f"at most {format_duration(most)}", shown, age <= most))
    if least is not None:
        found.append(Finding.compare("age", f"at least {format_duration(least)}", shown, age >= least))
    return found


def _content(cfg: FileConfig, path: Path, deadline: float) -> list[Finding]:
    with path.open("rb") as file:
        data = file.read(_MOST_SEARCHED + 1)
    cut = len(data) > _MOST_SEARCHED
    text = data[:_MOST_SEARCHED].decode("utf-8", "replace")
    found = []
    if cfg.contains is not None:
        found.append(_search_finding("contains", repr(cfg.contains), cfg.contains in text, cut))
    if cfg.matches is not None:
        pattern = cfg.matches
        hit = False
        for line in text.split("\n"):
            if time.monotonic() > deadline:
                cut = True
                break
            answer = pattern.search(line)
            cut = cut or answer is None
            if answer:
                hit = True
                break
        found.append(_search_finding("matches", repr(pattern.text), hit, cut))
    return found


def _search_finding(what: str, expected: str, hit: bool, cut: bool) -> Finding:
    if hit:
        return Finding(what, expected, "found", Status.OK)
    if cut:
        return Finding(what, expected, "not in the part that was searched", Status.UNKNOWN)
    return Finding(what, expected, "not found", Status.CRIT)


def _kind(mode: int) -> str:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    return "socket" if stat.S_ISSOCK(mode) else "device"
