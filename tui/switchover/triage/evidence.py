"""What is known of one thing that is wrong now: all that an entry may be recognised by."""

from __future__ import annotations

import re
from dataclasses import dataclass

from switchover.snapshot import CheckRow, MetricRow, ServiceRow

__all__ = ["ProblemEvidence"]

_QUIET = re.compile(r"\b(?:INFO|DEBUG|TRACE)\b|\blevel=(?:info|debug|trace)\b|\[(?:info|debug|notice)\]")
_RESTARTED = re.compile(r"\brestart(?:ed|ing|s)\b", re.IGNORECASE)
_LINES = 40


@dataclass(frozen=True, slots=True)
class ProblemEvidence:
    """A service, a check or a metric that is not fine. `lines` are the last of its log, oldest first."""

    service: ServiceRow | None = None
    check: CheckRow | None = None
    metric: MetricRow | None = None
    lines: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """What is said of the service; empty while that is fine."""
        row = self.service
        return row.detail if row is not None and row.health in {"crit", "warn", "unknown"} else ""

    @property
    def observed(self) -> str:
        """What the check observed instead of what was expected; empty while that is fine."""
        row = self.check
        if row is None or row.status not in {"crit", "warn", "unknown"}:
            return ""
        wrong = [f"{one.what}: {one.observed}" for one in row.findings if one.status not in {"ok", "skipped"}]
        return "; ".join([row.summary, *(text for text in wrong if text.partition(": ")[2] not in row.summary)])

    @property
    def told(self) -> tuple[str, ...]:
        """The newest log lines that may tell why, newest first.

        Only entries about something that does not run, or falls again and again. A running program has logged many
        things that it got over. A line that says itself that it is no error is none.
        """
        row = self.service
        if row is None or (row.state == "running" and not (row.restarts and _RESTARTED.search(row.detail))):
            return ()
        return tuple(line for line in reversed(self.lines[-_LINES:]) if not _QUIET.search(line))

    @property
    def all_told(self) -> tuple[str, ...]:
        """The newest log lines, newest first, also of what still runs."""
        return tuple(line for line in reversed(self.lines[-_LINES:]) if not _QUIET.search(line))
