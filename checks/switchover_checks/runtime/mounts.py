"""What is mounted where, by the kernel's word, and whether that is what was meant."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from switchover_checks.api import Finding, Status

__all__ = ["Mount", "MountRules", "current_mounts", "mount_findings", "mount_of", "read_mounts"]

_ESCAPE = re.compile(r"\\([0-7]{3})")
_TAGS = {"UUID": "by-uuid", "LABEL": "by-label", "PARTUUID": "by-partuuid", "PARTLABEL": "by-partlabel"}
_PLACEHOLDERS = frozenset({"autofs"})
"""Types that only wait to be replaced by the real file system."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted file system: where, of which type, what (a device, a share), and with which options."""

    place: str
    fstype: str
    source: str
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.place} ({self.source}, {self.fstype})"


@dataclass(frozen=True, slots=True)
class MountRules:
    """What must be mounted. True: the path itself. A path: the mount it must lie on. False: nothing."""

    mounted: bool | str | None = None
    device: str | None = None
    fstype: str | None = None


def read_mounts(text: str) -> list[Mount]:
    """Read `/proc/self/mountinfo`; a later mount at the same place hides the one before."""
    found: dict[str, Mount] = {}
    for line in text.splitlines():
        before, dash, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")
        if dash and len(fields) > 5 and len(kind) > 1 and kind[0] not in _PLACEHOLDERS:
            place = _plain(fields[4])
            options = dict.fromkeys([*fields[5].split(","), *(kind[2].split(",") if len(kind) > 2 else ())])
            found[place] = Mount(place, kind[0], _plain(kind[1]), tuple(options))
    return list(found.values())


def current_mounts() -> list[Mount]:
    """Return what is mounted as this process sees it. Raise `OSError`."""
    return read_mounts(Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape"))


def mount_of(path: str, mounts: list[Mount]) -> Mount | None:
    """Return what holds `path`, an absolute path without links: the mount with the longest place before it."""
    holding = [m for m in mounts if path == m.place or path.startswith(m.place.rstrip("/") + "/")]
    return max(holding, key=lambda m: len(m.place), default=None)


def mount_findings(rules: MountRules, path: Path) -> list[Finding]:
    """Compare what is mounted with what must be. May wait for a dead file system: call it in a thread."""
    if rules == MountRules():
        return []
    real = os.path.realpath(path)
    try:
        mounts = current_mounts()
    except OSError as error:
        return [Finding("mount", "a list of mounts", error.strerror or str(error), Status.UNKNOWN)]
    holder = mount_of(real, mounts)
    if holder is None:
        return [Finding("mount", "a file system", f"nothing that is known holds {real}", Status.UNKNOWN)]
    findings = []
    if rules.mounted is not None:
        findings.append(_place(rules.mounted, real, holder))
    if rules.device is not None:
        fine = _same_device(rules.device, holder.source, real)
        findings.append(Finding.compare("device", rules.device, f"{path} lies on {holder}", fine))
    if rules.fstype is not None:
        findings.append(Finding.compare("file system", rules.fstype, holder.fstype, holder.fstype == rules.fstype))
    return findings


def _place(wanted: bool | str, real: str, holder: Mount) -> Finding:
    if isinstance(wanted, str):
        place = os.path.realpath(wanted)
        return Finding.compare("mount", f"on what is mounted at {place}", f"it lies on {holder}", holder.place == place)
    here = holder.place == real
    observed = f"{holder} is mounted there" if here else f"nothing is, it lies on {holder}"
    expected = f"a file system mounted at {real}" if wanted else f"nothing mounted at {real}"
    return Finding.compare("mount", expected, observed, here is wanted)


def _same_device(wanted: str, source: str, path: str) -> bool:
    tag, equals, value = wanted.partition("=")
    if equals and tag in _TAGS:
        wanted = f"/dev/disk/{_TAGS[tag]}/{value.strip(chr(34))}"
    if wanted == source or os.path.realpath(wanted) == os.path.realpath(source):
        return True
    try:
        device = Path(wanted).stat()
        return stat.S_ISBLK(device.st_mode) and device.st_rdev == Path(path).stat().st_dev
    except OSError:
        return False


def _plain(text: str) -> str:
    return _ESCAPE.sub(lambda octal: chr(int(octal[1], 8)), text)
