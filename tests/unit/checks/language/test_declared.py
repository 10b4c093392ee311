"""What declares itself is found by its text, wherever it lies in the package."""

from __future__ import annotations

from pathlib import Path

import pytest

from switchover_checks.language.declared import declared

KIND = """
class {name}Check:
    kind: ClassVar[str] = "{kind}"
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    declared.cache_clear()
    folder = tmp_path / "kinds_here"
    folder.mkdir()
    (folder / "__init__.py").touch()
    return folder


def test_a_kind_is_found_in_a_file_in_a_group_and_in_a_folder_with_helpers(package: Path) -> None:
    for path, text in {
        "here.py": KIND.format(name="Here", kind="here"),
        "hosts/uptime.py": "class UptimeConfig:\n    kind: str\n\n" + KIND.format(name="Uptime", kind="uptime"),
        "deep/__init__.py": KIND.format(name="Deep", kind="deep"),
        "deep/digging.py": "class Spade:\n    kind = None\n",
    }.items():
        (package / path).parent.mkdir(exist_ok=True)
        (package / path).write_text(text)
    assert declared("kinds_here") == {
        "deep": "kinds_here.deep:DeepCheck",
        "here": "kinds_here.here:HereCheck",
        "uptime": "kinds_here.hosts.uptime:UptimeCheck",
    }


def test_two_kinds_of_one_name_are_refused(package: Path) -> None:
    (package / "a.py").write_text(KIND.format(name="A", kind="same"))
    (package / "b.py").write_text(KIND.format(name="B", kind="same"))
    with pytest.raises(RuntimeError, match=r"'same' is declared by kinds_here\.a:ACheck and by kinds_here\.b:BCheck"):
        declared("kinds_here")
