# ruff: noqa: E501 - a rule reads best in one line
"""Takes out of a text what looks like a secret, whoever's it is: for what leaves this host, where too much is better.

What the program knows to be secret is taken out before; this is for what it cannot know: what others log.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["redact_unknown"]

_I = re.IGNORECASE
_NAME = (
    r"(?:passwd|password|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential)[\w.-]{0,40}"
)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)", re.DOTALL
)
_PIECE = 32 * 1024
_RULES = (
    (re.compile(r"(://[^/\s:@\"']{0,100}:)[^@\s/\"']+@"), r"\1(secret)@"),
    (re.compile(r"(\bauthorization[\"']?[ \t]*[:=][ \t]*[\"']?(?:basic |bearer |token |digest )?)[^\s\"',;\\]+", _I), r"\1(secret)"),
    (re.compile(r"(\b(?:basic|bearer)[ \t]+)[A-Za-z0-9+/_=.-]{12,}", _I), r"\1(secret)"),
    (re.compile(r"(\b(?:set-)?cookie[\"']?[ \t]*[:=][ \t]*)[^\n\"\\]+", _I), r"\1(secret)"),
    (re.compile(rf"(--?[\w-]{{0,30}}{_NAME}[= ])(?!\()[^\s\"',;]+", _I), r"\1(secret)"),
    (re.compile(rf"({_NAME}\\?[\"']?[ \t]*[:=][ \t]*\\?[\"'])(?!\()[^\"'\\\n]+", _I), r"\1(secret)"),
    (re.compile(rf"({_NAME}[ \t]*[:=][ \t]*)(?![\s\"'(\\{{\[|>])[^\s\"',;&}}\\]+", _I), r"\1(secret)"),
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), "(access key)"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), "(token)"),
    (re.compile(r"\b(?:gh[pousr]_|github_pat_|xox[abprs]-|sk_live_|sk-|glpat-|AIza)[\w-]{16,}"), "(token)"),
)  # fmt: skip


def redact_unknown(text: str) -> str:
    """Return the text without what looks like a password, a key or a token."""
    return "".join(_scrub(piece) for piece in _pieces(_PRIVATE_KEY.sub("(private key)", text)))


def _scrub(text: str) -> str:
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return text


def _pieces(text: str) -> Iterator[str]:
    """Cut a long text behind line ends, so that other threads get their turn while it is looked through."""
    start = 0
    while len(text) - start > _PIECE:
        end = text.find("\n", start + _PIECE) + 1
        if not end:
            break
        yield text[start:end]
        start = end
    yield text[start:]
