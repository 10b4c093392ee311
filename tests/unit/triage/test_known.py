from __future__ import annotations

import re
import subprocess
from dataclasses import replace

import pytest

from switchover.snapshot import CheckRow, FindingRow, MetricRow, ServiceRow
from switchover.snapshot.states import StatusWord
from switchover.triage.entries import Match
from switchover.triage.evidence import ProblemEvidence
from switchover.triage.known import KNOWN
from switchover.triage.matching import match


def stopped(detail: str, *, kind: str = "docker", restarts: int = 0) -> ServiceRow:
    return ServiceRow("web", "", kind, "stopped", "crit", detail, restarts=restarts, id=f"{kind}:web")


def check(summary: str, *, kind: str = "http", phase: str = "connect", status: StatusWord = "crit") -> CheckRow:
    return CheckRow("up", kind, status, summary, phase=phase)


def found(evidence: ProblemEvidence) -> list[str]:
    return [one.entry.id for one in match(evidence, KNOWN)]


def first(evidence: ProblemEvidence) -> Match:
    return match(evidence, KNOWN)[0]


LOGS = {
    "Error: listen EADDRINUSE: address already in use :::3000": ("port-taken", {"PORT": "3000"}),
    "nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)": ("port-taken", {"PORT": "80"}),
    "listen tcp 127.0.0.1:8080: bind: address already in use": ("port-taken", {"PORT": "8080"}),
    "OSError: [Errno 98] Address already in use: 127.0.0.1:8080": ("port-taken", {"PORT": "8080"}),
    "Bind for 0.0.0.0:5432 failed: port is already allocated": ("port-taken", {"PORT": "5432"}),
    'LOG:  could not bind IPv4 address "127.0.0.1": Address already in use': ("port-taken", {}),
    "PermissionError: [Errno 13] Permission denied: '/var/lib/app/data.db'": (
        "permission-denied",
        {"PATH_": "/var/lib/app/data.db"},
    ),
    "open /etc/ssl/private/key.pem: permission denied": ("permission-denied", {"PATH_": "/etc/ssl/private/key.pem"}),
    "write /var/log/app.log: no space left on device": ("disk-full", {"PATH_": "/var/log/app.log"}),
    'FATAL:  could not write to file "base/1": No space left on device': ("disk-full", {}),
    "sqlite3.OperationalError: database or disk is full": ("disk-full", {}),
    "java.lang.OutOfMemoryError: Java heap space": ("out-of-memory", {}),
    "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory": ("out-of-memory", {}),
    "dial tcp 10.0.0.7:5432: connect: connection refused": ("connection-refused", {"HOST": "10.0.0.7", "PORT": "5432"}),
    "Error: connect ECONNREFUSED 127.0.0.1:6379": ("connection-refused", {}),
    'psycopg.OperationalError: could not translate host name "db" to address: Name or service not known': (
        "name-does-not-resolve",
        {"HOST": "db"},
    ),
    "getaddrinfo ENOTFOUND db.internal": ("name-does-not-resolve", {"HOST": "db.internal"}),
    "dial tcp: lookup redis on 127.0.0.11:53: no such host": ("name-does-not-resolve", {"HOST": "redis"}),
    "x509: certificate has expired or is not yet valid": ("certificate-expired", {}),
    "FATAL:  sorry, too many clients already": ("database-connections", {}),
    "FATAL: remaining connection slots are reserved for roles with SUPERUSER": ("database-connections", {}),
    "touch: /data/x: Read-only file system": ("read-only-file-system", {"PATH_": "/data/x"}),
    "accept4() failed (24: Too many open files)": ("too-many-open-files", {}),
    "spot instance interruption notice: terminate at 12:02": ("spot-interruption", {}),
}


@pytest.mark.parametrize("line", LOGS)
def test_what_a_stopped_service_logged_last_names_its_trouble(line: str) -> None:
    entry, values = LOGS[line]
    fit = first(ProblemEvidence(stopped("exited, exit 1"), lines=("INFO starting", line)))
    assert (fit.entry.id, dict(fit.values)) == (entry, values)
    assert fit.because == f"its log says: {' '.join(line.split())}"


DETAILS = {
    "exited, exit 137, out of memory": "out-of-memory",
    "failed: oom-kill": "out-of-memory",
    "connection refused": "connection-refused",
    "the name does not resolve: Name or service not known": "name-does-not-resolve",
    "TLS: certificate has expired": "certificate-expired",
    "failed, start-limit-hit": "crash-loop",
}


@pytest.mark.parametrize("detail", DETAILS)
def test_what_is_said_of_a_service_names_its_trouble(detail: str) -> None:
    assert found(ProblemEvidence(stopped(detail)))[0] == DETAILS[detail]


def test_a_check_names_it_with_where_it_looked() -> None:
    refused = first(ProblemEvidence(check=check("127.0.0.1:8001: connection refused, nothing listens there")))
    assert (refused.entry.id, refused.values) == ("connection-refused", {"HOST": "127.0.0.1", "PORT": "8001"})
    assert refused.because.startswith("up observed (connect): 127.0.0.1:8001")
    name = first(ProblemEvidence(check=check("the name db.example cannot be resolved: no answer", phase="dns")))
    assert (name.entry.id, name.values) == ("name-does-not-resolve", {"HOST": "db.example"})
    trusted = check("the certificate is not trusted: certificate has expired", phase="tls")
    assert found(ProblemEvidence(check=trusted)) == ["certificate-expired"]
    disk = check("space free: expected 20 %:, observed 3.1 %", kind="disk", status="warn")
    assert found(ProblemEvidence(check=disk)) == ["disk-full"]
    held = CheckRow(
        "p", "port", "crit", "port 80", findings=(FindingRow("port 80", "free", "open on * (nginx)", "crit"),)
    )
    assert found(ProblemEvidence(check=held)) == ["port-taken"]
    memory = MetricRow("host.memory", "host", "%", latest=97.0, status="crit", crit="95")
    assert found(ProblemEvidence(metric=memory)) == ["host-memory"]


