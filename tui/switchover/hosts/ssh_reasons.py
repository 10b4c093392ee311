"""Why a line could not be made or broke, in words that say what to do."""

from __future__ import annotations

import re

from switchover.redaction import sanitize
from switchover_checks.unknown_secrets import redact_unknown

__all__ = ["reason_of"]

_KEYS = (
    "no key of yours opens it, and a password is never asked for here: set up a key with `ssh-copy-id {0}` "
    "(and `ssh-add`, where it has a passphrase), until `ssh -o BatchMode=yes {0} true` works"
)
_KNOWN = (
    (
        r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|no matching host key",
        "its host key is not known, or is another than before: compare it, then `ssh {0}` once by hand",
    ),
    (
        r"Permission denied|Too many authentication failures|No supported authentication methods",
        _KEYS,
    ),
    (r"Could not resolve hostname", "its name is not known: see ~/.ssh/config"),
    (r"Bad configuration option|no such identity|Bad owner or permissions", "see the ssh configuration"),
)
_NOISE = re.compile(r"^(\*\*|Warning: Permanently added|debug\d|Connection to .* closed\.?$)")


def reason_of(destination: str, said: bytes, code: int | None) -> str:
    """Return why, from what ssh wrote and its exit code. What ssh itself says always stands in it."""
    text = redact_unknown(sanitize(said[-4096:]))
    lines = [line.strip() for line in text.splitlines() if line.strip() and not _NOISE.match(line.strip())]
    last = lines[-1][:300] if lines else ""
    for pattern, words in _KNOWN:
        found = next((line for line in reversed(lines) if re.search(pattern, line)), "")
        if found:
            return f"{words.format(destination)} (ssh: {found[:300]})"
    if last:
        return last if last.startswith("ssh") else f"ssh: {last}"
    return f"ssh ended with exit code {code}" if code is not None else "the connection broke"
