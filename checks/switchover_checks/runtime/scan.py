"""What check kinds a Python file defines, read from its syntax tree: nothing of the file is executed."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from switchover_checks.api import Effect
from switchover_checks.runtime.config import ConfigField, key_docs, key_of

__all__ = ["Scan", "ScannedKind", "locate_module", "scan_module"]

_MOST_BYTES = 1 << 20
_EFFECTS: dict[object, Effect] = {effect: effect for effect in get_args(Effect)}


@dataclass(frozen=True, slots=True)
class ScannedKind:
    """A check class. `fields` is None when the class of its configuration is not in the same file.

    `effect` is empty where it is not written out as text.
    """

    kind: str
    class_name: str
    line: int
    fields: tuple[ConfigField, ...] | None
    effect: Effect | Literal[""] = ""


@dataclass(frozen=True, slots=True)
class Scan:
    """What a file defines, and what is wrong with it as (line, message)."""

    path: Path
    kinds: tuple[ScannedKind, ...] = ()
    problems: tuple[tuple[int, str], ...] = ()


def scan_module(path: Path) -> Scan:
    """Read the check kinds of a Python file. Never raises: what is wrong is in `problems`."""
    try:
        with path.open("rb") as file:
            source = file.read(_MOST_BYTES + 1)
    except OSError as error:
        return Scan(path, (), ((0, f"cannot be read: {error.strerror or error}"),))
    if len(source) > _MOST_BYTES:
        return Scan(path, (), ((0, "is larger than 1 MiB, which no check module is"),))
    try:
        tree = ast.parse(source, str(path))
    except SyntaxError as error:
        return Scan(path, (), ((error.lineno or 0, f"is not valid Python: {error.msg}"),))
    except (ValueError, RecursionError, MemoryError) as error:
        return Scan(path, (), ((0, f"is not valid Python: {error}"),))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    kinds, problems = [], []
    for node in classes.values():
        values = _constants(node)
        if "kind" not in values:
            continue
        kind = values["kind"]
        if not (isinstance(kind, ast.Constant) and isinstance(kind.value, str) and kind.value):
            problems.append((node.lineno, f"class {node.name}: kind must be written out as text"))
            continue
        missing = [n for n in ("effect", "config") if n not in values]
        if not any(isinstance(f, ast.AsyncFunctionDef) and f.name == "probe" for f in node.body):
            missing.append("async def probe(self, cfg, ctx)")
        if missing:
            problems.append((node.lineno, f"class {node.name}: a check kind also needs {', '.join(missing)}"))
            continue
        config = values["config"]
        known = classes.get(config.id) if isinstance(config, ast.Name) else None
        said = values["effect"]
        effect: Effect | Literal[""] = _EFFECTS.get(said.value, "") if isinstance(said, ast.Constant) else ""
        if any(isinstance(f, ast.FunctionDef) and f.name == "changes" for f in node.body):
            effect = ""  # only its module could tell, and that is not executed
        fields = _fields(known) if known else None
        kinds.append(ScannedKind(kind.value, node.name, node.lineno, fields, effect))
    if not kinds and not problems:
        problems.append((0, "defines no check kind: a class with kind, effect, config and async def probe"))
    return Scan(path, tuple(kinds), tuple(problems))


def locate_module(name: str) -> Path | None:
    """Find the source file of an installed module without importing it or its packages."""
    search: list[str] | None = None
    spec = None
    parts = name.split(".")
    for depth in range(len(parts)):
        full = ".".join(parts[: depth + 1])
        spec = None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec = find(full, search, None) if find else None
            if spec is not None:
                break
        if spec is None:
            return None
        search = list(spec.submodule_search_locations or ())
    origin = spec.origin if spec else None
    return Path(origin) if origin and origin.endswith(".py") else None


def _constants(node: ast.ClassDef) -> dict[str, ast.expr]:
    values: dict[str, ast.expr] = {}
    for item in node.body:
        if isinstance(item, ast.Assign):
            values.update({t.id: item.value for t in item.targets if isinstance(t, ast.Name)})
        elif isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and item.value is not None:
            values[item.target.id] = item.value
    return values


def _fields(node: ast.ClassDef) -> tuple[ConfigField, ...]:
    docs = key_docs(node)
    return tuple(
        ConfigField(
            key_of(item.target.id),
            item.value is None,
            ast.unparse(item.annotation),
            ast.unparse(item.value) if item.value is not None else "",
            docs.get(key_of(item.target.id), ""),
        )
        for item in node.body
        if isinstance(item, ast.AnnAssign)
        and isinstance(item.target, ast.Name)
        and not ast.unparse(item.annotation).startswith(("ClassVar", "typing.ClassVar"))
    )
