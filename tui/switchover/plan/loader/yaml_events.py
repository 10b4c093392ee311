"""The events of a YAML text. By libyaml, twenty times as quick, wherever it reads YAML 1.2 as the other parser does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import ScalarEvent

__all__ = ["exact_events", "quick_events"]

# Where the two differ: other line breaks and tabs; tags, directives, `? key` and odd anchors where a value starts; what
# comes right behind `|`.
_READ_ANOTHER_WAY = re.compile(
    "[\t\r\x85\u2028\u2029\ufeff]"
    r"|(?:^|[-:,\[{])[ ]*(?:[?!%]|[&*][\w-]*(?:[^\s\w\-,\]}]|[ ]+:))"
    r"|[|>][-+0-9]*[ ]*(?:#|\n[ ]*(?:\n|#|---|\.\.\.))",
    re.MULTILINE,
)


def exact_events(text: str) -> Iterator[Any]:
    """Yield the events of YAML 1.2. Raise what tells best what is wrong with the text."""
    yield from YAML(typ="safe", pure=True).parse(text)


def quick_events(text: str) -> Iterator[Any] | None:
    """Return the same events, as long as there is nothing wrong; None where they could be others.

    Whatever is raised, `exact_events` has the last word.
    """
    if _READ_ANOTHER_WAY.search(text):
        return None
    try:
        parser = import_module("_ruamel_yaml").CParser(text)
    except (ImportError, ValueError):  # libyaml is not built for this machine; a text that is no Unicode
        return None
    return _until_the_end(parser)


def _until_the_end(parser: Any) -> Iterator[Any]:
    while (event := parser.get_event()) is not None:
        if isinstance(event, ScalarEvent) and not event.value and event.implicit[0]:
            raise YAMLError("the two parsers see a value that is not there at different places")
        yield event
