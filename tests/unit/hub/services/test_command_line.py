from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.hub.fake_source import Host

from switchover.hub.services.command_line import as_typed, command_line_of, without_secrets
from switchover.services.processes.process_provider import ProcessProvider
from switchover_checks.unknown_secrets import redact_unknown

CANARY = "c4nary-Zq7"
TYPED = [
    f"mysql -uroot -p{CANARY} shop",
    f"mysqldump -u root --password={CANARY} shop",
    f"curl -s -u ann:{CANARY} http://127.0.0.1/",
    f"curl -H 'Authorization: Bearer {CANARY}0123456789' http://127.0.0.1/",
    f"redis-cli -h 127.0.0.1 -a {CANARY} ping",
    f"redis-server --requirepass {CANARY}",
    f"sshpass -p {CANARY} ssh host",
    f"docker login -u ann -p {CANARY} registry.example",
    f"smbclient -U ann%{CANARY} //host/share",
    f"ldapsearch -x -D cn=admin -w {CANARY} -b dc=example",
    f"zip -P {CANARY} a.zip a",
    f"env PGPASSWORD={CANARY} psql -h db shop",
    f"psql postgresql://ann:{CANARY}@db/shop",
    f"java -Ddb.password={CANARY} -jar shop.jar",
    f"sh -c 'mysql -p{CANARY} shop < dump.sql'",
    f"mysql '-p{CANARY} {CANARY}' shop",
    f"env 'PGPASSWORD={CANARY} {CANARY}' psql",
    f"mysql -e 'select 1; select 2' -p{CANARY}",
    f"shop --db-password '{CANARY} {CANARY}' --port 80",
]


@pytest.mark.parametrize("typed", TYPED)
def test_a_command_line_is_shown_without_the_secrets_in_it(typed: str) -> None:
    words = tuple(shlex.split(typed))
    shown = without_secrets(as_typed(words), redact_unknown)
    assert CANARY not in shown
    assert shown.startswith(words[0])


@pytest.mark.parametrize(
    "typed", ["nginx -p /etc/nginx -c a.conf", "java -Xmx2g -jar shop.jar --port 80", "sh -c 'a; b'"]
)
def test_what_is_no_secret_stays_in_a_command_line(typed: str) -> None:
    assert without_secrets(as_typed(tuple(shlex.split(typed))), redact_unknown) == typed


@pytest.fixture
def running() -> Iterator[subprocess.Popen[bytes]]:
    words = ["mysql", "-c", "import sys; sys.stdin.read()", "-uroot", f"-p{CANARY}", "shop"]
    child = subprocess.Popen(words, executable=sys.executable, stdin=subprocess.PIPE)
    yield child
    child.communicate()


async def test_the_inspection_of_a_process_shows_its_command_line_without_secrets(
    tmp_path: Path, running: subprocess.Popen[bytes]
) -> None:
    async with Host(tmp_path, ProcessProvider(tmp_path, time.monotonic)) as host:
        host.hub.note_viewer("screen")
        row = await host.row(f"process:{running.pid}")
        text = await host.hub.inspect(row.id)
    assert "'import sys; sys.stdin.read()' -uroot -p" in text
    assert text.endswith(" shop")
    assert CANARY not in text


def test_the_command_line_of_the_process_that_took_its_number_is_not_shown() -> None:
    assert command_line_of(os.getpid(), f"{os.getpid()}:1") == "(it has ended)"
