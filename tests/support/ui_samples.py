# ruff: noqa: E501 - one row of sample data a line reads best
"""Snapshots to draw, and a source that feeds them: a migration in trouble, a healthy one, one that is done, a bare host."""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import AsyncIterator
from dataclasses import is_dataclass, replace
from typing import Any, TypeVar, cast, get_origin

import msgspec

from switchover.commands.command import Command
from switchover.commands.problems import LookAtIssue
from switchover.errors import RefusedError, SwitchoverError
from switchover.snapshot import (
    ActionView,
    ChecklistItemView,
    CheckRow,
    ContactRow,
    CostRow,
    CostsView,
    FindingRow,
    GateView,
    Header,
    Holder,
    KnownIssueView,
    MetricRow,
    MigrationView,
    PhaseView,
    Problem,
    PromiseView,
    Requirement,
    RollbackView,
    ServiceRow,
    Snapshot,
    SolutionView,
    StepView,
    TimelineRow,
)
from switchover.snapshot.states import ActionKind, StageWord, StepEffect
from switchover.ui.app.bridge import ActionFailed, Update
from switchover.ui.text.render_context import AgentLink, AgentLinkState

Answer = TypeVar("Answer")
NOW = float(os.environ.get("SAMPLES_NOW", "1769612551"))  # 2026-01-28 15:02:31 UTC, unless a program runs on them


class StillClock:
    """A clock that stands until it is moved."""

    def __init__(self, now: float = NOW) -> None:
        self._now, self._mono = now, 1000.0

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._mono

    def boot_id(self) -> str:
        return "00000000-0000-0000-0000-000000000000"

    def move(self, seconds: float) -> None:
        self._now += seconds
        self._mono += seconds


class FakeSource:
    """Yields what it is fed and remembers what it is asked.

    `answers` by method: a value, what makes it, an exception.
    """

    def __init__(self, *updates: Update, error: SwitchoverError | None = None) -> None:
        self._queue: asyncio.Queue[Update | SwitchoverError] = asyncio.Queue()
        for update in updates:
            self._queue.put_nowait(update)
        if error is not None:
            self._queue.put_nowait(error)
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {}
        self.on_action_failed: ActionFailed | None = None
        self.shown: Snapshot | None = None
        self.closed = False

    def feed(self, update: Update) -> None:
        self._queue.put_nowait(update)

    async def snapshots(self, on_action_failed: ActionFailed) -> AsyncIterator[Update]:
        self.on_action_failed = on_action_failed
        while True:
            update = await self._queue.get()
            if isinstance(update, SwitchoverError):
                raise update
            self.shown = update if isinstance(update, Snapshot) else self.shown
            yield update

    async def send(self, command: Command[Answer]) -> Answer:
        self.requests.append((command.name, self.params_of(command)))
        answer = await self.answer(command)
        if isinstance(answer, Exception):
            raise answer
        return cast("Answer", msgspec.convert(answer, command.answer_type(), from_attributes=True))

    def params_of(self, command: Command[Any]) -> dict[str, Any]:
        """What is remembered of a command: what differs from its defaults."""
        return dict(msgspec.json.decode(msgspec.json.encode(command)))

    async def answer(self, command: Command[Any]) -> Any:
        """Answer as `answers` says by name, else with nothing."""
        if command.name not in self.answers:
            return self._nothing(command)
        answer = self.answers[command.name]
        return answer(**all_params(command)) if callable(answer) else answer

    def _nothing(self, command: Command[Any]) -> Any:
        if isinstance(command, LookAtIssue):
            known = self.shown.known_issues if self.shown is not None else ()
            return next((entry for entry in known if entry.id == command.entry), RefusedError("there is no such entry"))
        kind = command.answer_type()
        if isinstance(kind, type) and not is_dataclass(kind):
            return "accepted" if kind is str else kind()
        return () if get_origin(kind) is tuple else "accepted" if kind == str | None else None

    async def aclose(self) -> None:
        self.closed = True


def all_params(command: Command[Any]) -> dict[str, Any]:
    """What a command says, with its defaults."""
    said = {field.encode_name: getattr(command, field.name) for field in msgspec.structs.fields(command)}
    return dict(msgspec.json.decode(msgspec.json.encode(said)))


LIVE = AgentLink(AgentLinkState.LIVE, NOW - 4000)


def wave(count: int, low: float, high: float, turns: float = 2.0, rise: float = 0.0) -> tuple[float, ...]:
    middle, swing = (low + high) / 2, (high - low) / 2
    return tuple(
        round(middle + swing * math.sin(index / count * turns * 2 * math.pi) + rise * index / count, 3)
        for index in range(count)
    )


