from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.hub.fake_source import ANA, BEN, DOWN, UP, FakeSource, Host, until

from switchover.clock import SystemClock
from switchover.errors import JournalError, RefusedError
from switchover.hub.history.operations import Operations
from switchover.hub.services.service_acting import Asked
from switchover.migration.journal.checkpoints import OPERATION_CHECKPOINTS, read_checkpoints
from switchover.migration.journal.sqlite_journal import Journal, RawRecord
from switchover.migration.reports.verification import verify_journal
from switchover.services.provider_api import LogSource, LogSpan
from switchover.snapshot import ServiceRow


def asked(row: ServiceRow) -> Asked:
    return row.id, row.identity, row.observed_at


def records(path: Path) -> list[RawRecord]:
    journal = Journal.open(path, SystemClock(), create=False)
    if journal is None:
        return []  # it is just being made
    with journal:
        return list(journal.raw_records())


async def act(host: Host, row: ServiceRow, action: str, confirmation: str = "", argument: str = "") -> dict[str, Any]:
    (answer,) = await host.hub.act([asked(row)], action, argument, confirmation, ANA)
    return answer


async def test_what_is_asked_for_is_done_seen_at_once_and_written_down_around_it(tmp_path: Path) -> None:
    source = FakeSource("api")
    async with Host(tmp_path, source) as host:
        row = await host.row("docker:api")
        assert await act(host, row, "stop") == {"id": "docker:api", "ok": True, "text": "stop done"}
        assert source.done == [("api", "stop", "", "one")]
        await host.row("docker:api", "stopped")
        told = await host.until(lambda s: any(r.kind == "action" and r.status == "ok" for r in s.timeline))
        (text,) = [r.text for r in told.timeline if r.kind == "action"]
        assert text.startswith("ana: stop api (docker:api): stop done (")
    started, ended = records(host.workspace.operations)
    assert (started.kind, ended.kind) == ("OperationStarted", "OperationEnded")
    said = json.loads(started.data)
    assert (said["by"]["who"], said["by"]["tty"], said["action"]) == ("ana", "pts/1", "stop")
    assert (said["subject"], said["identity"], said["command"]) == ("api (docker:api)", "one", "docker stop api")
    assert json.loads(ended.data) == {"operation": 1, "ok": True, "text": "stop done"}


async def test_it_is_on_the_disk_before_it_is_done(tmp_path: Path) -> None:
    source = FakeSource("api")
    source.act_hangs = asyncio.Event()
    async with Host(tmp_path, source) as host:
        row = await host.row("docker:api")
        doing = asyncio.create_task(act(host, row, "restart"))
        await until(lambda: bool(source.done))
        assert [r.kind for r in records(host.workspace.operations)] == ["OperationStarted"]
        busy = await host.until(lambda s: s.found[0].detail.startswith("restarting, asked by ana "))
        assert busy.found[0].state == "running"
        source.act_hangs.set()
        assert (await doing)["ok"]
        await host.until(lambda s: s.found[0].detail == "")


async def test_nothing_is_done_that_cannot_be_written_down(tmp_path: Path) -> None:
    source = FakeSource("api")
    async with Host(tmp_path, source) as host:
        row = await host.row("docker:api")
        host.workspace.operations.parent.mkdir(parents=True, exist_ok=True)
        host.workspace.operations.mkdir()
        answer = await act(host, row, "stop")
        assert not answer["ok"]
        assert "operations.sqlite" in answer["text"]
        assert source.done == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"identity": "another"}, "another one has taken its place"),
        ({"observed_at": None}, "too old to act on"),
        ({"observed_at": 1.0}, "too old to act on"),
        ({"id": "docker:other"}, "it is gone"),
    ],
)
async def test_nothing_is_done_to_what_is_not_as_it_was_seen(tmp_path: Path, change: dict[str, Any], why: str) -> None:
    source = FakeSource("api")
    async with Host(tmp_path, source) as host:
        row = replace(await host.row("docker:api"), **change)
        answer = await act(host, row, "stop")
        assert not answer["ok"]
        assert why in answer["text"]
        assert source.done == []
    assert not host.workspace.operations.exists()


