"""A folder is a backup where all that it names is there and whole."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.checks.data.test_dumps import MYSQL, POSTGRES, POSTGRES_END, bson

from switchover_checks.api import Result, Status

Probe = Callable[..., Any]
FILES: dict[str, bytes] = {
    "shop/orders.bson": bson(_id=1, v="x" * 50) + bson(_id=2),
    "shop/orders.metadata.json": b'{"options": {}}',
    "shop/recent.metadata.json": b'{"options": {"viewOn": "orders"}}',
    "shop/zipped.bson.gz": gzip.compress(bson(_id=1)),
    "shop/zipped.metadata.json.gz": gzip.compress(b"{}"),
    "pg/shop.sql": POSTGRES + POSTGRES_END,
    "pg/shop.sql.gz": gzip.compress(POSTGRES + POSTGRES_END),
    "my.sql": MYSQL + b"-- Dump completed\n",
    "dump.log": b"done\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, data in FILES.items():
        path = tmp_path / "dump.d" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "dump.d"


async def looked(probe: Probe, **config: Any) -> Result:
    result: Result = await probe("backup", path="dump.d", **config)
    return result


async def test_a_folder_of_whole_files_is_ok(probe: Probe, folder: Path) -> None:
    result = await looked(probe, max_age="1h", min_size=100)
    assert result.status is Status.OK, result
    assert next(m.value for m in result.metrics if m.name == "size") == sum(map(len, FILES.values()))


@pytest.mark.parametrize("name", [n for n in FILES if n != "dump.log" and "recent" not in n])
async def test_one_file_that_is_cut_or_gone_makes_the_folder_critical(probe: Probe, folder: Path, name: str) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes()[:-7])
    result = await looked(probe)
    assert result.status is Status.CRIT
    assert name in result.summary
    if "metadata" not in name and name.startswith("shop"):
        path.unlink()
        assert (await looked(probe)).status is Status.CRIT


@pytest.mark.parametrize("name", ["shop.sql.partial", "shop.sql.part", "base.tar.tmp"])
async def test_a_file_that_was_not_finished_makes_the_folder_critical(probe: Probe, folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"x")
    assert (await looked(probe)).status is Status.CRIT


async def test_an_empty_folder_is_no_backup(probe: Probe, tmp_path: Path) -> None:
    (tmp_path / "dump.d" / "inner").mkdir(parents=True)
    for config in ({}, {"restore_test": "true"}, {"min_size": 0}):
        assert (await looked(probe, **config)).status is Status.CRIT


async def test_files_that_nothing_looked_into_are_named(probe: Probe, folder: Path) -> None:
    (folder / "data.bin").write_bytes(b"x")
    result = await looked(probe)
    assert result.status is Status.WARN
    assert "data.bin" in result.summary
    (folder.parent / "dump.d" / "data.bin").rename(folder.parent / "only.bin")
    (folder.parent / "dump.d").rename(folder.parent / "aside")
    (folder.parent / "dump.d").mkdir()
    (folder.parent / "only.bin").rename(folder / "only.bin")
    assert (await looked(probe)).status is Status.WARN
    assert (await looked(probe, restore_test="true")).status is Status.OK


async def test_a_link_that_leads_nowhere_and_what_is_no_file(probe: Probe, folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert (await looked(probe)).status is Status.OK
    (folder / "gone.sql").symlink_to("nowhere")
    assert (await looked(probe)).status is Status.CRIT


async def test_unproved_sql_in_a_folder_is_unknown(probe: Probe, folder: Path) -> None:
    (folder / "hand.sql").write_bytes(b"CREATE TABLE t (a);\n")
    assert (await looked(probe)).status is Status.UNKNOWN


def sums(folder: Path, prefix: str = "") -> str:
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "SHA256SUMS")
    return "".join(f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {prefix}{p.relative_to(folder)}\n" for p in files)


@pytest.mark.parametrize(("place", "prefix"), [("dump.d/SHA256SUMS", "./"), ("dump.d.sha256", "dump.d/")])
async def test_digests_of_all_files_are_compared(probe: Probe, folder: Path, place: str, prefix: str) -> None:
    (folder.parent / place).write_text(sums(folder, prefix))
    assert (await looked(probe, sha256="sidecar")).status is Status.OK
    (folder / "dump.log").write_bytes(b"other\n")
    assert (await looked(probe, sha256="sidecar")).status is Status.CRIT
    (folder / "dump.log").unlink()
    assert (await looked(probe, sha256="sidecar")).status is Status.CRIT
    (folder.parent / place).write_text(sums(folder, prefix))
    (folder / "new.log").write_bytes(b"")
    assert (await looked(probe, sha256="sidecar")).status is Status.UNKNOWN
    assert (await looked(probe, sha256="0" * 64)).status is Status.UNKNOWN


def manifest(folder: Path, **changes: Any) -> bytes:
    files = [
        {"Path": str(p.relative_to(folder)), "Size": p.stat().st_size, "Checksum-Algorithm": "SHA256",
         "Checksum": hashlib.sha256(p.read_bytes()).hexdigest(), **changes}
        for p in sorted(folder.rglob("*")) if p.is_file() and p.name != "backup_manifest"
    ]  # fmt: skip
    body = ('{ "PostgreSQL-Backup-Manifest-Version": 1,\n"Files": ' + json.dumps(files) + ",\n").encode()
    return body + b'"Manifest-Checksum": "' + hashlib.sha256(body).hexdigest().encode() + b'"}\n'


async def test_the_manifest_of_a_base_backup_names_every_file(probe: Probe, tmp_path: Path) -> None:
    folder = tmp_path / "dump.d"
    (folder / "base" / "1").mkdir(parents=True)
    (folder / "pg_wal").mkdir()
    for name in ("PG_VERSION", "base/1/1247", "base/1/1249"):
        (folder / name).write_bytes(name.encode() * 100)
    (folder / "backup_manifest").write_bytes(whole := manifest(folder))
    (folder / "pg_wal" / "000000010000000000000002").write_bytes(b"x")
    assert (await looked(probe)).status is Status.OK
    (folder / "backup_manifest").write_bytes(manifest(folder, Size=5))
    assert (await looked(probe)).status is Status.CRIT
    for broken in (whole[:-40], whole.replace(b"PG_VERSION", b"PG_VERSIOM")):
        (folder / "backup_manifest").write_bytes(broken)
        assert (await looked(probe)).status is Status.CRIT
    (folder / "backup_manifest").write_bytes(whole)
    (folder / "base/1/1249").write_bytes(b"BASE/1/1249" * 100)
    assert "1249" in (await looked(probe)).summary
    (folder / "base/1/1249").unlink()
    assert (await looked(probe)).status is Status.CRIT


async def test_a_dump_of_the_mysql_shell_is_whole_when_it_says_that_it_is_done(probe: Probe, tmp_path: Path) -> None:
    folder = tmp_path / "dump.d"
    folder.mkdir()
    files = {
        "@.json": b"{}",
        "s.sql": b"CREATE DATABASE s;\n",
        "s@t@@0.tsv.gz": gzip.compress(b"1\n"),
        "s@t@@0.tsv.idx": b"",
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    assert (await looked(probe)).status is Status.CRIT
    (folder / "@.done.json").write_text(json.dumps({"chunkFileBytes": {"s@t@@0.tsv.gz": 2}}))
    assert (await looked(probe)).status is Status.OK
    (folder / "s@t@@0.tsv.gz").unlink()
    assert (await looked(probe)).status is Status.CRIT


async def test_a_dump_of_mydumper_that_was_not_finished_is_critical(probe: Probe, tmp_path: Path) -> None:
    folder = tmp_path / "dump.d"
    folder.mkdir()
    (folder / "shop.t.sql").write_bytes(MYSQL + b"-- Dump completed\n")
    (folder / "metadata").write_text("# Started dump at: 2026-01-01 10:00:00\n")
    assert (await looked(probe)).status is Status.CRIT
    (folder / "metadata").write_text("# Started dump at: 10:00:00\n# Finished dump at: 10:01:00\n")
    assert (await looked(probe)).status is Status.OK
