from __future__ import annotations

import os
import py_compile
from pathlib import Path

import pytest

from switchover_checks.runtime.code_guard import CodeGuard, CodeRefusedError
from switchover_checks.runtime.local_code import LocalCode


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    folder = tmp_path / "plan"
    folder.mkdir()
    return folder


def _write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        path = folder / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _names(code: LocalCode, folder: Path) -> set[str]:
    return {os.path.relpath(path, folder) for path in code.files}


def _guard(code: LocalCode) -> CodeGuard:
    return CodeGuard({"files": code.files, "roots": code.roots, "since": code.since})


@pytest.mark.parametrize(
    "statement",
    [
        "import helper",
        "from helper import x",
        "def late():\n    import helper",
        "try:\n    import helper\nexcept ImportError:\n    pass",
        "import importlib\nimportlib.import_module('helper')",
        "__import__('helper')",
        "from . import helper",
    ],
)
def test_what_a_module_imports_from_beside_itself_belongs_to_it(beside: Path, statement: str) -> None:
    _write(beside, kind=statement, helper="import further", further="", stranger="")
    assert _names(LocalCode.gather([beside / "kind.py"], beside), beside) == {"kind.py", "helper.py", "further.py"}


def test_of_a_package_every_file_belongs_to_it(beside: Path) -> None:
    _write(beside, kind="from pack import one", pack__one="", pack__deep__two="import other", other="")
    (beside / "pack" / "__init__.py").touch()
    (beside / "pack" / "__pycache__").mkdir()
    (beside / "pack" / "__pycache__" / "made.py").touch()
    code = LocalCode.gather([beside / "kind.py"], beside)
    assert _names(code, beside) == {"kind.py", "pack/__init__.py", "pack/one.py", "pack/deep/two.py", "other.py"}


def test_a_folder_that_a_module_adds_to_its_path_is_looked_into(beside: Path) -> None:
    _write(beside, kind="import sys\nsys.path.insert(0, 'lib')\nimport helper", lib__helper="")
    assert _names(LocalCode.gather([beside / "kind.py"], beside), beside) == {"kind.py", "lib/helper.py"}


def test_a_module_outside_the_plans_folder_counts_with_what_lies_beside_it(beside: Path) -> None:
    _write(beside.parent / "shared", kind="import helper", helper="")
    code = LocalCode.gather([beside / ".." / "shared" / "kind.py"], beside)
    assert _names(code, beside.parent / "shared") == {"kind.py", "helper.py"}


def test_any_edit_makes_another_digest_and_a_file_that_nobody_imports_does_not(beside: Path) -> None:
    _write(beside, kind="import helper", helper="x = 1", stranger="")
    before = LocalCode.gather([beside / "kind.py"], beside).digest
    _write(beside, stranger="x = 2")
    assert LocalCode.gather([beside / "kind.py"], beside).digest == before
    _write(beside, helper="x = 2")
    assert LocalCode.gather([beside / "kind.py"], beside).digest != before


def test_a_link_that_leads_elsewhere_now_is_not_followed_there(beside: Path) -> None:
    _write(beside, one="", two="evil = 1")
    (beside / "kind.py").symlink_to("one.py")
    code = LocalCode.gather([beside / "kind.py"], beside)
    guard = _guard(code)
    guard.compile(str(beside / "kind.py"))
    (beside / "kind.py").unlink()
    (beside / "kind.py").symlink_to("two.py")
    with pytest.raises(CodeRefusedError, match=r"kind\.py was not read with the plan"):
        guard.compile(str(beside / "kind.py"))


def test_what_cannot_be_read_is_never_executed(beside: Path) -> None:
    os.mkfifo(beside / "kind.py")
    code = LocalCode.gather([beside / "kind.py", beside / "gone.py"], beside)
    assert not code.files
    for name in ("kind.py", "gone.py"):
        with pytest.raises(CodeRefusedError, match="was not read with the plan"):
            _guard(code).compile(str(beside / name))


def test_an_edit_between_reading_and_executing_is_told_with_file_and_time(beside: Path) -> None:
    _write(beside, kind="x = 1")
    guard = _guard(LocalCode.gather([beside / "kind.py"], beside))
    _write(beside, kind="x = 2")
    with pytest.raises(CodeRefusedError, match=r"^kind\.py has changed since \d{4}-.*Z, when the plan was opened"):
        guard.compile(str(beside / "kind.py"))
    assert guard.refused


def test_bytecode_is_not_believed(beside: Path) -> None:
    _write(beside, kind="x = 'evil'")
    cached = py_compile.compile(
        str(beside / "kind.py"), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )
    assert cached
    _write(beside, kind="x = 'good'")
    found: dict[str, str] = {}
    exec(_guard(LocalCode.gather([beside / "kind.py"], beside)).compile(str(beside / "kind.py")), found)
    assert found["x"] == "good"


def test_of_a_plan_that_has_no_modules_nothing_is_read(beside: Path) -> None:
    assert LocalCode.gather([], beside) == LocalCode()
    assert LocalCode().digest == ""
