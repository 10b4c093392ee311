"""What changed just before something went wrong: deploys, restarts, steps, images, configuration, what people did."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from switchover.snapshot import CheckRow, Problem, ServiceRow, TimelineRow

__all__ = ["RecentChanges", "around"]

_BY_HAND = frozenset({"step", "run", "action"})
_NO_CHANGE = (": made a bundle ",)
_FELL = (" restarted", " died", " stopped", " failed", " ran out of memory", " paused")
_OF_ITS_OWN_S = 1800.0
_OF_OTHERS_S = 180.0
_AFTER_S = 5.0  # another image or configuration may be noticed late; a fall is told when it happens
_MOST = 4


class RecentChanges:
    """The rows of a timeline that may explain something, read once for all problems."""

    def __init__(self, timeline: Sequence[TimelineRow]) -> None:
        rows = [row for row in timeline if _may_explain(row)]
        rows.sort(key=lambda row: row.at, reverse=True)
        self._rows = rows

    def before(
        self, since: float | None, itself: Collection[str], needed: Collection[str], beside: Callable[[str], bool]
    ) -> tuple[tuple[TimelineRow, ...], bool]:
        """Return what changed before `since`, newest first, and whether all of it only happened nearby.

        Half an hour counts for what is wrong `itself` and for what it needs. There a fall is news too. Minutes count
        for what people did and for changes elsewhere. The fall of something else proves nothing. It is named as nearby
        only where nothing better is known and it lies `beside` this, in the same project.
        """
        if since is None or not self._rows:
            return (), False
        kept: list[TimelineRow] = []
        near: list[TimelineRow] = []
        for row in self._rows:
            age = since - row.at
            fell = _fell(row)
            if age < (0.0 if fell else -_AFTER_S):
                continue
            if age > _OF_ITS_OWN_S or len(kept) == _MOST:
                break
            of_need = _is_of(row, needed)
            if fell:
                if of_need or (_is_of(row, itself) and " restarted" in row.text):
                    kept.append(row)
                elif age <= _OF_OTHERS_S and any(beside(name) for name in row.about):
                    near.append(row)
            elif of_need or _is_of(row, itself) or age <= _OF_OTHERS_S:
                kept.append(row)
        return (tuple(kept), False) if kept else (tuple(near[:_MOST]), bool(near))


def around(
    problem: Problem, checks: Mapping[str, CheckRow], service_of: Callable[[str], ServiceRow | None]
) -> tuple[set[str], set[str], Callable[[str], bool]]:
    """Return the ids of what is wrong and of all its needs, and a test for ids of its project."""
    itself = {problem.subject, problem.check, problem.service} - {""}
    level = [*itself]
    needed: set[str] = set()
    while level:
        following: list[str] = []
        for name in level:
            if name in checks:
                following += [*checks[name].needs, *filter(None, [checks[name].service])]
            if (row := service_of(name)) is not None:
                following += row.needs
        level = [name for name in following if name not in needed and name not in itself]
        needed.update(level)
    service = service_of(problem.service)
    if service is None:
        return itself, needed, lambda _: False
    group = service.group

    def beside(name: str) -> bool:
        row = service_of(name)
        return bool(group) and row is not None and row.group == group and name not in itself

    return itself | {f"{service.kind}:"}, needed, beside


def _is_of(row: TimelineRow, names: Collection[str]) -> bool:
    return any(name in names for name in row.about)


def _fell(row: TimelineRow) -> bool:
    return row.kind not in _BY_HAND and any(word in row.text for word in _FELL)


def _may_explain(row: TimelineRow) -> bool:
    if row.kind in _BY_HAND:
        return not any(words in row.text for words in _NO_CHANGE)
    return row.kind == "change" or (row.kind == "service" and _fell(row))
