"""What a YAML syntax error means, in words that say what to change."""

from __future__ import annotations

from ruamel.yaml.error import MarkedYAMLError

__all__ = ["explain_syntax_error"]

_OPENED = "it was opened on line {line}; close it, or the file was cut off here"

# Part of the parser's context or problem -> what to say. The first that fits is used.
_EXPLANATIONS: tuple[tuple[str, str], ...] = (
    ("while parsing a flow node", "a [ or { is not closed by the bracket that belongs to it: " + _OPENED),
    ("but found ']'", "there is no [ that this ] closes"),
    ("but found '}'", "there is no { that this } closes"),
    ("but found ','", "a text cannot start with a comma; put it in quotes"),
    ("expected the node content", "a value is expected here"),
    ("expected '<document start>'", "a plan starts with its first key; remove the % line above this one"),
    ("undefined tag handle", "a text that starts with `!` needs quotes"),
    ("while parsing an tag", "a text that starts with `!` needs quotes"),
    ("while scanning a tag", "a text that starts with `!` needs quotes"),
    ("while scanning a directive", "a line cannot start with `%`; remove it, or put the text in quotes"),
    ("flow sequence", "a list in [ ] is not closed or lacks a comma: " + _OPENED),
    ("flow mapping", "a mapping in { } is not closed or lacks a comma: " + _OPENED),
    ("found unexpected end of stream", "a quote is not closed: " + _OPENED),
    ("found unexpected document separator", "a quote is not closed: " + _OPENED),
    (
        "mapping values are not allowed",
        "a `:` is not expected here: check the indentation, or quote a text that holds `: `",
    ),
    ("could not find expected ':'", "expected `key: value` here"),
    (
        "unknown escape character",
        "a backslash in \"double quotes\" starts an escape: write it twice, or use 'single quotes'",
    ),
    ("expected <block end>", "this line does not fit: check its indentation and whether it belongs to a list (`- `)"),
    ("expected alphabetic or numeric", "`&` and `*` at the start of a text need quotes"),
    ("incompatible YAML document", "only YAML 1.2 can be read; remove the %YAML line"),
    ("sequence entries are not allowed", "a list entry (`- `) is not expected here: check the indentation"),
    ("block scalar", "after `|` or `>` the text starts on the next line, indented"),
)


def explain_syntax_error(error: MarkedYAMLError, text: str) -> tuple[int, int, str]:
    """Return line, column (from 1) and a plain message for what the parser stumbled over."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    lines = text.splitlines()
    here = lines[line] if line < len(lines) else ""
    indent = here[: len(here) - len(here.lstrip())]
    problem = str(error.problem or "")
    context = str(error.context or "")
    if "\t" in indent:
        return line + 1, indent.index("\t") + 1, "a tab indents this line; YAML allows only spaces, replace it"
    if "cannot start any token" in problem:
        if here[column : column + 1] == "\t":
            return line + 1, column + 1, "there is a tab here; write a space, or quote the text"
        return line + 1, column + 1, f"a text cannot start with {here[column : column + 1]!r}; put it in quotes"
    opened = error.context_mark.line + 1 if error.context_mark is not None else line + 1
    if context == "while parsing a flow node" and mark is not None:  # its mark is where it stopped, not where it began
        begun = text[: mark.index]
        opened = begun.count("\n", 0, max(begun.rfind("["), begun.rfind("{"), 0)) + 1
    for part, words in _EXPLANATIONS:
        if part in problem or part in context:
            return line + 1, column + 1, words.replace("{line}", str(opened))
    return line + 1, column + 1, "this cannot be read as YAML: check the quotes, brackets and indentation here"
