from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.unit.agent.agent_fakes import FakeEngine, FakeHub, target_of
from tests.unit.agent.conftest import Bench
from tests.unit.health.health_fakes import StillClock

from switchover.agent.server.server import AgentServer, Identity
from switchover.agent.wire.client import AgentClient
from switchover.agent.wire.protocol import SERVER_LINE_LIMIT
from switchover.errors import (
    AgentError,
    AgentStoppedError,
    LineLostError,
    LockedError,
    RefusedError,
    SwitchoverError,
    UsageError,
)
from switchover.snapshot import AlertRow, CheckRow, Header, SourceNote, TimelineRow


async def raw(bench: Bench, *lines: bytes) -> list[dict[str, Any]]:
    """Send lines, hang up, and return what came back."""
    reader, writer = await asyncio.open_unix_connection(str(bench.socket))
    writer.write(b"".join(lines))
    writer.write_eof()
    answers = [json.loads(line) for line in (await reader.read()).splitlines()]
    writer.close()
    return answers


async def test_only_this_user_can_reach_the_socket(bench: Bench) -> None:
    assert stat.S_IMODE(bench.socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(bench.socket.parent.stat().st_mode) == 0o700


async def test_hello_tells_who_answers(bench: Bench) -> None:
    client = AgentClient(version="0.9")
    bench.clients.append(client)
    await client.connect(bench.socket)
    info = await client.hello({"who": "ann", "host": "h", "tty": ""})
    assert (info.version, info.plan, info.plan_digest, info.busy) == ("1.0", "/plan.yaml", "d1g3st", "")


async def test_a_client_sees_the_snapshot_of_now_and_then_each_change(bench: Bench) -> None:
    client = await bench.client()
    seen = client.snapshots()
    assert (await anext(seen)).seq == 1
    published = bench.hub.publish(header=Header(plan_id="p", title="T"), alerts=(AlertRow("r", "text", 1.0, True),))
    assert await anext(seen) == published
    published = bench.hub.publish(timeline=(TimelineRow(1.0, "run", "started"),))
    assert await anext(seen) == published


async def test_only_what_changed_goes_over_the_line(bench: Bench) -> None:
    reader, writer = await asyncio.open_unix_connection(str(bench.socket))
    writer.write(b'{"id": 1, "method": "subscribe"}\n')
    lines = [json.loads(await reader.readline()) for _ in range(2)]
    first = next(line for line in lines if line.get("event"))
    bench.hub.publish(sources=(SourceNote("docker", "off", "no socket"),))
    second = json.loads(await reader.readline())
    writer.close()
    assert "checks" in first["sections"]
    assert list(second["sections"]) == ["sources"]


async def test_a_client_that_does_not_read_misses_snapshots_but_never_the_newest(bench: Bench) -> None:
    reader, writer = await asyncio.open_unix_connection(str(bench.socket), limit=1 << 26)
    quick = await bench.client()
    seen = quick.snapshots()
    await anext(seen)
    writer.write(b'{"id": 1, "method": "subscribe"}\n')
    await reader.readline()
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    bulk = "x" * 100_000
    for number in range(100):
        published = bench.hub.publish(checks=(CheckRow(f"c{number}", "http", "ok", bulk),))
        while (await anext(seen)) != published:
            pass
    writer.transport.resume_reading()  # type: ignore[attr-defined]
    received: list[dict[str, Any]] = []
    while not received or received[-1]["seq"] != published.seq:
        line = json.loads(await reader.readline())
        if line.get("event") == "snapshot":
            received.append(line)
    writer.close()
    assert len(received) < 50
    assert received[-1]["sections"]["checks"][0]["name"] == "c99"


async def test_a_long_action_is_accepted_and_runs_on_when_its_client_goes(bench: Bench) -> None:
    client = await bench.client()
    assert await client.request("run.step", step="dump") == "accepted"
    await client.aclose()
    bench.engine.may_end.set()
    other = await bench.client(who="bob")
    while not bench.engine.calls:
        await other.request("agent.status")
    assert bench.engine.calls == [("run_step", "dump", "ann", None)]


async def test_an_order_that_reaches_the_agent_long_after_it_was_given_is_refused(short_dir: Path) -> None:
    clock, hub, engine = StillClock(), FakeHub(), FakeEngine()
    identity = Identity("1.0", "/w", "/plan.yaml", "d1g3st")
    server = AgentServer(target_of(hub, engine), identity, stop=lambda: None, clock=clock)
    await server.listen(short_dir / "a.sock")
    reader, writer = await asyncio.open_unix_connection(str(short_dir / "a.sock"))

    async def ask(method: str, asked: float, **params: Any) -> dict[str, Any]:
        line = {"id": 1, "method": method, "params": params, "asked": asked}
        writer.write(json.dumps(line).encode() + b"\n")
        answer: dict[str, Any] = json.loads(await reader.readline())
        return answer

    hello = {"operator": {"who": "ann", "host": "h", "tty": ""}, "read_only": False}
    await ask("hello", 7.0, **hello)  # the client's clock shows what it likes
    clock.advance(600.0)  # the agent's process was stopped meanwhile
    refused = await ask("run.step", 8.0, step="dump")
    assert "was asked 599 s ago" in refused["error"]["title"]
    assert engine.calls == []
    assert "error" not in await ask("agent.status", 8.0)
    engine.may_end.set()
    assert "error" not in await ask("run.step", 607.0, step="dump")
    writer.close()
    await server.close()


async def test_a_stop_is_told_to_every_screen_unless_it_makes_room_for_another_agent(bench: Bench) -> None:
    for if_idle, expected in ((True, False), (False, True)):
        screen = await bench.client()
        feed = screen.snapshots()
        await anext(feed)
        who = await bench.client(who="bob")
        await who.request("agent.stop", if_idle=if_idle)
        bench.hub.publish(timeline=(TimelineRow(1.0, "agent", "the end"),))
        if expected:
            with pytest.raises(AgentStoppedError, match="stopped by bob"):
                await anext(feed)
        else:
            await anext(feed)
    assert bench.stops == [1, 1]


async def test_a_refusal_comes_back_at_once_with_its_kind_and_hint(bench: Bench) -> None:
    client = await bench.client()
    for error in (RefusedError("the gate is shut", "wait"), LockedError("bob drives", "ask bob")):
        bench.engine.refuse = error
        with pytest.raises(type(error), match=error.title) as caught:
            await client.request("run.next")
        assert caught.value.hint == error.hint


async def test_commands_that_a_refusal_names_work_as_they_are_shown(bench: Bench) -> None:
    client = await bench.client()
    bench.engine.refuse = RefusedError("the gate is shut", "`switchover status PLAN` says why")
    with pytest.raises(RefusedError) as caught:
        await client.request("run.next")
    assert caught.value.hint == "`switchover status my.yaml` says why"


async def test_an_accepted_action_that_fails_later_is_told_to_who_asked(bench: Bench) -> None:
    known_issues: asyncio.Queue[SwitchoverError] = asyncio.Queue()
    client = await bench.client(on_action_failed=known_issues.put_nowait)
    bench.engine.refuse = RefusedError("the disk is full", "free space, then `switchover run PLAN`")
    assert await client.request("run.step", step="dump") == "accepted"
    bench.engine.may_end.set()
    trouble = await known_issues.get()
    assert isinstance(trouble, RefusedError)
    assert (trouble.title, trouble.hint) == ("the disk is full", "free space, then `switchover run my.yaml`")


async def test_an_unforeseen_error_ends_one_request_and_never_the_agent(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    client = await bench.client()
    bench.engine.refuse = ZeroDivisionError("inside")
    with pytest.raises(AgentError, match="unexpected ZeroDivisionError") as caught:
        await client.request("run.next")
    assert "inside" not in caught.value.title
    assert "Traceback" in caplog.text
    assert (await client.request("agent.status"))["version"] == "1.0"


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("run.start", {}),
        ("run.next", {}),
        ("run.step", {"step": "a"}),
        ("gate.check", {"phase": "a"}),
        ("gate.answer", {"phase": "a", "yes": True}),
        ("checklist.tick", {"step": "a", "item": 0}),
        ("step.resolve", {"step": "a", "choice": "done", "reason": "r"}),
        ("step.retry", {"step": "a"}),
        ("run.rollback", {}),
        ("run.abort", {}),
        ("issue.diagnose", {"entry": "plan:0"}),
        ("agent.stop", {}),
    ],
)
async def test_a_client_that_only_watches_changes_nothing(bench: Bench, method: str, params: dict[str, Any]) -> None:
    client = await bench.client(read_only=True)
    with pytest.raises(RefusedError, match="only watches"):
        await client.request(method, **params)
    assert bench.engine.calls == []
    assert bench.stops == []


