"""Log streams through the agent's socket: a real reader process behind each."""
# ruff: noqa: ASYNC240, ASYNC110 - files on the local disk, and processes that nobody tells of

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.agent.agent_fakes import FakeEngine, FakeHub, target_of

from switchover.agent.server.log_streams import LogStreams
from switchover.agent.server.reader_process import LogReader
from switchover.agent.server.server import AgentServer, Identity
from switchover.agent.wire.client import AgentClient
from switchover.errors import RefusedError, StateError, SwitchoverError, UsageError
from switchover.services.provider_api import LogSource, LogSpan
from switchover.snapshot.logview import LogWindow

SECRET = "correct-horse-battery"


@dataclass
class Post:
    """An agent's server, and who is connected to it."""

    folder: Path
    socket: Path
    hub: FakeHub
    server: AgentServer
    clients: list[AgentClient] = field(default_factory=list)

    async def client(self, *, read_only: bool = False) -> AgentClient:
        client = AgentClient()
        self.clients.append(client)
        await client.connect(self.socket)
        await client.hello({"who": "ann", "host": "h", "tty": "pts/1"}, read_only=read_only)
        return client

    def log(self, name: str, *lines: str) -> Path:
        path = self.folder / name
        path.write_text("".join(f"{line}\n" for line in lines))
        return path


@pytest.fixture
async def post() -> AsyncIterator[Post]:
    with tempfile.TemporaryDirectory(prefix="so-") as name:
        folder = Path(name)
        hub = FakeHub()
        target = target_of(hub, FakeEngine(), secrets=lambda: {"db": SECRET}, log_folder=folder / "kept")
        server = AgentServer(target, Identity("1.0", str(folder)), stop=lambda: None)
        made = Post(folder, folder / "run" / "a.sock", hub, server)
        await server.listen(made.socket)
        yield made
        for client in made.clients:
            await client.aclose()
        await server.close()


async def see(client: AgentClient, stream: int, wanted: Callable[[LogWindow], object], **asked: Any) -> LogWindow:
    """Ask for windows until one is as wanted."""
    params = {"query": {}, "anchor": None, "before": 50, "after": 0, **asked}
    seen = -1
    async with asyncio.timeout(30):
        while True:
            reply = await client.request(
                "logs.window", stream=stream, seen=seen, wait=0.2 if seen >= 0 else 0, **params
            )
            window = msgspec.convert(reply, type=LogWindow)
            if wanted(window):
                return window
            seen = window.newest


def readers() -> set[int]:
    """Return the readers that this process has started and that live."""
    found = set()
    for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if b"switchover.logs.reader" in words:
            found.add(int(pid))
    return found


def ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


async def test_several_files_are_one_stream_by_time(post: Post) -> None:
    old = post.log("old.log", "2026-03-01T10:00:01Z one", "2026-03-01T10:00:03Z ERROR three", "  at the third")
    new = post.log("new.log", "2026-03-01T10:00:02Z two", "2026-03-01T10:00:04Z four")
    client = await post.client()
    opened = await client.request("logs.open", paths=[str(old), str(new)])
    assert [source["name"] for source in opened["sources"]] == [str(old), str(new)]
    window = await see(client, opened["stream"], lambda w: len(w.lines) == 5)
    assert [line.text.split()[-1] for line in window.lines] == ["one", "two", "three", "third", "four"]
    assert [line.level for line in window.lines] == ["", "", "error", "error", ""]
    assert [line.seq for line in window.lines] == [0, 1, 2, 3, 4]
    assert sum(errors for _, _, errors in window.density) == 1
    assert [bool(line.event) for line in window.lines] == [False, False, True, True, False]
    found = await client.request("logs.seek", stream=opened["stream"], seq=4, what="error", by=-1)
    assert found == {"seq": 2}


async def test_what_comes_is_told_at_once(post: Post) -> None:
    log = post.log("a.log", "first")
    client = await post.client()
    stream = (await client.request("logs.open", paths=[str(log)]))["stream"]
    await see(client, stream, lambda w: w.kept == 1)
    params: dict[str, Any] = {"query": {}, "anchor": None, "before": 5, "after": 0}
    asked = asyncio.create_task(client.request("logs.window", stream=stream, seen=0, wait=30, **params))
    with log.open("a") as file:
        file.write("second\n")
    async with asyncio.timeout(10):
        assert [line["text"] for line in (await asked)["lines"]] == ["first", "second"]


