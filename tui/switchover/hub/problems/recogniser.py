"""Recognises what is wrong by the entries that ship with the program; what was judged once is not judged again."""

from __future__ import annotations

from collections.abc import Sequence

from switchover.triage.entries import KnownIssue, Match
from switchover.triage.evidence import ProblemEvidence
from switchover.triage.known import KNOWN
from switchover.triage.matching import match

__all__ = ["Recogniser"]

_MOST_KEPT = 2000


class Recogniser:
    """Remembers its judgements by what they rest on."""

    def __init__(self, entries: Sequence[KnownIssue] = KNOWN) -> None:
        self._entries = entries
        self._judged: dict[tuple[object, ...], tuple[Match, ...]] = {}

    def __call__(self, evidence: ProblemEvidence) -> tuple[Match, ...]:
        """Return the entries that fit, the one that names a cause first."""
        key = _key(evidence)
        judged = self._judged.get(key)
        if judged is None:
            if len(self._judged) >= _MOST_KEPT:
                self._judged.clear()
            judged = self._judged[key] = match(evidence, self._entries)
        return judged


def _key(evidence: ProblemEvidence) -> tuple[object, ...]:
    row, check, metric = evidence.service, evidence.check, evidence.metric
    return (
        (row.name, row.state, row.health, row.detail, row.restarts) if row is not None else None,
        (check.name, check.kind, check.status, check.summary, check.phase, check.findings)
        if check is not None
        else None,
        (metric.name, metric.status, metric.latest) if metric is not None else None,
        evidence.lines,
    )