async def test_a_client_that_only_watches_may_look(bench: Bench) -> None:
    client = await bench.client(read_only=True)
    await client.request("check.run", names=["a"])
    await client.request("run.rollback", name="quick", dry_run=True)
    output = await client.request("output.read", step="a", attempt=1)
    assert output == {"text": "a:1", "next": 5, "complete": True}
    assert bench.hub.rechecked == [("a",)]


async def test_each_intent_reaches_the_engine_as_it_was_meant(bench: Bench) -> None:
    client = await bench.client()
    await client.request("run.start", variables={"ip": "10.0.0.1"}, new=True)
    await client.request("gate.answer", phase="data", yes=False, note="no")
    await client.request("checklist.tick", step="look", item=2, evidence="seen", file="/tmp/proof")
    await client.request("step.resolve", step="dump", choice="done", reason="looked")
    await client.request("run.rollback", name=None, dry_run=False, accept=["burn"])
    await client.request("run.abort", reason="stop")
    assert bench.engine.accepted == ("burn",)
    assert bench.engine.calls == [
        ("start", "ann", {"ip": "10.0.0.1"}, True),
        ("answer_gate", "data", False, "no"),
        ("tick", "look", 2, "seen", "/tmp/proof"),
        ("resolve", "dump", "done", "looked"),
        ("rollback", None, False),
        ("abort", "stop"),
    ]


