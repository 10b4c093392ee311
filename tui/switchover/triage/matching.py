"""Which entries fit something that is wrong now, and why. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from switchover.triage.entries import KnownIssue, Match, Sign, Sort
from switchover.triage.evidence import ProblemEvidence

__all__ = ["match", "valid_values"]

_SHOWN = 140
_TOGETHER = 10  # lines that are of one happening: within these the order of the entries counts
_VALID = {
    "PORT": re.compile(r"[1-9][0-9]{0,4}"),
    "HOST": re.compile(r"[A-Za-z0-9\[_][A-Za-z0-9._:\]-]{0,252}"),
    "PATH_": re.compile(r"/[^\x00-\x1f\x7f]{0,1000}"),
}


def match(evidence: ProblemEvidence, entries: Iterable[KnownIssue]) -> tuple[Match, ...]:
    """Return the entries that fit, in their order: what names a cause stands before what only shows.

    What the log said well before its last lines stands behind: that may have been got over long ago.
    """
    found = [one for entry in entries if (one := _match(evidence, entry)) is not None]
    return tuple(sorted(found, key=lambda one: one.back // _TOGETHER))


def _match(evidence: ProblemEvidence, entry: KnownIssue) -> Match | None:
    for sign in entry.signs:
        if sign.test is not None:
            if because := sign.test(evidence):
                return Match(entry, because)
            continue
        for label, text, back in _texts(evidence, sign):
            found = sign.pattern.search(text) if sign.pattern is not None else None
            if found is None or (sign.unless is not None and sign.unless.search(text)):
                continue
            return Match(entry, f"{label}: {_excerpt(text, found.end())}", valid_values(found.groupdict()), back)
    return None


def _texts(evidence: ProblemEvidence, sign: Sign) -> Iterator[tuple[str, str, int]]:
    """Yield (whose, text, how many lines are newer) for every text in which a sign is searched."""
    row, check = evidence.service, evidence.check
    if Sort.SERVICE in sign.places and row is not None and evidence.said:
        yield f"{row.name} is {row.state}", evidence.said, 0
    if Sort.CHECK in sign.places and check is not None and evidence.observed:
        yield f"{check.name} observed" + (f" ({check.phase})" if check.phase else ""), evidence.observed, 0
    if Sort.LOG in sign.places or Sort.ANY_LOG in sign.places:
        for back, line in enumerate(evidence.all_told if Sort.ANY_LOG in sign.places else evidence.told):
            yield "its log says", line, back


def _excerpt(text: str, end: int) -> str:
    """Return what is told, without its begin where that would push out the sign, which ends at `end`."""
    start = max(min(end + 10, len(text)) - _SHOWN, 0)
    part = " ".join(text[start:].split())
    said = part if len(part) <= _SHOWN else f"{part[: _SHOWN - 1]}…"
    return f"…{said}" if start else said


def valid_values(values: Mapping[str, str | None]) -> dict[str, str]:
    """Return the values that are what their names say. A text from outside is never trusted beyond that."""
    kept = {}
    for name, value in values.items():
        pattern = _VALID.get(name)
        if value and pattern is not None and pattern.fullmatch(value) and not (name == "PORT" and int(value) > 65535):
            kept[name] = value
    return kept