async def test_the_last_words_of_a_program_are_seen_found_and_saved_though_their_line_has_no_end(post: Post) -> None:
    log = post.log("a.log", "2026-11-20T10:00:00Z INFO fine")
    with log.open("a") as file:
        file.write("2026-11-20T10:00:01Z ERROR out of memory")
    client = await post.client()
    stream = (await client.request("logs.open", paths=[str(log)]))["stream"]
    window = await see(client, stream, lambda w: len(w.lines) == 2)
    assert window.lines[1].text.endswith("ERROR out of memory")
    assert (window.lines[1].seq, window.lines[1].level, window.kept, window.newest) == (1, "error", 2, 0)
    assert (await see(client, stream, lambda w: w.lines, query={"show": "memory"})).lines[0].seq == 1
    assert (await see(client, stream, lambda w: w.found == 1, query={"find": "memory"})).lines[1].marks == ((34, 40),)
    assert not (await see(client, stream, lambda w: w.kept == 2, query={"show": "nothing"})).lines
    assert (await client.request("logs.line", stream=stream, seq=1, offset=27, limit=100))["text"] == "out of memory"
    saved = await client.request("logs.save", stream=stream)
    assert (saved["lines"], Path(saved["path"]).read_text().endswith("ERROR out of memory\n")) == (2, True)
    with log.open("a") as file:
        file.write(" killed\n")
    window = await see(client, stream, lambda w: w.newest == 1)
    assert [line.text.split(" ", 2)[2] for line in window.lines] == ["fine", "out of memory killed"]


async def test_a_secret_whose_line_has_no_end_is_not_shown_not_even_its_begin(post: Post) -> None:
    log = post.folder / "a.log"
    log.write_text(f"first\nbefore {SECRET} password: {SECRET[:12]}")
    client = await post.client()
    stream = (await client.request("logs.open", paths=[str(log)]))["stream"]
    window = await see(client, stream, lambda w: len(w.lines) == 2)
    assert window.lines[1].text == "before (secret db) password: "
    with log.open("a") as file:
        file.write(f"{SECRET[12:]} after\n")
    window = await see(client, stream, lambda w: w.newest == 1)
    assert window.lines[1].text == "before (secret db) password: (secret db) after"


async def test_a_log_that_goes_further_back_than_it_was_read_says_so(post: Post) -> None:
    log = str(post.log("a.log", "1", "2", "3", "4", "5"))
    client = await post.client()
    for tail, older in ((3, True), (10, False)):
        stream = (await client.request("logs.open", paths=[log], tail=tail))["stream"]
        window = await see(client, stream, lambda w, tail=tail: w.kept == min(tail, 5))  # type: ignore[misc]
        assert [source.older for source in window.sources] == [older]
        assert window.per_second == 0.0


async def test_secrets_and_control_sequences_are_neither_shown_nor_saved(post: Post) -> None:
    cut = SECRET[:8], SECRET[8:]
    log = post.log("a.log", f"password={SECRET} \x1b]0;gone\x07\x1b[31mred\x1b[0m\u202e", f"{cut[0]}", f"{cut[1]}")
    client = await post.client()
    stream = (await client.request("logs.open", paths=[str(log)]))["stream"]
    window = await see(client, stream, lambda w: w.kept == 3)
    assert window.lines[0].text == "password=(secret db) red"
    assert SECRET not in "".join(line.text for line in window.lines)
    whole = await client.request("logs.line", stream=stream, seq=0)
    assert whole == {"text": "password=(secret db) red", "total": 24}
    saved = await client.request("logs.save", stream=stream, query={"show": "password"})
    assert saved["lines"] == 1
    path = Path(saved["path"])
    assert path.parent == post.folder / "kept"
    assert path.stat().st_mode & 0o777 == 0o600
    assert "password=(secret db) red" in path.read_text()
    again = await client.request("logs.save", stream=stream)
    assert again["path"] != saved["path"]


async def test_the_secrets_are_on_no_command_line(post: Post) -> None:
    client = await post.client()
    await client.request("logs.open", paths=[str(post.log("a.log", "x"))])
    (reader,) = readers()
    assert SECRET.encode() not in Path(f"/proc/{reader}/cmdline").read_bytes()
    assert SECRET.encode() not in Path(f"/proc/{reader}/environ").read_bytes()


async def test_a_client_that_only_watches_reads_logs_too(post: Post) -> None:
    client = await post.client(read_only=True)
    stream = (await client.request("logs.open", paths=[str(post.log("a.log", "x"))]))["stream"]
    await see(client, stream, lambda w: w.kept == 1)
    assert (await client.request("logs.save", stream=stream))["lines"] == 1


