# ruff: noqa: E501 - a command reads best as it is typed
"""What runs short: memory, disk, file handles; a file system that takes nothing; a file that may not be used."""

from __future__ import annotations

import re

from switchover.triage.entries import DiagnosticCommand, KnownIssue, Remedy, Sign, Sort
from switchover.triage.evidence import ProblemEvidence
from switchover.triage.known.shared_commands import (
    AGAIN,
    BIGGEST,
    CONTAINER_LOG,
    CONTAINER_STATE,
    CONTAINERS,
    UNIT_LOG,
    UNIT_STATE,
)

__all__ = ["DISK_FULL", "FILE_HANDLES", "HOST_MEMORY", "OUT_OF_MEMORY", "PERMISSION", "READ_ONLY"]

_I = re.IGNORECASE
_KERNEL = "if journalctl -k -n 1 --no-pager >/dev/null 2>&1; then journalctl -k -n 2000 --no-pager; else dmesg; fi 2>&1"


def _host(check_kind: str, metric: str, what: str) -> Sign:
    def test(evidence: ProblemEvidence) -> str:
        check, row = evidence.check, evidence.metric
        if check is not None and check.kind == check_kind and check.status in {"crit", "warn"}:
            return f"{check.name} observed: {check.summary}"
        if row is not None and row.name.removeprefix("host.") == metric and row.status in {"crit", "warn"}:
            value = f"{row.latest:.3g} {row.unit}".rstrip() if row.latest is not None else "?"
            return f"{what} is at {value}"
        return ""

    return Sign(test=test)


OUT_OF_MEMORY = KnownIssue(
    "out-of-memory",
    "Out of memory: the kernel ended it",
    (
        Sign(re.compile(r"out of memory|OOMKilled|oom[-_ ]kill", _I), (Sort.SERVICE, Sort.CHECK)),
        Sign(
            re.compile(
                r"Out of memory: Killed process|OutOfMemoryError|Cannot allocate memory|\bENOMEM\b|"
                r"runtime: out of memory|heap out of memory|^MemoryError\b",
                _I,
            ),
            (Sort.LOG,),
        ),
    ),
    (
        CONTAINER_STATE,
        UNIT_STATE,
        DiagnosticCommand(
            "what the kernel wrote of it",
            f"{_KERNEL} | grep -iE 'oom-kill|out of memory|killed process' | tail -15 | grep . || "
            "echo 'nothing of it in the kernel log that may be read here'",
        ),
        DiagnosticCommand(
            "memory of the host", "grep -E '^(MemTotal|MemAvailable|SwapTotal|SwapFree|Committed_AS)' /proc/meminfo"
        ),
        BIGGEST,
        CONTAINER_LOG,
        UNIT_LOG,
    ),
    (
        Remedy("give it more memory (mem_limit, MemoryMax, -Xmx), or find what holds on to it, before it starts again"),
        *AGAIN,
    ),
)

HOST_MEMORY = KnownIssue(
    "host-memory",
    "The host has hardly any memory left",
    (_host("memory", "memory", "memory in use"), _host("memory", "swap", "swap in use")),
    (
        DiagnosticCommand(
            "memory of the host", "grep -E '^(MemTotal|MemAvailable|SwapTotal|SwapFree|Dirty)' /proc/meminfo"
        ),
        BIGGEST,
        DiagnosticCommand(
            "how long programs wait for memory", "cat /proc/pressure/memory 2>/dev/null || echo 'not measured here'"
        ),
    ),
    (Remedy("stop or restart the one that grew, before the kernel chooses one by itself: tab 2, sorted by memory"),),
)

DISK_FULL = KnownIssue(
    "disk-full",
    "The disk is full, or nearly so",
    (
        Sign(re.compile(r"(?<![\w.])(?P<PATH_>/[^\s:\"']+)[\"']?: [^\n]{0,60}no space left on device", _I)),
        Sign(re.compile(r"no space left on device|\bENOSPC\b|disk quota exceeded|database or disk is full", _I)),
        _host("disk", "disk", "disk in use"),
    ),
    (
        DiagnosticCommand("file systems", 'df -hP -- ${PATH_:+"$PATH_"} 2>/dev/null || df -hP'),
        DiagnosticCommand("inodes, which run out too", 'df -iP -- ${PATH_:+"$PATH_"} 2>/dev/null || df -iP'),
        DiagnosticCommand(
            "the largest folders beside it",
            'd=${PATH_:-/}; [ -d "$d" ] || d=$(dirname -- "$d"); timeout 12 du -xkd1 -- "$d" 2>/dev/null | sort -rn | '
            'head -12 | awk \'{printf "%8.1f MiB  ", $1 / 1024; $1 = ""; print}\'',
        ),
        DiagnosticCommand(
            "files that were deleted and are still held open",
            "if command -v lsof >/dev/null 2>&1; then timeout 10 lsof -nP +L1 2>/dev/null | head -15; else "
            "find /proc/[0-9]*/fd -lname '*(deleted)' -printf '%p -> %l\\n' 2>/dev/null | head -15; fi",
        ),
        DiagnosticCommand("what Docker holds", "docker system df", kinds=CONTAINERS),
        DiagnosticCommand("what the journal holds", "journalctl --disk-usage", kinds=("systemd",)),
    ),
    (
        Remedy("free space: old logs, old backups, old releases; restart what holds deleted files open"),
        Remedy(
            "shrink the system journal to 200 MiB",
            run="journalctl --vacuum-size=200M",
            kinds=("systemd", ""),
            tool="journalctl",
        ),
        Remedy(
            "remove the images of Docker that nothing uses",
            run="docker image prune --all --force",
            effect="destroys",
            irreversible=True,
            confirm="remove unused images",
            kinds=CONTAINERS,
            tool="docker",
        ),
        *AGAIN,
    ),
)

