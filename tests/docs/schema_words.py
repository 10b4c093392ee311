"""The tables of the references: a JSON Schema in words, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from switchover.plan.loader.schema_in_words import Schema, SchemaWords, meaning, own_keys

__all__ = ["Schema", "key_table", "own_keys", "table"]

_MARKDOWN = SchemaWords(
    link=lambda name: f"[{name}](plan-reference.md#{name.lower()})", code=lambda written: f"`{written}`"
)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return a Markdown table, a line a row."""
    lines = [head, ("---",) * len(head), *rows]
    return [f"| {' | '.join(_cell(text) for text in row)} |".replace("  |", " |") for row in lines]


def key_table(properties: Schema, required: tuple[str, ...] = ()) -> list[str]:
    """Return the table of the keys of an object."""
    rows = [
        (
            f"`{key}`",
            _MARKDOWN.takes(schema),
            "**needed**" if key in required else _MARKDOWN.default(schema),
            meaning(schema),
        )
        for key, schema in properties.items()
    ]
    return table(("key", "takes", "default", "meaning"), rows)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
