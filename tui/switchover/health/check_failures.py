"""The last failures of a check in full. Each time it failed, what was found and said is kept once."""

from __future__ import annotations

import msgspec

from switchover.snapshot.states import StatusWord
from switchover_checks.api import Result, Status

__all__ = ["KEPT_FAILURES", "CheckFailure", "FailedFinding", "note_failure"]

KEPT_FAILURES = 5
_MOST_FINDINGS = 20
_MOST_TEXT = 2000


class FailedFinding(msgspec.Struct, frozen=True, array_like=True):
    """What was not as expected."""

    what: str
    expected: str
    observed: str
    status: StatusWord
    hint: str = ""


class CheckFailure(msgspec.Struct, frozen=True, omit_defaults=True):
    """One stretch of bad results: its first in full. `until` is the newest of them, `times` how many they were."""

    at: float
    until: float
    status: StatusWord
    summary: str
    phase: str = ""
    times: int = 1
    findings: tuple[FailedFinding, ...] = ()
    evidence: tuple[tuple[str, str], ...] = ()
    over: bool = False


def note_failure(kept: tuple[CheckFailure, ...], result: Result, at: float) -> tuple[CheckFailure, ...]:
    """Return the failures after one more result, newest first. The same status again belongs to the same stretch."""
    newest = kept[0] if kept and not kept[0].over else None
    if result.status in (Status.SKIPPED, Status.PENDING):
        return kept
    if result.status is Status.OK:
        return kept if newest is None else (msgspec.structs.replace(newest, over=True), *kept[1:])
    if newest is not None and newest.status == result.status.label:
        return (msgspec.structs.replace(newest, until=at, times=newest.times + 1), *kept[1:])
    ended = kept if newest is None else (msgspec.structs.replace(newest, over=True), *kept[1:])
    return (_of(result, at), *ended)[:KEPT_FAILURES]


def _of(result: Result, at: float) -> CheckFailure:
    bad = [f for f in result.findings if f.status is not Status.OK][:_MOST_FINDINGS]
    return CheckFailure(
        at,
        at,
        result.status.label,
        result.summary[:_MOST_TEXT],
        result.phase,
        findings=tuple(
            FailedFinding(f.what[:_MOST_TEXT], f.expected[:_MOST_TEXT], f.observed[:_MOST_TEXT], f.status.label, f.hint)
            for f in bad
        ),
        evidence=tuple((what, text[-_MOST_TEXT:]) for what, text in list(result.evidence.items())[:_MOST_FINDINGS]),
    )
