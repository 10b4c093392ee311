"""`redis` against real servers: a master with a password, its replica, and one that lost its master."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from tests.support.servers.redis import RedisServer, redis_server
from tests.support.stand_ins.tcp_server import serving

from switchover_checks.api import Result, Status
from switchover_checks.runtime.registry import Registry

Run = Callable[..., Awaitable[Result]]


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("master"), "--maxmemory", "64mb") as server:
        server.cli("set", "order:1", "paid")
        server.cli("acl", "setuser", "probe", "on", ">t0p-secret", "+ping", "~*")
        yield server


def finding(result: Result, what: str) -> tuple[Status, str]:
    """Return one finding."""
    return next((f.status, f.observed) for f in result.findings if f.what == what)


async def test_a_master_tells_its_state_in_figures(run: Run, master: RedisServer) -> None:
    expect = [
        "keys == 1",
        "used_ratio < 90%",
        "replicas == 0",
        "evicted == 0",
        "version matches '^[0-9]+'",
        "time < 5s",
    ]
    result = await run("redis", port=master.port, role="master", expect=expect)
    assert result.status is Status.OK, result
    declared = Registry().declaration("redis").metrics
    assert declared is not None
    assert {m.name for m in result.metrics} == {m.name for m in declared}
    by_socket = await run("redis", socket=str(master.socket), expect="keys == 1")
    assert by_socket.status is Status.OK, by_socket


async def test_a_key_of_its_own_is_written_and_leaves_nothing(run: Run, master: RedisServer) -> None:
    result = await run("redis", url=f"redis://127.0.0.1:{master.port}/0", set_get=True)
    assert finding(result, "a key that was written") == (Status.OK, "read again")
    assert master.cli("keys", "*") == "order:1"


def test_only_a_check_that_writes_is_left_out_by_read_only() -> None:
    registry = Registry()
    assert registry.changes("redis", {}) == ""
    assert "sets and deletes a key" in registry.changes("redis", {"set_get": True})


async def test_what_the_account_may_not_ask_is_never_fine(run: Run, master: RedisServer) -> None:
    keys = {"port": master.port, "user": "probe", "password": "t0p-secret"}
    fine = await run("redis", **keys)
    asked = await run("redis", **keys, role="master", expect="keys > 0")
    assert (fine.status, asked.status) == (Status.OK, Status.UNKNOWN), (fine, asked)
    assert "ROLE is refused" in finding(asked, "role")[1]


async def test_a_wrong_password_is_told_as_that(run: Run, master: RedisServer) -> None:
    result = await run("redis", port=master.port, user="nobody", password="t0p-secret")
    assert (result.status, result.phase) == (Status.CRIT, "auth"), result
    assert "t0p-secret" not in str(result)


async def test_a_replica_without_its_master_is_not_fine(run: Run, master: RedisServer, tmp_path: Path) -> None:
    with redis_server(tmp_path / "replica", "--replicaof", "127.0.0.1", str(master.port)) as replica:
        wrong = await run("redis", port=replica.port, role="master")
        assert finding(wrong, "role") == (Status.CRIT, "replica")
        replica.cli("replicaof", "127.0.0.1", "1")
        alone = await run("redis", port=replica.port)
        assert alone.status is Status.CRIT, alone
        assert finding(alone, "master 127.0.0.1:1")[0] is Status.CRIT


async def test_nobody_and_somebody_else_are_told_with_the_phase(run: Run) -> None:
    async def talk(reader: object, writer: object) -> None:
        writer.write(b"220 mail\r\n")  # type: ignore[attr-defined]
        await reader.read()  # type: ignore[attr-defined]

    async with serving(talk) as port:
        other = await run("redis", port=port)
    refused = await run("redis", port=port)
    assert (other.status, refused.status, refused.phase) == (Status.CRIT, Status.CRIT, "connect"), (other, refused)
    assert "nothing listens there" in refused.summary
