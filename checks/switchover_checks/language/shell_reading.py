"""Does a command only read? Told from its text, for programs that are known and in which nothing else is started.

This is no shell. What it does not understand (a substitution, a loop, a redirection into a file) is taken to change
something. A wrong "it only reads" would let a check write where nothing may.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence

__all__ = ["not_reading", "not_reading_argv"]

Judge = Callable[[Sequence[str]], bool]

_READERS = frozenset(
    str.split(
        """: [ basename cat cd cmp cut df diff dirname du echo egrep exit false fgrep free getent grep head id ls
        md5sum netstat nproc pg_isready pgrep pidof ping printf ps pwd readlink realpath seq sha1sum sha256sum
        sha512sum sleep stat tail test tr true uname uptime wc which whoami"""
    )
)
"""Programs that change nothing, whatever their arguments are."""
_PREFIXES = frozenset({"if", "then", "elif", "else", "fi", "while", "until", "do", "done", "!", "{", "}"})
_HARMLESS_TARGETS = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr"})
_FOLDERS = ("/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/")
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_ENDS = re.compile(r"[;&|()\n]+")
_REDIRECTION = re.compile(r"[<>&|]*[<>][<>&|]*")


def not_reading(text: str) -> str:
    """Say why a text for the shell may change something; empty where each of its commands is known to read."""
    text = _VARIABLE.sub(r"$\1", text)
    if any(mark in text for mark in ("`", "$(", "<(", ">(", "${")):
        return "starts a command inside another"
    lexer = shlex.shlex(text.replace("\\\n", " ").replace("\n", " ; "), posix=True, punctuation_chars=";&|()<>")
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError:
        return "is not understood"
    command: list[str] = []
    for word in [*_without_redirections(words), ";"]:
        if word == ">":
            return "writes into a file"
        if not _ENDS.fullmatch(word):
            command.append(word)
            continue
        if command and (reason := not_reading_argv(_bare(command))):
            return reason
        command = []
    return ""


def not_reading_argv(argv: Sequence[str]) -> str:
    """Say why one command may change something; empty where its program is known to read."""
    if not argv:
        return ""
    name = argv[0]
    folder, _, short = name.rpartition("/")
    if folder and f"{folder}/" not in _FOLDERS:
        short = ""
    if short in _READERS or (short in _JUDGES and _JUDGES[short](argv[1:])):
        return ""
    return f"runs {name[:60]!r}, which is not known to only read"


def _without_redirections(words: Sequence[str]) -> list[str]:
    """Take out redirections that write nothing; one that writes into a file stays as `>`."""
    kept: list[str] = []
    skip = False
    for place, word in enumerate(words):
        if skip:
            skip = False
            continue
        if not _REDIRECTION.fullmatch(word):
            kept.append(word)
            continue
        target = words[place + 1] if place + 1 < len(words) else ""
        if kept and kept[-1].isdecimal():
            kept.pop()
        skip = True
        reads = ">" not in word and word.startswith("<")
        copies = word.endswith("&") and (target.isdecimal() or target == "-")
        if not (reads or copies or target in _HARMLESS_TARGETS):
            kept.append(">")
    return kept


def _bare(command: list[str]) -> list[str]:
    while command and command[0] in _PREFIXES:
        command = command[1:]
    return command


def _first_is(*reading: str) -> Judge:
    """Make the judge of a program whose first argument names what is done."""
    return lambda arguments: bool(arguments) and arguments[0] in reading


def _lists_or_discards(arguments: Sequence[str]) -> bool:
    """Tell whether pg_restore lists a dump or writes it nowhere, and touches no database."""
    if any(a.startswith(("-d", "--dbname", "-C", "--create")) for a in arguments):
        return False
    joined = " ".join(arguments)
    return (
        any(a in ("-l", "--list") for a in arguments) or re.search(r"(-f|--file)[ =]?/dev/null\b", joined) is not None
    )


_JUDGES = {
    "systemctl": _first_is("is-active", "is-enabled", "is-failed", "status", "show", "list-units", "cat"),
    "docker": _first_is("ps", "inspect", "logs", "version", "info", "images", "stats", "top", "port"),
    "kubectl": _first_is("get", "describe", "logs", "version", "top"),
    "command": _first_is("-v", "-V"),
    "date": lambda arguments: all(a.startswith("+") or a in ("-u", "-R", "-I") for a in arguments),
    "hostname": lambda arguments: all(a.startswith("-") and a not in ("-F", "-b") for a in arguments),
    "gzip": lambda arguments: bool(arguments) and arguments[0] in ("-t", "--test", "-l", "--list"),
    "tar": lambda arguments: bool(arguments) and arguments[0] in ("-tf", "-tzf", "tf", "tzf", "-tjf", "-tJf"),
    "pg_restore": _lists_or_discards,
}
"""Programs that only read with some of their arguments."""
