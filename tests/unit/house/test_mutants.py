"""The mutation pass makes faults, and a test that looks falls for them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.mutants.areas import AREAS, related_tests
from tests.mutants.changes import count_places, mutant_at

ROOT = Path(__file__).resolve().parents[3]
SCHEDULE = "tui/switchover/health/schedule.py"
# Played apart: a fork of this process would have the sound module already.
TRY = """
import json, sys
from pathlib import Path
from tests.mutants.changes import Mutant
from tests.mutants.trial import try_mutant
root, path, sources, tests = json.loads(sys.argv[1])
print(json.dumps([try_mutant(Path(root), Mutant(path, 0, "", "", "", source), tests) for source in sources]))
"""


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("a = b == c", ["a = b != c"]),
        ("a = b and c", ["a = b or c"]),
        ("if b < 3:\n    pass", ["if b <= 3:\n    pass", "if b < 4:\n    pass"]),
        ("if b:\n    pass", ["if not b:\n    pass"]),
        ("a = [x for x in y if x]", ["a = [x for x in y if not x]"]),
        ("call(a)", ["None"]),
        ("a = True", ["a = False"]),
        ("import a\n'''Said.'''\n@dataclass(frozen=True)\nclass A:\n    b: int", []),
    ],
)
def test_each_place_is_changed_in_one_way(text: str, changed: list[str]) -> None:
    assert [mutant_at("a.py", text, n).source for n in range(count_places(text))] == changed


def test_a_mutant_is_called_by_what_it_changes_and_not_by_its_line() -> None:
    text = "def f(a):\n    return a + 1\n"
    (one, moved) = (mutant_at("a.py", f"{before}{text}", 0) for before in ("", "\n\n"))
    assert one.name == moved.name == "a.py::f: return a + 1 => return a - 1"
    assert (one.line, moved.line) == (2, 4)


def test_every_area_has_tests_and_those_of_a_modules_name_come_first() -> None:
    assert len(AREAS) > 5
    for area in AREAS:
        assert related_tests(ROOT, f"{area}/any.py"), area
    assert related_tests(ROOT, SCHEDULE)[0].endswith("test_schedule.py")


def test_faults_are_found_and_the_sound_program_is_not_accused(tmp_path: Path) -> None:
    sound = "def is_due(now, at):\n    return now >= at\n"
    (tmp_path / "tui/lamp").mkdir(parents=True)
    (tmp_path / "tui/lamp/__init__.py").touch()
    (tmp_path / "tui/lamp/wick.py").write_text(sound, encoding="utf-8")
    (tmp_path / "test_wick.py").write_text(
        "from lamp.wick import is_due\ndef test_due():\n    assert is_due(3, 3) and not is_due(2, 3)\n",
        encoding="utf-8",
    )
    path = "tui/lamp/wick.py"
    faults = [mutant_at(path, sound, number).source for number in range(count_places(sound))]
    assert faults
    order = json.dumps([str(tmp_path), path, [sound, *faults], ["test_wick.py"]])
    done = subprocess.run([sys.executable, "-c", TRY, order], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ["survived", *("killed" for _ in faults)], faults
    assert (tmp_path / path).read_text("utf-8") == sound
