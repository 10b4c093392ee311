"""What only reads may look where nothing may be changed; what writes, or cannot be told, is left out."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from switchover_checks.api import ProbeError, Status
from switchover_checks.language.shell_reading import not_reading
from switchover_checks.language.sql_text import read_query
from switchover_checks.runtime.registry import Registry

Probe = Callable[..., Any]

READS: list[tuple[str, dict[str, Any]]] = [
    ("http", {"url": "http://h/"}),
    ("http", {"url": "http://h/", "method": "HEAD"}),
    ("http", {"url": "http://h/", "method": "OPTIONS"}),
    ("http", {"url": "http://h/", "method": "POST", "json": {"query": "{ up }"}, "effect": "read"}),
    ("tcp", {"port": 22}),
    ("tcp", {"port": 6379, "send": "PING\r\n", "effect": "read"}),
    ("command", {"command": "true"}),
    ("command", {"command": ["test", "-f", "x"]}),
    ("command", {"command": "systemctl is-active shop | grep -q active"}),
    ("command", {"command": "./look.sh", "effect": "read"}),
    ("nagios", {"command": "/usr/lib/nagios/plugins/check_load -w 1"}),
    ("nagios", {"command": ["/opt/check_mk_agent"]}),
    ("sql", {"database": "after", "query": "SELECT count(*) FROM orders WHERE state = 'delete from x'"}),
    ("sql", {"database": "after", "query": "SELECT shop.health()", "effect": "read"}),
    ("sql_compare", {"left": "before", "right": "after"}),
    ("backup", {"path": "b.dump"}),
    ("backup", {"path": "b.dump", "restore_test": 'pg_restore --list "$BACKUP_PATH"'}),
    ("file", {"path": "x"}),
    ("disk", {"warn": "10%:"}),
    ("memory", {"warn": "10%:"}),
    ("port", {"port": 1}),
    ("process", {"pattern": "x"}),
    ("docker", {"container": "x"}),
]
WRITES: list[tuple[str, dict[str, Any]]] = [
    *(("http", {"url": "http://h/", "method": m}) for m in ("DELETE", "POST", "PUT", "PATCH")),
    ("http", {"url": "http://h/", "headers": {"X-HTTP-Method-Override": "delete"}}),
    ("http", {"url": "http://h/", "effect": "red"}),
    ("tcp", {"port": 6379, "send": "SET a 1\r\n"}),
    ("command", {"command": "touch x"}),
    ("command", {"command": ["touch", "x"]}),
    ("command", {"command": "true; touch x"}),
    ("command", {"command": "echo 1 > /proc/sys/vm/drop_caches"}),
    ("command", {"command": "cat $(touch x)"}),
    ("command", {"command": "true", "env": {"LD_PRELOAD": "./x.so"}}),
    ("command", {"command": "true", "effect": "writes"}),
    ("http", {"url": "http://h/", "effect": "writes"}),
    ("tcp", {"port": 1, "effect": "writes"}),
    ("sql", {"database": "after", "query": "SELECT 1", "effect": "writes"}),
    ("backup", {"path": "b.dump", "effect": "writes"}),
    ("command", {"command": "./test -f x"}),
    ("nagios", {"command": "touch x; echo OK"}),
    ("nagios", {"command": "check_disk; touch x"}),
    ("nagios", {"command": "check_by_ssh -H h -C 'touch x'"}),
    ("sql", {"database": "after", "query": "DELETE FROM orders"}),
    ("sql", {"database": "after", "query": "ATTACH 'x' AS y"}),
    ("sql", {"database": "after", "query": "WITH gone AS (DELETE FROM t RETURNING 1) SELECT count(*) FROM gone"}),
    ("sql", {"database": "after", "query": "SELECT setval('orders_id_seq', 1)"}),
    ("sql", {"database": "after", "query": 'SELECT "pg_reload_conf"()'}),
    ("sql", {"database": "after", "query": "SELECT shop.purge()"}),
    ("backup", {"path": "b.dump", "restore_test": 'pg_restore -d scratch "$BACKUP_PATH"'}),
]


@pytest.mark.parametrize(("kind", "config"), READS)
def test_what_only_reads_may_look(kind: str, config: dict[str, Any]) -> None:
    assert Registry().changes(kind, config) == ""


@pytest.mark.parametrize(("kind", "config"), WRITES)
def test_what_writes_or_cannot_be_told_says_so(kind: str, config: dict[str, Any]) -> None:
    assert Registry().changes(kind, config).startswith(f"a check of kind {kind} may change something when it looks: ")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_that_a_delete_only_reads_is_not_believed(method: str) -> None:
    problems = Registry().validate_config("http", {"url": "http://h/", "method": method, "effect": "read"})
    assert problems == [("", f"effect: read cannot be true of {method}")]


def test_a_local_kind_whose_configuration_decides_is_taken_to_write(tmp_path: Path) -> None:
    source = (
        "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass C:\n    path: str = ''\n"
        "class K:\n    kind = 'k'\n    effect = 'read'\n    config = C\n"
        "    async def probe(self, cfg, ctx): ...\n"
    )
    (tmp_path / "k.py").write_text(source)
    assert Registry([tmp_path / "k.py"]).changes("k", {}) == ""
    (tmp_path / "k.py").write_text(source + "    def changes(self, cfg):\n        return ''\n")
    assert "changes something" in Registry([tmp_path / "k.py"]).changes("k", {})


@pytest.mark.parametrize(
    "text",
    [
        "cat a 2>/dev/null | grep -c b",
        "test -f a && test -s a || exit 2",
        "if test -f a; then echo yes; else exit 1; fi",
        "echo broken >&2; exit 3",
        "docker inspect shop",
        "pg_restore -f /dev/null a",
        "date +%s",
        "ping -c 1 ${HOST}",
    ],
)
def test_commands_that_only_read_are_known(text: str) -> None:
    assert not_reading(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "true & touch x",
        "true\ntouch x",
        "test -f a && rm a",
        "`touch x`",
        "echo ${x:=$(touch y)}",
        "cat a >> b",
        "cat a &> b",
        "cat a 1<>b",
        "while true; do rm a; done",
        "docker rm shop",
        "systemctl restart shop",
        "date -s 10:00",
        "A=1 cat x",
        "cat 'a",
        "pg_restore -l a -d shop",
    ],
)
def test_commands_that_are_not_known_to_only_read_say_so(text: str) -> None:
    assert not_reading(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1; DROP TABLE t",
        "SELECT 'a\\'; DROP TABLE t --'",
        "ATTACH 'x' AS y",
        "/* SELECT */ VACUUM INTO 'x'",
        "COPY t TO PROGRAM 'touch x'",
        "DO $$BEGIN END$$",
        "CALL purge()",
        "SET transaction_read_only = off",
        "COMMIT",
        "PRAGMA journal_mode(wal)",
        "PRAGMA main.user_version = 4",
        "SELECT 'a",
        "SELECT /* a",
        "--",
    ],
)
def test_a_statement_that_is_no_question_is_an_error_of_the_plan(text: str) -> None:
    assert read_query(text).wrong
    assert Registry().validate_config("sql", {"database": "after", "query": text})


@pytest.mark.parametrize(
    "text",
    [
        "SELECT count(*) FROM orders;",
        "select E'a\\'; drop', $x$; drop$x$, \"delete from\" -- ; drop",
        "WITH RECURSIVE r (n) AS (SELECT 1 UNION SELECT n + 1 FROM r) SELECT max(n) FROM r",
        "SELECT lower(a) FILTER (WHERE true) OVER (PARTITION BY b) FROM t AS x (a, b) WHERE c IN (1)",
        "SELECT d::varchar(9) FROM t",
        "SELECT pg_catalog.now(), array[1, 2], cast(a AS numeric(10, 2)) FROM t LIMIT 1",
        "PRAGMA integrity_check(5)",
        "PRAGMA user_version",
        "EXPLAIN SELECT 1",
        "SHOW server_version",
        "(SELECT 1) UNION (SELECT 2)",
    ],
)
def test_a_question_only_reads(text: str) -> None:
    assert read_query(text) == type(read_query(text))()


async def test_no_query_makes_another_file(probe: Probe, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db") as database:
        database.execute("CREATE TABLE t (id INTEGER)")
    database.close()
    for query in ("SELECT load_extension('x')", "CREATE TABLE n (a)", "DELETE FROM t"):
        with pytest.raises(ProbeError) as caught:
            await probe("sql", database="sqlite:a.db", query=query)
        assert caught.value.status is not Status.OK
    assert sorted(found.name for found in os.scandir(tmp_path)) == ["a.db"]
