"""Machines as they are: banners, strange shells, no Python, no key, a home that cannot be written. Each in words."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import missing
from tests.support.far_host import FarHost, run_far_host
from tests.unit.migration.harness import ANA, Bench, open_bench

from switchover.errors import StateError

PLAN = """
hosts: {{db: {{ssh: {ssh}}}}}
phases:
  - id: a
    steps:
      - {{id: there, run: 'echo "it $((1 + 1)) runs"', run_on: db, effect: read}}
"""


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FarHost]:
    """A machine whose login shell is the script `login` in its folder."""
    folder = tmp_path_factory.mktemp("odd")
    with run_far_host(folder, more=f"ForceCommand exec /bin/sh {folder}/login\n") as host:
        port = next(line for line in host.client.read_text().splitlines() if "Port" in line).split()[1]
        plain = f"  HostName 127.0.0.1\n  Port {port}\n"
        plain += f"  UserKnownHostsFile {folder}/hosts\n  GlobalKnownHostsFile /dev/null\n"
        with host.client.open("a") as file:
            file.write(f"Host nokey\n{plain}  HostKeyAlias far\n  IdentityFile none\n  IdentityAgent none\n")
            file.write(f"Host strange\n{plain}  StrictHostKeyChecking yes\n  IdentityFile {folder}/user\n")
            file.write("Host gone\n  HostName 127.0.0.1\n  Port 1\n")
        yield host


def _logs_in(odd: FarHost, script: str) -> None:
    (odd.folder / "login").write_text(script)


def _bench(folder: Path, far: FarHost, ssh: str = "far") -> Bench:
    return open_bench(folder, PLAN.format(ssh=ssh), hosts=far.lines())


async def _refused(folder: Path, far: FarHost, ssh: str = "far") -> str:
    bench = _bench(folder, far, ssh)
    await bench.engine.start(ANA)
    with pytest.raises(StateError) as refused:
        await bench.engine.run_step("there", ANA)
    assert bench.stage("there") == "pending"
    assert far.attempts == []
    return refused.value.title


NOISE = """
echo "Welcome to $(uname -n)!"; echo "You have mail." >&2
head -c 100000 /dev/zero | tr '\\0' x; echo; echo -n "no line end"
exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"
"""


@pytest.mark.parametrize("shell", ["sh", "bash", "fish", "tcsh"])
async def test_any_login_shell_will_do_and_what_it_prints_before_is_no_output(
    tmp_path: Path, odd: FarHost, shell: str
) -> None:
    program = shutil.which(shell)
    if program is None:
        missing(shell)
    _logs_in(odd, NOISE.replace("exec /bin/sh", f"exec {program}"))
    bench = _bench(tmp_path, odd)
    await bench.engine.drive(ANA)
    assert bench.stage("there") == "done"
    assert bench.engine.read_output("there", 1, 0, 1 << 20)[0] == "it 2 runs\n"


async def test_a_machine_without_python_is_refused_in_words(tmp_path: Path, odd: FarHost) -> None:
    _logs_in(
        odd, 'exec /bin/sh -c "$(echo "$SSH_ORIGINAL_COMMAND" | sed "s/python/no-such-/g; s/no-such-\'/python\'/")"'
    )
    said = await _refused(tmp_path, odd)
    assert (
        said == "there was not started: db cannot run it: it has no python3, and steps there need Python 3.6 or newer"
    )


async def test_a_machine_that_wants_a_password_is_refused_at_once_with_how_to_set_up_keys(
    tmp_path: Path, odd: FarHost
) -> None:
    said = await _refused(tmp_path, odd, "nokey")
    assert "db cannot be reached: no key of yours opens it, and a password is never asked for here" in said
    assert "`ssh-copy-id nokey`" in said
    assert "Permission denied" in said


async def test_a_machine_whose_key_is_not_known_is_refused_in_words(tmp_path: Path, odd: FarHost) -> None:
    said = await _refused(tmp_path, odd, "strange")
    assert "its host key is not known, or is another than before: compare it, then `ssh strange` once by hand" in said


async def test_a_machine_that_is_not_there_is_told_with_what_ssh_says(tmp_path: Path, odd: FarHost) -> None:
    assert "db cannot be reached: ssh: connect to host 127.0.0.1 port 1: Connection refused" in await _refused(
        tmp_path, odd, "gone"
    )


async def test_a_shell_that_prints_without_end_is_given_up(tmp_path: Path, odd: FarHost) -> None:
    _logs_in(odd, "exec yes")
    assert "its login shell prints without end" in await _refused(tmp_path, odd)


async def test_a_shell_that_only_says_goodbye_is_told_as_it_speaks(tmp_path: Path, odd: FarHost) -> None:
    _logs_in(odd, "echo 'This account is currently not available.' >&2; exit 1")
    assert "ssh: This account is currently not available." in await _refused(tmp_path, odd)


async def test_where_the_home_cannot_be_written_another_folder_is_taken(tmp_path: Path) -> None:
    folder = tmp_path / "far"
    folder.mkdir()
    with run_far_host(folder, home=Path("/proc")) as host:
        bench = _bench(tmp_path, host)
        await bench.engine.drive(ANA)
        assert bench.stage("there") == "done"
        last = bench.engine.state.unit("there").last
        assert last is not None
        assert last.far is not None
        assert last.far.directory.startswith("/var/tmp/switchover-far-")
        await bench.engine.aclose()
        assert not _is_there(last.far.directory)


def _is_there(path: str) -> bool:
    return os.path.lexists(path)
