"""A backup that could not be restored is never OK."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import sqlite3
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from switchover_checks.api import Result, Status

Probe = Callable[..., Any]


def finding(result: Result, what: str) -> Status:
    return next(f.status for f in result.findings if f.what == what)


def write_digest(path: Path) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_name(path.name + ".sha256").write_text(f"{digest}  {path.name}\n")


def make_sqlite(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE t (a INTEGER, b TEXT)")
        database.executemany("INSERT INTO t VALUES (?, ?)", [(i, "x" * 100) for i in range(2000)])
    database.close()


def make_gzip(path: Path) -> None:
    path.write_bytes(gzip.compress(os.urandom(100_000)))


def make_tar(path: Path) -> None:
    inside = path.with_name("inside.bin")
    inside.write_bytes(os.urandom(50_000))
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as archive:
        archive.add(inside, "inside.bin")
        archive.add(inside, "again.bin")


def make_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", os.urandom(50_000))


def make_json(path: Path) -> None:
    path.write_text(json.dumps([{"id": i} for i in range(1000)]))


def make_sql(path: Path) -> None:
    path.write_text(
        "--\n-- PostgreSQL database dump\n--\n" + "SELECT 1;\n" * 1000 + "-- PostgreSQL database dump complete\n"
    )


MAKERS = {
    "b.sqlite": make_sqlite,
    "b.json.gz": make_gzip,
    "b.tar": make_tar,
    "b.tar.gz": make_tar,
    "b.zip": make_zip,
    "b.json": make_json,
    "b.sql": make_sql,
}


@pytest.mark.parametrize("name", sorted(MAKERS))
async def test_a_whole_backup_is_ok(probe: Probe, tmp_path: Path, name: str) -> None:
    MAKERS[name](tmp_path / name)
    write_digest(tmp_path / name)
    result = await probe("backup", path=name, min_size="1KB", max_age="1h", sha256="sidecar")
    assert result.status is Status.OK, result
    assert {f.what for f in result.findings} == {"backup", "size", "age", "sha256", "format"}


@pytest.mark.parametrize("name", sorted(MAKERS))
@pytest.mark.parametrize("share", [0.3, 0.9])
async def test_a_backup_that_was_cut_off_is_critical(probe: Probe, tmp_path: Path, name: str, share: float) -> None:
    path = tmp_path / name
    MAKERS[name](path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    result = await probe("backup", path=name)
    assert finding(result, "format") is Status.CRIT, result
    assert result.status is Status.CRIT


async def test_a_changed_byte_is_found_by_the_digest(probe: Probe, tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    make_json(path)
    write_digest(path)
    path.write_text(path.read_text().replace("999", "998"))
    result = await probe("backup", path="b.json", sha256="sidecar")
    assert finding(result, "sha256") is Status.CRIT


@pytest.mark.parametrize("content", ["", "not a digest", "abc  b.json"])
async def test_a_sidecar_without_a_digest_proves_nothing(probe: Probe, tmp_path: Path, content: str) -> None:
    make_json(tmp_path / "b.json")
    (tmp_path / "b.json.sha256").write_text(content)
    result = await probe("backup", path="b.json", sha256="sidecar")
    assert finding(result, "sha256") is Status.UNKNOWN


async def test_a_missing_sidecar_is_critical(probe: Probe, tmp_path: Path) -> None:
    make_json(tmp_path / "b.json")
    assert (await probe("backup", path="b.json", sha256="sidecar")).status is Status.CRIT


async def test_a_backup_that_is_not_there_is_critical(probe: Probe) -> None:
    result = await probe("backup", path="gone/*.dump", restore_test="true")
    assert result.status is Status.CRIT
    assert [f.what for f in result.findings] == ["backup"]


async def test_an_empty_backup_is_critical_even_when_no_size_was_asked_for(probe: Probe, tmp_path: Path) -> None:
    (tmp_path / "b.bin").touch()
    assert finding(await probe("backup", path="b.bin", restore_test="true"), "size") is Status.CRIT


async def test_a_file_that_nothing_looked_into_is_not_a_proved_backup(probe: Probe, tmp_path: Path) -> None:
    (tmp_path / "b.bin").write_bytes(b"anything")
    assert (await probe("backup", path="b.bin")).status is Status.WARN


async def test_an_old_backup_is_critical_and_one_from_the_future_unknown(probe: Probe, tmp_path: Path) -> None:
    make_json(tmp_path / "b.json")
    hour = 3600
    os.utime(tmp_path / "b.json", (time.time() - 2 * hour, time.time() - 2 * hour))
    assert finding(await probe("backup", path="b.json", max_age="1h"), "age") is Status.CRIT
    os.utime(tmp_path / "b.json", (time.time() + 2 * hour, time.time() + 2 * hour))
    assert finding(await probe("backup", path="b.json", max_age="1h"), "age") is Status.UNKNOWN


async def test_the_newest_is_compared_with_the_one_before(probe: Probe, tmp_path: Path) -> None:
    for age, (name, count) in enumerate([("3.json", 100), ("2.json", 1000), ("1.json", 10)]):
        (tmp_path / name).write_text(json.dumps(list(range(count))))
        os.utime(tmp_path / name, (time.time() - age * 60, time.time() - age * 60))
    result = await probe("backup", path="*.json", min_share="80%")
    assert finding(result, "share") is Status.CRIT
    assert result.findings[0].observed.endswith("3.json")


async def test_without_a_previous_backup_the_share_is_unknown(probe: Probe, tmp_path: Path) -> None:
    make_json(tmp_path / "b.json")
    assert finding(await probe("backup", path="*.json", min_share=0.8), "share") is Status.UNKNOWN


async def test_the_restore_test_gets_the_path_as_one_word_whatever_its_name(probe: Probe, tmp_path: Path) -> None:
    folder = tmp_path / "a folder; touch hacked"
    folder.mkdir()
    make_json(folder / "it's.json")
    command = 'test -s "$BACKUP_PATH"'
    result = await probe("backup", path="a folder; touch hacked/it's.json", restore_test=command)
    assert finding(result, "restore test") is Status.OK, result
    assert not (tmp_path / "hacked").exists()


async def test_a_failing_restore_test_is_critical_and_shows_its_last_words(probe: Probe, tmp_path: Path) -> None:
    make_json(tmp_path / "b.json")
    result = await probe("backup", path="b.json", restore_test="echo first; echo corrupt header >&2; exit 4")
    assert result.status is Status.CRIT
    assert result.findings[-1].observed == "exit code 4: corrupt header"


async def test_a_damaged_file_is_not_restored(probe: Probe, tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text("[1, 2")
    result = await probe("backup", path="b.json", restore_test="touch restored")
    assert finding(result, "restore test") is Status.UNKNOWN
    assert not (tmp_path / "restored").exists()


async def test_a_dump_with_another_header_is_critical(probe: Probe, tmp_path: Path) -> None:
    (tmp_path / "b.dump").write_bytes(b"SELECT 1;" * 100)
    assert finding(await probe("backup", path="b.dump"), "format") is Status.CRIT
