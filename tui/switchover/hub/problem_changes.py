"""What changed just before something went wrong: deploys, restarts, steps, images, configuration, what people did."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from switchover.snapshot import TimelineRow

__all__ = ["Changes"]

_KINDS = frozenset({"step", "run", "change", "action"})
_RESTART = (" restarted", " deployed")
_OF_ITS_OWN_S = 1800.0
_OF_OTHERS_S = 180.0
_AFTER_S = 5.0  # a source may tell late
_MOST = 4


class Changes:
    """The rows of a timeline that tell of a change, looked through once for all problems."""

    def __init__(self, timeline: Sequence[TimelineRow]) -> None:
        rows = [row for row in timeline if _is_change(row)]
        rows.sort(key=lambda row: row.at, reverse=True)
        self._rows = [(row, frozenset(row.text.replace(":", " ").replace(",", " ").split())) for row in rows]

    def before(self, since: float | None, names: Collection[str]) -> tuple[TimelineRow, ...]:
        """Return what changed before `since`, newest first: of any of `names` in half an hour, else in minutes."""
        if since is None or not self._rows:
            return ()
        wanted = frozenset(name for name in names if name)
        kept: list[TimelineRow] = []
        for row, words in self._rows:
            age = since - row.at
            if age < -_AFTER_S:
                continue
            if age > _OF_ITS_OWN_S or len(kept) == _MOST:
                break
            if age <= _OF_OTHERS_S or wanted & words:
                kept.append(row)
        return tuple(kept)


def _is_change(row: TimelineRow) -> bool:
    """Say whether a row tells of a change. That something died is no change, but what is to be explained."""
    if row.kind not in _KINDS:
        return row.kind == "service" and _restarts(row.text)
    return row.kind != "change" or row.status != "crit" or _restarts(row.text)


def _restarts(text: str) -> bool:
    return any(word in text for word in _RESTART)
