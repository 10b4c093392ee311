# ruff: noqa: E501 - a command reads best as it is typed
"""What goes wrong between programs: ports, connections, names, certificates."""

from __future__ import annotations

import re

from switchover.triage.entries import DiagnosticCommand, KnownIssue, Remedy, Sign, Sort
from switchover.triage.known.shared_commands import (
    AGAIN,
    CONTAINER_LOG,
    CONTAINER_STATE,
    CONTAINERS,
    LISTENERS,
    UNIT_LOG,
    UNIT_STATE,
)

__all__ = ["CERTIFICATE", "CONNECTION_REFUSED", "NAME", "PORT_TAKEN"]

_I = re.IGNORECASE
_TAKEN = r"(?:address already in use|EADDRINUSE|port is already allocated|address in use)"


PORT_TAKEN = KnownIssue(
    "port-taken",
    "Its port is taken by another program",
    (
        Sign(re.compile(rf":(?P<PORT>\d{{1,5}})\b[^\n]{{0,60}}?{_TAKEN}", _I)),
        Sign(re.compile(rf"{_TAKEN}[^\n]{{0,60}}?(?:port |[:', (])(?P<PORT>\d{{2,5}})\b(?![.:]\d)", _I)),
        Sign(re.compile(rf"port (?P<PORT>\d{{1,5}})\b[^\n]{{0,80}}?(?:{_TAKEN}|already in use)", _I)),
        Sign(re.compile(_TAKEN, _I)),
        Sign(re.compile(r"\bport (?P<PORT>\d{1,5}): (?:expected free, observed )?open on ", _I), (Sort.CHECK,)),
    ),
    (
        LISTENERS,
        DiagnosticCommand(
            "containers that publish it",
            "docker ps --filter \"publish=$PORT\" --format '{{.Names}}  {{.Image}}  {{.Ports}}  {{.Status}}'",
            ("PORT",),
            CONTAINERS,
        ),
        CONTAINER_STATE,
        UNIT_STATE,
        CONTAINER_LOG,
        UNIT_LOG,
    ),
    (
        Remedy("stop the program that holds the port, or give one of the two another port"),
        *AGAIN,
    ),
)

CONNECTION_REFUSED = KnownIssue(
    "connection-refused",
    "Nothing listens where it connects to",
    (
        Sign(
            re.compile(r"(?P<HOST>\[?[A-Za-z0-9._:-]+?\]?):(?P<PORT>\d{1,5})\b[^\n]{0,60}?connect(?:ion)? refused", _I)
        ),
        Sign(re.compile(r"connect(?:ion)? refused[^\n]{0,30}?(?P<HOST>[A-Za-z0-9._-]+):(?P<PORT>\d{1,5})", _I)),
        Sign(re.compile(r"connect(?:ion)? refused|\bECONNREFUSED\b", _I)),
    ),
    (
        LISTENERS,
        DiagnosticCommand(
            "a connection, tried from here",
            'if command -v nc >/dev/null 2>&1; then nc -vz -w 4 "$HOST" "$PORT"; else '
            'timeout 4 bash -c \'exec 3<>"/dev/tcp/$HOST/$PORT"\' && echo "connected to $HOST:$PORT"; fi',
            ("HOST", "PORT"),
        ),
        DiagnosticCommand(
            "what the name stands for",
            'a=$(getent ahosts "$HOST") && echo "$a" | sort -u -k1,1 | head -8 || echo "$HOST: no answer"',
            ("HOST",),
        ),
        CONTAINER_STATE,
        UNIT_STATE,
        CONTAINER_LOG,
        UNIT_LOG,
    ),
    (
        Remedy("where it runs and still refuses: it listens on another address or port, or is not ready yet"),
        Remedy("start the service", action="start"),
        Remedy("restart the service", action="restart"),
    ),
)

NAME = KnownIssue(
    "name-does-not-resolve",
    "A name does not resolve",
    (
        Sign(re.compile(r"the name (?P<HOST>[A-Za-z0-9._-]+) cannot be resolved", _I)),
        Sign(re.compile(r"could not translate host name \"(?P<HOST>[A-Za-z0-9._-]+)\"", _I)),
        Sign(re.compile(r"(?:lookup|ENOTFOUND|EAI_AGAIN|resolve host:?|host not found in upstream) \"?(?P<HOST>[A-Za-z0-9._-]+)", _I),
             unless=re.compile(r"connection refused", _I)),
        Sign(re.compile(
            r"name does not resolve|name or service not known|temporary failure in name resolution|no such host|NXDOMAIN|"
            r"nodename nor servname|could not resolve|cannot be resolved", _I)),
    ),
    (
        DiagnosticCommand("the name, asked as programs do", 'a=$(getent ahosts "$HOST") && echo "$a" | sort -u -k1,1 || echo "$HOST: no answer"', ("HOST",)),
        DiagnosticCommand("who is asked", "cat /etc/resolv.conf; grep -E '^hosts:' /etc/nsswitch.conf; "
             "command -v resolvectl >/dev/null 2>&1 && timeout 5 resolvectl dns 2>/dev/null; true"),
        DiagnosticCommand("each name server, asked directly",
             "if command -v dig >/dev/null 2>&1; then for s in $(awk '/^nameserver/ {print $2}' /etc/resolv.conf); do "
             'echo "$s: $(timeout 6 dig +short +time=2 +tries=1 "@$s" "$HOST" 2>&1 | tr \'\\n\' \' \')"; done; '
             "else echo 'dig is not installed'; fi", ("HOST",)),
        DiagnosticCommand("the same inside the container", 'docker exec "$CONTAINER" cat /etc/resolv.conf', ("CONTAINER",), CONTAINERS),
    ),
    (
        Remedy("a name of a container resolves only within its network: are both in the same one?"),
        Remedy("a name that was just made takes until its old answer expires; a mistyped one never resolves"),
        *AGAIN,
    ),
)  # fmt: skip

CERTIFICATE = KnownIssue(
    "certificate-expired",
    "The certificate has expired, or is about to",
    (
        Sign(re.compile(r"certificate[^\n]{0,60}?(?:has |is )?expired|CERT_HAS_EXPIRED|certificate is not yet valid", _I),
             (Sort.SERVICE, Sort.CHECK, Sort.ANY_LOG)),
        Sign(re.compile(r"certificate[^\n]{0,40}?(?:expires|valid for|days left|\d+ d left)", _I), (Sort.CHECK,)),
    ),
    (
        DiagnosticCommand("the certificate that is served",
             'if command -v openssl >/dev/null 2>&1; then timeout 8 openssl s_client -connect "$HOST:$PORT" -servername "$HOST" '
             "</dev/null 2>/dev/null | openssl x509 -noout -subject -issuer -dates -ext subjectAltName; "
             "else echo 'openssl is not installed'; fi", ("HOST", "PORT")),
        DiagnosticCommand("the time here: a clock that is wrong makes every certificate look so",
             "date -u; command -v timedatectl >/dev/null 2>&1 && timeout 4 timedatectl show -p NTPSynchronized 2>/dev/null; true"),
        DiagnosticCommand("what renews certificates here",
             "if command -v certbot >/dev/null 2>&1; then timeout 15 certbot certificates 2>&1 | tail -20; fi; "
             "systemctl list-timers --all --no-pager 2>/dev/null | grep -iE 'certbot|acme|lego' || echo 'no timer renews one here'"),
    ),
    (
        Remedy("renew it, and find out why its renewal did not run"),
        Remedy("let it read the renewed certificate", action="reload"),
        Remedy("restart it with the renewed certificate", action="restart"),
    ),
)  # fmt: skip