def past(*runs: tuple[int, int]) -> tuple[int, ...]:
    return tuple(status for status, count in runs for _ in range(count))


HEADER = Header(
    plan_id="aws-all-in-one",
    title="RDS/ElastiCache/NAT to one EC2",
    plan_path="/srv/plans/aws-all-in-one.yaml",
    target="prod",
    production=True,
    live_side="old",
    holder=Holder("ana", "bastion", "pts/3", 4712, NOW - 1900),
    agent_pid=4712,
    agent_version="0.1.0",
    host="bastion",
)

SERVICES = (
    ServiceRow("postgres", "new", "docker", "stopped", "crit", "exit 137, out of memory", restarts=1, observed_at=NOW - 1, changed_at=NOW - 199),
    ServiceRow("api", "new", "http", "running", "crit", "connect refused", 3.1, wave(30, 1, 4), 125_829_120, NOW - 840, 0, 5120, "http://10.0.0.7:8001/health", None, ("postgres",), NOW - 1, NOW - 180),
    ServiceRow("redis", "new", "docker", "running", "ok", "", 0.6, wave(30, 0.2, 1.1), 18_874_368, NOW - 838, 0, 5133, observed_at=NOW - 1, changed_at=NOW - 838),
    ServiceRow("elasticsearch", "new", "docker", "running", "ok", "yellow: one replica unassigned", 12.4, wave(30, 8, 16), 805_306_368, NOW - 836, 0, 5140, observed_at=NOW - 1, changed_at=NOW - 836),
    ServiceRow("api-old", "old", "http", "running", "ok", "", 21.3, wave(30, 17, 24), 402_653_184, NOW - 26_784_000, 0, 911, "https://api.example.net/health", 84.0, (), NOW - 2, NOW - 864_000),
    ServiceRow("rds", "old", "process", "running", "ok", "", 9.8, wave(30, 7, 14), None, NOW - 26_784_000, observed_at=NOW - 2, changed_at=NOW - 26_784_000),
    ServiceRow("elasticache", "old", "process", "running", "ok", "", 2.2, wave(30, 1.5, 3), None, NOW - 26_784_000, observed_at=NOW - 2, changed_at=NOW - 26_784_000),
    ServiceRow("front-door", "", "http", "running", "ok", "routes to old", None, (), None, NOW - 26_000_000, None, None, "http://10.0.0.2/", 3.0, (), NOW - 2, NOW - 9000),
)  # fmt: skip

CHECKS = (
    CheckRow(
        "api_up", "http", "crit", "connect refused 10.0.0.7:8001", "API answers", "connect", "api", NOW - 4, None, NOW - 180, NOW - 195,
        past((0, 40), (2, 12)),
        (
            FindingRow("status", "status == 200", "connection refused (connect)", "crit", "is the container up? docker ps"),
            FindingRow("time", "time < 1s", "not measured", "unknown"),
        ),
        ("postgres",), every_s=15, evidence=(("url", "http://10.0.0.7:8001/health"), ("dns", "1 ms"), ("connect", "refused after 2 ms")),
    ),
    CheckRow("es_idx", "http", "crit", "2 of 5 indices missing: tx-2024, users", "Indices are there", "assert", "elasticsearch", NOW - 9, 31.0, NOW - 120, NOW - 135, past((0, 44), (2, 8)), (FindingRow("indices", "len(body) == 5", "3: tx-2025, accounts, logs", "crit"),)),
    CheckRow("disk", "disk", "warn", "12 % free on /, warns below 20 %", "", "assert", "", NOW - 2, 1.0, NOW - 3600, NOW - 3602, past((0, 6), (1, 54)), (FindingRow("free on /", "20 %:", "12.1 %", "warn"),)),
    CheckRow("rows", "sql_compare", "skipped", "waits for api_up", "Row counts are equal", needs=("api_up",), waits_for=("api_up",)),
    CheckRow("sums", "sql_compare", "skipped", "waits for api_up", "Checksums are equal", needs=("api_up",), waits_for=("api_up",)),
    CheckRow("pg_dump", "backup", "ok", "harena.dump 1.20 GiB, 31 m old, sha256 and restore test passed", "", "", "", NOW - 61, 210.0, NOW - 2400, NOW - 61, past((0, 60)), (
        FindingRow("size", ">= 1.00 MiB", "1.20 GiB", "ok"),
        FindingRow("age", "<= 24 h", "31 m", "ok"),
        FindingRow("sha256", "equals sidecar", "9f2c…e1 equals", "ok"),
        FindingRow("restore test", "exit 0", "exit 0, 214 entries", "ok"),
    ), stale_after_s=400),
    CheckRow("running", "docker", "ok", "3 of 3 running", "", "", "", NOW - 3, 14.0, NOW - 800, NOW - 3, past((0, 52))),
    CheckRow("old_safe", "backup", "pending", "watched from cleanup on", "Final backup is safe", resting=True),
)  # fmt: skip

