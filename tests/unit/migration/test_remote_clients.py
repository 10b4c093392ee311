"""Which programs hand work to another machine or a server, told by how they were called."""

import pytest

from switchover.migration.steps.remote_clients import named_in, remote_client


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("ssh far uptime", "ssh"),
        ("scp dump far:", "scp"),
        ("mosh-client 10.0.0.1 60001", "mosh-client"),
        ("ansible-playbook site.yml", "ansible-playbook"),
        ("session-manager-plugin {}", "session-manager-plugin"),
        ("psql -h db -c 'UPDATE t SET a = 1'", "psql"),
        ("rsync -a data/ far::module", "rsync"),
        ("rsync -a data/ rsync://far/module", "rsync"),
        ("rsync -a data/ other/", ""),
        ("kubectl exec pod -- migrate", "kubectl exec"),
        ("kubectl -n shop exec pod -- migrate", "kubectl exec"),
        ("kubectl get pods", ""),
        ("docker -H tcp://far:2375 ps", "docker on another host"),
        ("docker -Htcp://far:2375 ps", "docker on another host"),
        ("docker --host=ssh://far ps", "docker on another host"),
        ("docker --context far ps", "docker on another host"),
        ("docker exec db migrate", "docker exec"),
        ("docker-compose run --rm web migrate", "docker-compose run"),
        ("docker ps -H", ""),
        ("systemd-run --wait migrate", "systemd-run"),
        ("sleep 60", ""),
        ("grep ssh notes", ""),
    ],
)
def test_a_call_is_told_by_its_program_and_what_it_asks_for(call: str, name: str) -> None:
    words = call.split()
    assert remote_client(words[0][:15], words) == name


def test_the_environment_sends_docker_to_another_host() -> None:
    words = ["docker", "ps"]
    assert remote_client("docker", words, b"PATH=/bin\0DOCKER_HOST=ssh://far\0") == "docker on another host"
    assert remote_client("docker", words, b"PATH=/bin\0") == ""


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ssh far uptime", "ssh"),
        ("set -x; /usr/bin/ssh -F x far true", "ssh"),
        ("x=$(scp a far:)", "scp"),
        ("ssh-keygen -R far", ""),
        ("cat ~/.ssh/config", ""),
        ("exit 255", ""),
    ],
)
def test_a_command_names_its_remote_shell(text: str, name: str) -> None:
    assert named_in(text) == name
