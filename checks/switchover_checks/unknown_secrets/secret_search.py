"""Finds what looks like a secret, in each way in which a text can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from switchover_checks.unknown_secrets.secret_table import BY_NEED
from switchover_checks.unknown_secrets.shape_rules import tokens
from switchover_checks.unknown_secrets.text_readings import RUN, inside, readings

__all__ = ["MARK", "redact_unknown", "unknown_spans"]

MARK = "(secret)"
_PIECE = 32 * 1024
_SHORT = 512
_DEEPEST = 2
_LETTERS = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_CAPITALS = {capital: capital + 32 for capital in range(65, 91)}
_LINE_OF_KEY = range(60, 79)
_PORT = re.compile(r":(?:\d{4,5}|\*):[^:\s]+:[^:\s]+:")
_PGPASS = re.compile(
    r"(?<![\w:./-])(?:[\w.-]{0,100}[A-Za-z][\w.-]{0,100}|(?:\d{1,3}\.){3}\d{1,3}|\*|/[\w./-]{1,200}):(?:\d{4,5}|\*)"
    r":[^:\s]{1,63}:[^:\s]{1,63}:([^\s:\"'&\\]{1,200})(?![^\s\"'&\\])"
)


def redact_unknown(text: str, before: str = "") -> str:
    """Return the text without what looks like a password, a key or a token.

    `before` is the text just before it in the same stream. A secret that began or was named there is found too.
    """
    if before:
        return _behind(before, text)
    if len(text) <= _SHORT:
        return _redacted_again(text)
    return _redacted(text) if len(text) <= _PIECE else "".join(map(_redacted, _pieces(text)))


def _behind(before: str, text: str) -> str:
    whole, reach = before + text, len(before)
    out = ""
    for start, end in unknown_spans(whole):
        if end > reach:
            # What of it stood before has its mark there.
            out += whole[reach:start] + MARK if start >= len(before) else ""
            reach = end
    return out + whole[reach:]


def _redacted(text: str) -> str:
    out, reach = "", 0
    for start, end in unknown_spans(text):
        out += text[reach:start] + MARK
        reach = end
    return out + text[reach:] if reach else text


_redacted_again = lru_cache(maxsize=16384)(_redacted)  # rows and messages are shown again and again


def unknown_spans(text: str, depth: int = 0) -> Sequence[tuple[int, int]]:
    """Return where secrets stand, in order and apart from each other."""
    found: list[tuple[int, int]] = []
    for reading in readings(text):
        found += [reading.place(*span) for span in (*_of_rules(reading.text), *_lines(reading.text))]
    for run in RUN.finditer(text):
        if depth < _DEEPEST and any(unknown_spans(within, depth + 1) for within in inside(run[0])):
            found.append(run.span())
        else:
            found += [line.span() for line in _LETTERS.finditer(text, *run.span()) if _is_line_of_key(line[0])]
    merged: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _of_rules(text: str) -> Iterator[tuple[int, int]]:
    small = text.lower() if text.isascii() else text.translate(_CAPITALS)
    for need, by_sign in BY_NEED.items():
        if need not in text:
            continue
        for sign, rules in by_sign.items():
            place = small.find(sign)
            reach = [0] * len(rules) if place >= 0 else []
            while place >= 0:
                for number, rule in enumerate(rules):
                    if place >= reach[number]:
                        for start, end in rule.at(text, place):
                            reach[number] = end
                            yield start, end
                place = small.find(sign, place + 1)
    yield from tokens(text)


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """Yield the passwords in lines of a file of PostgreSQL's."""
    for port in _PORT.finditer(text):
        line = text.rfind("\n", 0, port.start()) + 1
        if (match := _PGPASS.search(text, max(line, port.start() - 220))) is not None and match.start(1) >= port.end():
            yield match.span(1)


def _is_line_of_key(run: str) -> bool:
    """Tell a line from within a private key from a digest. It stands alone where lines are shown one by one."""
    if len(run) not in _LINE_OF_KEY or "-" in run or "_" in run:
        return False
    return any(c.isdigit() for c in run) and not (run.islower() or run.isupper())


def _pieces(text: str) -> Iterator[str]:
    """Cut a long text behind line ends, so that other threads get their turn meanwhile."""
    start = 0
    while len(text) - start > _PIECE:
        end = text.find("\n", start + _PIECE) + 1
        if not end:
            break
        yield text[start:end]
        start = end
    yield text[start:]
