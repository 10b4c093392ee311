"""Changes for the timeline: each is listed once; what changes again and again has one row."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from switchover.redaction import sanitize
from switchover.services.inventory import ServiceState
from switchover.services.provider_api import ProcessState, ServiceEvent
from switchover.services.service_kind import service_kind
from switchover.snapshot import TimelineRow
from switchover.snapshot.states import EventKind, NamedStatus
from switchover_checks.api import Status
from switchover_checks.language.units import format_duration

__all__ = ["ChangeLog", "changes_of"]

_ROWS = 200
_TOGETHER_S = 120.0  # what happens again within this time is told in the same row
_LATE_S = 2 * 3600.0
_SAME_S = 3.0  # what a source told, and what is seen of it then
_KEYS = 500
_BAD = (Status.WARN, Status.CRIT, Status.UNKNOWN)
_WORDS = {
    "restarted": "restarted",
    "oom": "ran out of memory",
    "died": "died",
    "deploy": "deployed",
    "image": "image changed",
    "config": "configuration changed",
    "reload": "reloaded",
    "paused": "paused",
    "unpaused": "goes on",
    "failed": "failed",
    "removed": "removed",
}
_STATE_WORDS = frozenset({"died", "failed", "stopped", "gone", "paused", "unpaused", "started", "health", "created"})
_CRITICAL = frozenset({"oom", "died", "failed"})


@dataclass(frozen=True, slots=True)
class _Told:
    row: TimelineRow
    first: float
    times: int


class ChangeLog:
    """The rows, oldest first, at most 200. `redact` is applied to what sources say."""

    def __init__(self, redact: Callable[[str], str] = sanitize) -> None:
        self._redact = redact
        self.rows: deque[TimelineRow] = deque(maxlen=_ROWS)
        self.version = 0
        self._told: dict[tuple[str, str], _Told] = {}
        self._by_source: dict[tuple[str, str], float] = {}

    def add(self, row: TimelineRow) -> None:
        """Put a row at the end."""
        self.rows.append(row)
        self.version += 1

    def say(
        self,
        at: float,
        kind: EventKind,
        name: str,
        what: str,
        more: str = "",
        status: NamedStatus = "",
        *,
        about: str = "",
    ) -> None:
        """Tell that `what` happened to `name`. From the third time in a short while on, one row counts them.

        `about` is the id of what is called so, where that is another.
        """
        about = about or name
        key = (about, what)
        name, more = self._redact(name), self._redact(more)
        text = f"{name} {what}" + (f": {more}" if more else "")
        before = self._told.get(key)
        if before is None or not 0 <= at - before.row.at <= _TOGETHER_S:
            row = TimelineRow(at, kind, text, status, (about,))
            self._keep(key, _Told(row, at, 1))
            self.add(row)
            return
        times = before.times + 1
        if times > 2:
            span = format_duration(max(at - before.first, 1.0))
            text = f"{name} {what} {times} times in {span}" + (f": {more}" if more else "")
            if before.row in self.rows:
                self.rows.remove(before.row)
        row = TimelineRow(at, kind, text, status, (about,))
        self._keep(key, _Told(row, before.first, times))
        self.add(row)

    def _keep(self, key: tuple[str, str], told: _Told) -> None:
        self._told.pop(key, None)
        self._told[key] = told
        while len(self._told) > _KEYS:
            del self._told[next(iter(self._told))]

    def hear(self, name: str, told: ServiceEvent, now: float, about: str = "") -> None:
        """Record an event that a source reported of `name`.

        What the change of state will say by itself is left to that.
        """
        about = about or name
        if not told.text and told.what not in ("restarted", "oom", "deploy", "image", "config", "reload"):
            return
        late = _LATE_S if service_kind(told.kind).emits_late else _TOGETHER_S
        at = told.at if told.at is not None and -_TOGETHER_S < now - told.at < late else now
        word = _WORDS.get(told.what, told.what)
        status: NamedStatus = told.status.label if told.status is not None else "crit" if told.what in _CRITICAL else ""
        more = _without(word, told.text.removeprefix(f"{name} "))
        kind: EventKind = "change"
        if told.what == "health":  # how it feels is no change of it, but what a change may be the cause of
            kind, word, more = "service", more, ""
        self.say(at, kind, name, word, more, status, about=about)
        self._by_source[about, "state" if told.what in _STATE_WORDS else told.what] = at
        while len(self._by_source) > _KEYS:
            del self._by_source[next(iter(self._by_source))]

    def saw(self, name: str, before: ServiceState, after: ServiceState, about: str = "") -> None:
        """Record what an inspection found changed, unless the source has just reported it."""
        about = about or name
        at = after.observed_at or 0.0
        since = after.observation.since
        if _was_so(before, after):
            return
        for kind, what, more, status, topic in changes_of(before, after):
            told = self._by_source.get((about, topic))
            if told is None or abs(at - told) > _SAME_S:
                own = since is not None and topic == "state" and 0 <= at - since < _TOGETHER_S
                self.say(since if own and since is not None else at, kind, name, what, more, status, about=about)


def _without(word: str, text: str) -> str:
    """Return what a text says beyond a word that it may begin with."""
    rest = text.removeprefix(word)
    return text if rest == text or rest[:1].isalnum() else rest.lstrip(": ")


def _was_so(before: ServiceState, after: ServiceState) -> bool:
    """Say whether it had ended before the look before already: more is known of it now, and nothing happened."""
    since, looked_at = after.observation.since, before.observed_at
    ended = before.observation.state is after.observation.state is ProcessState.STOPPED
    return ended and since is not None and looked_at is not None and since < looked_at - _SAME_S


def changes_of(before: ServiceState, after: ServiceState) -> list[tuple[EventKind, str, str, NamedStatus, str]]:
    """Return what is another: kind of row, what happened, more of it, status, and what a source would call it."""
    was, seen = before.observation, after.observation
    told: list[tuple[EventKind, str, str, NamedStatus, str]] = []
    if before.observed_at is None:
        return told  # the first look is no change
    bad = seen.state is not ProcessState.RUNNING or seen.health in _BAD
    status = seen.health.label if bad else "ok"
    image = bool(seen.image and before.last_image and seen.image != before.last_image)
    if image:
        told.append(("change", "image changed", f"{before.last_image} → {seen.image}", "", "image"))
    if seen.config and before.last_config and seen.config != before.last_config and not image:
        told.append(("change", "configuration changed", "", "", "config"))
    restarted = after.restarts != before.restarts or (
        seen.restarts is not None and was.restarts is not None and seen.restarts > was.restarts
    )
    if restarted:
        told.append(("change", "restarted", f"now pid {seen.pid}" if seen.pid else "", status, "restarted"))
        if seen.health is was.health or (seen.state is ProcessState.RUNNING and not bad):
            return told
    if seen.state is not was.state:
        told.append(("service", seen.state.value, seen.detail, status, "state"))
    elif seen.health is not was.health:
        told.append(("service", seen.health.label, seen.detail, status, "state"))
    return told
