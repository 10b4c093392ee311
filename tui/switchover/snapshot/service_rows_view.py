"""Services, checks and metrics as rows."""

from __future__ import annotations

from dataclasses import dataclass

from switchover.snapshot.states import ServiceWord, StatusWord

__all__ = ["CheckRow", "FindingRow", "MetricRow", "ProgressRow", "ServiceRow"]


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """A service as last seen. `state`: running, stopped, unknown. `health`: a check status.

    `id` names it in requests: its name in the plan, or `kind:ref` for a discovered one. It never changes while the
    thing is there. `identity` changes with the thing behind it (a new pid, a new container). A request to act carries
    it, so that nothing is done to a successor. `actions` can be done to it now (the words of
    `switchover.snapshot.tiers`, and logs, exec, inspect). `group` is what it belongs to: a project, a slice, a
    namespace. `wrong_since` is when it ceased to be fine, however that looked since; `or_before`: at the latest.
    """

    name: str
    side: str
    kind: str
    state: ServiceWord
    health: StatusWord
    detail: str = ""
    cpu_percent: float | None = None
    cpu_history: tuple[float, ...] = ()
    memory_bytes: int | None = None
    started_at: float | None = None
    restarts: int | None = None
    pid: int | None = None
    url: str = ""
    latency_ms: float | None = None
    needs: tuple[str, ...] = ()
    observed_at: float | None = None
    changed_at: float | None = None
    stale_after_s: float = 10.0
    id: str = ""
    identity: str = ""
    actions: tuple[str, ...] = ()
    group: str = ""
    image: str = ""
    ports: tuple[str, ...] = ()
    user: str = ""
    parent: int | None = None
    ready: int | None = None
    wanted: int | None = None
    owner: str = ""
    link: str = ""
    wrong_since: float | None = None
    or_before: bool = False


@dataclass(frozen=True, slots=True)
class FindingRow:
    """Expected against observed."""

    what: str
    expected: str
    observed: str
    status: StatusWord
    hint: str = ""


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A check. `history` holds the last statuses as digits (`Status` values), newest last.

    `resting`: nobody looks at it now, because the plan watches it in other phases.
    `wrong_since` is when the first of the bad results came, however bad they were since; `or_before`: at the latest.
    `changes` is how often it changed lately, where that is too often. `uptime` holds shares of 1 for an hour, a day
    and a week; None where nothing is known. `failed` are its last failures, newest first.
    """

    name: str
    kind: str
    status: StatusWord
    summary: str
    title: str = ""
    phase: str = ""
    service: str = ""
    observed_at: float | None = None
    took_ms: float | None = None
    changed_at: float | None = None
    last_ok_at: float | None = None
    history: tuple[int, ...] = ()
    findings: tuple[FindingRow, ...] = ()
    needs: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()
    every_s: float = 15.0
    stale_after_s: float = 40.0
    running: bool = False
    pending_failures: int = 0
    evidence: tuple[tuple[str, str], ...] = ()
    wrong_since: float | None = None
    or_before: bool = False
    resting: bool = False
    on_demand: bool = False  # looked at only when a gate or a person asks
    progress: ProgressRow | None = None
    changes: int = 0
    uptime: tuple[float | None, ...] = ()
    failed: tuple[FailureRow, ...] = ()


@dataclass(frozen=True, slots=True)
class FailureRow:
    """A time at which a check failed: its first bad result in full, its length, and how many came."""

    at: float
    until: float
    status: StatusWord
    summary: str
    phase: str = ""
    times: int = 1
    findings: tuple[FindingRow, ...] = ()
    evidence: tuple[tuple[str, str], ...] = ()
    over: bool = False


@dataclass(frozen=True, slots=True)
class ProgressRow:
    """How far a long probe is: a share of 1 and the seconds left, as far as they are known."""

    text: str
    share: float | None = None
    left_s: float | None = None


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A series. `values` are the newest points, oldest first, one each `step_s`; None where nothing was measured."""

    name: str
    group: str
    unit: str
    values: tuple[float | None, ...] = ()
    latest: float | None = None
    title: str = ""
    warn: str = ""
    crit: str = ""
    status: StatusWord = "ok"
    baseline: float | None = None
    observed_at: float | None = None
    step_s: float = 2.0
    stale_after_s: float = 10.0
    note: str = ""