METRICS = (
    MetricRow("cpu", "host", "%", wave(120, 30, 60, 5, 25), 71.0, "cpu", "80", "95", "ok", None, NOW - 1),
    MetricRow("memory", "host", "%", wave(120, 70, 74, 2, 10), 83.0, "mem", "80", "95", "warn", 61.0, NOW - 1, note="grows since 14:58"),
    MetricRow("disk_free", "host", "B", tuple(2.1e10 - index * 7e7 for index in range(120)), 12.7e9, "disk free", "", "", "ok", None, NOW - 1),
    MetricRow("api_p95", "service", "ms", (*wave(90, 280, 340, 4), *(300.0 + 18 * index for index in range(30))), 840.0, "p95", "500", "2000", "warn", 310.0, NOW - 2, note="step data.restore"),
    MetricRow("errors", "service", "%", (*wave(100, 0.0, 0.3, 8), *wave(20, 0.4, 2.4, 0.25)), 2.1, "errors", "1", "5", "warn", 0.1, NOW - 2),
    MetricRow("pg_conn", "service", "", wave(120, 40, 60, 1, 32), 92.0, "pg connections", "", "80", "crit", 35.0, NOW - 2, note="> 80 for 4 m"),
    MetricRow("queue", "service", "", (None,) * 80 + wave(40, 10, 40), None, "queue", "", "", "unknown", 12.0, NOW - 95, note=""),
)  # fmt: skip

COSTS = CostsView(
    "USD",
    (
        CostRow("RDS PostgreSQL t4g.micro", "15.00", "", "-15.00"),
        CostRow("ElastiCache t4g.micro", "12.00", "", "-12.00"),
        CostRow("EC2 t4g.small", "8.00", "", "-8.00"),
        CostRow("NAT gateway", "33.00", "", "-33.00"),
        CostRow("S3 and CloudFront", "2.00", "1.07", "-0.93"),
        CostRow("EC2 t4g.small spot 730 h", "", "6.13", "6.13", "0.0084 × 730 h"),
        CostRow("EBS gp3 40 GB", "", "3.20", "3.20"),
        CostRow("logs", "", "0.50", "0.50"),
        CostRow("egress", "", "0.43", "0.43"),
    ),
    "70.00",
    "11.33",
    "-58.67",
    "-83.8 %",
    "15.00",
    True,
    "81.33",
)

OUTPUT = (
    "14:49:51 connecting to 10.0.0.7 as ec2-user",
    "14:58:03 upload harena.dump 1.2 GiB",
    "14:58:58 uploaded, sha256 9f2c41aa equals",
    "14:59:01 pg_restore --jobs 4 --dbname harena",
    "14:59:12 WARNING: server closed the connection unexpectedly",
    "15:00:40 retry 1 of 3",
    "15:02:11 pg_restore: processing data for table transactions",
)


def step(name: str, title: str, state: StageWord, effect: StepEffect = "changes", **more: Any) -> StepView:
    return StepView(name, title, state, effect, **more)