@pytest.mark.parametrize(
    ("method", "params", "says"),
    [
        ("run.fly", {}, "no method run.fly"),
        ("run.step", {}, "required field `step`"),
        ("run.step", {"step": 4}, "Expected `str`"),
        ("run.step", {"step": "a", "force": True}, "unknown field `force`"),
    ],
)
async def test_a_wrong_request_says_what_is_wrong(bench: Bench, method: str, params: dict[str, Any], says: str) -> None:
    client = await bench.client()
    with pytest.raises(UsageError, match=says):
        await client.request(method, **params)


async def test_nothing_is_done_for_a_client_that_did_not_say_hello(bench: Bench) -> None:
    answers = await raw(bench, b'{"id": 1, "method": "run.next", "params": {}}\n')
    assert answers[0]["error"]["title"] == "say hello first"


@pytest.mark.parametrize("line", [b"\x00\xff\xfe\n", b"[]\n", b'{"id": "x"}\n', b"{\n", b"\n", b'{"id": 1}\n'])
async def test_a_line_of_nonsense_is_answered_and_harms_nobody(bench: Bench, line: bytes) -> None:
    client = await bench.client()
    answers = await raw(bench, line)
    assert answers[0]["error"]["kind"] == "UsageError"
    assert (await client.request("agent.status"))["version"] == "1.0"


async def test_a_line_without_end_is_cut_off(bench: Bench) -> None:
    reader, writer = await asyncio.open_unix_connection(str(bench.socket))
    writer.write(b"x" * (SERVER_LINE_LIMIT + 70_000))
    answer = json.loads(await reader.readline())
    writer.close()
    assert "longer than" in answer["error"]["title"]


