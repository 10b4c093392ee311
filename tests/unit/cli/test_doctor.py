from __future__ import annotations

import json
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from switchover.cli import parser
from switchover.cli.doctor.examine import examine
from switchover.services.examination import Examination


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine's files, nearly none."""
    folder = tmp_path / "machine"
    (folder / "proc/sys/fs/inotify").mkdir(parents=True)
    (folder / "proc/sys/fs/inotify/max_user_watches").write_text("65536\n")
    (folder / "proc/sys/fs/inotify/max_user_instances").write_text("128\n")
    (folder / "proc/mounts").write_text("/dev/vda / ext4 rw 0 0\n")
    return folder


def looks(root: Path, machine: Path, **environ: str) -> Mapping[str, Examination]:
    surroundings = {"TERM": "xterm-256color", "HOME": str(machine / "home"), "PATH": "/nowhere", **environ}
    return {look.name: look for look in examine(root, surroundings, machine, ("true",))}


def test_a_bare_machine_is_usable_and_each_source_says_why_it_is_off(machine: Path, tmp_path: Path) -> None:
    seen = looks(tmp_path / "state", machine)
    assert [look.name for look in seen.values() if look.state == "broken"] == []
    for name in ("docker", "aws", "google", "kubectl", "systemd"):
        assert seen[name].state == "off"
        assert seen[name].text
    assert not (tmp_path / "state").exists(), "looking makes nothing"


def test_a_source_that_the_operator_switched_off_says_where(machine: Path, tmp_path: Path) -> None:
    settings = machine / "home/.config/switchover/settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("[sources]\nprocess = false\ngcp = false\ndocker = true\n")
    seen = looks(tmp_path, machine)
    for name in ("processes", "google"):
        assert (seen[name].state, seen[name].text) == ("off", f"switched off in {settings}")
    assert "switched off" not in seen["docker"].text


def test_processes_that_the_kernel_hides_are_told(machine: Path, tmp_path: Path) -> None:
    (machine / "proc/77").mkdir()
    assert looks(tmp_path, machine)["processes"].state == "warn"
    (machine / "proc/1").mkdir()
    assert looks(tmp_path, machine)["processes"].text == "2 are seen"


def test_a_docker_context_is_named(machine: Path, tmp_path: Path) -> None:
    config = machine / "home/.docker/config.json"
    config.parent.mkdir(parents=True)
    config.write_text('{"currentContext": "edge"}')
    assert looks(tmp_path, machine)["docker"].text == "context edge (not contacted)"


def test_a_state_directory_that_cannot_be_written_makes_it_unusable(machine: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    seen = looks(tmp_path / "file" / "state", machine)
    assert seen["state directory"].state == "broken"
    assert "--state DIR" in seen["state directory"].hint


def test_a_state_directory_on_another_machine_is_warned_of(machine: Path, tmp_path: Path) -> None:
    (machine / "proc/mounts").write_text(f"/dev/vda / ext4 rw 0 0\nserver:/x {tmp_path} nfs4 rw 0 0\n")
    look = looks(tmp_path, machine)["state directory"]
    assert look.state == "warn"
    assert "nfs4" in look.text


def test_a_docker_that_answers_is_told_from_one_that_does_not(machine: Path, tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="so-") as name, socket.socket(socket.AF_UNIX) as daemon:
        path = Path(name) / "docker.sock"
        daemon.bind(str(path))
        place = f"unix://{path}"
        assert looks(tmp_path, machine, DOCKER_HOST=place)["docker"].state == "off"
        daemon.listen()
        assert looks(tmp_path, machine, DOCKER_HOST=place)["docker"].state == "ok"
    assert "not contacted" in looks(tmp_path, machine, DOCKER_HOST="tcp://10.0.0.1:2375")["docker"].text


def test_credentials_are_found_and_never_shown(machine: Path, tmp_path: Path) -> None:
    seen = looks(tmp_path, machine, AWS_ACCESS_KEY_ID="AKIA-CANARY", AWS_SECRET_ACCESS_KEY="canary")
    assert seen["aws"].state == "ok"
    assert "CANARY" not in repr(seen).upper()
    named = tmp_path / "key.json"
    missing = looks(tmp_path, machine, GOOGLE_APPLICATION_CREDENTIALS=str(named))["google"]
    assert missing.state == "off"
    assert "not there" in missing.text
    named.write_text("{}")
    assert looks(tmp_path, machine, GOOGLE_APPLICATION_CREDENTIALS=str(named))["google"].state == "ok"


@pytest.mark.parametrize("kind", ["", "dumb"])
def test_a_terminal_that_cannot_show_the_screen_is_warned_of(machine: Path, tmp_path: Path, kind: str) -> None:
    assert looks(tmp_path, machine, TERM=kind)["terminal"].state == "warn"


def test_the_way_to_the_terminal_is_told(machine: Path, tmp_path: Path) -> None:
    text = looks(tmp_path, machine, SSH_CONNECTION="a b c d", TMUX="/tmp/x", COLORTERM="truecolor")["terminal"].text
    assert "through ssh and tmux" in text
    assert "16 million colours" in text


def test_few_inotify_watches_are_warned_of(machine: Path, tmp_path: Path) -> None:
    (machine / "proc/sys/fs/inotify/max_user_watches").write_text("100\n")
    assert looks(tmp_path, machine)["inotify"].state == "warn"


def test_the_verdict_is_for_people_and_for_programs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert parser.main(["doctor", "--state", str(tmp_path)]) == 0
    assert capsys.readouterr().out.endswith("switchover is usable here\n")
    assert parser.main(["doctor", "--format", "json", "--state", str(tmp_path)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["usable"] is True
    assert {"name", "state", "text", "hint"} == set(told["findings"][0])


def test_an_unusable_machine_ends_in_1(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert parser.main(["doctor", "--state", str(tmp_path / "file")]) == 1
    assert "not usable yet: state directory" in capsys.readouterr().out


def test_a_textual_that_the_difference_does_not_fit_is_told(machine: Path, tmp_path: Path) -> None:
    probe = ("sh", "-c", "echo 'ImportError: no ChopsUpdate'; exit 1")
    found = {look.name: look for look in examine(tmp_path, {"TERM": "xterm"}, machine, probe)}
    assert found["drawing"].state == "warn"
    assert "no ChopsUpdate" in found["drawing"].text
    assert found["drawing"].hint


def test_a_probe_of_the_screen_that_cannot_start_is_told(machine: Path, tmp_path: Path) -> None:
    found = {look.name: look for look in examine(tmp_path, {"TERM": "xterm"}, machine, ("/nowhere/python",))}
    assert found["drawing"].state == "warn"


def _chosen_registry(machine: Path, folder: Path) -> None:
    settings = machine / "home/.config/switchover/settings.toml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(f'registry = "{folder}"\n')


def test_the_registry_of_the_host_says_where_it_lies_or_why_it_cannot_be_used(machine: Path, tmp_path: Path) -> None:
    folder = tmp_path / "registry"
    _chosen_registry(machine, folder)
    missing = looks(tmp_path / "state", machine)["registry"]
    assert (missing.state, str(folder) in missing.text) == ("broken", True)
    folder.mkdir()
    folder.chmod(0o777)  # without the sticky bit
    loose = looks(tmp_path / "state", machine)["registry"]
    assert (loose.state, "everybody may remove" in loose.text) == ("broken", True)
    folder.chmod(0o1777)
    good = looks(tmp_path / "state", machine)["registry"]
    assert (good.state, good.text) == ("ok", f"{folder}, all accounts see there who drives what")
