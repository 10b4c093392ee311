"""The incident of a workspace: opened, annotated and closed by people; what happens meanwhile is kept with it."""

from __future__ import annotations

from pathlib import Path

from switchover.clock import Clock
from switchover.errors import RefusedError, StateError, SwitchoverError, UsageError
from switchover.hub.history.operations import Operations
from switchover.hub.hub_ports import Publishing
from switchover.migration.facts.operator import Operator
from switchover.private_files import replace_private
from switchover.snapshot import IncidentView, Snapshot, TimelineRow
from switchover.snapshot.states import NamedStatus
from switchover.triage.incident_report import file_name, incident_markdown
from switchover.triage.incident_store import MOST_TEXT, Incident, IncidentFact, IncidentStore
from switchover_checks.unknown_secrets import redact_unknown

__all__ = ["Incidents"]

_BEFORE_S = 900.0  # what led to it belongs to it
_NOTES_SHOWN = 50
_NOTE_SHOWN = 1000  # of each on a screen; the report has all of it
_MOST_TITLE = 300
_MOST_UNWRITTEN = 2000
_BEFORE = " (or it was so before)"
_RANK = {"crit", "warn", "unknown"}


class Incidents:
    """One incident is open at a time; it survives this process."""

    def __init__(
        self,
        folder: Path,
        operations: Operations,
        clock: Clock,
        hub: Publishing,
    ) -> None:
        self._store = IncidentStore(folder)
        self._operations = operations
        self._clock = clock
        self._hub = hub
        self._seen: set[tuple[float, str]] | None = None
        self._wrong: dict[str, tuple[NamedStatus, str]] = {}
        self._unwritten: list[IncidentFact] = []  # what the disk did not take, to be tried again
        self._shown: tuple[Incident, IncidentView] | None = None
        self.trouble = ""

    def view(self) -> IncidentView | None:
        """Return the incident that is open."""
        incident = self._store.open_one
        if incident is None:
            return None
        if self._shown is None or self._shown[0] is not incident or self._shown[1].trouble != self.trouble:
            notes = tuple((one.at, one.who, _shown(one.text)) for one in incident.of("note")[-_NOTES_SHOWN:])
            opened = incident.opened
            view = IncidentView(str(incident.number), incident.title, opened.at, opened.who, notes, self.trouble)
            same = self._shown is not None and self._shown[1] == view
            self._shown = (incident, self._shown[1] if same and self._shown is not None else view)
        return self._shown[1]

    async def open(self, title: str, operator: Operator, now: Snapshot) -> str:
        """Open an incident and return its number. Raise `RefusedError` while one is open."""
        fact = self._fact("opened", _asked(title, "a title: what is wrong, in a few words", _MOST_TITLE), operator)
        incident = self._store.begin(fact)
        self._seen, self._wrong, self._unwritten = set(), {}, []
        self.follow(now)
        await self._journal(operator, incident, f"opened: {fact.text}")
        self._hub.publish_now()
        return str(incident.number)

    async def note(self, text: str, operator: Operator) -> None:
        """Write a note down."""
        fact = self._fact("note", _asked(text, "a note"), operator)
        incident = self._store.add([fact])
        await self._journal(operator, incident, f"note: {fact.text}")
        self._hub.publish_now()

    async def close(self, text: str, operator: Operator, now: Snapshot) -> Path:
        """Close the incident, and return where its report lies. The report is written first."""
        incident = self._store.open_one
        if incident is None:
            raise RefusedError("no incident is open", "there is nothing to close")
        self.follow(now)
        fact = self._fact("closed", _bounded(" ".join(text.split()), MOST_TEXT), operator)
        whole = Incident(incident.number, (*(self._store.open_one or incident).facts, fact))
        path = self._store.folder / file_name(whole)
        _write(path, self._redact(incident_markdown(whole)))
        self._store.close(fact)
        await self._journal(operator, incident, "closed")
        self._hub.publish_now()
        return path

    def all(self) -> list[dict[str, object]]:
        """Return every incident, newest first: number, title, when, by whom, and where its report lies."""
        return [
            {
                "id": str(one.number),
                "title": one.title,
                "opened_at": one.opened.at,
                "opened_by": one.opened.who,
                "closed_at": one.closed.at if one.closed is not None else None,
                "closed_by": one.closed.who if one.closed is not None else "",
                "notes": len(one.of("note")),
                "path": str(path) if (path := self._store.folder / file_name(one)).exists() else "",
            }
            for one in reversed(self._store.all())
        ]

    def follow(self, now: Snapshot) -> None:
        """Keep what has happened since, while an incident is open. A write that fails is reported in `trouble`."""
        incident = self._store.open_one
        if incident is None:
            self._seen = None
            return
        if self._seen is None:  # this process has just begun: what is on record is known
            self._seen = {(one.at, one.text) for one in incident.of("row")}
            self._wrong = _still_wrong(incident)
        facts = [*self._rows(now.timeline, incident.opened.at), *self._problems(now)]
        facts = [*self._unwritten, *facts]
        self._unwritten = []
        for number, fact in enumerate(facts):
            try:
                self._store.add([fact], durable=False)
                self.trouble = ""
            except StateError as error:
                self.trouble, self._unwritten = error.title, facts[number:][-_MOST_UNWRITTEN:]
                return

    def _rows(self, timeline: tuple[TimelineRow, ...], opened_at: float) -> list[IncidentFact]:
        assert self._seen is not None
        fresh = [row for row in timeline if row.at >= opened_at - _BEFORE_S and (row.at, row.text) not in self._seen]
        self._seen.update((row.at, row.text) for row in fresh)
        return [
            IncidentFact(row.at, "row", self._redact(row.text), status=row.status, kind=row.kind)
            for row in reversed(fresh)
            if row.kind != "incident" and ": incident #" not in row.text  # they are facts of their own
        ]

    def _problems(self, now: Snapshot) -> list[IncidentFact]:
        at = self._clock.now()
        wrong: dict[str, tuple[NamedStatus, str]] = {
            f"{p.check or p.service or p.subject}": (p.status, f"{p.subject}: {p.what}" + _BEFORE * p.or_before)
            for p in now.problems[:50]
            if p.status in _RANK
        }
        facts = [
            IncidentFact(at, "over", text.partition(":")[0], key=key, kind="problem")
            for key, (_, text) in self._wrong.items()
            if key not in wrong
        ]
        since = {p.check or p.service or p.subject: p.since for p in now.problems}
        facts += [
            IncidentFact(
                max(since.get(key) or at, 0.0), "problem", self._redact(text), key=key, status=status, kind="problem"
            )
            for key, (status, text) in wrong.items()
            if key not in self._wrong
        ]
        self._wrong = wrong
        return facts

    async def _journal(self, operator: Operator, incident: Incident, text: str) -> None:
        """Say it in the journal of operations too. It is on record already: what fails here undoes nothing of that."""
        try:
            await self._operations.record(operator, "incident", f"#{incident.number}", text)
        except SwitchoverError as error:
            self.trouble = error.title

    def _redact(self, text: str) -> str:
        """Take out what is secret, and what looks like it: a report is handed on."""
        return redact_unknown(self._hub.redact(text))

    def _fact(self, what: str, text: str, operator: Operator) -> IncidentFact:
        return IncidentFact(self._clock.now(), what, self._redact(text), operator.who, operator.host)


