"""Units and containers that failed and left nothing to see: kept until a person has seen that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from switchover.services.provider_api import ServiceEvent
from switchover.snapshot import ServiceRow

__all__ = ["FAILED", "KeptFailures"]

FAILED = "failed:"  # how the id of a row begins that is here because it failed
_MOST = 50
_FOR_EVER_S = 1e9  # what is over does not get too old to be true
_FORGETS = {"systemd": "systemd has forgotten it since", "docker": "its container is removed since"}


@dataclass(slots=True)
class KeptFailures:
    """Remembers each unit or container that failed. For a host that no plan describes.

    While the unit is there and failed its own row says so. Once that row no longer does, a row from here says it.
    `seen` tells which failure of a thing a person has seen.
    """

    failed: dict[str, ServiceRow] = field(default_factory=dict)
    seen_by: dict[str, str] = field(default_factory=dict)
    kept: tuple[ServiceRow, ...] = ()
    _rows: tuple[ServiceRow, ...] = ()

    def hear(self, told: ServiceEvent, detail: str, now: float) -> None:
        """Take what a source reported of a thing; it may be forgotten before anybody lists it."""
        seen = told.observation
        if told.kind in _FORGETS and told.what == "failed" and seen is not None:
            name, at = told.ref.removesuffix(".service"), told.at or now
            row = ServiceRow(name, "", told.kind, "stopped", "crit", detail, id=f"{told.kind}:{told.ref}")
            row = replace(row, identity=seen.identity, image=seen.image, wrong_since=at, changed_at=at, observed_at=now)
            self._note(row)
            self._rows = ()  # those that come next are compared anew

    def follow(self, rows: tuple[ServiceRow, ...]) -> tuple[ServiceRow, ...]:
        """Return a row for each failure that no row of `rows` shows; these are those of what was found."""
        if rows is not self._rows and rows:
            self._rows = rows
            self.kept = tuple(self._compare(rows))
        return self.kept

    def seen(self, name: str) -> None:
        """Forget the failure of a thing that a person has seen, or did something about."""
        unit = name.removeprefix(FAILED)
        if (row := self.failed.pop(unit, None)) is not None:
            self.seen_by[unit] = row.identity
            self.kept = tuple(one for one in self.kept if one.id != FAILED + unit)
            while len(self.seen_by) > 10 * _MOST:
                del self.seen_by[next(iter(self.seen_by))]

    def _note(self, row: ServiceRow) -> None:
        if self.seen_by.get(row.id) == row.identity or (row.id not in self.failed and len(self.failed) >= _MOST):
            return
        self.seen_by.pop(row.id, None)
        self.failed[row.id] = row

    def _compare(self, rows: tuple[ServiceRow, ...]) -> Iterable[ServiceRow]:
        there = {row.id: row for row in rows if row.kind in _FORGETS}
        listed = {row.kind for row in there.values()} | {"docker"}  # a container was told of when it was removed
        for row in there.values():
            if row.kind == "systemd" and _fails(row) and row.detail.startswith("failed"):
                self._note(row)
        before = {row.id: row for row in self.kept}
        for name, failed in self.failed.items():
            if failed.kind not in listed:  # its source was not asked yet
                yield from filter(None, (before.get(FAILED + name),))
            elif (now := there.get(name)) is None or not (_fails(now) or now.state == "unknown"):
                yield _kept(failed, now)


def _fails(row: ServiceRow) -> bool:
    return row.state == "stopped" and row.health == "crit"


def _kept(failed: ServiceRow, there: ServiceRow | None) -> ServiceRow:
    if there is None:
        since = _FORGETS[failed.kind]
    elif there.state == "running":
        since = "it runs again"
    else:
        since = "its failure was reset since" if failed.kind == "systemd" else "another one of its name has ended since"
    return replace(
        failed,
        id=FAILED + failed.id,
        health="warn" if there is not None and there.state == "running" else "crit",
        detail=f"{failed.detail}; {since}",
        actions=("logs", "inspect"),
        needs=(),
        stale_after_s=_FOR_EVER_S,
        wrong_since=failed.wrong_since or failed.changed_at,
    )
