"""The module for applications, in processes of its own, against the real API on a socket."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.unit.agent.http.conftest import Api

import switchover_client

FOLDER = Path(switchover_client.__file__).parent.parent


async def run(code: str, address: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-c",
        f"import sys; sys.path.insert(0, {str(FOLDER)!r}); import switchover_client as c\n{code}",
        env={"SWITCHOVER_API": address},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode, out.decode()


async def test_steps_ai_git_tests_and_numbers_of_an_application_arrive_when_it_ends(api: Api) -> None:
    code = """
import asyncio
@c.monitor_step("prepare", 40)
def prepare(state): return 7
@c.monitor_step("implement", 60)
async def implement(state):
    await c.track_ai_usage(state, "claude", 1500, 800, 0.032)
    await c.track_git_operation(state, "clone", True, 0)
    raise ValueError("broken")
state = {"workflow_id": "w1"}
assert prepare(state) == 7
c.track_tests("w1", "unit", 3, 1); c.metric("depth", 4, "gauge", {"queue": "q"})
try: asyncio.run(implement(state))
except ValueError: print("raised as before")
"""
    assert await run(code, str(api.path)) == (0, "raised as before\n")
    flow = (await api.http.get("/monitoring/workflows/w1")).json()
    assert [(s["name"], s["state"], s["error"]) for s in flow["steps"]] == [
        ("prepare", "ok", ""),
        ("implement", "failed", "ValueError: broken"),
    ]
    names = {m["name"] for m in (await api.http.get("/monitoring/metrics")).json()["metrics"]}
    assert {"ai_cost", "git_operations", "tests_failed", "depth"} <= names


async def test_a_child_after_a_fork_tells_its_own_words_once(api: Api) -> None:
    code = """
import os
c.track_ai_usage("w", "parent", 1, 1, 1)
pid = os.fork()
if pid == 0:
    c.track_ai_usage("w", "child", 1, 1, 1)
    c.flush(20)
    os._exit(0)
os.waitpid(pid, 0)
c.flush(20)
"""
    assert await run(code, str(api.path)) == (0, "")
    rows = (await api.http.get("/monitoring/usage")).json()["usage"]
    assert sorted((r["provider"], r["calls"]) for r in rows) == [("child", 1), ("parent", 1)]


async def test_where_nobody_listens_the_application_goes_on_and_the_newest_words_wait(tmp_path: Path) -> None:
    code = """
class Odd:
    def __getattr__(self, name): raise RuntimeError(name)
    def __repr__(self): raise RuntimeError
for n in range(20_000): c.track_ai_usage("w", "p", n, 0, 1)
c.log(Odd(), Odd()); c.workflow_started(Odd()); c.metric(Odd(), Odd(), labels=5)
print(len(c._sender.waiting) + len(c._sender.unsent) <= 10_500)
"""
    assert await run(code, str(tmp_path / "nobody.sock")) == (0, "True\n")


async def test_words_that_were_dropped_are_counted_by_the_agent(api: Api) -> None:
    code = """
c.track_ai_usage("w", "p", 1, 1, 1)
c.flush(20)
for _ in range(5): next(c._sender.numbers)
c.track_ai_usage("w", "p", 1, 1, 1)
c.flush(20)
"""
    assert await run(code, str(api.path)) == (0, "")
    assert (await api.http.get("/monitoring/stats")).json()["events_lost"] == 5


async def test_a_word_that_cannot_be_written_holds_back_no_other(api: Api) -> None:
    code = """
class Odd:
    def __repr__(self): raise RuntimeError
c.log("w", Odd()); c.metric("x", float("nan")); c.metric("y", 1)
"""
    assert await run(code, str(api.path)) == (0, "")
    assert [m["name"] for m in (await api.http.get("/monitoring/metrics")).json()["metrics"]] == ["y"]