def test_the_cause_stands_before_what_only_shows() -> None:
    evidence = ProblemEvidence(
        stopped("exited, exit 1", restarts=9),
        check("127.0.0.1:80: connection refused"),
        lines=("bind: address already in use: 0.0.0.0:80",),
    )
    assert found(evidence) == ["port-taken", "connection-refused", "crash-loop"]


def test_a_loop_is_one_only_while_it_turns() -> None:
    loop = replace(stopped("restarting, exit 1", restarts=5), state="unknown")
    assert first(ProblemEvidence(loop)).because == "web has restarted 5 times and restarts now: restarting, exit 1"
    assert found(ProblemEvidence(replace(loop, restarts=1))) == []
    assert found(ProblemEvidence(stopped("exited, exit 1", restarts=2))) == []
    assert found(ProblemEvidence(stopped("exited, exit 143", restarts=20))) == []
    assert found(ProblemEvidence(replace(loop, state="running", health="ok", detail="healthy"))) == []


INNOCENT = (
    ProblemEvidence(replace(stopped("answers 200"), state="running", health="ok"), lines=("FATAL: out of memory",)),
    ProblemEvidence(
        stopped("exited, exit 0"), lines=("INFO retry after connection refused", "level=info no such host")
    ),
    ProblemEvidence(stopped("exited, exit 137")),  # killed by hand, or by `docker stop`: nobody knows
    ProblemEvidence(replace(stopped("answers 500"), state="running"), lines=("open /x: permission denied",)),
    ProblemEvidence(replace(stopped("answers 500"), state="running"), lines=("connect: connection refused",)),
    ProblemEvidence(check=check("status: expected 200, observed 500", phase="assert")),
    ProblemEvidence(check=check("fine, no connection refused", status="ok")),
    ProblemEvidence(check=check("permission denied for table users", kind="sql")),
    ProblemEvidence(stopped("exited, exit 255"), lines=("git@host: Permission denied (publickey).",)),
    ProblemEvidence(metric=MetricRow("host.memory", "host", "%", latest=50.0)),
    ProblemEvidence(stopped("running", kind="aws"), lines=("no interruption notice, not a spot instance",)),
)


@pytest.mark.parametrize("evidence", INNOCENT)
def test_nothing_is_accused_falsely(evidence: ProblemEvidence) -> None:
    assert found(evidence) == []


def test_a_value_from_outside_is_never_taken_for_more_than_it_is() -> None:
    for line in (
        "listen 0.0.0.0:99999: address already in use",
        'could not translate host name "-oProxyCommand" to address: unknown host, Name or service not known',
    ):
        assert dict(first(ProblemEvidence(stopped("exited, exit 1"), lines=(line,))).values) == {}


def test_no_command_holds_anything_but_its_own_text_and_the_environment() -> None:
    allowed = {"SERVICE", "CONTAINER", "UNIT", "PID", "PORT", "HOST", "PATH_"}
    own = {"NF", "PGUSER", "PGDATABASE", "AWS_EC2_METADATA_SERVICE_ENDPOINT"}
    assert KNOWN
    for entry in KNOWN:
        commands = [(look.command, look.needs) for look in entry.looks] + [(r.run, r.needs) for r in entry.remedies]
        assert commands, entry.id
        for command, needs in commands:
            used = set(re.findall(r"\$\{?([A-Z][A-Z0-9_]+)", command)) - own
            assert used <= allowed
            assert {name for name in used if f"${{{name}:" not in command} <= set(needs), (entry.id, command)
            assert subprocess.run(["/bin/sh", "-n", "-c", command], check=False).returncode == 0, command


def test_every_entry_says_what_may_help_and_how_to_look_closer() -> None:
    assert len({entry.id for entry in KNOWN}) == len(KNOWN)
    for entry in KNOWN:
        assert entry.looks
        assert entry.remedies
        destroying = [remedy for remedy in entry.remedies if remedy.effect == "destroys"]
        assert all(remedy.irreversible and remedy.confirm for remedy in destroying)


def test_what_was_got_over_long_ago_stands_behind_what_was_said_last() -> None:
    old = "open /etc/app.key: permission denied"
    last = "dial tcp 10.0.0.7:5432: connect: connection refused"
    long_ago = (old, *(f"request {n} served" for n in range(20)), last)
    assert found(ProblemEvidence(stopped("exited, exit 1"), lines=long_ago)) == [
        "connection-refused",
        "permission-denied",
    ]
    just_now = (old, "retrying", last)
    assert found(ProblemEvidence(stopped("exited, exit 1"), lines=just_now)) == [
        "permission-denied",
        "connection-refused",
    ]


def test_what_fell_long_ago_and_runs_since_is_not_judged_by_its_log() -> None:
    lines = ("bind: address already in use",)
    runs = replace(stopped("unhealthy after 3 failures", restarts=2), state="running")
    assert found(ProblemEvidence(runs, lines=lines)) == []
    falls = replace(runs, detail="restarted 2 times, last exit 1, up for less than 10 s")
    assert found(ProblemEvidence(falls, lines=lines)) == ["port-taken"]