async def test_nothing_is_done_to_what_is_unknown_or_cannot_do_it(tmp_path: Path) -> None:
    source = FakeSource("api", db=DOWN)
    async with Host(tmp_path, source) as host:
        api, db = await host.row("docker:api"), await host.row("docker:db", "stopped")
        assert "start" in (await act(host, db, "start"))["text"]
        refused = await act(host, await host.row("docker:api"), "start")
        assert (
            refused["text"]
            == "start is not possible while it is running; it can be asked to restart, stop, scale, kill"
        )
        await source.watching.wait()
        source.tell("api", "note", replace(UP, state=DOWN.state.UNKNOWN, detail="no daemon"))
        await host.row("docker:api", "unknown")
        assert "nothing is done to what was not seen" in (await act(host, api, "stop"))["text"]


@pytest.mark.parametrize(
    ("action", "argument", "typed"), [("kill", "", "api"), ("scale", "0", "api"), ("scale", " 00 ", "api")]
)
async def test_what_destroys_needs_the_name_of_the_service_typed(
    tmp_path: Path, action: str, argument: str, typed: str
) -> None:
    source = FakeSource("api")
    async with Host(tmp_path, source) as host:
        row = await host.row("docker:api")
        for wrong in ("", "y", "yes", "docker:api", "Api"):
            with pytest.raises(RefusedError) as refused:
                await act(host, row, action, wrong, argument)
            assert refused.value.hint == f"type '{typed}' exactly"
        assert source.done == []
        assert (await act(host, row, action, typed, argument))["ok"]


@pytest.mark.parametrize("argument", ["", "many", "-1", "1.5", "٣", "100000"])
async def test_to_scale_takes_a_number(tmp_path: Path, argument: str) -> None:
    async with Host(tmp_path, FakeSource("api")) as host:
        row = await host.row("docker:api")
        with pytest.raises(RefusedError, match="to scale takes a number"):
            await act(host, row, "scale", "api", argument)


async def test_several_are_acted_on_side_by_side_with_a_result_for_each(tmp_path: Path) -> None:
    source = FakeSource("a", "b", c=DOWN)
    source.act_hangs = asyncio.Event()
    async with Host(tmp_path, source) as host:
        rows = [await host.row("docker:a"), await host.row("docker:b"), await host.row("docker:c", "stopped")]
        items = [asked(row) for row in rows]
        with pytest.raises(RefusedError) as refused:
            await host.hub.act(items, "kill", "", "c", ANA)
        assert refused.value.hint == "type 'kill 3' exactly"
        doing = asyncio.create_task(host.hub.act([*items, items[0]], "kill", "", "kill 3", ANA))
        await until(lambda: len(source.done) == 2)
        source.act_hangs.set()
        assert [(r["id"], r["ok"]) for r in await doing] == [
            ("docker:a", True),
            ("docker:b", True),
            ("docker:c", False),
        ]


async def test_what_is_under_way_is_not_done_twice_but_may_be_killed(tmp_path: Path) -> None:
    source = FakeSource("api")
    source.act_hangs = asyncio.Event()
    async with Host(tmp_path, source) as host:
        row = await host.row("docker:api")
        doing = asyncio.create_task(act(host, row, "restart"))
        await until(lambda: bool(source.done))
        for action in ("restart", "stop"):
            (answer,) = await host.hub.act([asked(row)], action, "", "", BEN)
            assert answer["text"].startswith("it is restarting already, asked by ana ")
        killing = asyncio.create_task(act(host, row, "kill", "api"))
        await until(lambda: len(source.done) == 2)
        source.act_hangs.set()
        assert (await doing)["ok"]
        assert (await killing)["ok"]
        assert [d[1] for d in source.done] == ["restart", "kill"]


