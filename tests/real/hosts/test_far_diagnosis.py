"""Diagnosis commands of an entry with `run_on`: run there, bounded, and told with their machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.support.far_host import FarHost

from switchover.hub.problems import diagnosis
from switchover.hub.problems.diagnosis import look_bounded


def _placed(far: FarHost) -> tuple[dict[str, str], str]:
    return {"WHAT": "disk"}, str(far.folder)


async def test_it_runs_there_in_its_folder_with_its_values(far: FarHost) -> None:
    lines = far.lines()
    try:
        asked = "pwd; echo $WHAT; echo $HOME >&2; exit 3"
        command, code, text = await look_bounded(lines, "far1", asked, *_placed(far), str.upper, None)
    finally:
        await lines.aclose()
    assert (command, code) == (f"far1: {asked}", 3)
    assert text == f"{far.folder}\nDISK\n{far.home}\n".upper()


async def test_one_that_does_not_end_is_ended_there_and_a_machine_that_is_not_there_is_told(
    far: FarHost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(diagnosis, "TIMEOUT_S", 0.3)
    lines = far.lines()
    try:
        ended = await look_bounded(lines, "far", f"echo $$ > {tmp_path}/pid; exec sleep 60", *_placed(far), str, None)
        gone = await look_bounded(lines, "nowhere.invalid", "id", *_placed(far), str, None)
    finally:
        await lines.aclose()
    assert "no answer within 0.3 s" in ended[2]
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    assert "nowhere.invalid cannot be reached: its name is not known" in gone[2]
