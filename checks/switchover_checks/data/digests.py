"""SHA-256 digests of a backup, as they stand in the plan or in a file beside it."""

from __future__ import annotations

import re
from pathlib import Path

from switchover_checks.api import Finding, Status
from switchover_checks.data.archives import FolderFacts
from switchover_checks.data.file_digest import sha256_of

__all__ = ["DIGEST", "digest_findings"]

DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_LINE = re.compile(r"\\?([0-9a-fA-F]{64})(?:\s+\*?(.*))?")
_MOST_LIST = 64 << 20
_SUMS = ("SHA256SUMS", "sha256sums.txt", "SHA256SUM")


def digest_findings(wanted: str, path: Path, folder: FolderFacts | None, deadline: float) -> list[Finding]:
    """Compare with a digest, or for `sidecar` with what stands beside it; of a folder each file has one."""
    if folder is not None:
        return _of_folder(wanted, path, folder, deadline)
    if wanted != "sidecar":
        return [_of_file(path, wanted, deadline)]
    sidecar = path.with_name(path.name + ".sha256")
    listed = _read(sidecar)
    if isinstance(listed, Finding):
        return [listed]
    found = next((digest for digest, name in listed if name.rpartition("/")[2] == path.name), None)
    found = found or next((digest for digest, _ in listed[:1]), None)
    if found is None:
        return [Finding("sha256", f"a digest in {sidecar.name}", "no digest in it", Status.UNKNOWN)]
    return [_of_file(path, found, deadline)]


def _of_file(path: Path, wanted: str, deadline: float) -> Finding:
    try:
        actual = sha256_of(path, deadline)
    except OSError as error:
        return Finding("sha256", wanted.lower(), error.strerror or str(error), Status.UNKNOWN)
    return Finding.compare("sha256", wanted.lower(), actual, actual == wanted.lower())


def _of_folder(wanted: str, folder: Path, facts: FolderFacts, deadline: float) -> list[Finding]:
    if wanted != "sidecar":
        hint = "write sidecar, with SHA256SUMS in it or FOLDER.sha256 beside it"
        return [Finding("sha256", "a digest for each file", "a folder has no digest of its own", Status.UNKNOWN, hint)]
    places = (folder.with_name(folder.name + ".sha256"), *(folder / name for name in _SUMS))
    sums = next((place for place in places if place.is_file()), places[0])
    listed = _read(sums)
    if isinstance(listed, Finding):
        return [listed]
    digests = {_inside(name, folder): digest for digest, name in listed}
    bad, unlisted = [], 0
    for file in facts.files:
        digest = digests.pop(str(file.relative_to(folder)), None)
        if digest is None:
            unlisted += file != sums
        elif _of_file(file, digest, deadline).status is not Status.OK:
            bad.append(f"{file.relative_to(folder)} has another digest")
    bad += [f"{name} is not there" for name in sorted(digests)]
    if bad:
        more = f" and {len(bad) - 3} more" if len(bad) > 3 else ""
        return [Finding("sha256", f"as in {sums.name}", "; ".join(bad[:3]) + more, Status.CRIT)]
    if unlisted:
        return [Finding("sha256", f"each file in {sums.name}", f"{unlisted} files are not in it", Status.UNKNOWN)]
    return [Finding("sha256", f"as in {sums.name}", f"{len(listed)} files", Status.OK)]


def _inside(name: str, folder: Path) -> str:
    """Return the name of a file from the folder on; lists are made in it or beside it."""
    return name.removeprefix("./").removeprefix(f"{folder.name}/")


def _read(path: Path) -> list[tuple[str, str]] | Finding:
    expected = f"a digest in {path.name}"
    try:
        with path.open(encoding="utf-8", errors="surrogateescape") as file:
            text = file.read(_MOST_LIST)
    except FileNotFoundError:
        return Finding("sha256", expected, "the file is not there", Status.CRIT)
    except OSError as error:
        return Finding("sha256", expected, error.strerror or str(error), Status.UNKNOWN)
    found = [match for line in text.splitlines() if (match := _LINE.fullmatch(line.strip()))]
    if not found:
        return Finding("sha256", expected, "no digest in it", Status.UNKNOWN)
    return [(match[1].lower(), (match[2] or "").strip()) for match in found]
