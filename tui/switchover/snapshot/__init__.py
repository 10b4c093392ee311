"""The frozen Snapshot: all that a client shows, made by the hub, sent by the agent, drawn by the UI.

Plain data only. Times are epoch seconds UTC (`*_at`) or seconds (`*_s`); None means not known, never zero.
Statuses of checks are words: ok warn crit unknown skipped pending. States of steps: pending running waiting done failed
unknown skipped rolled_back. Text is already redacted and free of control characters.
"""

from __future__ import annotations

from switchover.snapshot.cost_rows import ChoiceRow, ChosenSums, CostRow, CostsView
from switchover.snapshot.gate_view import GateView, Requirement
from switchover.snapshot.migration_view import (
    ActionView,
    ChecklistItemView,
    MachineView,
    MigrationView,
    PhaseView,
    PromiseView,
    StepView,
)
from switchover.snapshot.plan_change import PlanChange, PlanDifference
from switchover.snapshot.rollback_paths_view import (
    Rehearsal,
    RehearsedAction,
    RollbackActionView,
    RollbackRun,
    RollbackView,
)
from switchover.snapshot.service_rows_view import (
    CheckRow,
    FailureRow,
    FindingRow,
    MetricRow,
    ProgressRow,
    ServiceRow,
)
from switchover.snapshot.triage_view import (
    AlertRow,
    ContactRow,
    IncidentView,
    KnownIssueView,
    Problem,
    SilenceRecord,
    SolutionView,
    SourceNote,
    TimelineRow,
    UsefulCommandView,
)
from switchover.snapshot.who import Header, Holder
from switchover.snapshot.whole import Snapshot

__all__ = [
    "ActionView",
    "AlertRow",
    "CheckRow",
    "ChecklistItemView",
    "ChoiceRow",
    "ChosenSums",
    "ContactRow",
    "CostRow",
    "CostsView",
    "FailureRow",
    "FindingRow",
    "GateView",
    "Header",
    "Holder",
    "IncidentView",
    "KnownIssueView",
    "MachineView",
    "MetricRow",
    "MigrationView",
    "PhaseView",
    "PlanChange",
    "PlanDifference",
    "Problem",
    "ProgressRow",
    "PromiseView",
    "Rehearsal",
    "RehearsedAction",
    "Requirement",
    "RollbackActionView",
    "RollbackRun",
    "RollbackView",
    "ServiceRow",
    "SilenceRecord",
    "Snapshot",
    "SolutionView",
    "SourceNote",
    "StepView",
    "TimelineRow",
    "UsefulCommandView",
]
