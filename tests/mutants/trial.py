"""Tries one mutant: the related tests, in a fork that imports the faulty module in the place of the sound one."""

from __future__ import annotations

import importlib.abc
import importlib.util
import os
import resource
import select
import signal
import sys
import traceback
from contextlib import suppress
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Literal

import pytest
from tests.mutants.changes import Mutant

__all__ = ["Outcome", "try_mutant", "warm_up"]

Outcome = Literal["killed", "timeout", "survived", "broken"]
# 2 and 4: a test or what it stands on could not be imported.
_OUTCOMES: dict[int, Outcome] = {0: "survived", 1: "killed", 2: "killed", 4: "killed"}
_CPU_S = 120
_WALL_S = 900


class _Faulty(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Gives the faulty source for one module, and leaves all others alone."""

    def __init__(self, module: str, path: Path, source: str) -> None:
        self.module, self.path, self.source = module, path, source

    def find_spec(self, fullname: str, path: object, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname != self.module:
            return None
        package = self.path.name == "__init__.py"
        spec = importlib.util.spec_from_loader(fullname, self, origin=str(self.path), is_package=package)
        if spec is not None and package:
            spec.submodule_search_locations = [str(self.path.parent)]
        return spec

    def get_source(self, fullname: str) -> str:
        return self.source


def warm_up() -> None:
    """Import what the tests need of others, so that no fork has to; nothing of the program itself."""
    for name in ("hypothesis", "pydantic", "msgspec", "ruamel.yaml", "psutil", "sqlite3", "httpx"):
        importlib.import_module(name)


def try_mutant(root: Path, mutant: Mutant, tests: list[str]) -> Outcome:
    """Run the tests against a mutant until the first falls."""
    pid = os.fork()
    if pid == 0:
        code = 3
        try:
            code = _run(root, mutant, tests)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    handle = os.pidfd_open(pid)
    if not select.select([handle], [], [], _WALL_S)[0]:
        os.killpg(pid, signal.SIGKILL)
    os.close(handle)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)  # what its tests left behind
    return "timeout" if code < 0 else _OUTCOMES.get(code, "broken")


def _run(root: Path, mutant: Mutant, tests: list[str]) -> int:
    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    log = os.open(os.environ.get("MUTANTS_LOG", os.devnull), os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    for number in range(3):
        os.dup2(log, number)
    os.chdir(root)
    sys.dont_write_bytecode = True
    sys.path[:0] = [str(root), str(root / "tui"), str(root / "checks")]
    path = root / mutant.path
    module = ".".join(Path(mutant.path).with_suffix("").parts[1:]).removesuffix(".__init__")
    sys.meta_path.insert(0, _Faulty(module, path, mutant.source))
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:rerunfailures", "--timeout=60"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # the fork has imported much already
    return int(pytest.main([*options, *tests]))
