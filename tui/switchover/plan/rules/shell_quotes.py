"""Just enough of a shell's grammar to see a quote that is left open, and the commands of a text. Runs nothing."""

from __future__ import annotations

import re
import shlex

__all__ = ["open_quote", "plain_commands"]

_HEREDOC = re.compile(r"<<-?\s*(?:'([^'\n]+)'|\"([^\"\n]+)\"|\\?([\w.-]+))")
_SEPARATORS = re.compile(r"[;&|\n()]+")


def open_quote(text: str) -> str:
    """Name the quote that is still open at the end of a text; empty where none is."""
    text = _without_heredocs(text)
    quote, place, word_begins = "", 0, True
    while place < len(text):
        sign = text[place]
        if sign == "\\" and quote != "'":
            place += 1
        elif quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"`":
            quote = sign
        elif sign == "#" and word_begins:
            end = text.find("\n", place)
            place = len(text) if end < 0 else end
        word_begins = place < len(text) and text[place] in " \t\n;&|("
        place += 1
    return {"'": "single quote", '"': "double quote", "`": "backquote", "": ""}[quote]


def plain_commands(text: str) -> list[list[str]]:
    """Return the words of each command of a text, as far as they can be told; comments are left out."""
    lexer = shlex.shlex(
        _without_heredocs(text).replace("\\\n", " ").replace("\n", " ; "), posix=True, punctuation_chars=";&|()"
    )
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError:
        words = text.split()
    commands: list[list[str]] = [[]]
    for word in words:
        if _SEPARATORS.fullmatch(word):
            commands.append([])
        elif commands[-1] or not re.fullmatch(r"\w+=.*", word):
            commands[-1].append(word)
    return [command for command in commands if command and not command[0].startswith("#")]


def _without_heredocs(text: str) -> str:
    """Take out the lines of here-documents: quotes in them mean nothing."""
    kept: list[str] = []
    waiting: list[str] = []
    for line in text.split("\n"):
        if waiting:
            if line.strip() == waiting[0]:
                waiting.pop(0)
            continue
        kept.append(line)
        waiting = [next(filter(None, found)) for found in _HEREDOC.findall(line)]
    return "\n".join(kept)
