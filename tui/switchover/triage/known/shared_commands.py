"""Commands that several entries share. None changes anything, each makes do with what the host has."""

from __future__ import annotations

from switchover.triage.entries import DiagnosticCommand, Remedy

__all__ = ["AGAIN", "BIGGEST", "CONTAINERS", "CONTAINER_LOG", "CONTAINER_STATE", "LISTENERS", "UNIT_LOG", "UNIT_STATE"]

CONTAINERS = ("docker", "compose")

LISTENERS = DiagnosticCommand(
    "who listens on the port",
    r"""if command -v ss >/dev/null 2>&1; then
  ss -Hltnp "sport = :$PORT" | grep . || echo "nobody listens on port $PORT now"
elif command -v lsof >/dev/null 2>&1; then
  lsof -nP -iTCP:"$PORT" -sTCP:LISTEN || echo "nobody listens on port $PORT now"
else
  suffix=$(printf ':%04X' "$PORT")
  inodes=$(awk -v p="$suffix" '$4 == "0A" && substr($2, length($2) - 4) == p {print $10}' /proc/net/tcp /proc/net/tcp6)
  [ -n "$inodes" ] || echo "nobody listens on port $PORT now"
  for inode in $inodes; do
    for fd in /proc/[0-9]*/fd/*; do
      [ "$(readlink "$fd" 2>/dev/null)" = "socket:[$inode]" ] || continue
      pid=${fd#/proc/}; pid=${pid%%/*}
      echo "pid $pid: $(tr '\0' ' ' <"/proc/$pid/cmdline")"; break
    done
  done
fi""",
    ("PORT",),
)

CONTAINER_STATE = DiagnosticCommand(
    "how the container ended, and its limits",
    "docker inspect --type container --format '"
    "state={{.State.Status}} exit={{.State.ExitCode}} oom-killed={{.State.OOMKilled}} restarts={{.RestartCount}} "
    "memory-limit={{.HostConfig.Memory}} policy={{.HostConfig.RestartPolicy.Name}} finished={{.State.FinishedAt}} "
    'error={{.State.Error}}\' "$CONTAINER"',
    ("CONTAINER",),
    CONTAINERS,
)

CONTAINER_LOG = DiagnosticCommand(
    "its last lines", 'docker logs --tail 60 --timestamps "$CONTAINER"', ("CONTAINER",), CONTAINERS
)

UNIT_STATE = DiagnosticCommand(
    "how the unit ended",
    "systemctl show -p ActiveState,SubState,Result,ExecMainCode,ExecMainStatus,NRestarts,MemoryMax,User,ExecStart "
    '-- "$UNIT"',
    ("UNIT",),
    ("systemd",),
)

UNIT_LOG = DiagnosticCommand(
    "its last lines", 'journalctl --no-pager -n 60 -o short-iso -u "$UNIT"', ("UNIT",), ("systemd",)
)

BIGGEST = DiagnosticCommand(
    "the processes with the most memory",
    "if command -v ps >/dev/null 2>&1; then ps -eo pid,user,rss,comm --sort=-rss | head -11; else "
    "for s in /proc/[0-9]*/status; do awk '/^Name:/{n=$2} /^Pid:/{p=$2} /^VmRSS:/{print $2, p, n}' \"$s\" 2>/dev/null; "
    "done | sort -rn | head -10; fi",
)

AGAIN = (
    Remedy("start it again once the cause is gone", action="start"),
    Remedy("restart it once the cause is gone", action="restart"),
)
