from __future__ import annotations

from tests.support.servers.dockerd import HOST, DockerDaemon, run_dockerd


def test_containers_run_from_the_hosts_own_programs_and_from_busybox(containers: DockerDaemon) -> None:
    assert containers.run("busybox", "echo", "from busybox").wait()["StatusCode"] == 0
    python = containers.run("python3", "-c", "print('from the host')", image=HOST)
    assert (python.wait()["StatusCode"], python.logs()) == (0, b"from the host\n")


def test_a_daemon_that_was_restarted_has_its_containers_still_and_ends_without_survivors() -> None:
    with run_dockerd() as daemon:
        daemon.run(name="kept", restart_policy={"Name": "always"})
        daemon.run(name="ended")
        daemon.restart()
        states = {one["Names"][0]: one["State"] for one in daemon.client.api.containers(all=True)}
        assert states == {"/kept": "running", "/ended": "exited"}
    assert not daemon._survivors()
    assert not daemon.folder.exists()
