"""Finds tests that assert nothing when a collection happens to be empty."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from tests.house.reading import Function, Module, functions

# What gives as many as it is given.
_SAME_NUMBER = frozenset({"enumerate", "frozenset", "fromkeys", "list", "reversed", "set", "sorted", "tuple", "zip"})
_LOOPS = (ast.For, ast.AsyncFor)


def filled_constants(modules: Sequence[Module]) -> frozenset[str]:
    """Return the names in capitals that a module gives a collection with something in it."""
    names: frozenset[str] = frozenset()
    for module in modules:
        names |= {name for name in _filled_names(module.tree.body, names) if name.lstrip("_").isupper()}
    return names


def weak_tests(module: Module, constants: frozenset[str]) -> Iterator[Function]:
    """Yield the tests whose every assertion stands in a loop, or in `all()`, over what may be empty."""
    filled = _filled_names(module.tree.body, constants)
    for function in functions(module):
        drawn = any("given(" in ast.unparse(one) for one in function.decorator_list)  # hypothesis draws full ones too
        if function.name.startswith("test_") and not drawn and _is_weak(function, filled):
            yield function


def _is_weak(function: Function, filled: frozenset[str]) -> bool:
    found = list(_proofs(function.body, _filled_names(function.body, filled), sure=True))
    return bool(found) and not any(found)


def _proofs(nodes: list[ast.stmt], filled: frozenset[str], *, sure: bool) -> Iterator[bool]:
    """Yield for each assertion whether it is certainly made."""
    for node in nodes:
        if isinstance(node, ast.Assert):
            yield sure and not _is_empty_all(node.test, filled)
        elif isinstance(node, ast.Expr) and _calls_a_proof(node.value):
            yield sure
        elif isinstance(node, _LOOPS):
            inside = filled | _filled_targets(node, filled)
            yield from _proofs(node.body, inside, sure=sure and _is_filled(node.iter, filled))
        elif isinstance(node, ast.With | ast.AsyncWith):
            if any("raises" in ast.unparse(item.context_expr) for item in node.items):
                yield sure
            yield from _proofs(node.body, filled, sure=sure)
        elif isinstance(node, ast.Try):
            yield from _proofs([*node.body, *node.finalbody], filled, sure=sure)
            caught = [statement for handler in node.handlers for statement in handler.body]
            yield from _proofs([*caught, *node.orelse], filled, sure=False)
        elif isinstance(node, ast.If | ast.While):
            ways = [list(_proofs(way, filled, sure=sure)) for way in (node.body, node.orelse)]
            if any(ways):
                yield all(any(way) for way in ways)


def _calls_a_proof(value: ast.expr) -> bool:
    """Tell whether a statement is a call of a helper; helpers may assert, and are not looked into."""
    call = value.value if isinstance(value, ast.Await) else value
    name = ast.unparse(call.func) if isinstance(call, ast.Call) else ""
    return name.rpartition(".")[2].lstrip("_").startswith(("assert", "expect", "until", "wait", "check", "fail"))


def _is_empty_all(test: ast.expr, filled: frozenset[str]) -> bool:
    """Tell whether an assertion is `all()` over what may be empty: it then holds of nothing."""
    if not (isinstance(test, ast.Call) and ast.unparse(test.func) == "all" and test.args):
        return False
    what = test.args[0]
    return not _is_filled(what.generators[0].iter if isinstance(what, ast.GeneratorExp) else what, filled)


def _is_filled(value: ast.expr, filled: frozenset[str]) -> bool:
    """Tell whether it is plain to see that a collection has something in it."""
    match value:
        case ast.Tuple() | ast.List() | ast.Set():
            return any(not isinstance(one, ast.Starred) or _is_filled(one.value, filled) for one in value.elts)
        case ast.Dict():
            return bool(value.keys)
        case ast.Constant():
            return bool(value.value)
        case ast.Name():
            return value.id in filled
        case ast.Call(func=ast.Name(id="range")):
            return all(_is_a_number(one, filled) for one in value.args)
        case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)) if name in _SAME_NUMBER:
            return bool(value.args) and all(_is_filled(one, filled) for one in value.args)
        case ast.BinOp(left=left, right=right):
            return _is_filled(left, filled) or _is_filled(right, filled)
        case ast.ListComp(generators=[one]) | ast.DictComp(generators=[one]) if not one.ifs:
            return _is_filled(one.iter, filled)
        case ast.Call(func=ast.Attribute(value=inner, attr="items" | "keys" | "values" | "split")):
            return _is_filled(inner, filled)
    return False


def _is_a_number(value: ast.expr, filled: frozenset[str]) -> bool:
    match value:
        case ast.Call(func=ast.Name(id="len"), args=[what]):
            return _is_filled(what, filled)
    return isinstance(value, ast.Constant)


def _filled_targets(loop: ast.For | ast.AsyncFor, filled: frozenset[str]) -> frozenset[str]:
    """Return the name that a loop binds, where each thing that it is bound to is itself not empty."""
    match loop:
        case ast.For(target=ast.Name(id=name), iter=ast.Tuple(elts=each) | ast.List(elts=each)):
            return frozenset({name} if all(_is_filled(one, filled) for one in each) else ())
    return frozenset()


def _filled_names(nodes: list[ast.stmt], filled: frozenset[str]) -> frozenset[str]:
    """Return the names, those known before too, that are given a collection with something in it."""
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if _is_filled(value, filled):
                filled |= {name}
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if _is_filled(value, filled):
                filled |= {name}
    return filled
