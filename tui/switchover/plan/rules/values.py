"""Variables: defaults and choices of their type, sources that exist, no circle among defaults."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from switchover.plan.complaints import Complaint, Path
from switchover.plan.model import Variable
from switchover.plan.rules.draft import Draft
from switchover.plan.templates import TemplateError, has_template
from switchover.plan.variables import BUILT_IN_NAMES, check_value, default_needs

__all__ = ["variables"]

_RESERVED = frozenset(name.partition(".")[0] for name in BUILT_IN_NAMES) | {"secret"}
_TEXT_TYPES = frozenset({"str", "ip", "path", "url"})


def variables(draft: Draft) -> Iterator[Complaint]:
    """Complain about variables that can never get a value of their type."""
    graph: dict[str, set[str]] = {}
    for name, variable in draft.plan.vars.items():
        path: Path = ("vars", name)
        if name in _RESERVED:
            yield Complaint(path, f"{name!r} already means something in templates; choose another name", at_key=True)
        yield from _default(path, name, variable)
        for index, choice in enumerate(variable.choices):
            yield from _typed((*path, "choices", index), name, variable.model_copy(update={"choices": ()}), choice)
        try:
            graph[name] = set(default_needs(variable)) & draft.names.vars
        except TemplateError:
            graph[name] = set()
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = list(error.args[1])
        yield Complaint(
            ("vars", circle[0], "default"), f"these defaults are made of each other: {' → '.join(reversed(circle))}"
        )


def _default(path: Path, name: str, variable: Variable) -> Iterator[Complaint]:
    default = variable.default
    place = (*path, "default")
    if (variable.type == "list") != isinstance(default, tuple | dict):
        expected = "a list or a mapping" if variable.type == "list" else f"a value of type {variable.type}"
        if variable.type == "list" or default is not None:
            yield Complaint(place, f"expected {expected}; loops go over it")
        return
    if default is None or isinstance(default, tuple | dict) or has_template(default):
        return
    if variable.type in _TEXT_TYPES and not isinstance(default, str):
        if isinstance(default, bool | float):
            yield Complaint(place, f"expected text for a variable of type {variable.type}; put it in quotes")
            return
    elif variable.type == "bool" and not isinstance(default, bool):
        yield Complaint(place, "expected true or false")
        return
    yield from _typed(place, name, variable, str(default).lower() if isinstance(default, bool) else str(default))


def _typed(path: Path, name: str, variable: Variable, text: str) -> Iterator[Complaint]:
    try:
        check_value(name, variable, text)
    except ValueError as error:
        yield Complaint(path, str(error))