async def test_what_is_under_way_is_told_and_only_an_idle_agent_stops_if_so_asked(bench: Bench) -> None:
    client = await bench.client()
    bench.engine.step_running = "dump"
    with pytest.raises(RefusedError, match="at work: step dump"):
        await client.request("agent.stop", if_idle=True)
    assert bench.stops == []
    assert await client.request("agent.stop") == {"busy": "step dump"}
    await client.request("agent.status")
    assert bench.stops == [1]


async def test_the_other_end_going_away_is_an_error_for_all_who_wait(bench: Bench) -> None:
    client = await bench.client()
    seen = client.snapshots()
    await anext(seen)
    await bench.server.close()
    with pytest.raises(AgentError, match="line to the agent is lost"):
        await anext(seen)
    with pytest.raises(AgentError, match="line to the agent is lost"):
        await client.request("agent.status")


async def test_what_was_asked_for_when_the_line_broke_may_have_been_done_and_what_comes_later_was_not(
    bench: Bench,
) -> None:
    client = await bench.client()
    asked = asyncio.create_task(client.request("service.inspect", id="api"))
    await asyncio.sleep(0)  # it is written
    assert client._listening is not None
    client._listening.cancel()
    with pytest.raises(LineLostError):
        await asked
    with pytest.raises(AgentError) as later:
        await client.request("agent.status")
    assert not isinstance(later.value, LineLostError)


async def test_a_socket_that_was_removed_is_noticed_and_made_again(bench: Bench) -> None:
    first = await bench.client()
    assert bench.server.is_reachable
    bench.socket.unlink()
    assert not bench.server.is_reachable
    await bench.server.listen(bench.socket)
    assert bench.server.is_reachable
    second = await bench.client()
    assert await first.request("agent.status") is not None
    assert await second.request("agent.status") is not None


async def test_no_agent_at_the_socket_is_said_plainly(short_dir: Path) -> None:
    with pytest.raises(AgentError, match="no agent answers"):
        await AgentClient().connect(short_dir / "none.sock")


STRANGER = """
import socket, sys
line = socket.socket(socket.AF_UNIX)
line.connect(sys.argv[1])
print(line.makefile().read())
"""


@pytest.mark.skipif(os.getuid() != 0 or not Path("/usr/bin/python3").exists(), reason="only root can be somebody else")
async def test_another_user_is_turned_away_even_where_the_files_would_let_them_in(bench: Bench) -> None:
    for path, mode in ((bench.socket, 0o666), (bench.socket.parent, 0o755), (bench.socket.parent.parent, 0o755)):
        path.chmod(mode)
    done = await asyncio.to_thread(
        subprocess.run,
        ["/usr/bin/python3", "-c", STRANGER, str(bench.socket)],
        capture_output=True,
        text=True,
        user=65534,
        group=65534,
        extra_groups=[],
        check=False,
    )
    assert "belongs to another user" in done.stdout, done.stderr
    assert bench.stops == []


async def test_a_crowd_is_turned_away_before_it_costs_the_others_their_line(bench: Bench) -> None:
    client = await bench.client()
    crowd = [await asyncio.open_unix_connection(str(bench.socket)) for _ in range(99)]
    reader, writer = await asyncio.open_unix_connection(str(bench.socket))
    assert "clients are connected already" in json.loads(await reader.readline())["error"]["title"]
    assert (await client.request("agent.status"))["version"] == "1.0"
    for _, other in (*crowd, (reader, writer)):
        other.close()


async def test_a_client_that_vanishes_in_mid_request_harms_nobody(bench: Bench) -> None:
    client = await bench.client()
    for _ in range(20):
        _, writer = await asyncio.open_unix_connection(str(bench.socket))
        writer.write(b'{"id": 1, "method": "subscribe"}\n{"id": 2, "method": "agent.status"}\n{"id')
        await writer.drain()
        writer.transport.abort()
    seen = client.snapshots()
    await anext(seen)
    published = bench.hub.publish(alerts=(AlertRow("r", "text", 1.0),))
    assert await anext(seen) == published