async def test_what_a_source_refuses_is_the_result_and_is_written_down(tmp_path: Path) -> None:
    source = FakeSource("api")
    source.fails = "the daemon says no: hunter22"
    async with Host(tmp_path, source, redact=lambda text: text.replace("hunter22", "•••")) as host:
        row = await host.row("docker:api")
        assert await act(host, row, "stop") == {"id": "docker:api", "ok": False, "text": "the daemon says no: •••"}
        told = await host.until(lambda s: any(r.status == "crit" for r in s.timeline))
        assert "hunter22" not in str(told)
    assert b"hunter22" not in host.workspace.operations.read_bytes()


async def test_there_is_no_action_but_those_that_are_known(tmp_path: Path) -> None:
    async with Host(tmp_path, FakeSource("api")) as host:
        row = await host.row("docker:api")
        for action in ("exec", "logs", "inspect", "erase", ""):
            with pytest.raises(RefusedError, match="there is no action"):
                await act(host, row, action)


# What is on record


async def test_an_operation_without_an_end_is_told_at_the_next_start_once(tmp_path: Path) -> None:
    path = tmp_path / "ws" / "operations.sqlite"
    first = Operations(path, SystemClock(), str)
    hang = asyncio.Event()

    async def work() -> str:
        await hang.wait()
        return ""

    doing = asyncio.create_task(first.perform(ANA, "restart", "api", work))
    await until(lambda: len(records(path)) == 1)
    doing.cancel()
    await asyncio.gather(doing, return_exceptions=True)
    await first.aclose()
    for _ in range(2):
        following = Operations(path, SystemClock(), str)
        await following.look_back()
        assert [(r.text, r.status) for r in following.timeline] == [
            ("ana: restart api: not known: the agent ended before it was known what came of it", "unknown")
        ]
        await following.aclose()
    assert [r.kind for r in records(path)] == ["OperationStarted", "OperationUnknown"]


async def test_what_is_begun_while_the_past_is_being_read_is_none_of_it(tmp_path: Path) -> None:
    path = tmp_path / "ws" / "operations.sqlite"
    first = Operations(path, SystemClock(), str)
    await first.record(ANA, "opened a shell in", "api")
    await first.aclose()
    operations = Operations(path, SystemClock(), str)
    go_on = asyncio.Event()

    async def work() -> str:
        await go_on.wait()
        return "done"

    doing = asyncio.create_task(operations.perform(ANA, "restart", "api", work))
    await until(lambda: len(records(path)) == 2)
    await asyncio.gather(operations.look_back(), operations.look_back())
    go_on.set()
    assert await doing == "done"
    await operations.aclose()
    assert [r.kind for r in records(path)] == ["OperationNoted", "OperationStarted", "OperationEnded"]


async def test_one_who_only_watches_writes_nothing_down(tmp_path: Path) -> None:
    path = tmp_path / "ws" / "operations.sqlite"
    writer = Operations(path, SystemClock(), str)
    await writer.record(ANA, "opened a shell in", "api")
    await writer.aclose()
    watcher = Operations(path, SystemClock(), str, read_only=True)
    await watcher.look_back()
    assert [r.text for r in watcher.timeline] == ["ana: opened a shell in api"]
    await watcher.aclose()
    assert len(records(path)) == 1


async def test_operations_are_chained_and_a_tail_that_was_cut_off_shows(tmp_path: Path) -> None:
    path = tmp_path / "ws" / "operations.sqlite"
    operations = Operations(path, SystemClock(), str)

    async def work() -> str:
        return "done"

    for number in range(3):
        assert await operations.perform(ANA, "restart", f"api{number}", work) == "done"
    await operations.aclose()
    rows, heads = records(path), read_checkpoints(path.parent / OPERATION_CHECKPOINTS)
    assert verify_journal(rows, heads, runs=False).whole
    assert not verify_journal(rows[:-1], heads, runs=False).whole
    edited = [replace(rows[0], data=rows[0].data.replace("ana", "ben")), *rows[1:]]
    assert verify_journal(edited, heads, runs=False).faults[0].seq == 1