PHASES = (
    PhaseView("backup", "backup", "done", (
        step("dump", "dump the old database", "done", "creates", command='./migration/1_backup_data.sh "$BACKUP"', attempts=1, exit_code=0, started_at=NOW - 3000, ended_at=NOW - 2520, expect_s=480),
    ), GateView("backup", "passed", (Requirement("pg_dump", "ok", "1.20 GiB, restore test passed"), Requirement("disk", "ok")), human="Backup checked by a second person?", answered_by="ben"), NOW - 3000, NOW - 2500),
    PhaseView("build", "build", "done", (
        step("deploy", "terraform apply", "done", "creates", command="./migration/2_deploy_new_infrastructure.sh", attempts=1, exit_code=0, started_at=NOW - 2480, ended_at=NOW - 1860, expect_s=900, outputs=(("ip", "10.0.0.7"),), rollback="terraform -chdir=../terraform destroy -auto-approve", rollback_expect_s=300),
    ), GateView("build", "passed", (Requirement("running", "ok", "3 of 3"),)), NOW - 2480, NOW - 1840),
    PhaseView("data", "data", "running", (
        step("restore", "restore into the new database", "running", "changes", command='./migration/3_migrate_data.sh "$B" "$IP"', env=(("B", "backups/7"), ("IP", "10.0.0.7"), ("PGPASSWORD", "(secret pg_rds)")), attempts=1, started_at=NOW - 760, expect_s=1500, timeout_s=2700, blast_radius="new:postgres; the old stack is not touched", rollback="ssh ec2-user@10.0.0.7 docker-compose down", rollback_expect_s=60),
        step("index", "build the search indices", "pending", "creates", command="./migration/3b_index.sh", expect_s=300),
    ), GateView("data", "pending", (Requirement("api_up", "crit", "connect refused"), Requirement("rows", "skipped", "waits for api_up"), Requirement("sums", "skipped", "waits for api_up"), Requirement("es_idx", "crit", "2 of 5 missing")), hold_s=300), NOW - 760),
    PhaseView("validate", "validate", "pending", (
        step("by_hand", "try what people do", "pending", "read", checklist=(ChecklistItemView("Searches work", asks="text"), ChecklistItemView("Authentication works", asks="text"), ChecklistItemView("Analytics work", asks="text"), ChecklistItemView("The Redis cache works", asks="text"))),
    ), GateView("validate", "pending", (Requirement("api_up", "crit", "connect refused"), Requirement("rows", "skipped")), human="Go / no-go")),
    PhaseView("cleanup", "cleanup", "pending", (
        step("final_backup", "one last backup", "pending", "creates", command='./migration/1_backup_data.sh "$B" final'),
        step("destroy", "destroy the old stack", "pending", "destroys", command="./migration/5_cleanup_old_infrastructure.sh", irreversible=True, confirm_text="destroy aws-all-in-one", confirm_require=("pg_dump", "api_up"), blast_radius="RDS harena-prod, ElastiCache harena, the NAT gateway and their snapshots"),
    )),
)  # fmt: skip

ROLLBACKS = (
    RollbackView("quick", "DNS and URL back to the old stack", True, "", ("./migration/4_rollback.sh --url-only",), 240, 300, "writes since 14:58", "destroy"),
    RollbackView("full", "old infrastructure and restore", True, "", ("./migration/4_rollback.sh backups/7", "undo data, then build"), 3300, 3600, "writes since 14:31", "destroy"),
    RollbackView("", "undo the started steps in reverse", True, "", ("restore: docker-compose down on new", "deploy: terraform destroy"), 360),
)  # fmt: skip

OBJECTIVES = (
    PromiseView("query", "query time of the search", "ms", 310.0, None, "after < before", "pending"),
    PromiseView("memory", "memory of the whole stack", "B", 2.0e9, 3.1e8, "before / after >= 6", "met"),
)

MIGRATION = MigrationView(
    "7", "running", PHASES, "data", "restore",
    ActionView("wait", "restore", "restore runs; nothing to press until it ends"),
    ROLLBACKS, OBJECTIVES, NOW - 3000, None, 740, "restore", 1, OUTPUT, 4096, "", "ana",
)  # fmt: skip

TIMELINE = (
    TimelineRow(NOW - 120, "check", "es_idx crit: 2 of 5 indices missing", "crit"),
    TimelineRow(NOW - 180, "check", "api_up crit: connect refused", "crit"),
    TimelineRow(NOW - 199, "service", "postgres stopped, exit 137, out of memory", "crit"),
    TimelineRow(NOW - 760, "step", "data.restore started by ana", ""),
    TimelineRow(NOW - 1840, "gate", "gate build passed", "ok"),
    TimelineRow(NOW - 1860, "step", "build.deploy done after 10 m", "ok"),
    TimelineRow(NOW - 2480, "step", "build.deploy started by ana", ""),
    TimelineRow(NOW - 2500, "gate", "gate backup passed, answered by ben", "ok"),
    TimelineRow(NOW - 2520, "step", "backup.dump done after 8 m", "ok"),
    TimelineRow(NOW - 3000, "run", "run 7 started by ana@bastion", ""),
)

PROBLEMS = (
    Problem("warn", "disk /", "12 % free, warns below 20 %", NOW - 3600, check="disk"),
    Problem("crit", "es_idx", "2 of 5 indices missing: tx-2024, users", NOW - 120, check="es_idx"),
    Problem("crit", "api_up", "connect refused 10.0.0.7:8001", NOW - 180, "postgres stopped 14:59:12, exit 137, out of memory", "d: diagnose “PostgreSQL does not start” · R: roll back, ~4 m", "api_up", plan_entry=0, waiting=("rows", "sums")),
)  # fmt: skip

