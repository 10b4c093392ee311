"""A folder as a backup: all that it names is there, and each file in it is whole."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from switchover_checks.api import Finding, ProbeError, Status
from switchover_checks.data.archives.folder_lists import (
    Report,
    by_collections,
    by_contents,
    by_last_word,
    by_manifest,
)
from switchover_checks.data.archives.formats import check_format, format_of
from switchover_checks.language.units import format_bytes

__all__ = ["FolderFacts", "check_folder", "facts_of"]

_MOST_FILES = 1_000_000
_MOST_NAMED = 5
_ASIDE = ("*.md5", "*.sha1", "*.sha256", "*.sha512", "*SUMS", "*.log", "*.txt", "*.md", "*.toc", "*.metadata.json*",
          "backup_label", "tablespace_map", "prelude.json*", "metadata", "*.idx", ".*")  # fmt: skip
"""Files that tell of a backup and are none themselves."""
_UNFINISHED = ("*.partial", "*.part", "*.tmp", "*.filepart", "*.crdownload")


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """All regular files of a folder, how large they are together, and when the newest was written."""

    files: tuple[Path, ...]
    size: int
    written_at: float


def facts_of(folder: Path) -> FolderFacts:
    """Walk a folder. Raise `OSError` for what may not be read, and for a link that leads nowhere."""
    files, size, newest = [], 0, 0.0
    for path in _walk(folder):
        info = path.stat()
        files.append(path)
        size += info.st_size
        newest = max(newest, info.st_mtime)
        if len(files) > _MOST_FILES:
            raise ProbeError(f"{folder} holds more than {_MOST_FILES} files", status=Status.UNKNOWN)
    return FolderFacts(tuple(files), size, newest or folder.stat().st_mtime)


def _walk(folder: Path) -> Iterator[Path]:
    """Go through files; links to folders are not followed, what is no file (a socket, a pipe) is passed over."""
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            if not entry.is_symlink():
                yield from _walk(entry)
        elif entry.is_file() or entry.is_symlink():
            yield entry


def check_folder(folder: Path, facts: FolderFacts, deadline: float) -> tuple[list[Finding], bool]:
    """Look into a folder. Return what was found, and whether anything in it was examined."""
    if not facts.files:
        return [Finding("format", "a folder with a backup in it", "it is empty", Status.CRIT)], True
    report = Report(folder, deadline)
    for path in facts.files:
        if any(fnmatch.fnmatch(path.name, pattern) for pattern in _UNFINISHED):
            report.faults.append(f"{report.name(path)} was not finished")
    by_contents(report)
    by_manifest(report)
    by_collections(report, facts.files)
    by_last_word(report)
    for path in facts.files:
        if path not in report.proved and not _is_aside(path):
            _look(report, path)
    return _findings(report, facts), bool(report.proved or report.faults or report.unsure)


def _look(report: Report, path: Path) -> None:
    """Look at a file by its own format, as at a backup of one file."""
    kind = format_of(path)
    if kind is None:
        return
    finding = check_format(kind, path, report.deadline)
    if finding.status is Status.OK:
        report.proved.add(path)
    elif finding.status is Status.CRIT:
        report.faults.append(f"{report.name(path)}: {finding.observed.removeprefix('damaged: ')}")
    else:
        report.unsure.append(f"{report.name(path)}: {finding.observed}")


def _findings(report: Report, facts: FolderFacts) -> list[Finding]:
    expected = "every file whole"
    if report.faults:
        return [Finding("format", expected, f"damaged: {_few(report.faults)}", Status.CRIT)]
    if report.unsure:
        hint = "set a restore_test, or format: none where a digest is enough"
        return [Finding("format", expected, _few(report.unsure), Status.UNKNOWN, hint)]
    if not report.proved:
        return []
    unseen = [report.name(p) for p in facts.files if p not in report.proved and not _is_aside(p)]
    if unseen:
        taught = "proved: give sha256 or restore_test"
        return [Finding("content", taught, f"nothing looked inside {_few(unseen)}", Status.WARN)]
    return [Finding("format", expected, f"{len(facts.files)} files, {format_bytes(facts.size)}", Status.OK)]


def _is_aside(path: Path) -> bool:
    return any(fnmatch.fnmatch(path.name, pattern) for pattern in _ASIDE)


def _few(items: list[str]) -> str:
    more = f" and {len(items) - _MOST_NAMED} more" if len(items) > _MOST_NAMED else ""
    return "; ".join(items[:_MOST_NAMED]) + more
