"""Causes that no `needs` names: a source that is off, a full disk. What is wrong because of one needs it, in effect."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from switchover.hub.problems.problem_found import BAD
from switchover.services.service_kind import service_kind
from switchover.snapshot import CheckRow, MetricRow, Problem, ServiceRow, SourceNote

__all__ = ["disk_roots", "implied_needs", "of_source", "source_key"]


def source_key(kind: str) -> str:
    """Name a source among what can be wrong."""
    return f"source {service_kind(kind).label or kind}"


def off_sources(sources: Iterable[SourceNote]) -> dict[str, SourceNote]:
    """Return the sources that are off or failing, by their key."""
    return {source_key(note.name.partition(" ")[0]): note for note in sources if note.state in {"off", "trouble"}}


def disk_roots(checks: Iterable[CheckRow], metrics: Iterable[MetricRow]) -> tuple[str, ...]:
    """Return what tells that a disk is full or nearly so, by the keys of their problems; the worst first."""
    bad = [(row.status != "crit", row.name) for row in checks if row.kind == "disk" and row.status in {"crit", "warn"}]
    bad += [
        (row.status != "crit", f"metric {row.name}")
        for row in metrics
        if row.name.removeprefix("host.") == "disk" and row.status in {"crit", "warn"}
    ]
    return tuple(name for _, name in sorted(bad))


def implied_needs(
    services: Mapping[str, ServiceRow],
    checks: Mapping[str, CheckRow],
    sources: Mapping[str, SourceNote],
    disks: Sequence[str],
    full: Callable[[ServiceRow | None, CheckRow | None], bool],
) -> dict[str, tuple[str, ...]]:
    """Return what each of those that are wrong needs beyond what is written down.

    A service that its own source cannot see needs that source. So does a check that asks the same source. Whatever says
    itself that the disk is full (`full`) needs the disk.
    """
    needs: dict[str, tuple[str, ...]] = {}
    if not sources and not disks:
        return needs
    for name, row in services.items():
        if row.health not in BAD:
            continue
        key = source_key(row.kind)
        if key in sources and row.health == "unknown":
            needs[name] = (key,)
        elif disks and full(row, None):
            needs[name] = (disks[0],)
    for name, check in checks.items():
        if check.status not in BAD or check.kind == "disk":
            continue
        service = services.get(check.service)
        if service is not None and needs.get(check.service, ("",))[0] == source_key(service.kind):
            if check.status == "unknown" or check.kind == service.kind:  # it asks the same source
                needs[name] = needs[check.service]
        elif disks and full(None, check):
            needs[name] = (disks[0],)
    return needs


def of_source(key: str, note: SourceNote, affected: Sequence[ServiceRow], waiting: tuple[str, ...]) -> Problem:
    """Return the one problem that a source is when what it should see cannot be seen."""
    since = min((row.changed_at for row in affected if row.changed_at is not None), default=None)
    label = key.removeprefix("source ")
    count = len(affected)
    what = note.why or note.state
    following = f"it is found again by itself · {count} service{'' if count == 1 else 's'} cannot be seen until then"
    return Problem("unknown", label, what, since, next=following, waiting=waiting)
