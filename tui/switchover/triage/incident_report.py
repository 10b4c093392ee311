"""An incident as Markdown: what happened, in its order. Nothing in it can break out of its place. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from switchover.markdown import plain
from switchover.triage.incident_store import Incident, IncidentFact
from switchover_checks.language.units import format_duration

__all__ = ["file_name", "incident_markdown"]

_WORDS = {
    "opened": "opened",
    "note": "note",
    "closed": "closed",
    "problem": "begins",
    "over": "is over",
}


def incident_markdown(incident: Incident) -> str:
    """Return the report. Times are UTC, to the second."""
    return "\n".join(_lines(incident)) + "\n"


def file_name(incident: Incident) -> str:
    """Return a file name that says what it is about."""
    slug = re.sub(r"[^a-z0-9]+", "-", incident.title.lower()).strip("-")[:40].strip("-")
    return f"{incident.number:04}-{slug}.md" if slug else f"{incident.number:04}.md"


def _lines(incident: Incident) -> Iterator[str]:
    opened, closed = incident.opened, incident.closed
    yield f"# Incident {incident.number}: {plain(incident.title)}"
    yield ""
    yield f"- opened: {_when(opened.at)} by {_who(opened)}"
    if closed is not None:
        yield f"- closed: {_when(closed.at)} by {_who(closed)}"
        yield f"- duration: {format_duration(closed.at - opened.at)}"
        if closed.text:
            yield f"- conclusion: {plain(closed.text)}"
    else:
        yield "- still open"
    yield ""
    yield from _problems(incident)
    yield from _notes(incident)
    yield "## What happened"
    yield ""
    yield "| time (UTC) | kind | what |"
    yield "|---|---|---|"
    day = ""
    for fact in sorted(incident.facts, key=lambda one: one.at):
        moment = _moment(fact.at)
        if moment[:10] != day:
            day = moment[:10]
            yield f"| **{day}** | | |"
        yield f"| {moment[11:]} | {plain(fact.kind or _kind(fact))} | {_what(fact)} |"


def _problems(incident: Incident) -> Iterator[str]:
    begun = incident.of("problem")
    if not begun:
        return
    yield "## What was wrong"
    yield ""
    yield "| from | until | what |"
    yield "|---|---|---|"
    ends = list(incident.of("over"))
    for fact in begun:
        end = next((one for one in ends if one.key == fact.key and one.at >= fact.at), None)
        if end is not None:
            ends.remove(end)
        until = _moment(end.at)[11:] if end is not None else "not over"
        yield f"| {_moment(fact.at)[11:]} | {until} | {plain(fact.status)} {plain(fact.text)} |"
    yield ""


def _notes(incident: Incident) -> Iterator[str]:
    notes = incident.of("note")
    if not notes:
        return
    yield "## Notes"
    yield ""
    yield from (f"- {_moment(fact.at)[11:]} {_who(fact)}: {plain(fact.text)}" for fact in notes)
    yield ""


def _kind(fact: IncidentFact) -> str:
    return "problem" if fact.what in {"problem", "over"} else "incident"


def _what(fact: IncidentFact) -> str:
    who = f" by {_who(fact)}" if fact.who else ""
    if fact.what == "row":
        return (f"**{plain(fact.status)}** " if fact.status in {"crit", "warn"} else "") + plain(fact.text)
    if fact.what in {"problem", "over"}:
        return f"{plain(fact.text)} {_WORDS[fact.what]}"
    return f"{_WORDS.get(fact.what, fact.what)}{who}: {plain(fact.text)}"


def _who(fact: IncidentFact) -> str:
    return plain(f"{fact.who}@{fact.host}" if fact.host else fact.who) or "nobody named"


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _when(at: float) -> str:
    return f"{_moment(at)} UTC"
