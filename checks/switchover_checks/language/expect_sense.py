"""Does an expectation look at anything? One that holds whatever is observed proves nothing, and is refused."""

from __future__ import annotations

from collections.abc import Iterator

from switchover_checks.language.expect_tree import Call, Comparison, Constant, Logic, Node, Path

__all__ = ["senseless"]

_OPPOSITES = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_COUNTS = frozenset({"rows", "restarts"})
_UNLIKE_TEXTS = ("", "\x01", "a b", "Zq9\n-")
"""A pattern that is found in all of these is found in every text."""


def senseless(root: Node) -> tuple[Node, str] | None:
    """Return the part that says nothing about what is observed, and why; None where every part does."""
    for node in _parts(root):
        if isinstance(node, Logic):
            if node.operator == "or" and _opposites(node.parts):
                return node, "holds whatever is observed"
        elif not _looks(node):
            return node, "looks at nothing that is observed"
        elif isinstance(node, Comparison) and (why := _empty(node)):
            return node, why
    return None


def _parts(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, Logic):
        for part in node.parts:
            yield from _parts(part)
    elif isinstance(node, Comparison):
        for side in (node.left, node.right):
            if isinstance(side, Comparison | Logic):
                yield from _parts(side)


def _looks(node: Node) -> bool:
    match node:
        case Path():
            return True
        case Constant():
            return False
        case Call():
            return _looks(node.argument)
        case Comparison():
            return _looks(node.left) or _looks(node.right)
    return any(_looks(part) for part in node.parts)


def _empty(node: Comparison) -> str:
    if _same(node.left, node.right):
        return "compares a thing with itself"
    if node.pattern is not None and all(node.pattern.search(text) is True for text in _UNLIKE_TEXTS):
        return "matches any text"
    box, item = (node.right, node.left) if node.operator == "in" else (node.left, node.right)
    if node.operator in ("in", "contains"):
        if isinstance(item, Constant) and item.value == "":
            return "is true of any text"
        return "is true of nothing" if isinstance(box, Constant) and not box.value else ""
    return "holds whatever is observed" if _always(node) else ""


def _always(node: Comparison) -> bool:
    """Tell whether what is never below zero is asked not to be."""
    left, operator, right = node.left, node.operator, node.right
    if isinstance(left, Constant):
        left, operator, right = right, _MIRRORED.get(operator, ""), left
    if not isinstance(right, Constant) or isinstance(right.value, bool) or not isinstance(right.value, int | float):
        return False
    counted = (isinstance(left, Call) and left.function == "len") or (
        isinstance(left, Path) and (left.unit in ("duration", "size") or (left.name in _COUNTS and not left.parts))
    )
    return counted and (right.value < 0 or (right.value == 0 and operator == ">=")) and operator in (">", ">=", "!=")


def _same(left: Node, right: Node) -> bool:
    if isinstance(left, Path) and isinstance(right, Path):
        return (left.name, left.parts) == (right.name, right.parts)
    if isinstance(left, Call) and isinstance(right, Call):
        return left.function == right.function and _same(left.argument, right.argument)
    return isinstance(left, Constant) and isinstance(right, Constant) and left.value == right.value


def _opposites(parts: tuple[Node, ...]) -> bool:
    return any(_contrary(a, b) for place, a in enumerate(parts) for b in parts[place + 1 :])


def _contrary(a: Node, b: Node) -> bool:
    for one, other in ((a, b), (b, a)):
        if isinstance(one, Logic) and one.operator == "not" and one.parts[0] == other:
            return True
    if not (isinstance(a, Comparison) and isinstance(b, Comparison)):
        return False
    return _OPPOSITES.get(a.operator) == b.operator and _same(a.left, b.left) and _same(a.right, b.right)
