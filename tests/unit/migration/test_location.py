"""A workspace is told from its copies, on whatever machine they lie."""

import json
import shutil
from pathlib import Path

import pytest

from switchover.errors import StateError
from switchover.migration.facts.location import marked_location, this_location


def test_an_id_is_given_once_and_read_by_every_process(tmp_path: Path) -> None:
    assert this_location(tmp_path).workspace == ""
    given = marked_location(tmp_path)
    assert len(given.workspace) == 32
    assert this_location(tmp_path) == marked_location(tmp_path) == given


def test_a_copy_at_the_same_path_is_another_place(tmp_path: Path) -> None:
    folder, clone = tmp_path / "workspace", tmp_path / "clone"
    given = marked_location(folder)
    shutil.copytree(folder, clone)
    folder.rename(tmp_path / "first")
    clone.rename(folder)
    assert this_location(folder).workspace == ""
    anew = marked_location(folder)
    assert anew.directory == given.directory
    assert anew.workspace not in ("", given.workspace)
    assert not anew.may_be(given)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"id": "x"}', b'{"id": 7, "files": 7}', b"\xff\x00"])
def test_an_id_that_cannot_be_read_is_none_and_given_anew(tmp_path: Path, damage: bytes) -> None:
    given = marked_location(tmp_path)
    (tmp_path / "location.json").write_bytes(damage)
    assert this_location(tmp_path).workspace == ""
    assert marked_location(tmp_path).workspace not in ("", given.workspace)


def test_devices_may_get_other_numbers_when_the_machine_starts_anew(tmp_path: Path) -> None:
    given = marked_location(tmp_path)
    mark = json.loads((tmp_path / "location.json").read_text())
    mark["files"] |= {"device": -1}
    (tmp_path / "location.json").write_text(json.dumps(mark))
    assert this_location(tmp_path).workspace == ""
    mark["files"] |= {"boot": "another"}
    (tmp_path / "location.json").write_text(json.dumps(mark))
    assert this_location(tmp_path) == given


def test_where_it_cannot_be_written_down_nothing_begins(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="the step was not started"):
        marked_location(tmp_path / "file")
