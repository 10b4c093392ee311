"""Real containers fail in their ways; a real daemon goes and comes back."""

from __future__ import annotations

import asyncio

import pytest
from tests.real.triage.conftest import Room
from tests.support.servers.dockerd import HOST, DockerDaemon

from switchover.snapshot import Snapshot


@pytest.fixture
def dockerd(containers: DockerDaemon, monkeypatch: pytest.MonkeyPatch) -> DockerDaemon:
    monkeypatch.setenv("DOCKER_HOST", containers.url)
    return containers


async def test_a_container_that_ran_out_of_memory(dockerd: DockerDaemon, room: Room) -> None:
    hungry = "x = bytearray(200_000_000); print(len(x))"
    await asyncio.to_thread(dockerd.run, "python3", "-c", hungry, name="hungry", image=HOST, mem_limit="30m")
    room.write("services:\n  eater: {kind: docker, container: hungry, every: 1s}\n")
    client = await room.client()
    problem, view = await room.known(client, "eater", "out-of-memory")
    assert view.because == ("eater is stopped: exited, exit 137, out of memory",)
    outputs = "\n".join(one["output"] for one in await room.diagnose(client, problem))
    assert "state=exited exit=137 oom-killed=true" in outputs
    assert "memory-limit=31457280" in outputs
    look = await client.request("issue.look", entry="out-of-memory", about="eater")
    commands = [act["command"] for act in look["acts"]]
    done = await client.request(
        "issue.solve",
        entry="out-of-memory",
        about="eater",
        solution=commands.index("start eater"),
        confirmation="yes",
    )
    assert done["exit_code"] == 0
    now = await room.see(client, lambda now: any("start eater" in row.text for row in now.timeline))
    assert any(row.kind == "action" and row.text.startswith("ann: start eater") for row in now.timeline)


async def test_a_crash_loop_is_told_with_its_cause_from_its_own_log(dockerd: DockerDaemon, room: Room) -> None:
    def start(name: str, program: str) -> None:
        dockerd.run("sh", "-c", program, name=name, restart_policy={"Name": "always"})

    await asyncio.to_thread(start, "looping", "echo broken >&2; exit 3")
    taken = "echo 'listen tcp 0.0.0.0:8080: bind: address already in use' >&2; exit 1"
    await asyncio.to_thread(start, "blocked", taken)
    client = await room.client()  # no plan: what is wrong is found by itself
    await client.request("service.found", wanted=True)
    loop, view = await room.known(client, "looping", "crash-loop")
    assert loop.service == "docker:looping"
    assert "restarted" in view.because[view.about.index("docker:looping")]
    assert "broken" in "\n".join(one["output"] for one in await room.diagnose(client, loop))
    _, taken_view = await room.known(client, "blocked", "port-taken")
    assert taken_view.because == ("its log says: listen tcp 0.0.0.0:8080: bind: address already in use",)


def _of_docker(now: Snapshot) -> bool:
    """Whether the daemon or one of its boxes is a problem; a busy machine is one of its own."""
    return any(p.subject == "docker" or (p.service or "").startswith("box") for p in now.problems)


async def test_a_daemon_that_is_gone_is_one_problem_until_it_is_back(dockerd: DockerDaemon, room: Room) -> None:
    names = [f"box{n}" for n in range(6)]
    for name in names:
        await asyncio.to_thread(dockerd.run, name=name)
    services = "".join(f"  {name}: {{kind: docker, container: {name}, every: 0.5s}}\n" for name in names)
    room.write(f"services:\n{services}checks:\n  up: {{kind: docker, service: [{', '.join(names)}], every: 0.5s}}\n")
    client = await room.client()
    await room.see(client, lambda now: sum(row.health == "ok" for row in now.services) == 6 and not _of_docker(now))
    await asyncio.to_thread(dockerd.client.close)
    await asyncio.to_thread(dockerd.stop)
    now = await room.see(client, lambda now: any(p.subject == "docker" and len(p.waiting) >= 6 for p in now.problems))
    gone = next(problem for problem in now.problems if problem.subject == "docker")
    assert set(names) <= set(gone.waiting)
    assert not {problem.service for problem in now.problems} & set(names)
    await asyncio.to_thread(dockerd.start)
    await room.see(client, lambda now: not any(problem.subject == "docker" for problem in now.problems))
    await room.see(client, lambda now: all(row.state == "stopped" for row in now.services))


async def test_a_project_is_told_with_the_container_that_is_wrong_in_it(dockerd: DockerDaemon, room: Room) -> None:
    def start(name: str, service: str, program: str) -> None:
        labels = {
            "com.docker.compose.project": "shop",
            "com.docker.compose.service": service,
            "com.docker.compose.container-number": "1",
            "com.docker.compose.oneoff": "False",
            **({"com.docker.compose.depends_on": "db:service_started:false"} if service == "api" else {}),
        }
        dockerd.run("sh", "-c", program, name=name, labels=labels)

    await asyncio.to_thread(start, "shop-db-1", "db", "exit 4")
    await asyncio.to_thread(start, "shop-api-1", "api", "exit 5")
    await asyncio.to_thread(start, "shop-web-1", "web", "sleep 1000")
    await asyncio.to_thread(start, "shop-job-1", "job", "exit 0")
    client = await room.client()
    await client.request("service.found", wanted=True)
    now = await room.see(client, lambda now: any(len(problem.waiting) == 2 for problem in now.problems))
    (problem,) = now.problems
    assert (problem.subject, problem.service) == ("shop/db-1", "docker:shop-db-1")
    assert set(problem.waiting) == {"shop/api-1", "shop"}


async def test_a_container_that_crashed_and_left_nothing_is_kept_until_seen_and_one_that_was_stopped_is_not(
    dockerd: DockerDaemon, room: Room
) -> None:
    client = await room.client()
    await client.request("service.found", wanted=True)
    await asyncio.to_thread(dockerd.run, "sleep", "1000", name="stays")
    await room.see(client, lambda now: any(row.id == "docker:stays" for row in now.found))
    stopped = await asyncio.to_thread(lambda: dockerd.run("sleep", "1000", name="stopped", auto_remove=True))
    await asyncio.to_thread(stopped.kill)
    await asyncio.to_thread(lambda: dockerd.run("sh", "-c", "exit 5", name="import", auto_remove=True))
    now = await room.see(client, lambda now: any(one.service == "failed:docker:import" for one in now.problems))
    assert "failed:docker:stopped" not in {row.id for row in now.found}
    (row,) = [row for row in now.found if row.id == "failed:docker:import"]
    assert row.detail == "exited, exit 5; its container is removed since"
    (answer,) = (await client.request("logs.open", items=[row.id], tail=10))["sources"][:1] or [{}]
    assert answer, "why there is no log is said"
    await client.request("service.seen", id=row.id)
    await room.see(client, lambda now: row.id not in {one.id for one in now.found})
