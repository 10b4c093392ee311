from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from switchover.agent.process.logind import Logind, escape_prefix, read_logind

USER = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine that systemd has started, with nothing said in its configuration."""
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/user.slice/user-1000.slice/session-3.scope\n")
    write(tmp_path, "etc/systemd/logind.conf", "[Login]\n#KillUserProcesses=yes\n")
    return tmp_path


def write(machine: Path, name: str, text: str) -> None:
    (machine / name).parent.mkdir(parents=True, exist_ok=True)
    (machine / name).write_text(text)


def kills(machine: Path, *lines: str) -> None:
    write(machine, "etc/systemd/logind.conf", "[Login]\nKillExcludeUsers=\nKillUserProcesses=yes\n" + "\n".join(lines))


def test_where_systemd_does_not_run_nothing_is_ended(tmp_path: Path) -> None:
    assert read_logind(tmp_path, lambda: True) == Logind(present=False, kills=False, lingers=False, in_session=False)


@pytest.mark.parametrize("answer", [True, False, None])
def test_what_the_files_do_not_say_is_asked(machine: Path, answer: bool | None) -> None:
    write(machine, "etc/systemd/logind.conf", "[Login]\nKillExcludeUsers=\n")
    assert read_logind(machine, lambda: answer).kills is bool(answer)


def test_a_later_file_wins(machine: Path) -> None:
    kills(machine)
    assert read_logind(machine, lambda: None).kills
    write(machine, "etc/systemd/logind.conf.d/50-ours.conf", "[Login]\nKillUserProcesses=no\n")
    assert not read_logind(machine, lambda: None).kills
    write(machine, "usr/lib/systemd/logind.conf.d/50-ours.conf", "[Login]\nKillUserProcesses=yes\n")
    assert not read_logind(machine, lambda: None).kills, "the same name in /etc wins"


def test_excluded_users_are_left_alone(machine: Path) -> None:
    kills(machine, f"KillExcludeUsers={USER} other")
    assert not read_logind(machine, lambda: None).kills
    kills(machine, "KillOnlyUsers=somebody-else")
    assert not read_logind(machine, lambda: None).kills
    kills(machine, f"KillOnlyUsers={USER}")
    assert read_logind(machine, lambda: None).kills


def test_an_agent_in_a_session_that_will_be_ended_is_started_outside_it(machine: Path) -> None:
    kills(machine)
    logind = read_logind(machine, lambda: None)
    assert escape_prefix(logind, lambda name: f"/usr/bin/{name}")[:3] == ["/usr/bin/systemd-run", "--user", "--scope"]
    assert escape_prefix(logind, lambda name: None) == []
    assert "enable-linger" in logind.warning


def test_an_agent_of_a_lingering_user_outside_the_session_needs_no_warning(machine: Path) -> None:
    kills(machine)
    write(machine, f"var/lib/systemd/linger/{USER}", "")
    assert read_logind(machine, lambda: None).warning
    (machine / "proc/self/cgroup").write_text(
        "0::/user.slice/user-1000.slice/user@1000.service/app.slice/run-1.scope\n"
    )
    assert read_logind(machine, lambda: None).warning == ""
    assert escape_prefix(read_logind(machine, lambda: None)) == []
