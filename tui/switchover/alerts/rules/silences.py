"""Silences and acknowledgements: whom nobody is told of for a while. Each has an end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from switchover.errors import UsageError
from switchover.snapshot import SilenceRecord

__all__ = ["matches", "parse_matchers", "silenced_by"]


def parse_matchers(texts: Iterable[str]) -> tuple[str, ...]:
    """Return matchers as they are kept. `NAME` alone is the alert of that name. Raise `UsageError`."""
    found = []
    for text in texts:
        label, sign, pattern = text.partition("=")
        label, pattern = (label.strip(), pattern.strip()) if sign else ("alertname", text.strip())
        negated = label.endswith("!")
        label = label.removesuffix("!")
        if not label.replace("_", "a").isalnum() or not pattern:
            raise UsageError(f"{text!r} is no matcher", "write an alert's name, or LABEL=VALUE; * stands for anything")
        label = "alertname" if label == "name" else label
        found.append(f"{label}{'!' if negated else ''}={pattern}")
    if not found:
        raise UsageError("a silence without a matcher would silence everything", "name an alert, or write alertname=*")
    return tuple(found)


def matches(matchers: Iterable[str], labels: Mapping[str, str]) -> bool:
    """Tell whether all matchers hold for these labels."""
    for matcher in matchers:
        label, _, pattern = matcher.partition("=")
        negated = label.endswith("!")
        if fnmatchcase(labels.get(label.removesuffix("!"), ""), pattern) is negated:
            return False
    return True


def silenced_by(
    silences: Iterable[SilenceRecord], key: str, labels: Mapping[str, str], now: float
) -> SilenceRecord | None:
    """Return the silence under which an alert stands now; an acknowledgement is of one firing alone."""
    for silence in silences:
        if silence.start <= now < silence.until:
            if silence.ack:
                if silence.matchers == (key,):
                    return silence
            elif matches(silence.matchers, labels):
                return silence
    return None
