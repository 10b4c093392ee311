# ruff: noqa: E501 - a command reads best as it is typed
"""What happens to a service as a whole: it starts again and again, its machine goes, its database is full."""

from __future__ import annotations

import re

from switchover.triage.entries import DiagnosticCommand, KnownIssue, Remedy, Sign, Sort
from switchover.triage.evidence import ProblemEvidence
from switchover.triage.known.shared_commands import (
    AGAIN,
    CONTAINER_LOG,
    CONTAINER_STATE,
    CONTAINERS,
    UNIT_LOG,
    UNIT_STATE,
)

__all__ = ["CRASH_LOOP", "DATABASE_CONNECTIONS", "SPOT"]

_I = re.IGNORECASE
_LOOP = re.compile(r"auto-restart|start-limit-hit|start request repeated|CrashLoopBackOff|crash loop", _I)
_AGAIN_AT_LEAST = 2
_OFTEN = 3
_BY_HAND = re.compile(r"\bexit (?:code )?(?:0|130|143)\b", _I)


def _loops(evidence: ProblemEvidence) -> str:
    row = evidence.service
    if row is None or not evidence.said:
        return ""
    count = row.restarts or 0
    again = f"{row.name} has restarted {count} times"
    if _LOOP.search(evidence.said):
        return f"{row.name}: {evidence.said}" + (f", {count} restarts" if count else "")
    if re.search(r"\brestarting\b", evidence.said, _I) and count >= _AGAIN_AT_LEAST:
        return f"{again} and restarts now: {evidence.said}"
    if row.state == "stopped" and count >= _OFTEN and not _BY_HAND.search(evidence.said):
        return f"{again}, now {evidence.said}"
    return ""


CRASH_LOOP = KnownIssue(
    "crash-loop",
    "It ends again and again soon after its start",
    (Sign(test=_loops),),
    (
        CONTAINER_LOG,
        UNIT_LOG,
        CONTAINER_STATE,
        UNIT_STATE,
        DiagnosticCommand(
            "what it is started with",
            "docker inspect --type container --format '{{.Config.Image}} {{json .Config.Entrypoint}} {{json .Config.Cmd}}"
            '{{range .Mounts}}\n{{.Source}} -> {{.Destination}}{{end}}\' "$CONTAINER"',
            ("CONTAINER",),
            CONTAINERS,
        ),
    ),
    (
        Remedy("its last lines before the end say why: l opens its log; undo what changed just before"),
        Remedy("stop it, so that it does no harm while you look", action="stop"),
        *AGAIN,
    ),
)

SPOT = KnownIssue(
    "spot-interruption",
    "The Spot instance is taken back in two minutes or less",
    (
        Sign(
            re.compile(
                r"spot[^\n]{0,60}(?:interrupt|reclaim|taken back|terminat)|interruption notice|"
                r"instance-action[^\n]{0,60}(?:terminate|stop|hibernate)",
                _I,
            ),
            (Sort.SERVICE, Sort.CHECK, Sort.ANY_LOG),
            unless=re.compile(r"\bno (?:spot )?(?:interruption|notice)|not a spot|none announced", _I),
        ),
    ),
    (
        DiagnosticCommand(
            "what the instance itself was told",
            'm="${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254}"; m="${m%/}"; '
            'if t=$(curl -fsS -m 2 -X PUT -H "X-aws-ec2-metadata-token-ttl-seconds: 60" "$m/latest/api/token" 2>/dev/null); '
            'then curl -sS -m 2 -H "X-aws-ec2-metadata-token: $t" "$m/latest/meta-data/spot/instance-action"; echo; '
            "else echo 'no instance metadata answers here: this is not that instance'; fi",
        ),
        DiagnosticCommand("what would be lost with it", "df -hP -x tmpfs -x devtmpfs -x overlay 2>/dev/null || df -hP"),
    ),
    (
        Remedy("take it out of its load balancer, and let what it has begun end"),
        Remedy("save what lies only on it: last backup, queue, logs"),
        Remedy("start its replacement, On-Demand where it must not happen again today"),
    ),
)

DATABASE_CONNECTIONS = KnownIssue(
    "database-connections",
    "The database takes no more connections",
    (
        Sign(
            re.compile(
                r"too many clients already|remaining connection slots are reserved|too many connections|"
                r"max number of clients reached|QueuePool limit|connection pool[^\n]{0,30}(?:exhausted|timed out|timeout)|"
                r"pool[^\n]{0,20}exhausted",
                _I,
            ),
            (Sort.SERVICE, Sort.CHECK, Sort.ANY_LOG),
        ),
    ),
    (
        DiagnosticCommand(
            "who is connected",
            "if command -v ss >/dev/null 2>&1; then ss -Htn state established \"( sport = :$PORT )\" | awk '{print $4}' | "
            "sed 's/:[0-9]*$//' | sort | uniq -c | sort -rn | head -15 | grep . || echo \"nobody over TCP on port $PORT\"; "
            "else echo 'ss is not installed'; fi",
            ("PORT",),
        ),
        DiagnosticCommand(
            "what PostgreSQL says of its clients",
            'PGCONNECT_TIMEOUT=4 psql -w -X -h "$HOST" -p "$PORT" -U "${PGUSER:-postgres}" -d "${PGDATABASE:-postgres}" -c '
            '"select usename, application_name, state, count(*), max(now() - state_change) as longest '
            'from pg_stat_activity group by 1, 2, 3 order by 4 desc limit 15"',
            ("HOST", "PORT"),
        ),
        DiagnosticCommand(
            "what PostgreSQL says of its clients",
            'docker exec "$CONTAINER" psql -w -X -U postgres -c "select usename, application_name, state, count(*), '
            'max(now() - state_change) as longest from pg_stat_activity group by 1, 2, 3 order by 4 desc limit 15"',
            ("CONTAINER",),
            CONTAINERS,
        ),
    ),
    (
        Remedy("restart the client that opens them and never closes them, not the database"),
        Remedy("put a pool (PgBouncer, the framework's own) between the clients and the database"),
        Remedy(
            "end the connections that have been idle for 10 minutes",
            run='PGCONNECT_TIMEOUT=4 psql -w -X -h "$HOST" -p "$PORT" -U "${PGUSER:-postgres}" -d "${PGDATABASE:-postgres}" -c '
            "\"select pid, usename, pg_terminate_backend(pid) as ended from pg_stat_activity where state like 'idle%' and "
            "state_change < now() - interval '10 minutes' and pid <> pg_backend_pid()\"",
            needs=("HOST", "PORT"),
        ),
    ),
)
