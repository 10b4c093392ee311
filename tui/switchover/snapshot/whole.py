"""All of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from switchover.snapshot.cost_rows import CostsView
from switchover.snapshot.migration_view import MigrationView
from switchover.snapshot.service_rows_view import CheckRow, MetricRow, ServiceRow
from switchover.snapshot.triage_view import (
    AlertRow,
    ContactRow,
    IncidentView,
    KnownIssueView,
    Problem,
    SourceNote,
    TimelineRow,
    UsefulCommandView,
)
from switchover.snapshot.who import Header

__all__ = ["Snapshot"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All of it. `seq` grows by one for each that is published; `at` is when (epoch seconds).

    `problems` stand worst first, the `timeline` newest first, everything else in the order of the plan. `found` is what
    runs here and is in no plan.
    """

    seq: int = 0
    at: float = 0.0
    header: Header = field(default_factory=Header)
    problems: tuple[Problem, ...] = ()
    services: tuple[ServiceRow, ...] = ()
    checks: tuple[CheckRow, ...] = ()
    metrics: tuple[MetricRow, ...] = ()
    costs: CostsView = field(default_factory=CostsView)
    migration: MigrationView = field(default_factory=MigrationView)
    timeline: tuple[TimelineRow, ...] = ()
    alerts: tuple[AlertRow, ...] = ()
    known_issues: tuple[KnownIssueView, ...] = ()
    contacts: tuple[ContactRow, ...] = ()
    sources: tuple[SourceNote, ...] = field(default=())
    found: tuple[ServiceRow, ...] = ()
    incident: IncidentView | None = None
    commands: tuple[UsefulCommandView, ...] = ()
