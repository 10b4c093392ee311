"""Of the files beside a plan, a probe executes exactly what was read with the plan, whatever way leads to it."""

from __future__ import annotations

import importlib.util
import py_compile
import shutil
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from switchover_checks.api import Result, Status
from switchover_checks.runtime.runner import ProbeSpec, Runner

KIND = """
import sys
from dataclasses import dataclass

from switchover_checks.api import Context, Result, Status

{head}

@dataclass(frozen=True)
class Config:
    pass

class LocalCheck:
    kind = "local"
    effect = "read"
    config = Config

    async def probe(self, cfg: Config, ctx: Context) -> Result:
        return Result(Status.WARN, str({value}))
"""


@pytest.fixture
def kind(tmp_path: Path, make_runner: Callable[..., Runner]) -> Callable[..., Runner]:
    def write(head: str = "", value: str = "'fine'") -> Runner:
        (tmp_path / "kind.py").write_text(KIND.format(head=head, value=value))
        return make_runner(tmp_path / "kind.py")

    return write


async def probe(runner: Runner) -> Result:
    return (await runner.run(ProbeSpec("it", "local", {}, 20))).result


async def test_a_module_may_import_what_lies_beside_it(tmp_path: Path, kind: Callable[..., Runner]) -> None:
    (tmp_path / "helper.py").write_text("from pack.deep import VALUE")
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").touch()
    (tmp_path / "pack" / "deep.py").write_text("VALUE = 'from the package'")
    result = await probe(kind("import helper", "helper.VALUE"))
    assert (result.status, result.summary) == (Status.WARN, "from the package")
    assert not (tmp_path / "__pycache__").exists()


async def test_an_edited_helper_is_not_executed_even_where_the_module_does_without(
    tmp_path: Path, kind: Callable[..., Runner]
) -> None:
    (tmp_path / "helper.py").write_text("VALUE = 'fine'")
    runner = kind("try:\n    import helper\nexcept BaseException:\n    helper = None", "helper and helper.VALUE")
    assert (await probe(runner)).summary == "fine"
    ran = tmp_path / "ran"
    (tmp_path / "helper.py").write_text(f"open({str(ran)!r}, 'w')\nVALUE = 'evil'")
    result = await probe(runner)
    assert result.status is Status.UNKNOWN
    assert "helper.py has changed since" in result.summary
    assert not ran.exists()


@pytest.mark.parametrize("way", ["computed", "by its file", "bytecode alone", "extension", "archive"])
async def test_what_was_not_read_with_the_plan_is_refused(
    tmp_path: Path, kind: Callable[..., Runner], way: str
) -> None:
    ran = tmp_path / "ran"
    code = f"open({str(ran)!r}, 'w')"
    here = "sys.path.insert(0, str(__import__('pathlib').Path(__file__).parent))\n"
    head = f"{here}import importlib\nimportlib.import_module('hid' + 'den')"
    hidden = tmp_path / "hidden.py"
    hidden.write_text(code)
    if way == "by its file":
        head = (
            "import importlib.util as u\n"
            f"s = u.spec_from_file_location('x', {str(hidden)!r})\n"
            "s.loader.exec_module(u.module_from_spec(s))"
        )
    elif way == "bytecode alone":
        py_compile.compile(str(hidden), cfile=str(tmp_path / "hidden.pyc"))
        hidden.unlink()
    elif way == "extension":
        hidden.unlink()
        origin = importlib.util.find_spec("_queue") or importlib.util.find_spec("_csv")
        if origin is None or not (origin.origin or "").endswith(".so"):
            pytest.skip("this Python has no extension module in a file")
        shutil.copy(str(origin.origin), tmp_path / f"hidden{sysconfig.get_config_var('EXT_SUFFIX')}")
    elif way == "archive":
        with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
            archive.write(hidden, "hidden.py")
        hidden.unlink()
        head = f"sys.path.insert(0, {str(tmp_path / 'more.zip')!r})\n{head}"
    result = await probe(kind(head))
    assert result.status is Status.UNKNOWN
    assert "was not read with the plan" in result.summary or "is no Python source" in result.summary
    assert not ran.exists()


async def test_bytecode_that_differs_from_its_source_is_not_executed(
    tmp_path: Path, kind: Callable[..., Runner]
) -> None:
    (tmp_path / "helper.py").write_text("VALUE = 'evil'")
    py_compile.compile(str(tmp_path / "helper.py"), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    (tmp_path / "helper.py").write_text("VALUE = 'fine'")
    assert (await probe(kind("import helper", "helper.VALUE"))).summary == "fine"


async def test_what_is_installed_wins_and_needs_no_trust_wherever_the_plan_lies(
    tmp_path: Path, kind: Callable[..., Runner]
) -> None:
    (tmp_path / "json.py").write_text("VALUE = 'evil'")
    assert (await probe(kind("import json, msgspec", "json.dumps('it')"))).summary == '"it"'
