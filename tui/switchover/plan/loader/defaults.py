"""Writes `defaults` into the steps and checks that say nothing themselves, before anything is judged."""

from __future__ import annotations

from collections.abc import Iterator

from switchover.plan.complaints import Complaint, Path, near_or_all
from switchover.plan.loader.document import Document, Node
from switchover.plan.type_errors import fields_at

__all__ = ["CHECK_DEFAULTS", "STEP_DEFAULTS", "write_defaults"]

_OF_ONE_STEP = frozenset(
    {"id", "title", "run", "argv", "checklist", "uses", "with", "outputs", "secret_outputs", "confirm", "rollback"}
)
STEP_DEFAULTS = tuple(key for key in fields_at(("phases", 0, "steps", 0)) if key not in _OF_ONE_STEP)
CHECK_DEFAULTS = tuple(key for key in fields_at(("checks", "NAME")) if key not in ("kind", "title", "service"))
_ROLLBACK_KEYS = tuple(key for key in fields_at(("rollbacks", "NAME", "steps", 0)) if key in ("env", "cwd"))


def write_defaults(document: Document) -> list[Complaint]:
    """Write the defaults of the plan and of its phases where they belong. Return what is wrong with them."""
    root = document.root
    if root is None or root.entries is None:
        return []
    found: list[Complaint] = []
    whole = _taken(document, root, (), {"steps": STEP_DEFAULTS, "checks": CHECK_DEFAULTS}, found)
    for check in _values(root.child("checks")):
        _fill(check, whole.get("checks"), CHECK_DEFAULTS)
    for p, phase in enumerate(_values(root.child("phases"))):
        own = _taken(document, phase, ("phases", p), {"steps": STEP_DEFAULTS}, found)
        for step in _values(phase.child("steps")):
            for given in (own.get("steps"), whole.get("steps")):  # the nearer one first
                _fill(step, given, ("effect",) if step.child("checklist") is not None else STEP_DEFAULTS)
                _fill(_command(step.child("rollback")), given, ("env",))
    for way in _values(root.child("rollbacks")):
        for step in _values(way.child("steps")):
            _fill(_command(step), whole.get("steps"), _ROLLBACK_KEYS)
    return found


def _taken(
    document: Document, holder: Node, path: Path, known: dict[str, tuple[str, ...]], found: list[Complaint]
) -> dict[str, Node]:
    """Take the defaults out of a plan or phase, and complain about keys that they do not have."""
    if holder.entries is None or "defaults" not in holder.entries:
        return {}
    _, given = holder.entries.pop("defaults")
    holder.data.pop("defaults")
    place = (*path, "defaults")
    for where, at, message in _wrong(given, known):
        document.former[(*place, *where)] = at
        found.append(Complaint((*place, *where), message))
    return {key: value for key, (_, value) in (given.entries or {}).items() if key in known}


def _wrong(given: Node, known: dict[str, tuple[str, ...]]) -> Iterator[tuple[Path, Node, str]]:
    if given.entries is None:
        yield (), given, f"expected a mapping of {' and '.join(known)}"
        return
    for part, (at, value) in given.entries.items():
        if part not in known:
            yield (part,), at, f"unknown key{near_or_all(part, known)}"
        elif value.entries is None:
            yield (part,), value, "expected a mapping of keys to values"
        else:
            for key, (key_at, _) in value.entries.items():
                if key not in known[part]:
                    yield (part, key), key_at, f"this is no default of {part}{near_or_all(key, known[part])}"


def _fill(part: Node | None, given: Node | None, keys: tuple[str, ...]) -> None:
    """Give a part what it does not say itself. Variables of a process are put together, its own first."""
    if part is None or part.entries is None or given is None:
        return
    for key, (at, value) in (given.entries or {}).items():
        if key not in keys:
            continue
        own = part.entries.get(key)
        if own is None:
            _put(part, key, at, value)
        elif key == "env" and own[1].entries is not None and value.entries is not None:
            both = Node(own[1].line, own[1].column, {}, entries={}, source=own[1].source)
            for name, (name_at, text) in {**value.entries, **own[1].entries}.items():
                _put(both, name, name_at, text)
            _put(part, key, own[0], both)


def _put(node: Node, key: str, at: Node, value: Node) -> None:
    assert node.entries is not None
    node.entries[key] = (at, value)
    node.data[key] = value.data


def _command(node: Node | None) -> Node | None:
    """Return what runs a command of its own."""
    return node if node is not None and (node.child("run") is not None or node.child("argv") is not None) else None


def _values(node: Node | None) -> list[Node]:
    if node is None:
        return []
    return node.items if node.items is not None else [value for _, value in (node.entries or {}).values()]
