"""States are types: a field that holds one says which words it may have, and is compared with no other."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from tests.house.reading import SOURCES, Module

# What a field is called that holds a state.
STATES = frozenset({"effect", "health", "outcome", "severity", "stage", "state", "status", "verdict"})
# Words of others, which may have more of them: the letters of /proc, the facts of a Kubernetes controller.
FOREIGN = {
    "ProcessRow.state": {"D", "T", "X", "Z", "ZX", "t"},
    "KubernetesCondition.status": {"True", "False"},
}


def untyped_states(modules: Sequence[Module]) -> Iterator[str]:
    """A field that holds a state is no bare text."""
    for module, name, field in _fields(modules):
        place = f"{name}.{field.target.id}" if isinstance(field.target, ast.Name) else ""
        if place not in FOREIGN and ast.unparse(field.annotation) in {"str", "str | None", "ClassVar[str]"}:
            yield f"{module.path}:{field.lineno} {place} is a bare str; a Literal or a StrEnum says which words it has"


def unknown_state_words(modules: Sequence[Module]) -> Iterator[str]:
    """A state is compared with words that one of its kind has. What mypy cannot see in a set is seen here."""
    known = _words_of_fields(modules)
    for module in modules:
        if module.root in SOURCES:
            for node in (node for node in ast.walk(module.tree) if isinstance(node, ast.Compare)):
                for attribute, word in _compared(node):
                    if word not in known[attribute]:
                        yield f"{module.path}:{node.lineno} no .{attribute} is ever {word!r}"


def _fields(modules: Sequence[Module]) -> Iterator[tuple[Module, str, ast.AnnAssign]]:
    for module in (module for module in modules if module.root in SOURCES):
        for kind in (node for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef)):
            for field in (node for node in kind.body if isinstance(node, ast.AnnAssign)):
                if isinstance(field.target, ast.Name) and field.target.id in STATES:
                    yield module, kind.name, field


def _words_of_fields(modules: Sequence[Module]) -> Mapping[str, set[str]]:
    """Return the words that the fields of each name may have."""
    types = _types(modules)
    words: defaultdict[str, set[str]] = defaultdict(set)
    for _, _, field in _fields(modules):
        if isinstance(field.target, ast.Name):
            words[field.target.id] |= _words(field.annotation, types)
    for place, letters in FOREIGN.items():
        words[place.rpartition(".")[2]] |= letters
    return words


def _types(modules: Sequence[Module]) -> dict[str, list[ast.AST]]:
    """Return what each name of a type stands for, wherever it does."""
    types: defaultdict[str, list[ast.AST]] = defaultdict(list)
    for module in (module for module in modules if module.root in SOURCES):
        for node in module.tree.body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    types[name].append(value)
                case ast.AnnAssign(target=ast.Name(id=name), value=value) if value is not None:
                    types[name].append(value)
                case ast.ClassDef(name=name, bases=[ast.Name(id="StrEnum")]):
                    types[name].append(node)
    return types


def _words(annotation: ast.AST, types: Mapping[str, Sequence[ast.AST]]) -> set[str]:
    """Return the texts in a type, and in those that it names."""
    words: set[str] = set()
    for node in ast.walk(annotation):
        match node:
            case ast.Constant(value=str(word)):
                words.add(word)
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in types:
                others = {other: meanings for other, meanings in types.items() if other != name}
                words |= {word for meaning in types[name] for word in _words(meaning, others)}
    return words


def _compared(node: ast.Compare) -> Iterator[tuple[str, str]]:
    """Yield each state-like attribute of a comparison with each text that it is compared with."""
    sides = [node.left, *node.comparators]
    attributes = [side.attr for side in sides if isinstance(side, ast.Attribute) and side.attr in STATES]
    for side in sides:
        for text in (side.elts if isinstance(side, ast.Tuple | ast.Set | ast.List) else [side]) if attributes else ():
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                yield attributes[0], text.value
