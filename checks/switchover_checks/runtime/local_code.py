"""Which Python files the check modules of a plan bring along, by content: they are read here, never executed.

A module brings what it imports from beside itself or from the plan's folder, and so on from there. Of a package
(a folder with `__init__.py`) every file counts. What is installed, or part of Python, is not the plan's.
"""

from __future__ import annotations

import ast
import hashlib
import os
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

__all__ = ["LocalCode", "digest_of_code", "read_code"]

_MOST_BYTES = 1 << 20
_MOST_FILES = 2000
_LEFT_OUT = frozenset({"__pycache__", "node_modules", "site-packages", "venv"})
_LOADERS = frozenset({"import_module", "__import__"})


@dataclass(frozen=True, slots=True)
class LocalCode:
    """Real paths of files and the SHA-256 of each, as they were at `since` (epoch seconds).

    `roots` are the folders whose Python files count as the plan's. `closed`: the operator trusted these files alone.
    """

    files: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    roots: tuple[str, ...] = ()
    since: float = 0.0
    closed: bool = False

    @classmethod
    def gather(cls, modules: Sequence[Path], base_dir: Path) -> LocalCode:
        """Read the modules and what they import. A file that cannot be read is left out, so it is never executed."""
        if not modules:
            return cls()
        since = time.time()
        roots = _roots(modules, base_dir)
        files: dict[str, str] = {}
        waiting = [os.path.abspath(module) for module in modules]  # noqa: PTH100 - a link stays a link
        while waiting and len(files) < _MOST_FILES:
            path = waiting.pop()
            real = os.path.realpath(path)
            if real in files:
                continue
            try:
                source = read_code(real)
            except OSError:
                continue
            files[real] = hashlib.sha256(source).hexdigest()
            waiting += _imports(source, path, roots)
        return cls(MappingProxyType(dict(sorted(files.items()))), roots, since)

    @property
    def digest(self) -> str:
        """One digest of all files, with their places; empty where there is none."""
        return digest_of_code(self.files)

    def only(self, known: Mapping[str, str]) -> LocalCode:
        """Return this without the files that `known` does not have with the same content."""
        same = {path: digest for path, digest in self.files.items() if known.get(path) == digest}
        return LocalCode(MappingProxyType(same), self.roots, self.since, closed=True)

    def as_before(self, before: LocalCode) -> LocalCode:
        """Return this, with the content that `before` had for the files which both have."""
        if before.closed:
            return self.only(before.files)
        files = {path: before.files.get(path, digest) for path, digest in self.files.items()}
        return LocalCode(MappingProxyType(files), self.roots, before.since or self.since)


def digest_of_code(files: Mapping[str, str]) -> str:
    """Return one digest of files by path and content; empty for none."""
    lines = "".join(f"{digest} {path}\0" for path, digest in sorted(files.items()))
    return hashlib.sha256(os.fsencode(lines)).hexdigest() if files else ""


def read_code(path: str) -> bytes:
    """Return what a regular file holds. Raise `OSError` for anything else, and beyond 1 MiB."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("it is no regular file")
        source = file.read(_MOST_BYTES + 1)
    if len(source) > _MOST_BYTES:
        raise OSError("it is larger than 1 MiB, which no check module is")
    return source


def _roots(modules: Iterable[Path], base_dir: Path) -> tuple[str, ...]:
    """Return the plan's folder and those of the modules, as they are named and as they really lie."""
    folders = [str(base_dir)]
    for module in modules:
        folders += [os.path.dirname(os.path.abspath(module)), os.path.dirname(os.path.realpath(module))]  # noqa: PTH100, PTH120
    named = [os.path.abspath(folder) for folder in folders]  # noqa: PTH100
    return tuple(dict.fromkeys([*named, *map(os.path.realpath, named)]))


def _imports(source: bytes, path: str, roots: Sequence[str]) -> Iterator[str]:
    """Find the files beside the plan that a module may import, wherever in it the import stands."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    places = [os.path.dirname(path), *roots]  # noqa: PTH120
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _found(places, alias.name.split("."), absolute=True)
        elif isinstance(node, ast.ImportFrom):
            above = places
            if node.level:
                above = [os.path.abspath(os.path.join(places[0], *[".."] * (node.level - 1)))]  # noqa: PTH100, PTH118
            parts = node.module.split(".") if node.module else []
            for alias in node.names:
                names = [*parts, *([alias.name] if alias.name != "*" else [])]
                yield from _found(above, names, absolute=not node.level)
        elif isinstance(node, ast.Call) and (name := _named_by_call(node)):
            yield from _found(places, name.strip(".").split("."), absolute=not name.startswith("."))


def _named_by_call(node: ast.Call) -> str:
    """Return what `import_module("name")` or `__import__("name")` loads; empty where that is only known later."""
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    first = node.args[0] if node.args else None
    if called in _LOADERS and isinstance(first, ast.Constant) and isinstance(first.value, str):
        return first.value
    return ""


def _found(places: Sequence[str], parts: Sequence[str], *, absolute: bool) -> Iterator[str]:
    """Find the files of a dotted name in each place, and in its folders. A module may add those to its path."""
    if absolute and parts[0] in sys.stdlib_module_names:
        return
    for place in dict.fromkeys(places):
        for folder in (place, *_folders(place)):
            yield from _files_of(folder, parts)


def _files_of(folder: str, parts: Sequence[str]) -> Iterator[str]:
    for part in parts:
        folder = os.path.join(folder, part)  # noqa: PTH118
        if os.path.isfile(f"{folder}.py"):  # noqa: PTH113
            yield f"{folder}.py"
        if os.path.isfile(os.path.join(folder, "__init__.py")):  # noqa: PTH113, PTH118
            yield from _package(folder)
            return


def _package(folder: str) -> Iterator[str]:
    for here, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if _may_hold_code(name))
        yield from (os.path.join(here, name) for name in sorted(names) if name.endswith(".py"))  # noqa: PTH118


def _folders(place: str) -> list[str]:
    try:
        with os.scandir(place) as entries:
            return sorted(entry.path for entry in entries if _may_hold_code(entry.name) and entry.is_dir())
    except OSError:
        return []


def _may_hold_code(name: str) -> bool:
    return name not in _LEFT_OUT and not name.startswith(".")
