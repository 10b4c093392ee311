"""The reference of the command line, written from the parsers of the verbs."""

from __future__ import annotations

import argparse
import importlib
import inspect
from collections.abc import Iterator

from tests.docs.schema_words import table

from switchover.cli.parser import screen_parser, verb_parser
from switchover.cli.verb_list import verbs

__all__ = ["cli_reference"]

_EXIT_CODES = [
    ("0", "done"),
    ("1", "failed, or refused"),
    ("2", "the plan or the command line has an error"),
    ("3", "an outcome is unknown"),
    ("4", "a person is needed; the message says what to add"),
    ("5", "somebody else drives"),
    ("130", "interrupted"),
]
_OTHERS = (
    "`check` has those of monitoring plugins, as its own section says. Where a verb differs, its section says so.",
)
_EVERYWHERE = ("--help", "--state", "--journal")


def cli_reference() -> Iterator[str]:
    """Write the screen's options and every verb with its arguments, and what its exit codes say."""
    yield "# Command line"
    yield ""
    yield "`switchover [PLAN]` opens the screen; `switchover VERB …` works without one. `switchover VERB --help` says"
    yield "the same as this page."
    yield from ("", *table(("verb", "what it does"), [(f"[`{v}`](#{v})", text) for v, (_, text) in verbs().items()]))
    yield from ("", "## Exit codes", "", *table(("code", "means"), _EXIT_CODES), "", *_OTHERS)
    yield from ("", "## The screen", "", *_arguments(screen_parser(), shared=True))
    for verb, (module, text) in verbs().items():
        yield from ("", f"## {verb}", "", f"`switchover {verb}`: {text}.", "")
        more = (inspect.getdoc(importlib.import_module(module)) or "").partition("\n\n")[2]
        yield from (*more.splitlines(), "") if more else ()
        yield from _arguments(verb_parser(verb), shared=False)


def _arguments(parser: argparse.ArgumentParser, *, shared: bool) -> list[str]:
    rows = [
        (_written(action), (action.help or "").replace("%(default)s", str(action.default)))
        for action in parser._actions  # argparse has no public list of them
        if shared or not set(action.option_strings) & set(_EVERYWHERE)
    ]
    return table(("argument", "meaning"), rows) if rows else ["It takes no arguments of its own."]


def _written(action: argparse.Action) -> str:
    choices = "|".join(map(str, action.choices)) if action.choices else ""
    value = action.metavar if isinstance(action.metavar, str) else choices or action.dest.upper()
    if not action.option_strings:
        return f"`{value}`" + ("" if action.required else " (may be left out)")
    names = ", ".join(f"`{name}`" for name in action.option_strings)
    return (
        f"{names} `{value}`" if action.nargs != 0 and not isinstance(action, argparse.BooleanOptionalAction) else names
    )