def _asked(text: str, what: str, most: int = MOST_TEXT) -> str:
    text = " ".join(text.split())
    if not text:
        raise UsageError(f"an incident needs {what}")
    return _bounded(text, most)


def _bounded(text: str, most: int) -> str:
    """Refuse what would have to be cut: of what a person wrote, nothing is left out."""
    if len(text) > most:
        raise UsageError(
            f"this has {len(text):,} characters, and {most:,} is the most: nothing was written down",
            "say it shorter, in several notes, or name the file that it stands in",
        )
    return text


def _shown(text: str) -> str:
    return text if len(text) <= _NOTE_SHOWN else f"{text[: _NOTE_SHOWN - 1]}…"


def _still_wrong(incident: Incident) -> dict[str, tuple[NamedStatus, str]]:
    wrong: dict[str, tuple[NamedStatus, str]] = {}
    for fact in incident.of("problem", "over"):
        if fact.what == "problem":
            wrong[fact.key] = (fact.status, fact.text)
        else:
            wrong.pop(fact.key, None)
    return wrong


def _write(path: Path, text: str) -> None:
    """Write a private file whole or not at all."""
    try:
        replace_private(path, text.encode("utf-8", "replace"))
    except OSError as error:
        raise StateError(f"the report cannot be written: {error.strerror}", f"free space at {path.parent}") from error
