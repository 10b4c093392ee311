"""A plan's text in one style: two columns a level, lists set in, no flow collection that is too long.

Every value stays as it is written, quotes too. What would change the meaning, or lose a comment, is refused.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.tokens import CommentToken

from switchover.errors import PlanError, PlanProblem, SwitchoverError
from switchover.plan.complaints import format_path
from switchover.plan.loader.document import read_document

__all__ = ["LONGEST_LINE", "in_style"]

LONGEST_LINE = 100
_ROUNDS = 40  # a level of nesting is broken in each


class _WordsOnly(VersionedResolver):
    """Takes each plain scalar for text: `yes`, `007`, `1.50` and dates stay as they are written."""

    @property
    def versioned_resolver(self) -> dict[str, Any]:
        """No text means anything else than itself."""
        return {}


def in_style(text: str, path: Path) -> str:
    """Return the text in one style. Raise `PlanError` where it is no YAML, `SwitchoverError` where it must not be."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    before = read_document(text)
    if before.complaints:
        raise PlanError(
            [PlanProblem(str(path), line, at, format_path(c.path), c.message) for line, at, c in before.complaints]
        )
    if before.root is None:
        raise PlanError([PlanProblem(str(path), 0, 0, "", "the plan is empty")])
    try:
        shown = _settled(text)
    except (YAMLError, ValueError, TypeError, AttributeError, IndexError, AssertionError) as error:
        raise _refused(path, f"it is written in a way that is not understood ({type(error).__name__})") from error
    after = read_document(shown)
    if after.root is None or after.root.data != before.root.data:
        raise _refused(path, "its meaning would change")
    if _comments(shown) != _comments(text):
        raise _refused(path, "a comment would be lost or moved; put those inside of { } and [ ] on lines of their own")
    return shown


def _refused(path: Path, why: str) -> SwitchoverError:
    return SwitchoverError(f"{path} is left as it is: {why}", "what is said of it by `switchover validate` still holds")


def _settled(text: str) -> str:
    """Break the outermost flow collection of each line that is too long, until none is."""
    shown = _written(_read(text))
    for _ in range(_ROUNDS):
        document = _read(shown)
        long = {number for number, line in enumerate(shown.split("\n")) if len(line) > LONGEST_LINE}
        broken = [node for node in _outermost_flows(document) if node.lc.line in long and len(node)]
        for node in broken:
            node.fa.set_block_style()
        now = _written(document)
        if now == shown:
            break
        shown = now
    return _set_in(shown.rstrip("\n") + "\n")


def _yaml() -> Any:
    yaml = YAML(typ="rt", pure=True)
    yaml.Resolver = _WordsOnly
    yaml.preserve_quotes = True
    yaml.width = 1 << 20  # texts are not folded anew
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.allow_duplicate_keys = False
    return yaml


def _read(text: str) -> Any:
    return _yaml().load(text)


def _written(document: Any) -> str:
    stream = io.StringIO()
    _yaml().dump(document, stream)
    return stream.getvalue()


def _outermost_flows(node: Any) -> Iterator[Any]:
    if not isinstance(node, CommentedMap | CommentedSeq):
        return
    if node.fa.flow_style():
        yield node
        return
    for child in node.values() if isinstance(node, CommentedMap) else node:
        yield from _outermost_flows(child)


def _comments(text: str) -> list[str]:
    """Return the comments of a text, in their order."""
    lines = text.split("\n")
    return [lines[line][column:].strip() for line, column in sorted(_places(text))]


def _places(text: str) -> set[tuple[int, int]]:
    """Return line and column of each comment, from 0."""
    lines = text.split("\n")
    found = set()
    for token in YAML(typ="rt", pure=True).scan(text):
        for comment in _inside(getattr(token, "comment", None)):
            for number, line in enumerate(comment.value.split("\n"), comment.start_mark.line):
                said = line.strip()
                near = (
                    n for n in (number, number - 1, number + 1) if 0 <= n < len(lines)
                )  # blank lines are counted oddly
                place = next((n for n in near if said and lines[n].rstrip().endswith(said)), None)
                if place is not None:
                    found.add((place, lines[place].rindex(said)))
    return found


def _set_in(text: str) -> str:
    """Set comments that have a line of their own in as the lines around them are."""
    lines = text.split("\n")
    own = {line for line, column in _places(text) if lines[line][:column].strip() == ""}
    for number in sorted(own):
        above = next((lines[n] for n in range(number - 1, -1, -1) if lines[n].strip()), "")
        below = next((lines[n] for n in range(number + 1, len(lines)) if lines[n].strip() and n not in own), "")
        here, around = _indent(lines[number]), (_indent(below), _indent(above))
        if here not in around:
            lines[number] = " " * around[0] + lines[number].lstrip()
    return "\n".join(lines)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _inside(found: Any) -> Iterator[CommentToken]:
    if isinstance(found, CommentToken):
        yield found
    elif isinstance(found, list | tuple):
        for one in found:
            yield from _inside(one)