READ_ONLY = KnownIssue(
    "read-only-file-system",
    "The file system takes no writes",
    (
        Sign(re.compile(r"(?<![\w.])(?P<PATH_>/[^\s:\"']+)[\"']?: [^\n]{0,40}read-only file system", _I)),
        Sign(re.compile(r"read-only file system|\bEROFS\b", _I)),
    ),
    (
        DiagnosticCommand(
            "how it is mounted",
            'if command -v findmnt >/dev/null 2>&1; then findmnt -o TARGET,SOURCE,FSTYPE,OPTIONS ${PATH_:+--target "$PATH_"}; '
            "else grep -E ' ro[, ]' /proc/mounts; fi",
        ),
        DiagnosticCommand(
            "what the kernel wrote of it",
            f"{_KERNEL} | grep -iE 'remount|I/O error|EXT4-fs error|XFS .*error' | tail -15 | grep . || "
            "echo 'nothing of it in the kernel log that may be read here'",
        ),
        CONTAINER_STATE,
    ),
    (
        Remedy("a disk that turned read-only by itself is failing: save its data first, then check it unmounted"),
        Remedy("where it is meant to be read-only, give the service a writable folder of its own"),
        *AGAIN,
    ),
)

FILE_HANDLES = KnownIssue(
    "too-many-open-files",
    "No more files may be opened",
    (Sign(re.compile(r"too many open files|\bEMFILE\b|\bENFILE\b", _I), (Sort.SERVICE, Sort.CHECK, Sort.ANY_LOG)),),
    (
        DiagnosticCommand("its limit", 'grep "open files" "/proc/$PID/limits"', ("PID",)),
        DiagnosticCommand("how many it has open, by kind",
             'ls -l "/proc/$PID/fd" | awk \'NR > 1 {print $NF}\' | sed \'s/:.*//\' | sort | uniq -c | sort -rn | head',
             ("PID",)),
        DiagnosticCommand("all of the host", "cat /proc/sys/fs/file-nr"),
    ),
    (Remedy("raise its limit (LimitNOFILE, ulimit -n, --ulimit nofile), and look for what is never closed"), *AGAIN),
)  # fmt: skip

PERMISSION = KnownIssue(
    "permission-denied",
    "It may not use a file, a folder or a port",
    tuple(
        Sign(pattern, unless=re.compile(r"permission denied (?:for|to) |publickey|docker[. ]sock|Docker socket", _I))
        for pattern in (
            re.compile(r"permission denied:? [\"'](?P<PATH_>/[^\"']+)[\"']", _I),
            re.compile(r"(?<![\w.])(?P<PATH_>/[^\s:\"']+)[\"']?: [^\n]{0,60}permission denied", _I),
            re.compile(r"permission denied|\bEACCES\b|operation not permitted|\bEPERM\b", _I),
            re.compile(r"\bexit (?:code )?126\b", _I),
        )
    ),
    (
        DiagnosticCommand("each folder on the way to it",
             'if command -v namei >/dev/null 2>&1; then namei -l -- "$PATH_"; else ls -ld -- "$PATH_" "$(dirname -- "$PATH_")"; fi',
             ("PATH_",)),
        DiagnosticCommand("whom the process runs as", 'grep -E "^(Name|Uid|Gid|Groups|CapEff)" "/proc/$PID/status"', ("PID",)),
        DiagnosticCommand("whom the container runs as, and what is mounted",
             "docker inspect --type container --format 'user={{.Config.User}} read-only={{.HostConfig.ReadonlyRootfs}}{{range .Mounts}}\n"
             "{{.Source}} -> {{.Destination}} writable={{.RW}}{{end}}' \"$CONTAINER\"",
             ("CONTAINER",), CONTAINERS),
        UNIT_STATE,
        DiagnosticCommand("what a security module refused",
             f"{_KERNEL} | grep -iE 'apparmor=.DENIED|avc: *denied' | tail -10 | grep . || echo 'nothing'"),
        CONTAINER_LOG,
        UNIT_LOG,
    ),
    (
        Remedy("let the user that it runs as own the file, or give it the group's right; a volume keeps the old owner"),
        Remedy("a port below 1024 needs CAP_NET_BIND_SERVICE, or a higher port behind a proxy"),
        *AGAIN,
    ),
)  # fmt: skip
