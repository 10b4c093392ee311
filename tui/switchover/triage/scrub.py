"""Takes out of a text what looks like a secret, whoever's it is: for what leaves this host, where too much is better.

What the program knows to be secret is taken out before; this is for what it cannot know: what others log and write down.
"""

from __future__ import annotations

import re

__all__ = ["scrub"]

_NAME = (
    r"[\w.-]*(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential)[\w.-]*"
)
_RULES = (
    (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
        "(private key)",
    ),
    (re.compile(r"(://[^/\s:@\"']*:)[^@\s/\"']+@"), r"\1(secret)@"),
    (
        re.compile(r"(\bauthorization[\"']?\s*[:=]\s*[\"']?(?:basic|bearer|token|digest)?\s*)[^\s\"',;\\]+", re.IGNORECASE),
        r"\1(secret)",
    ),
    (re.compile(r"(\b(?:basic|bearer)\s+)[A-Za-z0-9+/_=.-]{12,}", re.IGNORECASE), r"\1(secret)"),
    (re.compile(r"(\b(?:set-)?cookie[\"']?\s*[:=]\s*)[^\n\"\\]+", re.IGNORECASE), r"\1(secret)"),
    (re.compile(rf"(--?{_NAME}[= ])(?!\()[^\s\"',;]+", re.IGNORECASE), r"\1(secret)"),
    (re.compile(rf"({_NAME}\\?[\"']?\s*[:=]\s*\\?[\"'])(?!\()[^\"'\\\n]+", re.IGNORECASE), r"\1(secret)"),
    (re.compile(rf"({_NAME}\s*[:=]\s*)(?![\s\"'(\\{{\[|>])[^\s\"',;&}}\\]+", re.IGNORECASE), r"\1(secret)"),
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), "(access key)"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), "(token)"),
    (re.compile(r"\b(?:gh[pousr]_|github_pat_|xox[abprs]-|sk_live_|sk-|glpat-|AIza)[\w-]{16,}"), "(token)"),
)


def scrub(text: str) -> str:
    """Return the text without what looks like a password, a key or a token."""
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return text
