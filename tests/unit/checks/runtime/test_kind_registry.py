"""Which kinds there are, told without executing any of them."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from switchover_checks.language.declared import declared
from switchover_checks.runtime import registry as registry_module
from switchover_checks.runtime.registry import KINDS, Registry, UnknownKindError

LOCAL = """
from __future__ import annotations
raise SystemExit("executed")
from dataclasses import dataclass
from switchover_checks.api import Context, Finding, Result

@dataclass(frozen=True)
class QueueConfig:
    path: str
    most: int = 100

class QueueCheck:
    kind = "queue"
    effect = "read"
    config = QueueConfig

    async def probe(self, cfg: QueueConfig, ctx: Context) -> Result:
        return Result.of([Finding.compare("waiting", "<= 1", 0, True)])
"""


@pytest.fixture
def local(tmp_path: Path) -> Path:
    path = tmp_path / "queue_check.py"
    path.write_text(LOCAL)
    return path


def test_a_local_kind_is_listed_and_validated_and_its_module_never_executed(local: Path) -> None:
    registry = Registry([local])
    info = registry.kinds()["queue"]
    assert (info.source, info.isolated, info.location) == ("local", True, f"{local}:QueueCheck")
    assert registry.problems == ()
    assert registry.validate_config("queue", {"pth": "x", "most": "many"}) == [
        ("pth", "unknown key; did you mean 'path'?"),
        ("path", "is needed and not set"),
        ("most", "should be a whole number, not 'many'"),
    ]
    assert registry.validate_config("queue", {"path": "{{ p }}", "most": 3}) == []


def test_a_kind_that_is_not_built_in_is_not_loaded_into_this_process(local: Path) -> None:
    with pytest.raises(UnknownKindError, match="process of its own"):
        Registry([local]).load("queue")


def test_an_unknown_kind_names_the_nearest() -> None:
    with pytest.raises(UnknownKindError, match="did you mean 'http'"):
        Registry().info("htpp")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def f(:\n", "not valid Python"),
        ("x = 1\n", "defines no check kind"),
        ("class A:\n    kind = 'a'\n", "also needs effect, config"),
        ("class A:\n    kind = name()\n", "written out"),
        (LOCAL.replace('"queue"', '"http"'), "already defined"),
        ("\0", "not valid Python"),
        ("(" * 5000, "not valid Python"),
    ],
)
def test_a_module_that_adds_nothing_says_why(tmp_path: Path, source: str, message: str) -> None:
    path = tmp_path / "local.py"
    path.write_text(source)
    registry = Registry([path])
    assert message in registry.problems[0].message
    assert set(registry.kinds()) >= set(declared(KINDS))
    assert not registry.kinds()["http"].isolated


def test_a_module_that_is_not_there_is_a_problem_and_no_exception(tmp_path: Path) -> None:
    assert "cannot be read" in Registry([tmp_path / "gone.py"]).problems[0].message


def test_a_kind_of_an_installed_package_is_found_without_importing_it(
    local: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(local.parent))
    points = EntryPoints([EntryPoint("queue", "queue_check:QueueCheck", registry_module.GROUP)])

    def found(*, group: str) -> EntryPoints:
        return points if group == registry_module.GROUP else EntryPoints()

    monkeypatch.setattr(registry_module, "entry_points", found)
    registry = Registry()
    assert registry.kinds()["queue"].source == "entry point"
    assert [f.name for f in registry.config_fields("queue") or ()] == ["path", "most"]
    assert "queue_check" not in sys.modules
