"""Dumps as the installed `pg_dump` writes them, whole and cut, in each of its formats."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.conftest import missing
from tests.real.conftest import Postgres

from switchover_checks.api import Result, Status

Run = Callable[..., Awaitable[Result]]
FORMS: dict[str, list[str]] = {
    "plain.sql": [],
    "inserts.sql": ["--inserts"],
    "verbose.sql": ["-v"],
    "custom.dump": ["-Fc"],
    "custom-plain.dump": ["-Fc", "-Z0"],
    "archive.tar": ["-Ft"],
    "folder.d": ["-Fd"],
    "folder-plain.d": ["-Fd", "-Z0"],
    "schema.dump": ["-Fc", "--schema-only"],
}


@pytest.fixture(scope="module")
def dumped(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dump a database with rows, an empty table, large objects and a materialised view in every form."""
    if shutil.which("pg_dump") is None:
        missing("pg_dump")
    url = postgres.create(
        "CREATE TABLE parcel AS SELECT g id, md5(g::text) v FROM generate_series(1, 4000) g",
        "CREATE TABLE nothing (a int)",
        "SELECT lo_from_bytea(0, 'hello'), lo_create(0)",
        "CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM parcel",
    )
    folder = tmp_path_factory.mktemp("dumps")
    for name, options in FORMS.items():
        subprocess.run(["pg_dump", *options, "-f", folder / name, url], check=True, capture_output=True)
    with (folder / "appended.dump").open("ab") as file:
        subprocess.run(["pg_dump", "-Fc", url], check=True, stdout=file)
    with (folder / "all.sql").open("wb") as file:
        address = ["-h", "127.0.0.1", "-p", str(postgres.port), "-U", "postgres"]
        subprocess.run(["pg_dumpall", *address], check=True, stdout=file)
    return folder


async def formatted(run: Run, path: Path) -> Status:
    result = await run("backup", timeout_s=60, path=str(path))
    return next((f.status for f in result.findings if f.what == "format"), result.status)


@pytest.mark.parametrize("name", [*(name for name in FORMS if name != "folder-plain.d"), "appended.dump", "all.sql"])
async def test_a_whole_dump_is_ok(run: Run, dumped: Path, name: str) -> None:
    result = await run("backup", timeout_s=60, path=str(dumped / name))
    assert result.status is Status.OK, result


@pytest.mark.parametrize("name", [n for n in (*FORMS, "appended.dump", "all.sql") if not n.endswith(".d")])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.9])
async def test_a_cut_dump_is_critical(run: Run, dumped: Path, tmp_path: Path, name: str, share: float) -> None:
    data = await asyncio.to_thread((dumped / name).read_bytes)
    await asyncio.to_thread((tmp_path / name).write_bytes, data[: int(len(data) * share)])
    assert await formatted(run, tmp_path / name) is Status.CRIT


@pytest.mark.parametrize("name", ["folder.d", "folder-plain.d"])
async def test_a_folder_in_which_one_file_is_cut_or_gone_is_critical(
    run: Run, dumped: Path, tmp_path: Path, name: str
) -> None:
    raw = name == "folder-plain.d"
    files = sorted(p.name for p in (dumped / name).iterdir() if not (raw and p.name.startswith("blob_")))
    assert len(files) > 1
    for file in files:
        for how in ("gone", "cut", "empty"):
            copy = tmp_path / f"{file}-{how}.d"
            await asyncio.to_thread(shutil.copytree, dumped / name, copy)
            data = (copy / file).read_bytes()
            (copy / file).unlink()
            if how != "gone":
                (copy / file).write_bytes(data[: -min(5, len(data) - 1)] if how == "cut" else b"")
            assert await formatted(run, copy) is Status.CRIT, (file, how)


async def test_large_objects_that_no_packing_closes_prove_nothing(run: Run, dumped: Path) -> None:
    result = await run("backup", timeout_s=60, path=str(dumped / "folder-plain.d"))
    assert result.status is Status.UNKNOWN
    assert "nothing tells that it is whole" in str(result.findings)
