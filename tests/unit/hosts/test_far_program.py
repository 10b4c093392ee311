"""What is sent to other machines: one program that Python 3.6 reads, and that sets aside before anything runs."""

from __future__ import annotations

import ast
import errno
import importlib
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from switchover.hosts.far_program import far_program
from switchover.hosts.ssh_command import HARMLESS, remote_command
from switchover.migration.steps import shim_records
from switchover.migration.steps.far_parts import FAR_PARTS

_NEWER = {"removeprefix", "removesuffix", "pidfd_open", "pidfd_send_signal", "copy_file_range", "fromisoformat"}


@pytest.fixture
def far_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModuleType]:
    """The module as it is over there, its only home in a folder of the test."""
    monkeypatch.setitem(sys.modules, "shim_records", shim_records)
    module = importlib.reload(importlib.import_module("switchover.hosts.there.far_folder"))
    monkeypatch.setattr(module, "bases", lambda: [str(tmp_path / "one"), str(tmp_path / "two")])
    return module


def _texts() -> Iterator[str]:
    program = ast.parse(zlib.decompress(far_program(FAR_PARTS)).decode())
    for node in ast.walk(program):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_part":
            text = ast.literal_eval(node.args[1])
            assert isinstance(text, str)
            yield text


def test_python_3_6_reads_all_of_it() -> None:
    texts = list(_texts())
    assert len(texts) == 11
    for text in texts:
        tree = ast.parse(text, feature_version=(3, 6))
        used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not used & _NEWER
        assert "__future__" not in modules


def test_no_login_shell_finds_anything_in_the_command_that_it_would_change() -> None:
    command = remote_command("a" * 32, 12345)
    assert command.count("'") == 2
    assert not set(command) & set("!\\\n`")
    assert len(command) < 4000


@pytest.mark.parametrize("name", ["-F", "a b", "", "a\nb", "-oProxyCommand=id", " a"])
def test_what_is_no_name_is_never_given_to_ssh(name: str) -> None:
    assert not HARMLESS.fullmatch(name)


def test_a_full_disk_leaves_no_half_a_folder_and_another_place_is_taken(
    far_folder: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fill = far_folder._fill_blank

    def full(path: str) -> None:
        fill(path)
        if "/one/" in path and path.endswith(".exit"):
            raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(far_folder, "_fill_blank", full)
    found = far_folder.prepare("run", "step.1")
    assert found["directory"] == str(tmp_path / "two/run/step.1")
    assert not (tmp_path / "one/run/step.1").exists()


def test_where_all_places_are_full_that_is_said_in_words(
    far_folder: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(path: str) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(far_folder, "_fill_blank", full)
    said = far_folder.prepare("run", "step.1")["error"]
    assert said.startswith("no folder there can be written: ")
    assert said.count("No space left on device") == 2


def test_a_place_that_is_anothers_or_open_to_others_is_not_used(far_folder: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir(0o777)
    (tmp_path / "one").chmod(0o777)
    (tmp_path / "elsewhere").mkdir(0o700)
    (tmp_path / "two").symlink_to(tmp_path / "elsewhere")
    assert (
        "another's" in far_folder.prepare("run", "step.1")["error"]
        or "Permission denied" in (far_folder.prepare("run", "step.1")["error"])
    )


def test_whoever_asks_first_takes_the_claim_so_that_a_late_shim_does_nothing(far_folder: ModuleType) -> None:
    found = far_folder.prepare("run", "step.1")
    ask = {**found, "journal": "j", "started": "f" * 64}
    assert far_folder.FarFolder(ask).find_out()["truth"] == "never"
    assert '"engine"' in (Path(found["directory"]) / "claim").read_text()
    assert far_folder.FarFolder({**ask, "started": "e" * 64}).find_out()["truth"] == "lost"


def test_a_copy_of_what_was_set_aside_proves_nothing(far_folder: ModuleType) -> None:
    found = far_folder.prepare("run", "step.1")
    exit_file = Path(found["directory"]) / ".exit"
    content = exit_file.read_bytes()
    exit_file.unlink()
    exit_file.write_bytes(content)
    truth = far_folder.FarFolder({**found, "journal": "j", "started": "f" * 64}).find_out()
    assert truth["truth"] == "lost"
    assert not truth["over"]
