"""What is built and installed runs: a wheel, a wheel out of an sdist, and an editable install.

Dependencies are taken from the environment that runs the tests, so that nothing is fetched twice.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from switchover import __version__

_ROOT = Path(__file__).resolve().parents[2]
_BUILT_FROM = (
    "tui",
    "checks",
    "themes",
    "tests",
    "screenshots",
    "docs",
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
)
_FINDS = """
from importlib import resources
from pathlib import Path
import switchover, switchover_checks
from switchover.ui.kit.theme import load_themes, theme_folders
print(switchover.__file__)
themes, errors = load_themes(theme_folders())
assert "dark" in themes and not errors, (themes, errors)
assert (resources.files("switchover") / "examples" / "demo.yaml").is_file()
assert (resources.files("switchover.ui") / "app" / "styles" / "app.tcss").is_file()
assert (resources.files("switchover_checks") / "py.typed").is_file()
from switchover_checks.language.declared import declared
kinds = "switchover_checks.kinds switchover.metrics.sources switchover.alerts.notifiers switchover.costs.sources"
for package in (*kinds.split(), "switchover.services"):
    assert declared(package), package
from switchover.cli.verb_list import verbs
from switchover.ui.text.tabs import TABS
assert "validate" in verbs() and "costs" in TABS
"""


def _run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the source, so that building leaves nothing in the real one."""
    copy = tmp_path_factory.mktemp("source")
    for name in _BUILT_FROM:
        if (_ROOT / name).is_dir():
            shutil.copytree(_ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
        elif (_ROOT / name).exists():
            shutil.copy(_ROOT / name, copy / name)
    return copy


def _fresh_environment(folder: Path) -> Path:
    """Return the Python of a new virtual environment that can see the dependencies, and nothing of this project."""
    venv.create(folder, symlinks=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    borrowed = folder / "borrowed"
    borrowed.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not entry.name.startswith(("switchover", "_switchover", "__editable__")) and entry.suffix != ".pth":
            (borrowed / entry.name).symlink_to(entry)
    (packages / "borrowed.pth").write_text(f"{borrowed}\n")
    return folder / "bin" / "python"


def _install(python: Path, *what: str | Path, cwd: Path) -> None:
    _run(python, "-m", "pip", "install", "--no-deps", "--no-index", "--no-build-isolation", *what, cwd=cwd)


def _works(python: Path, cwd: Path) -> str:
    assert _run(python.parent / "switchover", "--version", cwd=cwd) == f"switchover {__version__}\n"
    demo: list[str | Path] = ["demo", "--state", cwd / "state", cwd / "demo"]
    try:
        plan = _run(python.parent / "switchover", *demo, "--headless", cwd=cwd).strip()
        _run(python.parent / "switchover", "validate", plan, cwd=cwd)
    finally:
        _run(python.parent / "switchover", *demo, "--stop", cwd=cwd)
    return _run(python, "-c", _FINDS, cwd=cwd)


@pytest.mark.parametrize("by_way_of_sdist", [False, True], ids=["wheel", "sdist"])
def test_what_is_built_runs_and_finds_its_themes(by_way_of_sdist: bool, source: Path, tmp_path: Path) -> None:
    origin = source
    if by_way_of_sdist:
        _run(sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", tmp_path, source, cwd=tmp_path)
        shutil.unpack_archive(next(tmp_path.glob("*.tar.gz")), tmp_path / "unpacked")
        origin = next((tmp_path / "unpacked").iterdir())
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, origin, cwd=tmp_path)
    wheel = next(tmp_path.glob("*.whl"))
    names = zipfile.ZipFile(wheel).namelist()
    packages = {name.partition("/")[0] for name in names if ".dist-info" not in name}
    assert packages == {"switchover", "switchover_checks", "switchover_client"}
    python = _fresh_environment(tmp_path / "venv")
    _install(python, wheel, cwd=tmp_path)
    assert str(tmp_path / "venv") in _works(python, tmp_path)


def test_an_editable_install_runs_and_finds_its_themes(source: Path, tmp_path: Path) -> None:
    python = _fresh_environment(tmp_path / "venv")
    _install(python, "--editable", source, cwd=tmp_path)
    assert str(source) in _works(python, tmp_path)
