"""Redacts known secrets from all that is written and shown, from the moment each is fetched."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from switchover.redaction import Redactor, sanitize
from switchover_checks.unknown_secrets import redact_unknown

__all__ = ["KnownSecrets"]


class KnownSecrets:
    """Takes out of any text the secrets that have been fetched so far, and what looks like one."""

    def __init__(self) -> None:
        self._ask: Callable[[], Mapping[str, str]] = dict
        self._known: Mapping[str, str] = {}
        self._redactor = Redactor({})

    def follow(self, ask: Callable[[], Mapping[str, str]]) -> None:
        """Learn each secret as soon as `ask` returns it."""
        self._ask = ask

    def values(self) -> Mapping[str, str]:
        """Return the secrets known by now, by name."""
        return self._ask()

    def redact(self, text: str) -> str:
        """Return `text` without the secrets that are known, and without what looks like one."""
        return redact_unknown(self._without_known(text))

    def display(self, text: str) -> str:
        """Return `text` without secrets and without control sequences."""
        return redact_unknown(sanitize(self._without_known(text)))

    def _without_known(self, text: str) -> str:
        if (known := self._ask()) != self._known:
            self._known, self._redactor = dict(known), Redactor(known)
        return self._redactor.redact(text)
