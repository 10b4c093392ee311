"""Keeps passwords in URLs out of what people read."""

from __future__ import annotations

import re

__all__ = ["redact_url_passwords"]

_USER = re.compile(r"(?P<before>[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@]*):[^\s/@]*(?:@[^\s/@]*)*@(?=[^\s@]*)")
_PARAMETER = re.compile(r"(?i)(?P<name>\b(?:password|passwd|pwd|token|api_?key|secret|sslpassword)=)[^&\s'\"]+")


def redact_url_passwords(text: str) -> str:
    """Replace the password of each URL, and of each `password=` and its like, by `***`."""
    return _PARAMETER.sub(r"\g<name>***", _USER.sub(r"\g<before>:***@", text))
