"""Who did what in a run, for its report. Pure.

Facts of a kind that this module does not know are reported too: by their name and all their fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from switchover.clock import iso_utc
from switchover.migration.facts import events as ev
from switchover.migration.facts.operator import Operator
from switchover.migration.reports.run_timeline import timeline

__all__ = ["decisions", "evidence", "operators", "others", "rehearsals", "waivers", "what_happened"]

_KNOWN = frozenset(
    kind.__name__
    for kind in (
        *(
            ev.RunStarted,
            ev.BaselineMeasured,
            ev.PromisesMeasured,
            ev.VariablesGiven,
            ev.ConfirmationGiven,
            ev.RunEnded,
            ev.AbortRequested,
        ),
        *(
            ev.StepStarted,
            ev.StepEnded,
            ev.StepUnknown,
            ev.StepEndedLate,
            ev.StepNotStarted,
            ev.StepResolved,
            ev.StepRetried,
            ev.StepReady,
            ev.StepNotReady,
            ev.StepSkipped,
            ev.Ticked,
        ),
        *(ev.GateOpened, ev.GateWaitsForHuman, ev.GateAnswered, ev.GatePassed, ev.GateFailed),
        *(
            ev.GateGreen,
            ev.GateHeld,
            ev.GateBroken,
            ev.GateWaits,
            ev.GateUndecided,
            ev.RollbackStarted,
            ev.RollbackEnded,
        ),
        *(ev.PlanRebased, ev.OutputsPruned, ev.DriverChanged, ev.TakeoverAsked, ev.TakeoverAnswered),
    )
)
_EXCEPTION = re.compile(r"waive|waiver|acknowledge", re.IGNORECASE)
_REHEARSAL = re.compile(r"rehears", re.IGNORECASE)


def operators(records: Sequence[ev.Record]) -> list[dict[str, Any]]:
    """Return everybody who acted, in the order in which they first did, with what and how often."""
    found: dict[str, dict[str, Any]] = {}
    for record in records:
        by = getattr(record.event, "by", None)
        if not isinstance(by, Operator):
            continue
        at = iso_utc(record.at)
        entry = found.setdefault(str(by), {"operator": str(by), "first_at": at, "last_at": at, "actions": {}})
        entry["last_at"] = at
        name = _words(type(record.event).__name__)
        entry["actions"][name] = entry["actions"].get(name, 0) + 1
    return list(found.values())


def decisions(records: Sequence[ev.Record]) -> list[dict[str, Any]]:
    """Return what people decided, each with who, when and why."""
    found = []
    for record in records:
        about, decision, reason = "", "", ""
        seen: tuple[ev.Evidence, ...] = ()
        match record.event:
            case ev.ConfirmationGiven() as event:
                about, decision, reason, seen = (
                    f"step {event.step}",
                    "confirmed",
                    f"typed: {event.text}",
                    event.evidence,
                )
            case ev.StepStarted(confirmed=str(text)) as event if text:
                about, decision, reason, seen = f"step {event.unit}", "confirmed", f"typed: {text}", event.evidence
            case ev.GateAnswered() as event:
                about, decision, reason = f"gate {event.phase}", "go" if event.yes else "no-go", event.note
            case ev.StepResolved() as event:
                about, decision = f"step {event.unit}", f"resolved as {event.choice}"
                reason, seen = event.reason, event.evidence
            case ev.StepRetried() as event:
                about, decision = f"step {event.unit}", "may run again"
            case ev.AbortRequested() as event:
                about, decision, reason = event.what, "stopped", event.reason
            case ev.RollbackStarted() as event:
                about, decision = "rollback", event.name or "step by step"
            case ev.VariablesGiven() as event:
                about, decision = "variables", "; ".join(f"{n} = {v}" for n, v in event.values.items())
            case ev.PlanRebased() as event:
                about, decision = "plan", f"rebased to {event.plan_digest[:16]}"
                reason = "; ".join(filter(None, (event.reason, *event.changes)))
            case ev.DriverChanged() as event:
                about, decision, reason = "who drives", f"took over from {event.before or 'nobody'}", event.why
            case ev.TakeoverAnswered() as event:
                about, decision = "who drives", f"{'handed over to' if event.granted else 'refused'} {event.asked_by}"
                reason = event.why
            case _:
                continue
        found.append(
            {
                "at": iso_utc(record.at),
                "by": "the plan" if getattr(record.event, "policy", "") else str(getattr(record.event, "by", "")),
                "about": about,
                "decision": decision,
                "reason": reason or None,
                "evidence": [evidence(e) for e in seen],
            }
        )
    return found


def waivers(records: Sequence[ev.Record]) -> list[dict[str, Any]]:
    """Return what was let pass although it was not right: waivers and acknowledged warnings."""
    return [entry for name, entry in _unknown(records) if _EXCEPTION.search(name)]


def rehearsals(records: Sequence[ev.Record]) -> list[dict[str, Any]]:
    """Return the rehearsals on record."""
    return [entry for name, entry in _unknown(records) if _REHEARSAL.search(name)]


def others(records: Sequence[ev.Record]) -> list[dict[str, Any]]:
    """Return the facts that no other part of the report tells."""
    return [e for name, e in _unknown(records) if not _EXCEPTION.search(name) and not _REHEARSAL.search(name)]


def what_happened(records: Sequence[ev.Record]) -> list[dict[str, Any]]:
    """Return a line for each record."""
    rows: list[dict[str, Any]] = []
    rollback: ev.RollbackStarted | None = None
    for record in records:
        rollback = record.event if isinstance(record.event, ev.RollbackStarted) else rollback
        try:
            told: list[tuple[str, str, str]] = [
                (row.kind, row.text, row.status) for row in timeline([record], rollback)
            ]
        except TypeError:  # of a kind that the timeline has no words for
            told = [("other", _line(record.event), "")]
        rows += [
            {"seq": record.seq, "at": iso_utc(record.at), "kind": kind, "text": text, "status": status or None}
            for kind, text, status in told
        ]
    return rows


def evidence(seen: ev.Evidence) -> dict[str, Any]:
    """Return a check as it was observed."""
    return {
        "check": seen.check,
        "status": seen.status,
        "summary": seen.summary,
        "observed_at": iso_utc(seen.observed_at),
        "findings": [
            {"what": what, "expected": expected, "observed": observed, "status": status}
            for what, expected, observed, status in seen.findings
        ],
    }


def _unknown(records: Sequence[ev.Record]) -> Iterator[tuple[str, dict[str, Any]]]:
    for record in records:
        name = type(record.event).__name__
        if name not in _KNOWN:
            details = _fields(record.event)
            by = details.pop("by", None)
            told = {key: _told(key, value) for key, value in details.items()}
            yield name, {"at": iso_utc(record.at), "what": _words(name), "by": _person(by), "details": told}


def _fields(event: object) -> dict[str, Any]:
    data = msgspec.to_builtins(event)
    return dict(data) if isinstance(data, Mapping) else {}


def _told(key: str, value: object) -> object:
    """Write a point in time as one; the name of its field says that it is one."""
    return iso_utc(value) if isinstance(value, float) and (key == "until" or key.endswith("_at")) else value


def _person(by: object) -> str | None:
    if isinstance(by, Mapping) and {"who", "host"} <= by.keys():
        return str(Operator(str(by["who"]), str(by["host"]), str(by.get("tty", ""))))
    return str(by) if by else None


def _line(event: object) -> str:
    details = _fields(event)
    by = _person(details.pop("by", None))
    told = ", ".join(f"{name} {value}" for name, value in details.items() if value not in (None, "", [], {}))
    return f"{_words(type(event).__name__)}{f' by {by}' if by else ''}{f': {told}' if told else ''}"


def _words(name: str) -> str:
    """Write `WaiverGranted` as `waiver granted`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower()
