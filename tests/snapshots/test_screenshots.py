"""The pictures in the repository are what the program draws."""

from __future__ import annotations

from tests.snapshots.screenshots import FOLDER, draw


async def test_the_pictures_are_what_the_program_draws_now() -> None:
    drawn = {f"{name}.svg": svg for name, svg in (await draw()).items()}
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.svg")}
    different = sorted(name for name in drawn.keys() | there.keys() if drawn.get(name) != there.get(name))
    assert not different, f"{', '.join(different)}: write them anew with `make screenshots`"
