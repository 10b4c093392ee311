"""A folder whose file system is not mounted never passes for the disk that is meant."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from switchover_checks.api import Status
from switchover_checks.runtime.mounts import Mount, mount_of, read_mounts
from switchover_checks.runtime.registry import Registry

Probe = Callable[..., Any]

TABLE = r"""21 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
22 21 0:19 / /proc rw - proc proc rw
30 21 254:17 / /data rw shared:3 master:2 - xfs /dev/vdb1 rw
31 21 0:40 / /mnt/old\040disk rw - nfs4 files.example.org:/export/a\040b rw
32 21 0:41 / /auto rw - autofs systemd-1 rw
33 32 254:33 / /auto rw - ext4 /dev/vdc1 rw
34 21 0:42 / /waiting rw - autofs systemd-1 rw
35 30 254:49 / /data rw - btrfs /dev/vdd rw
nonsense
"""


@pytest.mark.parametrize(
    ("path", "place", "source"),
    [
        ("/etc", "/", "/dev/vda1"),
        ("/", "/", "/dev/vda1"),
        ("/data", "/data", "/dev/vdd"),
        ("/data/pg/base", "/data", "/dev/vdd"),
        ("/database", "/", "/dev/vda1"),
        ("/mnt/old disk/x", "/mnt/old disk", "files.example.org:/export/a b"),
        ("/auto/x", "/auto", "/dev/vdc1"),
        ("/waiting", "/", "/dev/vda1"),
    ],
)
def test_a_path_lies_on_the_mount_that_is_nearest_to_it(path: str, place: str, source: str) -> None:
    found = mount_of(path, read_mounts(TABLE))
    assert found is not None
    assert (found.place, found.source) == (place, source)


def test_what_no_mount_holds_is_not_made_up() -> None:
    assert mount_of("/x", [Mount("/data", "xfs", "/dev/vdb1")]) is None


@pytest.mark.parametrize(
    "rules",
    [
        {"mounted": True},
        {"mounted": True, "crit": "1%:"},
        {"mounted": "/proc"},
        {"mounted": "other"},
        {"device": "/dev/no-such-disk"},
        {"device": "UUID=0000-0000"},
        {"device": "files.example.org:/export"},
        {"fstype": "nfs4"},
        {"writable": False},
    ],
)
async def test_a_folder_that_is_not_the_mount_that_is_meant_is_critical(
    probe: Probe, tmp_path: Path, rules: dict[str, Any]
) -> None:
    (tmp_path / "data").mkdir()
    result = await probe("disk", path="data", **rules)
    assert result.status is Status.CRIT, result


@pytest.mark.skipif(not os.path.ismount("/proc"), reason="no /proc is mounted")
async def test_what_is_mounted_as_it_is_meant_is_ok(probe: Probe, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/proc")
    for path in ("/proc", "link"):
        result = await probe("disk", path=path, mounted=True, fstype="proc", inodes_warn="1:")
        assert [f.status for f in result.findings if f.what in ("mount", "file system")] == [Status.OK] * 2
    assert (await probe("disk", path="link", mounted="false", warn="1%:")).findings[0].status is Status.CRIT
    below = await probe("disk", path=str(tmp_path), mounted="/", crit="1%:")
    assert below.findings[0].status in (Status.OK, Status.CRIT)
    assert (await probe("disk", path=str(tmp_path), mounted=False, writable=True)).status is Status.OK


def test_a_disk_check_that_asks_for_nothing_is_refused() -> None:
    assert Registry().validate_config("disk", {"path": "/"})
    assert Registry().validate_config("disk", {"path": "/data", "mounted": True}) == []
    assert Registry().validate_config("disk", {"path": "/data", "mounted": "/data"}) == []
