"""The plan's templates: `{{ new_ip }}`, and nothing else. No expression is ever evaluated.

Two braces as plain text are written `{{ '{{' }}`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

__all__ = [
    "Slot",
    "TemplateError",
    "fill",
    "fill_tree",
    "has_template",
    "parse_template",
    "put_out_by",
    "shell_templates",
    "slots",
    "texts_in",
]

_BRACES = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_SHORT_BRACES = re.compile(r"\{\{([^{}]{0,200})\}\}")
_WORD = r"[A-Za-z_][A-Za-z0-9_-]*(?:\[[A-Za-z0-9_.,-]+\])?"
_SLOT = re.compile(rf"\s*({_WORD}(?:\.{_WORD})*)\s*(?:\|\s*(\S+)\s*)?")
# Words that Go templates (`docker inspect --format`) put alone between braces.
_GO_WORDS = frozenset({"end", "else", "break", "continue", "range", "if", "with", "json", "printf", "define", "block"})


class TemplateError(ValueError):
    """A text holds braces that are no template of a plan."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place to be filled, by the value's name."""

    name: str


def has_template(text: object) -> bool:
    """Say whether `text` may hold a template."""
    return isinstance(text, str) and "{{" in text


@lru_cache(maxsize=2048)
def parse_template(text: str) -> tuple[str | Slot, ...]:
    """Split `text` into plain text and slots. Raise `TemplateError` that says what cannot be read."""
    parts: list[str | Slot] = []
    position = 0
    while (start := text.find("{{", position)) >= 0:
        match = _BRACES.match(text, start)
        if match is None:
            raise TemplateError("`{{` is not closed by `}}`; two braces as plain text are written {{ '{{' }}")
        if start > position:
            parts.append(text[position:start])
        inside = match[1]
        if slot := _SLOT.fullmatch(inside):
            if slot[2] is not None:
                raise TemplateError(f"{match[0][:60]!r}: there are no filters; a value reaches a shell through `env`")
            parts.append(Slot(slot[1]))
        elif inside.strip() in ("'{{'", '"{{"'):
            parts.append("{{")
        else:
            raise TemplateError(
                f"{match[0][:60]!r} is no template: write {{{{ name }}}}; "
                "two braces as plain text are written {{ '{{' }}"
            )
        position = match.end()
    if position < len(text):
        parts.append(text[position:])
    return tuple(parts)


def slots(text: str) -> Iterator[Slot]:
    """Yield the slots of `text`. Raise `TemplateError`."""
    for part in parse_template(text):
        if isinstance(part, Slot):
            yield part


def put_out_by(name: str) -> tuple[str, str] | None:
    """Return the step and its output that `step.NAME.OUT` means; nothing for another name."""
    if not name.startswith("step."):
        return None
    step, _, output = name.removeprefix("step.").rpartition(".")
    return step, output


def shell_templates(text: str) -> list[str]:
    """Return the names of our templates in shell text; the Go templates of docker and kubectl are left alone."""
    names = []
    for match in _SHORT_BRACES.finditer(text):
        slot = _SLOT.fullmatch(match[1])
        if slot is not None and slot[1] not in _GO_WORDS:
            names.append(slot[1])
    return names


def fill(text: str, lookup: Callable[[str], str]) -> str:
    """Put values into `text`. `lookup` returns the value for a name, or raises."""
    if "{{" not in text:
        return text
    return "".join(lookup(part.name) if isinstance(part, Slot) else part for part in parse_template(text))


def fill_tree(value: Any, lookup: Callable[[str], str]) -> Any:
    """Put values into every text of a nested value; keys stay as they are."""
    if isinstance(value, str):
        return fill(value, lookup)
    if isinstance(value, dict):
        return {key: fill_tree(item, lookup) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(fill_tree(item, lookup) for item in value)
    return value


def texts_in(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield every text of a nested value with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from texts_in(item, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from texts_in(item, (*path, index))
