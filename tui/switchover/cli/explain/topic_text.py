"""What `explain` writes of a topic: plain text of at most 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from switchover.cli.explain.explain_pages import PAGES, page_text
from switchover.cli.explain.key_examples import KeyExamples, lines_of_key
from switchover.cli.explain.reference import PLAN, Kind, Reference
from switchover.cli.explain.topics import KeyTopic, KindTopic, Matches, PageTopic, PartTopic, Topic
from switchover.plan.loader.schema_in_words import SchemaWords, meaning, parts_named_in

__all__ = ["list_text", "topic_text"]

_WIDTH = 80


def list_text(reference: Reference) -> str:
    """List all that can be explained."""
    lines = ["switchover explain KEY, where KEY is one of these, or a key of it: step.on_unknown, check.http.expect"]
    lines = [*textwrap.wrap(lines[0], _WIDTH), "", "the keys of a plan"]
    for key, schema in reference.parts[PLAN].keys.items():
        lines += _row(key, meaning(schema))
    lines += ["", "parts"]
    for name, part in reference.parts.items():
        if name != PLAN:
            lines += _row(part.name, part.doc.partition("\n")[0] + f" ({part.where})")
    for name, part in reference.parts.items():
        if kinds := reference.kinds(name):
            lines += ["", f"kinds of {part.name}: {part.name}.KIND", *_wrapped(", ".join(kinds), 2)]
    lines += ["", "pages"]
    for page, doc in PAGES.items():
        lines += _row(page, doc.replace("`", ""))
    return "\n".join(lines)


def topic_text(reference: Reference, topic: Topic, examples: KeyExamples | None = None) -> str:
    """Write one topic."""
    examples = examples or KeyExamples(reference.parts)
    match topic:
        case PartTopic(part):
            lines = _part(reference, part)
        case KindTopic(kind):
            lines = _kind(reference, kind, examples)
        case KeyTopic():
            lines = _key(reference, topic, examples)
        case PageTopic(found):
            lines = iter(page_text(list(found), _WIDTH))
        case Matches(word, names):
            lines = iter([f"{word} stands in several places; ask for one of them:", *(f"  {name}" for name in names)])
    return "\n".join(lines).rstrip()


def _words(reference: Reference) -> SchemaWords:
    return SchemaWords(link=lambda name: reference.parts[name].name if name in reference.parts else "keys and values")


def _part(reference: Reference, name: str) -> Iterator[str]:
    part = reference.held(name)
    yield from _head(part.name, part.where, part.doc)
    yield from _table(part.keys, part.needed, _words(reference))
    if kinds := reference.kinds(name):
        yield from ("", f"kinds ({part.kind_key}), each with keys of its own: {part.name}.KIND")
        yield from _wrapped(", ".join(kinds), 2)


def _kind(reference: Reference, kind: Kind, examples: KeyExamples) -> Iterator[str]:
    part = reference.parts[kind.part]
    yield from _head(f"{part.name}.{kind.name}", f"{part.where}, {part.kind_key}: {kind.name}", kind.doc)
    yield from _table(kind.keys, kind.needed, _words(reference))
    for more in kind.more:
        yield from ("", *_wrapped(more, 0))
    yield from ("", *_wrapped(f"It also takes the keys of every {part.name}: `switchover explain {part.name}`.", 0))
    yield from _example(kind.example or examples.of_kind(kind.part, kind.name))


def _key(reference: Reference, topic: KeyTopic, examples: KeyExamples) -> Iterator[str]:
    part, kind, key = reference.parts[topic.part], topic.kind, topic.key
    schema = (kind.keys if kind is not None else part.keys)[key]
    needed = key in (kind.needed if kind is not None else part.needed)
    words = _words(reference)
    where = f"{part.where}.{key}" if part.where else key
    name = ".".join([*([part.name] if topic.part != PLAN else []), *([kind.name] if kind is not None else []), key])
    yield from _head(name, where + (f", {part.kind_key}: {kind.name}" if kind is not None else ""), meaning(schema))
    yield from _labelled("takes", words.takes(schema))
    if needed:
        yield "  needed"
    elif default := words.default(schema):
        yield from _labelled("default", default)
    own = lines_of_key(kind.example, key) if kind is not None and kind.example else ""
    yield from _example(own or examples.of(topic.part, key, kind.name if kind is not None else ""))
    for inside in parts_named_in(schema):
        yield from ("", *_part(reference, inside))


def _head(name: str, where: str, doc: str) -> Iterator[str]:
    yield f"{name}  ({where})" if where and where != name else name
    for paragraph in doc.split("\n\n"):
        if paragraph.strip():
            yield from ("", *_wrapped(" ".join(paragraph.split()), 2))
    yield ""


def _table(keys: Mapping[str, Any], needed: tuple[str, ...], words: SchemaWords) -> Iterator[str]:
    for key, schema in keys.items():
        default = words.default(schema)
        note = ", needed" if key in needed else f", default {default}" if default else ""
        yield from textwrap.wrap(
            f"{key}  {words.takes(schema)}{note}",
            _WIDTH,
            initial_indent="  ",
            subsequent_indent=" " * (len(key) + 4),
            break_on_hyphens=False,
        )
        yield from _wrapped(meaning(schema), 6)


def _labelled(label: str, text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=f"  {label:9}", subsequent_indent=" " * 11)


def _row(name: str, text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=f"  {name:20}", subsequent_indent=" " * 22) or [f"  {name}"]


def _wrapped(text: str, indent: int) -> list[str]:
    margin = " " * indent
    plain = text.replace("`", "")
    return textwrap.wrap(plain, _WIDTH, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False)


def _example(text: str) -> Iterator[str]:
    if text:
        yield from ("", "example", *textwrap.indent(text, "  ").splitlines())
