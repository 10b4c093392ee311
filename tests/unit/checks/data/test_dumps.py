"""A dump that broke off is found in every format and packing, also where the packing itself is whole."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import lzma
import math
import shutil
import sqlite3
import struct
import subprocess
import tarfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import missing

from switchover_checks.api import Result, Status
from switchover_checks.data.archives.crc64 import crc64
from switchover_checks.data.archives.formats import check_format
from switchover_checks.data.archives.postgres import check_pg_custom
from switchover_checks.data.archives.stream import DamagedError, Stream

Probe = Callable[..., Any]
SAMPLES = Path(__file__).parent / "samples"

POSTGRES = (
    b"--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\nCOPY public.t (a) FROM stdin;\n"
    + b"1\n" * 3000
)
POSTGRES_END = b"\\.\n\n\n--\n-- PostgreSQL database dump complete\n--\n\n"
RESTRICTED = POSTGRES.replace(b"SET", b"\\restrict k3y\n\nSET", 1)
CLUSTER = b"--\n-- PostgreSQL database cluster dump\n--\n\nCREATE ROLE ops;\n" + POSTGRES + POSTGRES_END
CLUSTER_END = b"--\n-- PostgreSQL database cluster dump complete\n--\n\n"
MYSQL = (
    b"-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n--\n-- Host: h\n"
    + b"INSERT INTO `t` VALUES (1);\n" * 900
)
MARIADB = (
    b"/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19  Distrib 10.11.19-MariaDB\n" + MYSQL[-9000:]
)
SETTINGS = b"/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;\n" + MYSQL[-9000:]
LITE = b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE t (a);\n" + b"INSERT INTO t VALUES(1);\n" * 900
SQL: dict[str, tuple[bytes, bytes]] = {
    "pg_dump": (POSTGRES, POSTGRES_END),
    "pg_dump in brackets": (RESTRICTED, POSTGRES_END + b"\\unrestrict k3y\n\n"),
    "pg_dump on Windows": (POSTGRES.replace(b"\n", b"\r\n"), POSTGRES_END.replace(b"\n", b"\r\n")),
    "pg_dumpall": (CLUSTER, CLUSTER_END),
    "mysqldump": (MYSQL, b"-- Dump completed on 2026-01-01 10:00:00\n"),
    "mysqldump without a date": (MYSQL, b"\n-- Dump completed\n"),
    "mariadb-dump": (MARIADB, b"-- Dump completed on 2026-01-01\n"),
    "mysqldump without comments": (SETTINGS, b"/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;\n"),
    "mysqlpump": (b"-- Dump created by MySQL pump utility, version: 8.0\n" + MYSQL[-999:], b"-- Dump end time: Mon\n"),
    "sqlite .dump": (LITE, b"COMMIT;\n"),
    "one transaction": (b"-- by hand\nBEGIN;\n" + LITE[-900:], b"commit ;\n-- done\n"),
}
BROKEN: dict[str, bytes] = {
    "the line stands in the data": POSTGRES + b"-- PostgreSQL database dump complete\n1\n",
    "another dump follows and breaks off": POSTGRES + POSTGRES_END + POSTGRES,
    "the bracket is not closed": RESTRICTED + POSTGRES_END,
    "the bracket is closed with another key": RESTRICTED + POSTGRES_END + b"\\unrestrict other\n",
    "a cluster ends after one of its databases": CLUSTER,
    "sqlite met errors": LITE + b"ROLLBACK; -- due to errors\n",
    "the disk was full": POSTGRES + b"\0" * 9000,
    "nothing but blanks": b"\n\n",
}
UNPROVED: dict[str, bytes] = {
    "statements by hand": b"CREATE TABLE t (a int);\nINSERT INTO t VALUES (1);\n",
    "mysqldump --compact": b"/*!40101 SET @saved_cs_client = @@character_set_client */;\nCREATE TABLE `p` (`i` int);\n",
}
PACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: by_program(["zstd", "-qc"], data),
    ".lz4": lambda data: by_program(["lz4", "-qc"], data),
}


def by_program(argv: list[str], data: bytes) -> bytes:
    if shutil.which(argv[0]) is None:
        missing(argv[0])
    return subprocess.run(argv, input=data, capture_output=True, check=True).stdout


async def looked(probe: Probe, folder: Path, name: str, data: bytes, **config: Any) -> Status:
    (folder / name).write_bytes(data)
    result: Result = await probe("backup", path=name, **config)
    return next(f.status for f in result.findings if f.what == "format")


@pytest.mark.parametrize("pack", PACK)
@pytest.mark.parametrize("kind", SQL)
async def test_a_dump_in_sql_is_whole_only_with_its_last_line(
    probe: Probe, tmp_path: Path, kind: str, pack: str
) -> None:
    begin, end = SQL[kind]
    assert await looked(probe, tmp_path, f"whole.sql{pack}", PACK[pack](begin + end)) is Status.OK
    for data in (begin, begin[:-7]):
        assert await looked(probe, tmp_path, f"cut.sql{pack}", PACK[pack](data)) is Status.CRIT


@pytest.mark.parametrize("why", BROKEN)
async def test_a_last_line_that_completes_nothing_is_not_believed(probe: Probe, tmp_path: Path, why: str) -> None:
    for pack in ("", ".gz"):
        assert await looked(probe, tmp_path, f"b.sql{pack}", PACK[pack](BROKEN[why])) is Status.CRIT


@pytest.mark.parametrize("why", UNPROVED)
async def test_sql_in_which_nothing_tells_that_it_is_whole_is_unknown(probe: Probe, tmp_path: Path, why: str) -> None:
    for pack in ("", ".gz"):
        assert await looked(probe, tmp_path, f"b.sql{pack}", PACK[pack](UNPROVED[why])) is Status.UNKNOWN
    digest = hashlib.sha256(UNPROVED[why]).hexdigest()
    result = await probe("backup", path="b.sql", sha256=digest, format="none")
    assert result.status is Status.OK


@pytest.mark.parametrize("sample", ["pg15.dump", "pg18.dump", "pg18-appended.dump", "redis7.rdb"])
@pytest.mark.parametrize("pack", ["", ".gz", ".zst"])
async def test_a_dump_of_a_real_program_is_whole_and_no_part_of_it_is(
    probe: Probe, tmp_path: Path, sample: str, pack: str
) -> None:
    data = (SAMPLES / sample).read_bytes()
    whole = len(data)
    if sample == "pg18-appended.dump":
        whole = len((SAMPLES / "pg18.dump").read_bytes())  # all is there before the contents come once more
    assert await looked(probe, tmp_path, f"whole-{sample}{pack}", PACK[pack](data)) is Status.OK
    for size in range(20, whole, 50 if not pack else 500):
        assert await looked(probe, tmp_path, f"cut-{sample}{pack}", PACK[pack](data[:size])) is Status.CRIT, size
    assert await looked(probe, tmp_path, f"more-{sample}{pack}", PACK[pack](data + b"more")) is Status.CRIT


@pytest.mark.parametrize("sample", ["pg15.dump", "pg18.dump"])
def test_no_cut_of_a_dump_is_whole_not_even_between_two_blocks(sample: str) -> None:
    data = (SAMPLES / sample).read_bytes()
    check_pg_custom(Stream(io.BytesIO(data), math.inf))
    for size in range(len(data)):
        with pytest.raises(DamagedError):
            check_pg_custom(Stream(io.BytesIO(data[:size]), math.inf))


async def test_the_list_of_a_cut_dump_proves_nothing(probe: Probe, tmp_path: Path) -> None:
    (tmp_path / "cut.dump").write_bytes((SAMPLES / "pg15.dump").read_bytes()[:-200])
    result = await probe("backup", path="cut.dump", restore_test="true")
    assert result.status is Status.CRIT


@pytest.mark.parametrize("change", [(-9, 0xFE), (30, 0x01), (-1, 0x01)])
async def test_a_changed_byte_of_a_snapshot_is_found(probe: Probe, tmp_path: Path, change: tuple[int, int]) -> None:
    data = bytearray((SAMPLES / "redis7.rdb").read_bytes())
    data[change[0]] ^= change[1]
    assert await looked(probe, tmp_path, "b.rdb", bytes(data)) is Status.CRIT


async def test_a_snapshot_without_a_checksum_is_known_by_its_end(probe: Probe, tmp_path: Path) -> None:
    data = (SAMPLES / "redis7.rdb").read_bytes()[:-8]
    assert await looked(probe, tmp_path, "b.rdb", data + bytes(8)) is Status.OK
    assert await looked(probe, tmp_path, "old.rdb", b"REDIS0004" + data[9:]) is Status.UNKNOWN


def test_the_checksum_is_that_of_redis_however_the_data_is_cut() -> None:
    assert crc64(b"123456789") == 0xE9C6D914C4B8D9CA
    data = bytes(i * 7 % 251 for i in range(5000))
    parts = 0
    for cut in (data[:3], data[3:1600], data[1600:1600], data[1600:]):
        parts = crc64(cut, parts)
    assert parts == crc64(data)


def bson(**fields: Any) -> bytes:
    """Write a document of texts, truths and whole numbers."""
    body = b""
    for name, value in fields.items():
        key = name.encode() + b"\0"
        if isinstance(value, bool):
            body += b"\x08" + key + bytes([value])
        elif isinstance(value, int):
            body += b"\x12" + key + struct.pack("<q", value)
        else:
            text = str(value).encode() + b"\0"
            body += b"\x02" + key + struct.pack("<i", len(text)) + text
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def mongo_archive(*, ended: bool = True) -> bytes:
    """Make an archive by hand, as `mongodump --archive` lays it out."""
    end = b"\xff\xff\xff\xff"
    parts = [b"\x6d\xe2\x99\x81", bson(concurrent_collections=1, version="0.1")]
    parts += [bson(db="shop", collection=c, metadata="{}", size=1) for c in ("orders", "customers")] + [end]
    for name in ("orders", "customers"):
        parts += [bson(db="shop", collection=name, EOF=False, CRC=0), bson(_id=1, v="a" * 300), bson(_id=2), end]
        if ended or name == "orders":
            parts += [bson(db="shop", collection=name, EOF=True, CRC=5), end]
    return b"".join(parts)


@pytest.mark.parametrize("pack", ["", ".gz"])
async def test_an_archive_of_mongodump_ends_each_collection(probe: Probe, tmp_path: Path, pack: str) -> None:
    whole = mongo_archive()
    assert await looked(probe, tmp_path, f"b.archive{pack}", PACK[pack](whole)) is Status.OK
    assert await looked(probe, tmp_path, f"c.archive{pack}", PACK[pack](mongo_archive(ended=False))) is Status.CRIT
    for size in range(5, len(whole), 31):
        assert await looked(probe, tmp_path, f"cut.archive{pack}", PACK[pack](whole[:size])) is Status.CRIT


@pytest.mark.parametrize("pack", [".gz", ".xz"])
async def test_a_tar_that_breaks_off_between_two_members_is_found_in_its_packing(
    probe: Probe, tmp_path: Path, pack: str
) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name in ("a", "b"):
            member = tarfile.TarInfo(name)
            member.size = 512
            archive.addfile(member, io.BytesIO(b"x" * 512))
    whole = made.getvalue()
    assert await looked(probe, tmp_path, f"whole.tar{pack}", PACK[pack](whole)) is Status.OK
    for size in (1024, 2048, 2048 + 512, 700):
        assert await looked(probe, tmp_path, f"cut.tar{pack}", PACK[pack](whole[:size])) is Status.CRIT


async def test_a_cut_dump_inside_a_tar_is_found(probe: Probe, tmp_path: Path) -> None:
    for name, data, status in (("good", POSTGRES + POSTGRES_END, Status.OK), ("bad", POSTGRES, Status.CRIT)):
        with tarfile.open(tmp_path / f"{name}.tgz", "w:gz") as archive:
            member = tarfile.TarInfo("shop.sql")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        result = await probe("backup", path=f"{name}.tgz")
        assert result.status is status, result


async def test_json_and_databases_inside_a_whole_gzip_are_looked_at(probe: Probe, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "s.sqlite") as database:
        database.executescript("CREATE TABLE t (a); INSERT INTO t SELECT randomblob(3000)")
    database.close()
    lite = (tmp_path / "s.sqlite").read_bytes()
    text = json.dumps([{"id": i} for i in range(99)]).encode()
    for name, data in (("s.sqlite.gz", lite), ("j.json.gz", text)):
        assert await looked(probe, tmp_path, name, gzip.compress(data)) is Status.OK
        assert await looked(probe, tmp_path, f"cut-{name}", gzip.compress(data[: len(data) // 2])) is Status.CRIT
    lines = b'{"a": 1}\n{"a": 2}\n'
    assert await looked(probe, tmp_path, "lines.json", lines) is Status.UNKNOWN
    assert await looked(probe, tmp_path, "lines.json", lines[:-3]) is Status.CRIT


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("shop.dump", POSTGRES + POSTGRES_END),
        ("shop.bak", MYSQL + b"-- Dump completed\n"),
        ("shop", gzip.compress(POSTGRES + POSTGRES_END)),
        ("shop.sql", gzip.compress(POSTGRES + POSTGRES_END)),
        ("dump", (SAMPLES / "redis7.rdb").read_bytes()),
        ("shop.sql", (SAMPLES / "pg15.dump").read_bytes()),
    ],
    ids=["text in .dump", "text in .bak", "packed without a suffix", "packed .sql", "a snapshot", "custom in .sql"],
)
async def test_what_the_name_does_not_tell_the_content_does(
    probe: Probe, tmp_path: Path, name: str, data: bytes
) -> None:
    assert await looked(probe, tmp_path, name, data) is Status.OK
    assert await looked(probe, tmp_path, name, data[:-60]) is Status.CRIT


async def test_what_cannot_be_unpacked_here_is_unknown(
    probe: Probe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert await looked(probe, tmp_path, "b.sql.zst", b"\x28\xb5\x2f\xfd") is Status.UNKNOWN


@pytest.mark.parametrize("lost", [1, 16, 511, 4096, -300, -4096])
def test_a_database_that_lacks_a_part_of_its_last_page_or_goes_on_is_damaged(tmp_path: Path, lost: int) -> None:
    path = tmp_path / "shop.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.executescript("CREATE TABLE t (a); INSERT INTO t SELECT randomblob(30000)")
    data = path.read_bytes()
    assert check_format("sqlite", path, time.monotonic() + 60).status is Status.OK
    path.write_bytes(data[:-lost] if lost > 0 else data + bytes(-lost))
    assert check_format("sqlite", path, time.monotonic() + 60).status is Status.CRIT