TROUBLES = (
    KnownIssueView(
        "PostgreSQL does not start",
        True,
        ("docker-compose logs --tail 200 postgres", "docker-compose exec -T postgres ls -la /var/lib/postgresql/data"),
        ("Give the container more memory: raise mem_limit and start again", "Recreate the volume (loses its data)"),
        "plan:0",
        ("api_up",),
        (
            SolutionView("Give the container more memory: raise mem_limit and start again"),
            SolutionView("Start it again", "docker-compose up -d postgres"),
            SolutionView(
                "Recreate the volume (loses its data)",
                "docker-compose down -v",
                "destroys",
                irreversible=True,
                confirm_text="recreate pg",
            ),
        ),
    ),
)

CONTACTS = (
    ContactRow("Ana Ortiz, lead", "+34 600 000 001"),
    ContactRow("Database on call", "dba-oncall@example.net"),
    ContactRow("Runbook: restore", "https://runbooks.example.net/restore"),
)


def trouble() -> Snapshot:
    """A migration in trouble: a service died while the data is being restored."""
    return Snapshot(
        41, NOW - 0.4, HEADER, PROBLEMS, SERVICES, CHECKS, METRICS, COSTS, MIGRATION, TIMELINE, (), TROUBLES, CONTACTS
    )


def healthy() -> Snapshot:
    """All is well; the next step waits for the operator."""
    services = tuple(replace(row, state="running", health="ok", detail="", restarts=0 if row.restarts is not None else None, started_at=row.started_at or NOW - 800) for row in SERVICES)  # fmt: skip
    checks = tuple(
        replace(row, status="ok", summary="as expected", observed_at=NOW - 3, took_ms=row.took_ms or 12.0, waits_for=(), changed_at=NOW - 900, last_ok_at=NOW - 3, history=past((0, 50)), findings=tuple(replace(one, status="ok", observed=one.expected) for one in row.findings))
        if row.status != "pending" else row
        for row in CHECKS
    )  # fmt: skip
    metrics = tuple(replace(row, status="ok", note="", latest=row.latest if row.latest is not None else 12.0, observed_at=NOW - 1) for row in METRICS)  # fmt: skip
    data = replace(PHASES[2], steps=(
        replace(PHASES[2].steps[0], state="done", exit_code=0, ended_at=NOW - 100),
        PHASES[2].steps[1],
    ), gate=replace(PHASES[2].gate, requirements=tuple(replace(one, status="ok", summary="as expected") for one in PHASES[2].gate.requirements)) if PHASES[2].gate else None)  # fmt: skip
    view = replace(
        MIGRATION,
        phases=(*PHASES[:2], data, *PHASES[3:]),
        state="waiting",
        current_step="index",
        action=ActionView("step", "index", "run index"),
        output_step="",
        output=(),
    )
    header = replace(HEADER, production=False, target="staging")
    timeline = tuple(row for row in TIMELINE if row.status != "crit")
    return replace(
        trouble(), header=header, problems=(), services=services, checks=checks, metrics=metrics, migration=view, timeline=timeline
    )  # fmt: skip


def acting(kind: ActionKind, target: str, text: str, *, dangerous: bool = False, **changes: Any) -> Snapshot:
    """The healthy migration, standing before an action of some kind; `changes` go to the target step."""
    sample = healthy()
    phases = tuple(
        replace(phase, steps=tuple(replace(one, **changes) if one.id == target else one for one in phase.steps))
        for phase in sample.migration.phases
    )
    phase = next((p.id for p in phases if p.id == target or any(s.id == target for s in p.steps)), "")
    view = replace(
        sample.migration,
        phases=phases,
        current_phase=phase,
        current_step="" if phase == target else target,
        action=ActionView(kind, target, text, dangerous),
    )
    return replace(sample, migration=view)


def bare_host() -> Snapshot:
    """No plan: only what the host itself tells."""
    header = Header(host="bastion", agent_pid=4712, agent_version="0.1.0")
    return Snapshot(3, NOW - 0.2, header, metrics=METRICS[:3], services=(SERVICES[5],))


def crowd(count: int = 300) -> Snapshot:
    """Many checks and metrics, to scroll in."""
    checks = tuple(replace(CHECKS[6], name=f"check_{index:03}", observed_at=NOW - index % 30) for index in range(count))
    metrics = tuple(replace(METRICS[0], name=f"metric_{index:03}", title="") for index in range(count))
    return replace(trouble(), checks=(*CHECKS, *checks), metrics=(*METRICS, *metrics))


SAMPLES = {"trouble": trouble, "healthy": healthy, "host": bare_host, "crowd": crowd}