async def test_a_service_without_a_log_says_why_and_the_others_are_read(post: Post) -> None:
    post.hub.logs["web"] = LogSource("web", "file", path=str(post.log("web.log", "hello")))
    client = await post.client()
    opened = await client.request("logs.open", items=["web", "db"])
    window = await see(client, opened["stream"], lambda w: w.kept == 1)
    states = {source.name: (source.state, source.why) for source in window.sources}
    assert states == {"web": ("reading", ""), "db": ("off", "keeps no log")}


async def test_a_reader_ends_with_its_client_and_with_the_stream(post: Post) -> None:
    log = str(post.log("a.log", "x"))
    staying, leaving = await post.client(), await post.client()
    first = (await staying.request("logs.open", paths=[log]))["stream"]
    await leaving.request("logs.open", paths=[log])
    assert len(pids := readers()) == 2
    await leaving.aclose()
    async with asyncio.timeout(10):
        while len(readers()) == 2:
            await asyncio.sleep(0.01)
    await staying.request("logs.close", stream=first)
    assert not readers()
    assert all(ended(pid) for pid in pids)
    with pytest.raises(UsageError, match="no log stream"):
        await staying.request("logs.window", stream=first)


async def test_a_reader_that_was_killed_is_told_in_words_and_the_log_opens_again(post: Post) -> None:
    log = str(post.log("a.log", "x"))
    client = await post.client()
    stream = (await client.request("logs.open", paths=[log]))["stream"]
    (reader,) = readers()
    os.kill(reader, signal.SIGKILL)
    with pytest.raises(SwitchoverError, match="log reader was ended by signal 9") as caught:
        await see(client, stream, lambda w: False)
    assert caught.value.hint == "open the log again"
    again = (await client.request("logs.open", paths=[log]))["stream"]
    await see(client, again, lambda w: w.kept == 1)


async def test_only_so_many_logs_are_open_at_once(post: Post) -> None:
    log = str(post.log("a.log", "x"))
    client = await post.client()
    for _ in range(8):
        await client.request("logs.open", paths=[log])
    with pytest.raises(RefusedError, match="8 logs are open"):
        await client.request("logs.open", paths=[log])


async def test_a_log_opens_again_however_often_its_reader_was_killed(post: Post) -> None:
    log = str(post.log("a.log", "x"))
    client = await post.client()
    for _ in range(9):
        stream = (await client.request("logs.open", paths=[log]))["stream"]
        (reader,) = readers()
        os.kill(reader, signal.SIGKILL)
        with pytest.raises(SwitchoverError, match="was ended by signal 9"):
            await see(client, stream, lambda w: False)


async def test_a_pattern_that_would_search_for_ever_is_refused_in_words(post: Post) -> None:
    log = post.log("a.log", "a" * 60 + "b", "harmless")
    client = await post.client()
    stream = (await client.request("logs.open", paths=[str(log)]))["stream"]
    await see(client, stream, lambda w: w.kept == 2)
    for query in ({"show": "(a+)+$"}, {"find": "(a+)+$"}, {"hide": "(a|a)*$"}):
        window = await see(client, stream, lambda w: w.problem, query=query)
        assert "takes too long" in window.problem
    window = await see(client, stream, lambda w: len(w.lines) == 2)
    assert not window.problem


async def test_a_broken_pattern_is_explained_and_hides_nothing(post: Post) -> None:
    client = await post.client()
    stream = (await client.request("logs.open", paths=[str(post.log("a.log", "x"))]))["stream"]
    window = await see(client, stream, lambda w: w.kept == 1, query={"show": "("})
    assert window.problem.startswith("the pattern does not work: missing )")
    assert len(window.lines) == 1


@pytest.mark.parametrize("pattern", ["on", ""])
async def test_a_reader_that_hangs_is_ended_and_the_log_is_opened_again_without_its_pattern(
    tmp_path: Path, pattern: str
) -> None:
    log = tmp_path / "a.log"
    log.write_text("one\n")
    streams = LogStreams(answer_within_s=1.0)
    try:
        source = LogSource("a", "file", path=str(log))
        await streams.open([source], [], LogSpan(), secrets=dict, folder=None)
        (reader,) = readers()
        os.kill(reader, signal.SIGSTOP)
        log.write_text("one\nwritten meanwhile\n")
        asked = {"query": {"show": pattern}, "anchor": None, "before": 5, "after": 0, "seen": 1, "wait": 0.1}
        answer = await streams.ask(1, "window", asked, LogWindow)
        assert (
            "opened again without it" if pattern else "did not answer, so the log was opened again"
        ) in answer.problem
        assert ended(reader)
        while len(answer.lines) < 2 or answer.problem:  # and it is followed again
            answer = await streams.ask(1, "window", {**asked, "seen": -1, "query": {}}, LogWindow)
    finally:
        await streams.aclose()
    assert not readers()


