"""In a shared journal a finished run counts for its own plan alone, whoever comes with another under the same name."""

from pathlib import Path

import pytest
from tests.real.conftest import Postgres
from tests.unit.migration.harness import ANA, BEN, Bench, open_bench

from switchover.errors import RefusedError
from switchover.settings import JournalAddress

PLAN = "phases: [{{id: a, steps: [{{id: s, run: 'echo {word} >> log', effect: changes}}]}}]\n"


def _host(folder: Path, address: JournalAddress, word: str) -> Bench:
    folder.mkdir(exist_ok=True)
    return open_bench(folder, PLAN.format(word=word), shared=address)


async def test_another_file_under_the_same_id_is_told_that_it_is_another(tmp_path: Path, postgres: Postgres) -> None:
    address = JournalAddress(postgres.create())
    here = _host(tmp_path / "a", address, "one")
    assert (await here.engine.drive(ANA)).kind == "done"
    same = _host(tmp_path / "b", address, "one")
    assert (await same.engine.drive(BEN)).kind == "done"
    other = _host(tmp_path / "c", address, "two")
    told = await other.engine.drive(BEN)
    assert (told.kind, f"another text of this plan ({here.directory / 'plan.yaml'} of bastion)" in told.text) == (
        "waiting",
        True,
    )
    assert (same.log, other.log) == ([], [])
    assert (await other.engine.drive(BEN, new=True)).kind == "done"
    assert other.log == ["two"]
    for bench in (here, same, other):
        await bench.engine.aclose()


async def test_the_open_run_of_another_plan_is_not_carried_on(tmp_path: Path, postgres: Postgres) -> None:
    address = JournalAddress(postgres.create(), name="team")
    here = _host(tmp_path / "a", address, "one")
    await here.engine.start(ANA)
    await here.engine.aclose()
    folder = tmp_path / "b"
    folder.mkdir()
    other = open_bench(folder, PLAN.format(word="two"), shared=address)
    path = folder / "plan.yaml"
    path.write_text(path.read_text().replace("id: p", "id: q"))
    await other.engine.aclose()
    other = open_bench(folder, shared=address)
    with pytest.raises(RefusedError, match="run 1 goes by another plan: p, not q"):
        await other.engine.drive(BEN)
    await other.engine.aclose()
