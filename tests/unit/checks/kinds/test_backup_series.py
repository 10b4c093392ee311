"""Backups as a series, in S3 (a stand-in for its answers), and what is remembered of one that was read."""

from __future__ import annotations

import base64
import gzip
import hashlib
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from switchover_checks.api import Finding, ProbeError, Result, Status
from switchover_checks.data.archives import check_format
from switchover_checks.kinds import backup
from switchover_checks.kinds.backup import BackupConfig
from switchover_checks.runtime.config import ConfigError, build_config
from switchover_checks.runtime.probe_ports import ProbeMemory, ProbePorts

Probe = Callable[..., Awaitable[Result]]
DUMP = gzip.compress(b"-- PostgreSQL database dump\nselect 1;\n-- PostgreSQL database dump complete\n")


def status_of(result: Result, what: str) -> Status:
    return next(f.status for f in result.findings if f.what == what)


def backups(folder: Path, *days_ago: int, data: bytes = DUMP) -> None:
    for days in days_ago:
        path = folder / f"shop-{days}.sql.gz"
        path.write_bytes(data)
        at = time.time() - days * 86_400
        os.utime(path, (at, at))


@pytest.mark.parametrize(
    ("days", "keys", "what", "status"),
    [
        ([0, 1, 2], {"count": 3}, "backups", Status.OK),
        ([0, 1], {"count": 3}, "backups", Status.CRIT),
        ([0, 1, 2], {"keep": 3}, "kept", Status.OK),
        ([0, 1, 2], {"keep": 2}, "kept", Status.WARN),
        ([0, 1, 2], {"every_day": 2}, "every day", Status.OK),
        ([1, 2], {"every_day": 2}, "every day", Status.OK),
        ([0, 2], {"every_day": 2}, "every day", Status.CRIT),
    ],
)
async def test_a_series_of_backups_has_no_gap(
    probe: Probe, tmp_path: Path, days: list[int], keys: dict[str, Any], what: str, status: Status
) -> None:
    backups(tmp_path, *days)
    assert status_of(await probe("backup", path="*.gz", **keys), what) is status


async def test_an_empty_backup_does_not_count(probe: Probe, tmp_path: Path) -> None:
    backups(tmp_path, 0)
    backups(tmp_path, 1, data=b"")
    assert status_of(await probe("backup", path="*.gz", count=2), "backups") is Status.CRIT
    (tmp_path / "empty.gz").mkdir()
    assert status_of(await probe("backup", path="*.gz", count=2), "backups") is Status.CRIT


async def test_what_was_read_once_is_read_again_only_when_it_is_another(
    probe: Probe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = ProbePorts(memory=ProbeMemory())
    reads = []

    def read(kind: str, path: Path, deadline: float) -> Finding:
        reads.append(path)
        return check_format(kind, path, deadline)

    monkeypatch.setattr(backup, "check_format", read)
    path = tmp_path / "shop.sql.gz"
    path.write_bytes(DUMP)
    first, second = (
        await probe("backup", ports=ports, path=path.name),
        await probe("backup", ports=ports, path=path.name),
    )
    assert (first.status, second.status, len(reads)) == (Status.OK, Status.OK, 1)
    assert "ago)" in second.findings[-1].observed
    path.write_bytes(DUMP[:-10])
    cut = await probe("backup", ports=ports, path=path.name)
    again = await probe("backup", ports=ports, path=path.name)
    assert (cut.status, again.status, len(reads)) == (Status.CRIT, Status.CRIT, 2)


class S3:
    """Answers as S3 does: a list, the head of an object with its checksum, a small body."""

    def __init__(self, objects: Mapping[str, bytes], *, checksums: bool = True) -> None:
        self.objects, self.checksums = objects, checksums

    async def __call__(
        self, _provider: str, _api: str, operation: str, params: Mapping[str, Any], _region: str
    ) -> Mapping[str, Any]:
        if operation == "list_objects_v2":
            now = datetime.now(UTC)
            there = [key for key in self.objects if key.startswith(params["Prefix"])]
            listed = [
                {"Key": key, "Size": len(self.objects[key]), "LastModified": str(now - timedelta(hours=number))}
                for number, key in enumerate(there)
            ]
            return {"Contents": listed}
        if params["Key"] not in self.objects:
            raise ProbeError("there is none of that name", phase="assert")
        data = self.objects[params["Key"]]
        if operation == "get_object":
            return {"Body": data.decode()}
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        return {"ChecksumSHA256": digest} if self.checksums else {}


GOOD = hashlib.sha256(DUMP).hexdigest()
THERE = {"db/shop.sql.gz": DUMP, "db/shop.sql.gz.sha256": f"{GOOD}  shop.sql.gz\n".encode()}


@pytest.mark.parametrize(
    ("objects", "keys", "status"),
    [
        (THERE, {"sha256": "sidecar"}, Status.OK),
        (THERE, {"sha256": GOOD}, Status.OK),
        (THERE, {"sha256": "0" * 64}, Status.CRIT),
        (THERE, {}, Status.WARN),
        (THERE, {"sha256": GOOD, "max_age": "1h", "min_size": "1KiB"}, Status.CRIT),
        (THERE, {"sha256": GOOD, "min_share": "80%"}, Status.UNKNOWN),
        ({"db/shop.sql.gz": DUMP}, {"sha256": "sidecar"}, Status.CRIT),
        ({}, {"sha256": GOOD}, Status.CRIT),
        ({"db/shop.sql.gz": b""}, {"sha256": GOOD}, Status.CRIT),
    ],
)
async def test_a_backup_in_s3_is_proved_by_the_digest_that_s3_made(
    probe: Probe, objects: dict[str, bytes], keys: dict[str, Any], status: Status
) -> None:
    result = await probe("backup", ports=ProbePorts(cloud=S3(objects)), path="s3://dumps/db/shop*.gz", **keys)
    assert result.status is status, result


async def test_an_object_without_a_checksum_of_its_whole_is_not_proved(probe: Probe) -> None:
    ports = ProbePorts(cloud=S3(THERE, checksums=False))
    result = await probe("backup", ports=ports, path="s3://dumps/db/shop.sql.gz", sha256=GOOD)
    assert status_of(result, "sha256") is Status.UNKNOWN


@pytest.mark.parametrize(
    "keys",
    [
        {"path": "x", "count": 2},
        {"path": "x*", "count": 0},
        {"path": "x*", "every_day": 0},
        {"path": "x", "region": "eu-west-1"},
        {"path": "s3://b/k", "format": "gzip"},
        {"path": "s3://b/k", "every_day": 2},
    ],
)
def test_what_cannot_be_done_is_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        build_config(BackupConfig, keys)