async def test_a_reader_ends_when_its_agent_does(tmp_path: Path) -> None:
    code = """
import asyncio, sys
from switchover.agent.server.reader_process import LogReader
async def main():
    reader = LogReader()
    source = {"name": "a", "kind": "command", "argv": ["sleep", "1000"]}
    await reader.start({"sources": [source], "span": {"follow": True}})
    await reader.ask("states", {}, 10)
    print(reader.pid, flush=True)
    await asyncio.sleep(1000)
asyncio.run(main())
"""
    agent = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=subprocess.PIPE)
    assert agent.stdout is not None
    reader = int(await agent.stdout.readline())
    children = Path(f"/proc/{reader}/task/{reader}/children")
    async with asyncio.timeout(10):
        while not (started := children.read_text().split()):
            await asyncio.sleep(0.01)
        agent.kill()
        await agent.wait()
        while not (ended(reader) and all(ended(int(pid)) for pid in started)):
            await asyncio.sleep(0.01)


async def test_what_a_reader_started_ends_with_it_however_it_ends(tmp_path: Path) -> None:
    reader = LogReader()
    source = {"name": "a", "kind": "command", "argv": ["sleep", "1000"]}
    await reader.start({"sources": [source], "span": {"follow": True}})
    await reader.ask("states", {}, 10)
    children = Path(f"/proc/{reader.pid}/task/{reader.pid}/children")
    async with asyncio.timeout(10):
        while not (started := children.read_text().split()):
            await asyncio.sleep(0.01)
        os.kill(reader.pid, signal.SIGKILL)
        while not all(ended(int(pid)) for pid in started):
            await asyncio.sleep(0.01)
    with pytest.raises(StateError):
        await reader.ask("states", {}, 10)
    await reader.aclose()


async def test_a_line_of_ten_megabytes_is_kept_whole_searched_to_its_end_and_read_in_parts(post: Post) -> None:
    log = post.folder / "a.log"
    size = 10 << 20
    log.write_bytes(b"x" * (size - 60) + SECRET.encode() + b" the very end".ljust(60 - len(SECRET)) + b"\nafter\n")
    client = await post.client()
    stream = (await client.request("logs.open", paths=[str(log)]))["stream"]
    window = await see(client, stream, lambda w: w.kept == 2 and w.progress >= 1, query={"find": "the very end"})
    assert (len(window.lines[0].text), window.lines[0].more, window.found) == (4096, size - 4096, 1)
    assert window.lines[0].marks == ((4095, 4096),)
    assert (await see(client, stream, lambda w: w.progress >= 1, query={"show": "very end"})).lines[0].seq == 0
    text, total = "", size
    while len(text) < total:
        part = await client.request("logs.line", stream=stream, seq=0, offset=len(text), limit=256 * 1024)
        assert part["text"]
        text, total = text + part["text"], part["total"]
    assert text.rstrip().lstrip("x") == "(secret db) the very end"
    saved = Path((await client.request("logs.save", stream=stream))["path"]).read_text().splitlines()
    assert saved[0].endswith(text)
    assert saved[1].endswith("after")


async def test_a_secret_that_becomes_known_later_is_taken_out_of_what_was_read_before_too(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("it is Kq7ZtPwJ3vNx\n")
    known: dict[str, str] = {}
    streams = LogStreams()
    asked: dict[str, Any] = {"query": {}, "anchor": None, "before": 5, "after": 0, "seen": -1, "wait": 5}
    try:
        source = LogSource("a", "file", path=str(log))
        await streams.open([source], [], LogSpan(), secrets=lambda: known, folder=tmp_path)
        window = await streams.ask(1, "window", asked, LogWindow, extra_s=5)
        assert [line.text for line in window.lines] == ["it is Kq7ZtPwJ3vNx"]
        waiting = asyncio.create_task(streams.ask(1, "window", {**asked, "seen": window.newest}, LogWindow, extra_s=5))
        await asyncio.sleep(0)
        known["pw"] = "Kq7ZtPwJ3vNx"
        with log.open("a") as file:
            file.write("and Kq7ZtPwJ3vNx again\n")
        window = await waiting
        assert {line.text for line in window.lines} <= {"it is (secret pw)", "and (secret pw) again"}
        saved = Path((await streams.save(1, {"query": {}})).path).read_text()
        assert "Kq7ZtPwJ3vNx" not in saved
    finally:
        await streams.aclose()