async def test_what_fails_in_an_operation_is_raised_and_written_down(tmp_path: Path) -> None:
    path = tmp_path / "ws" / "operations.sqlite"
    operations = Operations(path, SystemClock(), str)

    async def work() -> str:
        raise RefusedError("no such thing")

    with pytest.raises(RefusedError):
        await operations.perform(ANA, "restart", "api", work)
    await operations.aclose()
    assert json.loads(records(path)[1].data) == {"operation": 1, "ok": False, "text": "no such thing"}


async def test_a_damaged_journal_of_operations_is_said_and_nothing_is_begun(tmp_path: Path) -> None:
    path = tmp_path / "ws" / "operations.sqlite"
    path.parent.mkdir()
    path.write_bytes(b"this is no database at all" * 100)
    operations = Operations(path, SystemClock(), str)
    await operations.look_back()
    assert str(path) in operations.trouble

    async def work() -> str:
        raise AssertionError

    with pytest.raises(JournalError):
        await operations.perform(ANA, "restart", "api", work)
    await operations.aclose()


# What may be asked about one service


async def test_every_action_can_be_shown_as_a_person_would_type_it(tmp_path: Path) -> None:
    async with Host(tmp_path, FakeSource("api")) as host:
        await host.row("docker:api")
        assert await host.hub.command("docker:api", "restart", "", ANA) == ("docker", "restart", "api")
        assert await host.hub.command("docker:api", "scale", "3", ANA) == ("docker", "scale", "3", "api")
        with pytest.raises(RefusedError, match="no command for 'erase'"):
            await host.hub.command("docker:api", "erase", "", ANA)
        with pytest.raises(RefusedError, match="there is no service"):
            await host.hub.command("docker:gone", "restart", "", ANA)


async def test_what_is_known_of_a_service_is_shown_without_values_of_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(
        """#!/bin/sh
echo '{"Env": ["DB_PASSWORD=hunter22", "PATH=/bin", "API_TOKEN=abc-def"], "Secret": "s3cr3t",'
echo '"Url": "postgres://shop:pw-canary@db/shop", "known": "known-canary"}'
"""
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    async with Host(tmp_path, FakeSource("api"), redact=lambda text: text.replace("known-canary", "•••")) as host:
        await host.row("docker:api")
        text = await host.hub.inspect("docker:api")
    assert "state       running, ok" in text
    assert "PATH=/bin" in text
    for secret in ("hunter22", "abc-def", "s3cr3t", "pw-canary", "known-canary"):
        assert secret not in text


async def test_a_shell_is_only_for_what_runs_and_is_written_down(tmp_path: Path) -> None:
    async with Host(tmp_path, FakeSource("api", db=DOWN)) as host:
        await host.row("docker:api")
        await host.row("docker:db", "stopped")
        assert await host.hub.command("docker:api", "exec", "", ANA) == ("docker", "exec", "-it", "api", "sh")
        with pytest.raises(RefusedError, match="no shell in it while it is stopped"):
            await host.hub.command("docker:db", "exec", "", ANA)
        told = await host.until(lambda s: bool(s.timeline))
        assert told.timeline[0].text == "ana: opened a shell in api: docker exec -it api sh"
    async with Host(tmp_path / "two", FakeSource("api"), read_only=True) as host:
        await host.row("docker:api")
        with pytest.raises(RefusedError, match="only watches"):
            await host.hub.command("docker:api", "exec", "", ANA)


async def test_where_logs_are_read_is_told_for_each_service_or_why_there_are_none(tmp_path: Path) -> None:
    async with Host(tmp_path, FakeSource("api")) as host:
        await host.row("docker:api")
        found = await host.hub.log_sources(["docker:api", "docker:gone"], LogSpan())
        assert found == [
            LogSource("api", "docker", ref="api"),
            ("docker:gone", "there is no service 'docker:gone' any more"),
        ]
