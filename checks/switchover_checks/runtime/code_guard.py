"""The process that probes executes only the content of files that was read with the plan.

Python's own loaders are told so, so it counts for every way of importing. What is executed is compiled from the very
bytes that were compared: bytecode in `__pycache__` is neither believed nor written.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.machinery
import os
import sys
import time
import zipimport
from collections.abc import Callable, Mapping
from types import CodeType
from typing import Any, NoReturn

from switchover_checks.runtime.local_code import read_code

__all__ = ["CodeGuard", "CodeRefusedError"]

_INSTALLED = ("site-packages", "dist-packages", "lib-dynload")


class CodeRefusedError(ImportError):
    """A file beside the plan is not what was read with the plan."""


class CodeGuard:
    """Knows the files by path and content. `refused` tells what was to be executed and was not."""

    def __init__(self, code: Mapping[str, Any]) -> None:
        self._files: Mapping[str, str] = code["files"]
        self._roots = tuple(os.path.join(root, "") for root in code["roots"])  # noqa: PTH118
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(code["since"]))
        self._since = f"since {when}, when the plan was opened"
        self._installed = tuple(os.path.join(place, "") for place in sys.path if self._is_installed(place))  # noqa: PTH118
        self.refused: list[str] = []

    def install(self) -> None:
        """Stand before Python's loaders from here on."""
        sys.dont_write_bytecode = True
        _replace(importlib.machinery.SourceFileLoader, "get_code", self._source)
        _replace(importlib.machinery.SourcelessFileLoader, "get_code", self._no_source)
        _replace(importlib.machinery.ExtensionFileLoader, "create_module", self._no_source)
        _replace(zipimport.zipimporter, "get_code", self._no_source)

    def _source(self, original: Callable[..., Any], loader: Any, name: str) -> Any:
        path = str(loader.get_filename(name))
        if os.path.realpath(path) not in self._files and not self._beside(path):
            return original(loader, name)
        return self.compile(path)

    def _no_source(self, original: Callable[..., Any], loader: Any, what: Any) -> Any:
        path = str(getattr(loader, "path", "") or getattr(loader, "archive", ""))
        if self._beside(path):
            self._refuse(f"{self._shown(path)} is no Python source, so its content cannot be trusted with the plan")
        return original(loader, what)

    def compile(self, path: str) -> CodeType:
        """Return the code of a file that was read with the plan. Raise `CodeRefusedError`."""
        known = self._files.get(os.path.realpath(path))
        if known is None:
            self._refuse(
                f"{self._shown(path)} was not read with the plan, so it is not executed: "
                "import it by its name, or name it in `check_modules`"
            )
        try:
            source = read_code(path)
        except OSError as error:
            self._refuse(f"{self._shown(path)} cannot be read any more: {error.strerror or error}")
        if hashlib.sha256(source).hexdigest() != known:
            self._refuse(
                f"{self._shown(path)} has changed {self._since}: nothing of it is executed; "
                "open the plan again to take the change up"
            )
        code: CodeType = compile(source, path, "exec", dont_inherit=True)
        return code

    def _refuse(self, reason: str) -> NoReturn:
        self.refused.append(reason)
        raise CodeRefusedError(reason)

    def _beside(self, path: str) -> bool:
        ways = (os.path.abspath(path), os.path.realpath(path))  # noqa: PTH100
        return any(way.startswith(self._roots) and not way.startswith(self._installed) for way in ways)

    def _is_installed(self, place: str) -> bool:
        """Tell what Python finds by itself from what a plan brings, also where both lie below the plan's folder."""
        if not place:
            return False
        inside = os.path.join(os.path.abspath(place), "").startswith(self._roots)  # noqa: PTH100, PTH118
        return inside and (os.path.basename(place) in _INSTALLED or place in _OF_PYTHON)  # noqa: PTH119

    def _shown(self, path: str) -> str:
        return os.path.relpath(path, self._roots[0]) if path.startswith(self._roots[0]) else path


_HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120
_OF_PYTHON = frozenset({os.path.dirname(os.__file__), _HERE})  # noqa: PTH120


def _replace(loader: Any, name: str, by: Callable[..., Any]) -> None:
    original = getattr(loader, name)

    @functools.wraps(original)
    def instead(self: Any, what: Any) -> Any:
        return by(original, self, what)

    setattr(loader, name, instead)
