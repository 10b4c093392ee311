"""A short name for a process that says what runs, without its arguments: those hold passwords."""

from __future__ import annotations

import re
from collections.abc import Sequence

from switchover.redaction import sanitize

__all__ = ["short_name"]

_LONGEST = 48
_INTERPRETERS = re.compile(r"^(?:python|pypy|node|nodejs|ruby|perl|php|lua|bash|sh|dash|zsh|ash|java|deno|bun)[\d.]*$")
# Options of interpreters that take the next word: it is no script.
_WITH_VALUE = frozenset(
    ("-W", "-X", "-r", "--require", "-I", "-cp", "-classpath", "--class-path", "-p", "--module-path", "--import")
) | frozenset(("--add-modules", "--add-opens", "--add-exports", "-o", "-O", "--loader"))
_INLINE = frozenset(("-c", "-e", "--eval", "-lc", "-ec", "-xc", "--print"))
_SCRIPT = re.compile(r"^[\w./@+~-]+(?::\w+)?$")


def short_name(comm: str, words: Sequence[str]) -> str:
    """Return what to call a process: its program, and for an interpreter the script or module that it runs.

    `python3 /opt/shop/api.py --token=…` is `python3 api.py`; a title that the process gave itself is kept
    (`nginx: master process`). It is one line that can be typed, whatever the process calls itself.
    """
    name = _name(comm, words)
    if name and name.isascii() and name.isprintable():
        return name
    return " ".join(sanitize(name).split()) or "(no name)"


def _name(comm: str, words: Sequence[str]) -> str:
    first = words[0] if words else ""
    if not first:
        return comm[:_LONGEST]
    if first.startswith(f"{comm}:") or re.match(r"^[\w.-]+: ", first):  # what setproctitle leaves
        return first[:_LONGEST].strip()
    program = first.split(" ", 1)[0].rpartition("/")[2].lstrip("-") or comm
    if _INTERPRETERS.match(program) and (script := _script(words[1:])):
        return f"{program} {script}"[:_LONGEST]
    return program[:_LONGEST]


def _script(words: Sequence[str]) -> str:
    """Return the script's last name, `-m MODULE` or `-c`; nothing where a word is no plain name."""
    skip = False
    for place, word in enumerate(words):
        if skip:
            skip = False
        elif word in ("-m", "-jar", "--module"):
            following = words[place + 1] if place + 1 < len(words) else ""
            named = _plain(following)
            return (f"-m {named}" if word == "-m" else named) if named else ""
        elif word in _INLINE:
            return "-c"
        elif word in _WITH_VALUE:
            skip = True
        elif not word.startswith("-"):
            return _plain(word)
    return ""


def _plain(word: str) -> str:
    return word.rstrip("/").rpartition("/")[2] if _SCRIPT.match(word) else ""
