"""The program that serves a line over there: one text for Python 3.6, made of several files."""

from __future__ import annotations

import ast
import functools
import hashlib
import zlib
from collections.abc import Mapping
from pathlib import Path

__all__ = ["FarProgram", "far_program"]

_THERE = Path(__file__).with_name("there")
_OWN = ("keystream", "far_folder", "far_command", "far_server")
_ONLY_FOR_TYPES = frozenset(("__future__", "typing", "collections.abc"))

# What Python 3.6 lacks of what the files use.
_HEAD = """
import fcntl, hmac, os, signal, sys, types
if not hasattr(os, "waitstatus_to_exitcode"):
    os.waitstatus_to_exitcode = lambda s: -os.WTERMSIG(s) if os.WIFSIGNALED(s) else os.WEXITSTATUS(s)
if not hasattr(fcntl, "F_SETPIPE_SZ"):
    fcntl.F_SETPIPE_SZ = 1031
if not hasattr(hmac, "digest"):
    hmac.digest = lambda key, data, name: hmac.new(key, data, name).digest()
if sys.version_info < (3, 7):
    _wakeup = signal.set_wakeup_fd
    signal.set_wakeup_fd = lambda number, **_: _wakeup(number)
class Unknown:
    def __getitem__(self, _): return self
def _part(name, text):
    part = types.ModuleType(name)
    sys.modules[name] = part
    part.Any = part.Optional = Unknown()
    exec(compile(text, "<far %s>" % name, "exec"), part.__dict__)
"""


class FarProgram(bytes):
    """The packed program, and what names it."""

    @property
    def digest(self) -> str:
        """Its SHA-256."""
        return hashlib.sha256(self).hexdigest()


@functools.cache
def far_program(parts: tuple[Path, ...]) -> FarProgram:
    """Return the program, with these files of others in front of its own."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in (*parts, *(_THERE / f"{n}.py" for n in _OWN))}
    return FarProgram(zlib.compress(program_text(texts).encode(), 6))


def program_text(texts: Mapping[str, str]) -> str:
    """Return the parts as one text, each a module of its own, without comments and annotations."""
    return _HEAD + "".join(f"_part({name!r}, {stripped(text)!r})\n" for name, text in texts.items())


def stripped(text: str) -> str:
    """Return a module without what only its readers need: Python 3.6 does not know all of it."""
    return ast.unparse(ast.fix_missing_locations(_Strip().visit(ast.parse(text))))


class _Strip(ast.NodeTransformer):
    """Takes annotations, docstrings and what is imported for them away."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        if node.module in _ONLY_FOR_TYPES:
            return None
        if node.module is not None and node.module.startswith("switchover."):  # there each part goes by its own name
            node.module = node.module.rpartition(".")[2]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        return ast.Assign([node.target], node.value) if node.value is not None else None

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(node.arg)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self._without_docstring(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.bases = [base for base in node.bases if not (isinstance(base, ast.Name) and base.id == "NamedTuple")]
        return self._without_docstring(node)

    def _without_docstring(self, node: ast.FunctionDef | ast.ClassDef) -> ast.AST:
        self.generic_visit(node)
        if node.body and isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant):
            del node.body[0]
        node.body = node.body or [ast.Pass()]
        return node
