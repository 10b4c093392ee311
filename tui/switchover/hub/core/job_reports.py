"""Takes what a job reports about itself, for the `heartbeat` check of its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from switchover.clock import Clock
from switchover.errors import RefusedError, StateError
from switchover.health.catalog import Catalog
from switchover.locations import Workspace, ensure_private_dir
from switchover.pushed_reports import write_report
from switchover_checks.language.suggest import did_you_mean

__all__ = ["JobReports"]

_HEARTBEAT = "heartbeat"
_MOST_TEXT = 1000


@dataclass(frozen=True, slots=True)
class JobReports:
    """Keeps the newest report for each check. Without a plan there is no `catalog`, and none is taken."""

    catalog: Catalog | None
    workspace: Workspace
    redact: Callable[[str], str]
    clock: Clock

    def accept(self, check: str, status: Literal["ok", "warn", "crit"], text: str) -> None:
        """Keep a report durably. Raise `RefusedError` where nothing waits for one, `StateError` on a full disk."""
        items = self.catalog.items if self.catalog is not None else {}
        waiting = [name for name, item in items.items() if item.spec.kind == _HEARTBEAT]
        if check not in waiting:
            there = f"the check {check!r} waits for no report" if check in items else f"the plan has no check {check!r}"
            hint = f"those that do: {', '.join(waiting)}" if waiting else f"give the plan one of kind {_HEARTBEAT}"
            raise RefusedError(f"{there}{did_you_mean(check, waiting)}", hint)
        report = {"at": self.clock.now(), "status": status, "text": self.redact(text)[:_MOST_TEXT]}
        try:
            ensure_private_dir(self.workspace.pushed)
            write_report(self.workspace.pushed, check, report)
        except OSError as error:
            raise StateError(f"the report was not kept: {error.strerror or error}") from None
