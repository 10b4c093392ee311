"""Units that failed and look well again, or that systemd has forgotten: kept until a person has seen them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from switchover.services.provider_api import ServiceEvent
from switchover.snapshot import ServiceRow

__all__ = ["FAILED", "FailedUnits"]

FAILED = "failed:"  # how the id of a row begins that is here because its unit failed
_MOST = 50
_FOR_EVER_S = 1e9  # what is over does not get too old to be true


class FailedUnits:
    """Remembers each unit that was seen to fail, or of which systemd said so. For a host that no plan describes.

    While a unit is failed its own row says so; a row from here says it once that one no longer does.
    """

    def __init__(self) -> None:
        self._rows: tuple[ServiceRow, ...] = ()
        self._failed: dict[str, ServiceRow] = {}
        self._seen: dict[str, str] = {}  # which failure of a unit a person has seen
        self._kept: tuple[ServiceRow, ...] = ()

    def hear(self, told: ServiceEvent, detail: str, now: float) -> None:
        """Take what systemd told of a unit; it may have forgotten it before anybody lists its units."""
        seen = told.observation
        if told.kind == "systemd" and told.what == "failed" and seen is not None:
            name, at = told.ref.removesuffix(".service"), told.at or now
            row = ServiceRow(name, "", "systemd", "stopped", "crit", detail, id=f"systemd:{told.ref}", wrong_since=at)
            self._note(replace(row, identity=seen.identity, changed_at=at, observed_at=now))
            self._rows = ()  # those that come next are compared anew

    def follow(self, rows: tuple[ServiceRow, ...]) -> tuple[ServiceRow, ...]:
        """Return a row for each failure that no row of `rows` shows; these are those of what was found."""
        if rows is not self._rows and any(row.kind == "systemd" for row in rows):  # else systemd was not asked yet
            self._rows = rows
            self._kept = tuple(self._compare(rows))
        return self._kept

    def seen(self, name: str) -> None:
        """Forget the failure of a unit that a person has looked at, or did something about."""
        unit = name.removeprefix(FAILED)
        if (row := self._failed.pop(unit, None)) is not None:
            self._seen[unit] = row.identity
            self._kept = tuple(one for one in self._kept if one.id != FAILED + unit)

    def _note(self, row: ServiceRow) -> None:
        if self._seen.get(row.id) == row.identity or (row.id not in self._failed and len(self._failed) >= _MOST):
            return
        self._seen.pop(row.id, None)
        self._failed[row.id] = row

    def _compare(self, rows: tuple[ServiceRow, ...]) -> Iterable[ServiceRow]:
        units = {row.id: row for row in rows if row.kind == "systemd"}
        for row in units.values():
            if _fails(row) and row.detail.startswith("failed"):
                self._note(row)
        for unit, failed in self._failed.items():
            there = units.get(unit)
            if there is None or not (_fails(there) or there.state == "unknown"):
                yield _kept(failed, there)


def _fails(row: ServiceRow) -> bool:
    return row.state == "stopped" and row.health == "crit"


def _kept(failed: ServiceRow, there: ServiceRow | None) -> ServiceRow:
    if there is None:
        since = "systemd has forgotten it since"
    else:
        since = "it runs again" if there.state == "running" else "its failure was reset since"
    return replace(
        failed,
        id=FAILED + failed.id,
        health="warn" if there is not None and there.state == "running" else "crit",
        detail=f"{failed.detail}; {since}",
        actions=(),
        needs=(),
        stale_after_s=_FOR_EVER_S,
        wrong_since=failed.wrong_since or failed.changed_at,
    )
