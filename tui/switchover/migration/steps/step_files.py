"""Files of a step: what it executes is frozen with the plan, what it leaves is kept with the run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from switchover.errors import RefusedError
from switchover.migration.facts.step_events import EvidenceFile, Place
from switchover.migration.steps.kept_evidence import keep_evidence

__all__ = ["edits", "file_digests", "keep_artifacts"]

Edit = Literal["added", "removed", "changed"]
_MOST = 500
_SAME_MOMENT_S = 2.0  # a file system may write down a time this much before the clock's


def file_digests(directory: Path, patterns: Sequence[str]) -> dict[str, str]:
    """Return the SHA-256 of each file that a pattern names, by its path; empty for one that cannot be read."""
    return {str(path.relative_to(directory)): _digest(path) for path in _named(directory, patterns)}


def edits(frozen: Mapping[str, str], now: Mapping[str, str]) -> Iterator[tuple[str, Edit]]:
    """Yield each file that is not what it was, with what became of it."""
    for name in sorted({*frozen, *now}):
        if name not in now:
            yield name, "removed"
        elif name not in frozen:
            yield name, "added"
        elif frozen[name] != now[name]:
            yield name, "changed"


def keep_artifacts(
    run_directory: Path,
    attempt: str,
    directory: Path,
    patterns: Sequence[str],
    since: float,
    place: Place | None,
    clean: Callable[[str], str],
) -> tuple[tuple[EvidenceFile, ...], list[str]]:
    """Copy what an attempt left since `since`; return what was kept, and why something was not."""
    kept, notes = [], []
    for path in _named(directory, patterns):
        name = clean(str(path.relative_to(directory)))
        try:
            if path.stat().st_mtime < since - _SAME_MOMENT_S:
                notes.append(f"{name} is older than this attempt, and was not kept")
                continue
            kept.append(keep_evidence(run_directory, attempt, path, place, clean))
        except OSError as error:
            notes.append(f"{name} was not kept: {error.strerror}")
        except RefusedError as error:
            notes.append(f"{name} was not kept: {clean(error.title)}")
    if not kept and not notes:
        notes.append(f"nothing is there to keep of {', '.join(patterns)}")
    return tuple(kept), notes


def _named(directory: Path, patterns: Sequence[str]) -> list[Path]:
    found = {path for pattern in patterns for path in directory.glob(pattern) if path.is_file()}
    return sorted(found)[:_MOST]


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
